//! Writing profiling data to a file that the vendor's viewers read. Since System 1.6 at the latest.

use std::ffi::c_char;

use crate::api::{ProfileEventData, ProfileExtendedEventData};

/// `QnnSystemProfile_SerializationTargetFile_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SerializationTargetFile {
    /// Name of the file.
    pub file_name: *const c_char,
    /// Its folder.
    pub file_directory: *const c_char,
}

/// `QnnSystemProfile_SerializationTarget_t`, passed by value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SerializationTarget {
    /// 1: a file, the only kind there is.
    pub target_type: u32,
    /// The file.
    pub file: SerializationTargetFile,
}

/// `QnnSystemProfile_SerializationFileHeader_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SerializationFileHeader {
    /// Name of the app.
    pub app_name: *const c_char,
    /// Version of the app.
    pub app_version: *const c_char,
    /// Version of the backend.
    pub backend_version: *const c_char,
}

c_enum! {
    /// `QnnSystemProfile_SerializationTargetConfigType_t`: which member of [`SerializationTargetConfigValue`] counts.
    SerializationTargetConfigType, "QNN_SYSTEM_PROFILE_SERIALIZATION_TARGET_CONFIG_" {
        MAX_NUM_MESSAGES = 0,
        SERIALIZATION_HEADER = 1,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// The value of a [`SerializationTargetConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union SerializationTargetConfigValue {
    /// [`SerializationTargetConfigType::MAX_NUM_MESSAGES`]
    pub max_num_messages: u32,
    /// [`SerializationTargetConfigType::SERIALIZATION_HEADER`]
    pub header: SerializationFileHeader,
}

/// `QnnSystemProfile_SerializationTargetConfig_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SerializationTargetConfig {
    /// Which member of `value` counts.
    pub config_type: SerializationTargetConfigType,
    /// The value.
    pub value: SerializationTargetConfigValue,
}

c_enum! {
    /// `QnnSystemProfile_MethodType_t`: the call that was measured.
    ProfileMethod, "QNN_SYSTEM_PROFILE_METHOD_TYPE_" {
        NONE = 0,
        BACKEND_EXECUTE = 1,
        BACKEND_FINALIZE = 2,
        BACKEND_EXECUTE_ASYNC = 3,
        BACKEND_CREATE_FROM_BINARY = 4,
        BACKEND_DEINIT = 5,
        APP_CONTEXT_CREATE = 6,
        APP_COMPOSE_GRAPHS = 7,
        APP_EXECUTE_IPS = 8,
        BACKEND_GRAPH_COMPONENT = 9,
        APP_BACKEND_LIB_LOAD = 10,
        BACKEND_APPLY_BINARY_SECTION = 11,
        CONTEXT_FINALIZE = 12,
        CONTEXT_GET_BINARY_SIZE = 13,
        CONTEXT_GET_BINARY = 14,
        CONTEXT_GET_BINARY_SECTION_SIZE = 15,
        BACKEND_FINALIZE_TENSOR_UPDATES = 16,
        BACKEND_UPDATE_BINARY_SECTION = 17,
    }
}

/// `QnnSystemProfile_HeaderV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ProfileHeaderV1 {
    /// Microseconds.
    pub start_time: u64,
    /// Microseconds.
    pub stop_time: u64,
    /// Bytes.
    pub start_mem: u64,
    /// Bytes.
    pub stop_mem: u64,
    /// What was measured.
    pub method: ProfileMethod,
    /// 0 public, 1 private.
    pub visibility: u32,
    /// Name of the graph.
    pub graph_name: *const c_char,
}

/// The event of a [`ProfileEventV1`], by its `event_type`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union ProfileEventBody {
    /// 0
    pub event: ProfileEventData,
    /// 1
    pub extended_event: ProfileExtendedEventData,
}

/// `QnnSystemProfile_ProfileEventV1_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ProfileEventV1 {
    /// Which member of `body` counts: 0 event, 1 extended event.
    pub event_type: u32,
    /// The event.
    pub body: ProfileEventBody,
    /// Its parts.
    pub sub_events: *mut ProfileEventV1,
    /// Number of `sub_events`.
    pub num_sub_events: u32,
}

/// `QnnSystemProfile_ProfileDataV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ProfileDataV1 {
    /// What was measured.
    pub header: ProfileHeaderV1,
    /// The events.
    pub events: *mut ProfileEventV1,
    /// Number of `events`.
    pub num_events: u32,
}

/// `QnnSystemProfile_ProfileData_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ProfileData {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: ProfileDataV1,
}
