//! Which versions of the interface this crate knows, and what it knows about each.
//!
//! Measured or read: core 2.27 (SDK 2.36), 2.32 (SDK 2.43), 2.37 (SDK 2.48) and 2.40 (SDK 2.51). Function tables only grew
//! in that time, so for a version between two of these the slots of the older one are certain and the total is not.

use crate::types::Version;

/// Oldest supported core API.
pub const CORE_MIN: Version = Version::new(2, 27);
/// Newest supported core API.
pub const CORE_MAX: Version = Version::new(2, 40);
/// Oldest supported System API.
pub const SYSTEM_MIN: Version = Version::new(1, 4);
/// Newest supported System API.
pub const SYSTEM_MAX: Version = Version::new(1, 15);

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
}

/// A version that this crate does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{interface} API {found} is not supported (supported: {min} to {max})")]
pub struct VersionError {
    /// `core` or `System`.
    pub interface: &'static str,
    /// What the library reports.
    pub found: Version,
    /// Oldest supported.
    pub min: Version,
    /// Newest supported.
    pub max: Version,
}

/// Slots of the core table by core API minor version.
const CORE_SLOTS: &[(u32, usize)] = &[(27, 68), (32, 71), (37, 72), (40, 75)];
/// Slots of the System table by System API minor version.
const SYSTEM_SLOTS: &[(u32, usize)] = &[(4, 13), (7, 16), (12, 27), (15, 90)];

fn slots(table: &[(u32, usize)], minor: u32) -> SlotCount {
    match table.iter().rev().find(|(known, _)| *known <= minor) {
        Some((known, count)) if *known == minor => SlotCount::Exactly(*count),
        Some((_, count)) => SlotCount::AtLeast(*count),
        None => SlotCount::AtLeast(0),
    }
}

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
    /// At offset 4, size 12: core 2.27 to 2.32.
    Offset4,
    /// At offset 8, size 16: core 2.37 and newer.
    Offset8,
    /// One of the two: core 2.33 to 2.36.
    Unknown,
}

impl AbiVersion {
    /// Accepts a core API that this crate knows.
    ///
    /// # Errors
    /// [`VersionError`] for another major version, or a minor version outside [`CORE_MIN`] to [`CORE_MAX`].
    pub fn new(core: Version) -> Result<Self, VersionError> {
        if in_range(core, CORE_MIN, CORE_MAX) {
            Ok(Self { core })
        } else {
            Err(VersionError { interface: "core", found: core, min: CORE_MIN, max: CORE_MAX })
        }
    }

    /// The core API.
    pub fn core(self) -> Version {
        self.core
    }

    /// Slots of the function table.
    pub fn slots(self) -> SlotCount {
        slots(CORE_SLOTS, self.core.minor)
    }

    /// Layout of the HTP device's custom config.
    pub fn device_config_layout(self) -> DeviceConfigLayout {
        match self.core.minor {
            ..=32 => DeviceConfigLayout::Offset4,
            33..=36 => DeviceConfigLayout::Unknown,
            _ => DeviceConfigLayout::Offset8,
        }
    }
}

/// A supported System API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemVersion {
    api: Version,
}

impl SystemVersion {
    /// Accepts a System API that this crate knows.
    ///
    /// # Errors
    /// [`VersionError`] for another major version, or a minor version outside [`SYSTEM_MIN`] to [`SYSTEM_MAX`].
    pub fn new(api: Version) -> Result<Self, VersionError> {
        if in_range(api, SYSTEM_MIN, SYSTEM_MAX) {
            Ok(Self { api })
        } else {
            Err(VersionError { interface: "System", found: api, min: SYSTEM_MIN, max: SYSTEM_MAX })
        }
    }

    /// The System API.
    pub fn api(self) -> Version {
        self.api
    }

    /// Slots of the function table.
    pub fn slots(self) -> SlotCount {
        slots(SYSTEM_SLOTS, self.api.minor)
    }
}
