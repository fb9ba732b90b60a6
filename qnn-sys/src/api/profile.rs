//! Profiling.

use std::ffi::{c_char, c_void};

use crate::types::{OpaqueObject, Scalar};

/// `QnnProfile_EventId_t`.
pub type ProfileEventId = u64;

c_enum! {
    /// `QnnProfile_Level_t`; values from 1000 belong to the backend.
    ProfileLevel, "QNN_PROFILE_LEVEL_" {
        BASIC = 1,
        DETAILED = 2,
        BACKEND = 1000,
    }
}

c_enum! {
    /// `QnnProfile_EventType_t`; values from 1000 belong to the backend: [`crate::htp::ProfileEvent`].
    ProfileEventType, "QNN_PROFILE_EVENTTYPE_" {
        INIT = 100,
        FINALIZE = 300,
        EXECUTE = 400,
        NODE = 404,
        EXECUTE_QUEUE_WAIT = 405,
        EXECUTE_PREPROCESS = 406,
        EXECUTE_DEVICE = 407,
        EXECUTE_POSTPROCESS = 408,
        DEINIT = 500,
        TRACE = 600,
        BACKEND = 1000,
    }
}

c_enum! {
    /// `QnnProfile_EventUnit_t`; values from 1000 belong to the backend.
    ProfileEventUnit, "QNN_PROFILE_EVENTUNIT_" {
        MICROSEC = 1,
        BYTES = 2,
        CYCLES = 3,
        COUNT = 4,
        OBJECT = 5,
        NONE = 6,
        BACKEND = 1000,
    }
}

/// `QnnProfile_EventData_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ProfileEventData {
    /// What was measured.
    pub event_type: ProfileEventType,
    /// Unit of `value`.
    pub unit: ProfileEventUnit,
    /// The measurement.
    pub value: u64,
    /// Name or null; lives as long as the profile.
    pub identifier: *const c_char,
}

/// `QnnProfile_BackendOpaqueObject_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ProfileOpaqueObject {
    /// The bytes.
    pub object: OpaqueObject,
    /// Suggested file name.
    pub file_name: *const c_char,
}

/// The measurement of a [`ProfileExtendedEventDataV1`], by its unit.
#[repr(C)]
#[derive(Clone, Copy)]
pub union ProfileEventValue {
    /// A number.
    pub value: Scalar,
    /// [`ProfileEventUnit::OBJECT`]
    pub object: ProfileOpaqueObject,
}

/// `QnnProfile_ExtendedEventDataV1_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ProfileExtendedEventDataV1 {
    /// What was measured.
    pub event_type: ProfileEventType,
    /// Unit of `value`.
    pub unit: ProfileEventUnit,
    /// The measurement.
    pub value: ProfileEventValue,
    /// When, in the backend's units.
    pub timestamp: u64,
    /// Name or null; lives as long as the profile.
    pub identifier: *const c_char,
}

/// `QnnProfile_ExtendedEventData_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ProfileExtendedEventData {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: ProfileExtendedEventDataV1,
}

c_enum! {
    /// `QnnProfile_ConfigOption_t`: which member of [`ProfileConfigValue`] counts.
    ProfileConfigOption, "QNN_PROFILE_CONFIG_OPTION_" {
        CUSTOM = 0,
        MAX_EVENTS = 1,
        ENABLE_OPTRACE = 2,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// The value of a [`ProfileConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union ProfileConfigValue {
    /// [`ProfileConfigOption::CUSTOM`]: a struct of the backend.
    pub custom: *mut c_void,
    /// [`ProfileConfigOption::MAX_EVENTS`]
    pub max_events: u64,
    /// [`ProfileConfigOption::ENABLE_OPTRACE`]: 0 or 1.
    pub enable_optrace: u8,
}

/// `QnnProfile_Config_t`. Functions take a null-terminated array of pointers to it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ProfileConfig {
    /// Which member of `value` counts.
    pub option: ProfileConfigOption,
    /// The value.
    pub value: ProfileConfigValue,
}
