//! Backends.

use std::ffi::{c_char, c_void};

use crate::types::ErrorReportingConfig;

/// The backend ids of the libraries that this crate knows.
pub mod backend_id {
    /// `libQnnSaver.so`
    pub const SAVER: u32 = 2;
    /// `libQnnHtp.so`
    pub const HTP: u32 = 6;
    /// `libQnnIr.so`
    pub const IR: u32 = 9;
}

c_enum! {
    /// `QnnBackend_ConfigOption_t`: which member of [`BackendConfigValue`] counts.
    BackendConfigOption, "QNN_BACKEND_CONFIG_OPTION_" {
        CUSTOM = 0,
        ERROR_REPORTING = 1,
        PLATFORM = 2,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// The value of a [`BackendConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union BackendConfigValue {
    /// [`BackendConfigOption::CUSTOM`]: a struct of the backend.
    pub custom: *mut c_void,
    /// [`BackendConfigOption::ERROR_REPORTING`]
    pub error: ErrorReportingConfig,
    /// [`BackendConfigOption::PLATFORM`]: `key:value` pairs, separated by semicolons.
    pub platform: *const c_char,
}

/// `QnnBackend_Config_t`. Functions take a null-terminated array of pointers to it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BackendConfig {
    /// Which member of `value` counts.
    pub option: BackendConfigOption,
    /// The value.
    pub value: BackendConfigValue,
}

/// `QnnBackend_OperationName_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OperationName {
    /// Op package.
    pub package_name: *const c_char,
    /// Op type.
    pub name: *const c_char,
    /// Where it runs, or null.
    pub target: *const c_char,
}

/// `QnnBackend_Property_t`, `QnnContext_Property_t` and `QnnGraph_Property_t`, which have one layout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// 0: custom, the only option there is.
    pub option: u32,
    /// A struct of the backend, for example [`crate::htp::ContextProperty`].
    pub custom: *mut c_void,
}

c_enum! {
    /// `QnnGlobalConfig_ConfigOption_t`.
    GlobalConfigOption, "QNN_GLOBAL_CONFIG_OPTION_" {
        SOC_MODEL = 0,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `QnnGlobalConfig_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GlobalConfig {
    /// What `soc_model` is.
    pub option: GlobalConfigOption,
    /// The SoC's id.
    pub soc_model: u32,
}
