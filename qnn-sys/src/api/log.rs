//! Logging.

use std::ffi::{c_char, c_void};

c_enum! {
    /// `QnnLog_Level_t`. A logger takes the levels `ERROR` to `DEBUG`; 0 is refused and spoils the process.
    ///
    /// A line of level `ERROR` is not a failure: healthy runs write some.
    LogLevel, "QNN_LOG_LEVEL_" {
        ERROR = 1,
        WARN = 2,
        INFO = 3,
        VERBOSE = 4,
        DEBUG = 5,
        MAX = 0x7FFF_FFFF,
    }
}

/// C's `va_list` as a function receives it. On the supported targets that is one pointer: x86-64 and AArch64 System V pass the
/// address of the list, Windows and Apple pass the list, which is a pointer.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct VaList(pub *mut c_void);

/// `QnnLog_Callback_t`: a `printf` format, its level, a time stamp in the backend's units, and the values.
pub type LogCallback =
    unsafe extern "C" fn(format: *const c_char, level: LogLevel, timestamp: u64, args: VaList);
