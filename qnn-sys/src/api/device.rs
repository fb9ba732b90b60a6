//! Devices.

use std::ffi::c_void;

/// `QnnDevice_CoreInfoV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CoreInfoV1 {
    /// Id of the core.
    pub core_id: u32,
    /// Kind of core, by backend.
    pub core_type: u32,
    /// A struct of the backend, or null.
    pub extension: *mut c_void,
}

/// `QnnDevice_CoreInfo_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CoreInfo {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: CoreInfoV1,
}

/// `QnnDevice_HardwareDeviceInfoV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HardwareDeviceInfoV1 {
    /// Id of the device.
    pub device_id: u32,
    /// Kind of device, by backend.
    pub device_type: u32,
    /// Number of `cores`.
    pub num_cores: u32,
    /// The cores.
    pub cores: *mut CoreInfo,
    /// For the HTP backend a [`crate::htp::DeviceInfoExtension`]; null in the metadata of a context binary.
    pub extension: *mut c_void,
}

/// `QnnDevice_HardwareDeviceInfo_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HardwareDeviceInfo {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: HardwareDeviceInfoV1,
}

/// `QnnDevice_PlatformInfoV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlatformInfoV1 {
    /// Number of `devices`.
    pub num_devices: u32,
    /// The devices.
    pub devices: *mut HardwareDeviceInfo,
}

/// `QnnDevice_PlatformInfo_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlatformInfo {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: PlatformInfoV1,
}

c_enum! {
    /// `QnnDevice_ConfigOption_t`: which member of [`DeviceConfigValue`] counts.
    DeviceConfigOption, "QNN_DEVICE_CONFIG_OPTION_" {
        CUSTOM = 0,
        /// Accepted by the HTP backend, but not what a graph is prepared for.
        PLATFORM_INFO = 1,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// The value of a [`DeviceConfig`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union DeviceConfigValue {
    /// [`DeviceConfigOption::CUSTOM`]: for the HTP backend a [`crate::htp::DeviceCustomConfig`].
    pub custom: *mut c_void,
    /// [`DeviceConfigOption::PLATFORM_INFO`]
    pub platform_info: *mut PlatformInfo,
}

/// `QnnDevice_Config_t`. Functions take a null-terminated array of pointers to it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DeviceConfig {
    /// Which member of `value` counts.
    pub option: DeviceConfigOption,
    /// The value.
    pub value: DeviceConfigValue,
}

impl DeviceConfig {
    /// A struct of the backend.
    pub fn custom(config: *mut c_void) -> Self {
        Self { option: DeviceConfigOption::CUSTOM, value: DeviceConfigValue { custom: config } }
    }
}
