//! Contexts and context binaries.

use std::ffi::{c_char, c_void};

use super::ContextBinaryCallback;
use crate::types::{
    ContextBinarySize, ContextHandle, ErrorHandle, ErrorReportingConfig, GraphHandle, MemHandle, Priority,
    ProfileHandle,
};

c_enum! {
    /// `QnnContext_ConfigOption_t`: which member of [`ContextConfigValue`] counts.
    ContextConfigOption, "QNN_CONTEXT_CONFIG_" {
        OPTION_CUSTOM = 0,
        OPTION_PRIORITY = 1,
        OPTION_ERROR_REPORTING = 2,
        OPTION_OEM_STRING = 3,
        ASYNC_EXECUTION_QUEUE_DEPTH = 4,
        ENABLE_GRAPHS = 5,
        MEMORY_LIMIT_HINT = 6,
        PERSISTENT_BINARY = 7,
        BINARY_COMPATIBILITY = 8,
        OPTION_DEFER_GRAPH_INIT = 9,
        /// Since core 2.32 at the latest.
        GRAPH_RETENTION_ORDER = 10,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `QnnContext_BinaryCompatibilityType_t`.
    BinaryCompatibility, "QNN_CONTEXT_BINARY_COMPATIBILITY_" {
        /// Load what can run, even slower than possible.
        PERMISSIVE = 0,
        /// Refuse what does not run at its best.
        STRICT = 1,
        TYPE_UNDEFINED = 0x07FF_FFFF,
    }
}

/// `QnnContext_AsyncExecutionQueueDepth_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AsyncExecutionQueueDepth {
    /// 0: a number, the only kind there is.
    pub depth_type: u32,
    /// Executions that may wait.
    pub depth: u32,
}

/// The value of a [`ContextConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union ContextConfigValue {
    /// [`ContextConfigOption::OPTION_CUSTOM`]: for the HTP backend a [`crate::htp::ContextCustomConfig`].
    pub custom: *mut c_void,
    /// [`ContextConfigOption::OPTION_PRIORITY`]
    pub priority: Priority,
    /// [`ContextConfigOption::OPTION_ERROR_REPORTING`]
    pub error: ErrorReportingConfig,
    /// [`ContextConfigOption::OPTION_OEM_STRING`]
    pub oem_string: *const c_char,
    /// [`ContextConfigOption::ASYNC_EXECUTION_QUEUE_DEPTH`]
    pub async_queue_depth: AsyncExecutionQueueDepth,
    /// [`ContextConfigOption::ENABLE_GRAPHS`]: null-terminated array of names.
    pub enable_graphs: *const *const c_char,
    /// [`ContextConfigOption::MEMORY_LIMIT_HINT`], MiB.
    pub memory_limit_hint: u64,
    /// [`ContextConfigOption::PERSISTENT_BINARY`]: 1 when the binary's memory outlives the context.
    pub is_persistent_binary: u8,
    /// [`ContextConfigOption::BINARY_COMPATIBILITY`]
    pub binary_compatibility: BinaryCompatibility,
    /// [`ContextConfigOption::OPTION_DEFER_GRAPH_INIT`]: 1 to initialise a graph at its first use.
    pub is_graph_init_deferred: u8,
    /// [`ContextConfigOption::GRAPH_RETENTION_ORDER`]: null-terminated array of names.
    pub graph_retention_order: *const *const c_char,
    /// All bytes, to leave none uninitialised.
    pub raw: u64,
}

/// `QnnContext_Config_t`. Functions take a null-terminated array of pointers to it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ContextConfig {
    /// Which member of `value` counts.
    pub option: ContextConfigOption,
    /// The value.
    pub value: ContextConfigValue,
}

impl ContextConfig {
    /// A struct of the backend.
    pub fn custom(config: *mut c_void) -> Self {
        Self { option: ContextConfigOption::OPTION_CUSTOM, value: ContextConfigValue { custom: config } }
    }

