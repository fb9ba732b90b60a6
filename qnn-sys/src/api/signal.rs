//! Signals: aborting a call, or limiting its time.

use std::ffi::c_void;

c_enum! {
    /// `QnnSignal_ConfigOption_t`: which member of [`SignalConfigValue`] counts.
    SignalConfigOption, "QNN_SIGNAL_CONFIG_" {
        OPTION_CUSTOM = 0,
        OPTION_ABORT = 1,
        OPTION_TIMEOUT = 2,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// The value of a [`SignalConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union SignalConfigValue {
    /// [`SignalConfigOption::OPTION_CUSTOM`]: a struct of the backend.
    pub custom: *mut c_void,
    /// [`SignalConfigOption::OPTION_TIMEOUT`], microseconds.
    pub timeout_us: u64,
}

/// `QnnSignal_Config_t`. Functions take a null-terminated array of pointers to it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SignalConfig {
    /// Which member of `value` counts.
    pub option: SignalConfigOption,
    /// The value.
    pub value: SignalConfigValue,
}
