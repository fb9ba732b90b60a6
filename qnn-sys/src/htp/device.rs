//! Devices: the SoC to compile for, and how the device is used.

use std::ffi::c_void;

use super::PerfInfrastructure;
use crate::version::{AbiVersion, DeviceConfigLayout};

c_enum! {
    /// `QnnHtpDevice_Arch_t`: generation of the Hexagon NPU.
    Arch, "QNN_HTP_DEVICE_ARCH_" {
        NONE = 0,
        V68 = 68,
        V69 = 69,
        V73 = 73,
        V75 = 75,
        V79 = 79,
        V81 = 81,
        V85 = 85,
        /// Known by name only: version 2.51 of the library has no ops for it.
        V89 = 89,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `QnnHtpDevice_ConfigOption_t`.
    DeviceCustomOption, "QNN_HTP_DEVICE_CONFIG_OPTION_" {
        SOC = 0,
        ARCH = 1,
        SIGNEDPD = 2,
        SECUREPD = 3,
        /// Since core 2.36.
        ASYNC_EXECUTE = 4,
        /// Since core 2.37 at the latest.
        DYNAMIC_PARTITIONING = 5,
        /// Since core 2.37 at the latest.
        APP_UID = 6,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

/// `QnnHtpDevice_CustomConfig_t`, in the layout that the loaded library reads.
///
/// A pointer joined the struct's union with core 2.36 and moved it from offset 4 to offset 8; with core 2.39 at the latest a
/// larger member made the struct 24 bytes long. A library that is given the other layout reads a wrong SoC, so a config is made
/// for a library's [`AbiVersion`], and always has the full length.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceCustomConfig {
    words: [u32; 6],
}

impl DeviceCustomConfig {
    /// The SoC that graphs are prepared for, by its id. The option to use for a target: others set it partly or not at all.
    pub const fn soc(soc_model: u32) -> Self {
        // Both layouts read one word. At offset 4 the newer layout has padding and at offset 8 the older one has nothing
        // that this option reads, so the id at both places is right for every supported version.
        Self { words: [DeviceCustomOption::SOC.0, soc_model, soc_model, 0, 0, 0] }
    }

    /// Generation of the NPU. The library calls this option deprecated; it then picks a SoC of that generation itself.
    pub fn arch(abi: AbiVersion, device_id: u32, arch: Arch) -> Self {
        Self::pair(abi, DeviceCustomOption::ARCH, device_id, arch.0)
    }

    /// Whether graphs run in the signed process domain.
    pub fn signed_pd(abi: AbiVersion, device_id: u32, signed: bool) -> Self {
        Self::pair(abi, DeviceCustomOption::SIGNEDPD, device_id, signed.into())
    }

    /// A device id and a word (a flag is one byte, on the supported little-endian targets the low one of the word).
    fn pair(abi: AbiVersion, option: DeviceCustomOption, device: u32, value: u32) -> Self {
        let words = match abi.device_config_layout() {
            DeviceConfigLayout::Offset4 => [option.0, device, value, 0, 0, 0],
            DeviceConfigLayout::Offset8 => [option.0, 0, device, value, 0, 0],
        };
        Self { words }
    }

    /// The config as `deviceCreate` takes it. The result points to `self`.
    pub fn as_device_config(&mut self) -> crate::api::DeviceConfig {
        crate::api::DeviceConfig::custom((&raw mut *self).cast::<c_void>())
    }

    /// The bytes, as 32-bit words.
    pub const fn words(&self) -> [u32; 6] {
        self.words
    }
}

/// `QnnHtpDevice_OnChipDeviceInfoExtension_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OnChipDeviceInfo {
    /// Tightly coupled memory, MiB.
    pub vtcm_size: usize,
    /// Id of the SoC.
    pub soc_model: u32,
    /// 1 when the signed process domain is there.
    pub signed_pd_support: u8,
    /// 1 when the device has deep-learning bandwidth compression.
    pub dlbc_support: u8,
    /// Generation of the NPU.
    pub arch: Arch,
}

c_enum! {
    /// `QnnHtpDevice_DeviceType_t`.
    DeviceType, "QNN_HTP_DEVICE_TYPE_" {
        ON_CHIP = 0,
        /// Since core 2.37 at the latest.
        OFF_CHIP = 1,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

/// `QnnHtpDevice_DeviceInfoExtension_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DeviceInfoExtension {
    /// Kind of device.
    pub device_type: DeviceType,
    /// For [`DeviceType::ON_CHIP`].
    pub on_chip: OnChipDeviceInfo,
}

c_enum! {
    /// `QnnHtpDevice_InfrastructureType_t`.
    InfrastructureType, "QNN_HTP_DEVICE_INFRASTRUCTURE_TYPE_" {
        PERF = 0,
        UNKNOWN = 0x7FFF_FFFF,
    }
}

/// `QnnHtpDevice_Infrastructure_t`, what `deviceGetInfrastructure` gives for the HTP backend.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DeviceInfrastructure {
    /// Kind of infrastructure.
    pub infrastructure_type: InfrastructureType,
    /// For [`InfrastructureType::PERF`].
    pub perf: PerfInfrastructure,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Version;

    fn abi(minor: u32) -> AbiVersion {
        AbiVersion::new(Version::new(2, minor)).expect("supported")
    }

    #[test]
    fn the_soc_is_where_either_layout_reads_it() {
        assert_eq!(DeviceCustomConfig::soc(57).words(), [0, 57, 57, 0, 0, 0]);
    }

    #[test]
    fn pairs_follow_the_layout_of_the_loaded_library() {
        assert_eq!(DeviceCustomConfig::arch(abi(32), 1, Arch::V75).words(), [1, 1, 75, 0, 0, 0]);
        assert_eq!(DeviceCustomConfig::arch(abi(40), 1, Arch::V75).words(), [1, 0, 1, 75, 0, 0]);
        assert_eq!(DeviceCustomConfig::signed_pd(abi(27), 0, true).words(), [2, 0, 1, 0, 0, 0]);
        assert_eq!(DeviceCustomConfig::signed_pd(abi(37), 0, true).words(), [2, 0, 0, 1, 0, 0]);
    }
}