    /// The memory of the binary outlives the context, so the library need not copy it.
    pub fn persistent_binary(persistent: bool) -> Self {
        let mut value = ContextConfigValue { raw: 0 };
        value.is_persistent_binary = persistent.into();
        Self { option: ContextConfigOption::PERSISTENT_BINARY, value }
    }

    /// Scheduling priority.
    pub fn priority(priority: Priority) -> Self {
        let mut value = ContextConfigValue { raw: 0 };
        value.priority = priority;
        Self { option: ContextConfigOption::OPTION_PRIORITY, value }
    }
}

c_enum! {
    /// `QnnContext_createFromBinaryAsyncNotifyType_t`.
    ContextNotifyType, "QNN_CONTEXT_NOTIFY_TYPE_" {
        GRAPH_INIT = 0,
        CONTEXT_INIT = 1,
        UNDEFINED = 0x07FF_FFFF,
    }
}

/// `QnnContext_createFromBinaryNotifyFn_t`.
pub type ContextNotifyFn = unsafe extern "C" fn(
    context: ContextHandle,
    graph: GraphHandle,
    graph_name: *const c_char,
    notify_type: ContextNotifyType,
    notify_param: *mut c_void,
    status: ErrorHandle,
);

/// `QnnContext_ParamsV1_t`: one context of `contextCreateFromBinaryListAsync`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ContextParamsV1 {
    /// Null-terminated array, or null.
    pub config: *mut *const ContextConfig,
    /// The binary.
    pub binary: *const c_void,
    /// Length of `binary`, bytes.
    pub binary_size: ContextBinarySize,
    /// Profile or null.
    pub profile: ProfileHandle,
    /// Called when the context and each graph are ready.
    pub notify: Option<ContextNotifyFn>,
    /// Handed to `notify`.
    pub notify_param: *mut c_void,
}

/// `QnnContext_ParamsV2_t`. Since core 2.32 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ContextParamsV2 {
    /// Null-terminated array, or null.
    pub config: *mut *const ContextConfig,
    /// The binary.
    pub binary: *const c_void,
    /// Length of `binary`, bytes.
    pub binary_size: ContextBinarySize,
    /// Profile or null.
    pub profile: ProfileHandle,
    /// Called when the context and each graph are ready.
    pub notify: Option<ContextNotifyFn>,
    /// Handed to `notify`.
    pub notify_param: *mut c_void,
    /// Where large data comes from.
    pub callback: *const ContextBinaryCallback,
}

/// The body of [`ContextParams`], by its version.
#[repr(C)]
#[derive(Clone, Copy)]
pub union ContextParamsBody {
    /// Version 1.
    pub v1: ContextParamsV1,
    /// Version 2, by pointer.
    pub v2: *mut ContextParamsV2,
}

/// `QnnContext_Params_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ContextParams {
    /// 1 or 2.
    pub version: u32,
    /// The fields.
    pub body: ContextParamsBody,
}

c_enum! {
    /// `QnnContext_SectionType_t`.
    ContextSection, "QNN_CONTEXT_SECTION_" {
        UPDATABLE = 1,
        UPDATABLE_WEIGHTS = 2,
        UPDATABLE_QUANT_PARAMS = 3,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `QnnContext_MemType_t`: which member of [`ContextBufferData`] counts.
    ContextMemType, "QNN_CONTEXTMEMTYPE_" {
        RAW = 0,
        MEMHANDLE = 1,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `Qnn_BinaryBuffer_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BinaryBuffer {
    /// Start.
    pub data: *mut c_void,
    /// Length, bytes.
    pub data_size: ContextBinarySize,
}

/// Memory of a [`ContextBuffer`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union ContextBufferData {
    /// [`ContextMemType::RAW`]
    pub binary: BinaryBuffer,
    /// [`ContextMemType::MEMHANDLE`]
    pub mem_handle: MemHandle,
}

/// `QnnContext_BufferV1_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ContextBufferV1 {
    /// Which member of `data` counts.
    pub mem_type: ContextMemType,
    /// The memory.
    pub data: ContextBufferData,
}

/// `QnnContext_Buffer_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ContextBuffer {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: ContextBufferV1,
}
