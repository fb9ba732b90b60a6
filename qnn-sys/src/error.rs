//! Error codes of the functions.

use crate::types::ErrorHandle;

/// The error code in what a function returned; 0 is success.
pub const fn code(handle: ErrorHandle) -> u32 {
    (handle & 0xFFFF) as u32
}
