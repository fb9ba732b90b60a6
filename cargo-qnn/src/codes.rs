//! Codes of the errors that this crate makes; `cargo qnn explain` has the long form of each.

/// The QNN libraries were not found.
pub(crate) const NO_LIBRARIES: &str = "E0301";
/// This machine has no QNN compiler.
pub(crate) const NO_PLATFORM: &str = "E0302";
/// The network is needed and forbidden.
pub(crate) const OFFLINE: &str = "E0303";
/// No program that downloads wheels.
pub(crate) const NO_INSTALLER: &str = "E0304";
/// The download failed.
pub(crate) const DOWNLOAD_FAILED: &str = "E0305";
/// A wheel is not the pinned one.
pub(crate) const WHEEL_HASH: &str = "E0306";
/// A wheel is not in the folder that was named.
pub(crate) const WHEEL_MISSING: &str = "E0307";
