//! Which versions of the interface this crate knows, and what it knows about each.
//!
//! Function tables only grow from one version to the next, so the slots of an older version are also those of a newer one. How
//! many a version has is known from its headers (core 2.27, 2.30, 2.32, 2.37 and 2.39, in the SDKs 2.36, 2.40, 2.43, 2.48 and
//! 2.50), from a loaded library (core 2.40, SDK 2.51), or from the vendor's list of changes (core 2.28 added one function and
//! 2.29 none). For the versions between, the slots of the version before are certain and the total is not.

use std::error::Error;
use std::fmt;

use crate::types::Version;

/// Oldest supported core API.
pub const CORE_MIN: Version = Version::new(2, 27);
/// Newest supported core API.
pub const CORE_MAX: Version = Version::new(2, 40);
/// Oldest supported System API.
pub const SYSTEM_MIN: Version = Version::new(1, 4);
/// Newest supported System API.
pub const SYSTEM_MAX: Version = Version::new(1, 15);

/// The System API of SDK 2.44, whose function table is out of order: the vendor calls it an accidental break, mended in SDK 2.45.
const SYSTEM_BROKEN: u32 = 8;

/// Slots of the core table by core API minor version, where the total is known.
const CORE_SLOTS: &[(u32, usize)] =
    &[(27, 68), (28, 69), (29, 69), (30, 69), (32, 71), (37, 72), (39, 75), (40, 75)];
/// Slots of the System table by System API minor version, where the total is known.
const SYSTEM_SLOTS: &[(u32, usize)] = &[(4, 13), (6, 16), (7, 16), (12, 27), (14, 89), (15, 90)];
/// Core and System API minor versions that one SDK has together.
const SAME_SDK: &[(u32, u32)] = &[(27, 4), (30, 6), (32, 7), (37, 12), (39, 14), (40, 15)];

/// How many function pointers a library's table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotCount {
    /// Known.
    Exactly(usize),
    /// At least this many; slots after them must not be read.
    AtLeast(usize),
}

impl SlotCount {
    /// The number of slots that may be read.
    pub fn readable(self) -> usize {
        match self {
            Self::Exactly(n) | Self::AtLeast(n) => n,
        }
    }

    fn of(table: &[(u32, usize)], minor: u32) -> Self {
        match table.iter().rev().find(|(known, _)| *known <= minor) {
            Some((known, count)) if *known == minor => Self::Exactly(*count),
            Some((_, count)) => Self::AtLeast(*count),
            None => Self::AtLeast(0),
        }
    }
}

/// A version that this crate does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionError {
    /// `core` or `System`.
    pub interface: &'static str,
    /// What the library reports.
    pub found: Version,
    /// The supported range.
    pub supported: &'static str,
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { interface, found, supported } = self;
        write!(f, "its {interface} API is {found}, supported is {supported}")
    }
}

impl Error for VersionError {}

fn in_range(found: Version, min: Version, max: Version) -> bool {
    found.major == min.major && (min.minor..=max.minor).contains(&found.minor)
}

/// A supported core API, and with it the layouts of the loaded backend library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbiVersion {
    core: Version,
}

/// Where the union of `QnnHtpDevice_CustomConfig_t` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceConfigLayout {
    /// At offset 4: core 2.27 to 2.35.
    Offset4,
    /// At offset 8: core 2.36 and newer, where the union has a pointer.
    Offset8,
}

impl AbiVersion {
    /// The supported range, for messages.
    pub const SUPPORTED: &'static str = "2.27 to 2.40";

    /// Accepts a core API that this crate knows.
    ///
    /// # Errors
    /// [`VersionError`] for another major version, or a minor version outside [`CORE_MIN`] to [`CORE_MAX`].
    pub fn new(core: Version) -> Result<Self, VersionError> {
        if in_range(core, CORE_MIN, CORE_MAX) {
            Ok(Self { core })
        } else {
            Err(VersionError { interface: "core", found: core, supported: Self::SUPPORTED })
        }
    }

    /// The core API.
    pub fn core(self) -> Version {
        self.core
    }

    /// Slots of the function table.
    pub fn slots(self) -> SlotCount {
        SlotCount::of(CORE_SLOTS, self.core.minor)
    }

    /// Layout of the HTP device's custom config.
    pub fn device_config_layout(self) -> DeviceConfigLayout {
        if self.core.minor < 36 { DeviceConfigLayout::Offset4 } else { DeviceConfigLayout::Offset8 }
    }

