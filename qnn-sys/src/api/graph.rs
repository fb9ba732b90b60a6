//! Graphs.

use std::ffi::{c_char, c_void};

use crate::types::{ErrorHandle, Priority, ProfileHandle, TensorSet};

c_enum! {
    /// `QnnGraph_ConfigOption_t`: which member of [`GraphConfigValue`] counts.
    GraphConfigOption, "QNN_GRAPH_CONFIG_OPTION_" {
        CUSTOM = 0,
        PRIORITY = 3,
        PROFILE_HANDLE = 4,
        SET_PROFILING_STATE = 5,
        SET_PROFILING_NUM_EXECUTIONS = 6,
        /// Since core 2.32 at the latest.
        ENABLE_BINARY_SECTION_WEIGHTS_UPDATES = 7,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `QnnGraph_ProfilingState_t`.
    ProfilingState, "QNN_GRAPH_PROFILING_STATE_" {
        ENABLED = 1,
        DISABLED = 2,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// The value of a [`GraphConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union GraphConfigValue {
    /// [`GraphConfigOption::CUSTOM`]: a [`crate::htp::GraphCustomConfig`] or [`crate::ir::GraphCustomConfig`].
    pub custom: *mut c_void,
    /// [`GraphConfigOption::PRIORITY`]
    pub priority: Priority,
    /// [`GraphConfigOption::PROFILE_HANDLE`]
    pub profile: ProfileHandle,
    /// [`GraphConfigOption::SET_PROFILING_STATE`]
    pub profiling_state: ProfilingState,
    /// [`GraphConfigOption::SET_PROFILING_NUM_EXECUTIONS`]
    pub num_profiling_executions: u32,
    /// [`GraphConfigOption::ENABLE_BINARY_SECTION_WEIGHTS_UPDATES`]: 0 or 1.
    pub enable_weights_updates: u8,
    /// All bytes, to leave none uninitialised.
    pub raw: u64,
}

/// `QnnGraph_Config_t`. Functions take a null-terminated array of pointers to it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GraphConfig {
    /// Which member of `value` counts.
    pub option: GraphConfigOption,
    /// The value.
    pub value: GraphConfigValue,
}

impl GraphConfig {
    /// A struct of the backend.
    pub fn custom(config: *mut c_void) -> Self {
        Self { option: GraphConfigOption::CUSTOM, value: GraphConfigValue { custom: config } }
    }

    /// Scheduling priority.
    pub fn priority(priority: Priority) -> Self {
        let mut value = GraphConfigValue { raw: 0 };
        value.priority = priority;
        Self { option: GraphConfigOption::PRIORITY, value }
    }
}

c_enum! {
    /// `QnnGraph_ExecuteEnvironmentOption_t`.
    ExecuteEnvironmentOption, "QNN_GRAPH_EXECUTE_ENVIRONMENT_OPTION_" {
        BIND_MEM_HANDLES = 0,
        POPULATE_CLIENT_BUFS = 1,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `QnnGraph_ExecuteEnvironment_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ExecuteEnvironment {
    /// What is done with the tensors.
    pub option: ExecuteEnvironmentOption,
    /// The tensors.
    pub tensor_set: TensorSet,
}

/// `QnnGraph_ValidateConfig_t`. Since core 2.39 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GraphValidateConfig {
    /// 0: custom, the only option there is.
    pub option: u32,
    /// A struct of the backend.
    pub custom: *mut c_void,
}

c_enum! {
    /// `QnnGraph_NodeValidationStatus_t`. Since core 2.39 at the latest.
    NodeValidationStatus, "QNN_GRAPH_NODE_VALIDATION_STATUS_" {
        SUPPORTED = 0,
        UNSUPPORTED = 1,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `QnnGraph_NodeValidationResult_t`. Since core 2.39 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NodeValidationResult {
    /// Name of the node.
    pub node_name: *const c_char,
    /// The verdict.
    pub status: NodeValidationStatus,
    /// Why it is not supported.
    pub error_code: ErrorHandle,
    /// Text or null.
    pub error_message: *const c_char,
}

/// `QnnGraph_ValidationResult_t`; belongs to the library. Since core 2.39 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GraphValidationResult {
    /// Number of `results`.
    pub num_results: u32,
    /// One per node.
    pub results: *const NodeValidationResult,
    /// 0 when the whole graph is supported.
    pub overall_status: ErrorHandle,
}

/// `Qnn_NotifyStatus_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NotifyStatus {
    /// Of the execution.
    pub error: ErrorHandle,
}

/// `Qnn_NotifyFn_t`: called when an asynchronous execution ends.
pub type NotifyFn = unsafe extern "C" fn(notify_param: *mut c_void, status: NotifyStatus);
