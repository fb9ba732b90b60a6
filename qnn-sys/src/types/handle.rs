//! Opaque handles, sizes and versions.

use std::ffi::c_void;
use std::fmt;

/// What every function returns: the code is in the low 16 bits, 0 is success. See [`crate::error::code`].
pub type ErrorHandle = u64;
/// Success.
pub const SUCCESS: ErrorHandle = 0;

/// A backend, from `backendCreate`.
pub type BackendHandle = *mut c_void;
/// A context, from `contextCreate` or `contextCreateFromBinary`.
pub type ContextHandle = *mut c_void;
/// A device, from `deviceCreate`.
pub type DeviceHandle = *mut c_void;
/// A graph, from `graphCreate` or `graphRetrieve`; freed with its context.
pub type GraphHandle = *mut c_void;
/// A logger, from `logCreate` or `systemLogCreate`.
pub type LogHandle = *mut c_void;
/// Registered memory, from `memRegister`.
pub type MemHandle = *mut c_void;
/// A profile, from `profileCreate`.
pub type ProfileHandle = *mut c_void;
/// A signal, from `signalCreate`.
pub type SignalHandle = *mut c_void;
/// A metadata reader, from `systemContextCreate`.
pub type SystemContextHandle = *mut c_void;
/// An opened DLC file, from `systemDlcCreateFromFile`.
pub type SystemDlcHandle = *mut c_void;
/// A record of a DLC file.
pub type SystemDlcRecordHandle = *mut c_void;
/// Where profiling data is written, from `systemProfileCreateSerializationTarget`.
pub type SystemProfileTargetHandle = *mut c_void;

/// Size of a context binary or offset in it, bytes.
pub type ContextBinarySize = u64;

/// `Qnn_Version_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Incompatible changes.
    pub major: u32,
    /// Additions.
    pub minor: u32,
    /// Fixes.
    pub patch: u32,
}

impl Version {
    /// The version `major.minor.0`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: 0 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// `Qnn_ApiVersion_t`: what a backend library implements.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ApiVersion {
    /// Of the interface that all backends share.
    pub core: Version,
    /// Of the backend's own additions.
    pub backend: Version,
}

c_enum! {
    /// `Qnn_Priority_t`: scheduling priority of a context or graph.
    Priority, "QNN_PRIORITY_" {
        LOW = 0,
        /// Since core 2.37 at the latest.
        NORMAL_LOW = 50,
        NORMAL = 100,
        NORMAL_HIGH = 150,
        HIGH = 200,
        /// Since core 2.37 at the latest.
        HIGH_PLUS = 300,
        /// Since core 2.37 at the latest.
        CRITICAL = 400,
        /// Since core 2.37 at the latest.
        CRITICAL_PLUS = 500,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `Qnn_ErrorReportingLevel_t`.
    ErrorReportingLevel, "QNN_ERROR_REPORTING_LEVEL_" {
        BRIEF = 0,
        DETAILED = 1,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `Qnn_ErrorReportingConfig_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ErrorReportingConfig {
    /// How much is kept.
    pub level: ErrorReportingLevel,
    /// Memory for it, KiB.
    pub storage_limit: u32,
}

/// `Qnn_OpaqueObject_t`: bytes whose meaning the backend defines.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OpaqueObject {
    /// Start.
    pub data: *mut c_void,
    /// Length, bytes.
    pub len: u64,
}