    /// Whether a System library of that version is known to be of the same SDK.
    pub fn same_sdk(self, system: SystemVersion) -> bool {
        SAME_SDK.contains(&(self.core.minor, system.api.minor))
    }
}

/// A supported System API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemVersion {
    api: Version,
}

impl SystemVersion {
    /// The supported range, for messages.
    pub const SUPPORTED: &'static str = "1.4 to 1.15 without 1.8";

    /// Accepts a System API that this crate knows.
    ///
    /// # Errors
    /// [`VersionError`] for another major version, a minor version outside [`SYSTEM_MIN`] to [`SYSTEM_MAX`], and for 1.8 (SDK
    /// 2.44), whose function table is out of order.
    pub fn new(api: Version) -> Result<Self, VersionError> {
        if in_range(api, SYSTEM_MIN, SYSTEM_MAX) && api.minor != SYSTEM_BROKEN {
            Ok(Self { api })
        } else {
            Err(VersionError { interface: "System", found: api, supported: Self::SUPPORTED })
        }
    }

    /// The System API.
    pub fn api(self) -> Version {
        self.api
    }

    /// Slots of the function table.
    pub fn slots(self) -> SlotCount {
        SlotCount::of(SYSTEM_SLOTS, self.api.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(minor: u32) -> AbiVersion {
        AbiVersion::new(Version::new(2, minor)).expect("supported")
    }

    #[test]
    fn every_core_version_of_the_range_is_accepted_and_its_neighbours_are_refused() {
        for minor in CORE_MIN.minor..=CORE_MAX.minor {
            assert_eq!(core(minor).core().minor, minor);
        }
        for found in [Version::new(2, 26), Version::new(2, 41), Version::new(1, 30), Version::new(3, 30)] {
            let error = AbiVersion::new(found).expect_err("unsupported");
            assert_eq!(error.to_string(), format!("its core API is {found}, supported is 2.27 to 2.40"));
        }
        assert_eq!(
            AbiVersion::SUPPORTED,
            format!("2.{} to 2.{}", CORE_MIN.minor, CORE_MAX.minor),
            "the text names the constants"
        );
    }

    #[test]
    fn the_patch_number_does_not_matter() {
        let patched = Version { major: 2, minor: 28, patch: 1 };
        assert_eq!(AbiVersion::new(patched).expect("supported").slots(), SlotCount::Exactly(69));
    }

    #[test]
    fn the_system_table_that_is_out_of_order_is_refused() {
        let refused: Vec<u32> =
            (0..20).filter(|minor| SystemVersion::new(Version::new(1, *minor)).is_err()).collect();
        assert_eq!(refused, [0, 1, 2, 3, 8, 16, 17, 18, 19]);
        let error = SystemVersion::new(Version::new(1, 8)).expect_err("broken");
        assert_eq!(error.to_string(), "its System API is 1.8.0, supported is 1.4 to 1.15 without 1.8");
    }

    #[test]
    fn slots_of_versions_between_known_ones_are_those_of_the_older() {
        let counts: Vec<SlotCount> = (27..=40).map(|minor| core(minor).slots()).collect();
        use SlotCount::{AtLeast, Exactly};
        assert_eq!(
            counts,
            [
                Exactly(68),
                Exactly(69),
                Exactly(69),
                Exactly(69),
                AtLeast(69),
                Exactly(71),
                AtLeast(71),
                AtLeast(71),
                AtLeast(71),
                AtLeast(71),
                Exactly(72),
                AtLeast(72),
                Exactly(75),
                Exactly(75),
            ]
        );
    }

    #[test]
    fn the_device_config_moved_with_core_2_36() {
        assert_eq!(core(35).device_config_layout(), DeviceConfigLayout::Offset4);
        assert_eq!(core(36).device_config_layout(), DeviceConfigLayout::Offset8);
    }

    #[test]
    fn libraries_of_one_sdk_are_told_from_a_mixture() {
        let system = |minor| SystemVersion::new(Version::new(1, minor)).expect("supported");
        assert!(core(40).same_sdk(system(15)));
        assert!(core(27).same_sdk(system(4)));
        assert!(!core(40).same_sdk(system(14)));
        assert!(!core(38).same_sdk(system(13)), "not known, so not vouched for");
    }
}
