//! What the vendor's library logs, kept so that errors can quote it.
//!
//! The library's log callback carries no user data, so there is one buffer for the process. It holds the last lines only.

use std::collections::VecDeque;
use std::ffi::{CStr, c_char};
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use qnn_platform::env;
use qnn_sys::api::{LogLevel, VaList};

/// Lines that are kept; a failed validation logs some dozens.
const KEPT: usize = 512;
/// Lines of level error that healthy runs write, by a part of them.
const NOISE: &[&str] = &["unexpected GraphHtpSettings option", "prepare worker started"];

struct Line {
    number: u64,
    level: LogLevel,
    text: String,
}

struct Buffer {
    next: u64,
    lines: VecDeque<Line>,
    /// Lines up to this level are also written to standard error.
    echo: Option<LogLevel>,
}

static BUFFER: Mutex<Buffer> = Mutex::new(Buffer { next: 0, lines: VecDeque::new(), echo: None });

fn buffer() -> MutexGuard<'static, Buffer> {
    // Nothing panics while the lock is held, and a log is worth reading even then.
    BUFFER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The level to ask the library for: `QNN_LOG`, else warnings, which is where it says why it refuses something.
pub(crate) fn level() -> LogLevel {
    const LEVELS: &[(&str, LogLevel)] = &[
        ("error", LogLevel::ERROR),
        ("warn", LogLevel::WARN),
        ("info", LogLevel::INFO),
        ("verbose", LogLevel::VERBOSE),
        ("debug", LogLevel::DEBUG),
    ];
    let wanted = env::string(&env::QNN_LOG).map(|level| level.to_lowercase());
    let echo = LEVELS.iter().find(|(name, _)| Some(*name) == wanted.as_deref()).map(|(_, level)| *level);
    buffer().echo = echo;
    echo.unwrap_or(LogLevel::WARN).max(LogLevel::WARN)
}

/// A position in the log; [`since`] returns what came after it.
pub(crate) fn mark() -> u64 {
    buffer().next
}

/// Errors and warnings logged after `mark`, oldest first, without known noise and repetitions.
pub(crate) fn since(mark: u64) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for line in buffer().lines.iter().filter(|line| line.number >= mark && line.level <= LogLevel::WARN) {
        if !NOISE.iter().any(|noise| line.text.contains(noise)) && !texts.contains(&line.text) {
            texts.push(line.text.clone());
        }
    }
    texts
}

/// Handed to the library, which may call it from any thread. A panic must not go through the library's frames, so none leaves this.
#[expect(unsafe_code, reason = "called by the library")]
pub(crate) unsafe extern "C" fn callback(format: *const c_char, level: LogLevel, _time: u64, args: VaList) {
    if format.is_null() {
        return;
    }
    let _ = std::panic::catch_unwind(|| {
        // SAFETY: the library passes a printf format and the values that belong to it, valid for this call.
        keep(level, unsafe { render(format, args) });
    });
}

/// Keeps a line, and prints it where `QNN_LOG` asks for it.
fn keep(level: LogLevel, text: String) {
    let echo = buffer().echo;
    if echo.is_some_and(|echo| level <= echo) {
        // Outside of the lock: whoever reads standard error may take his time. Nobody may read it any more, too.
        let _ = writeln!(std::io::stderr(), "qnn: {text}");
    }
    let mut buffer = buffer();
    let number = buffer.next;
    buffer.next += 1;
    if buffer.lines.len() == KEPT {
        buffer.lines.pop_front();
    }
    buffer.lines.push_back(Line { number, level, text });
}

/// # Safety
/// `format` is a C string and `args` are the values that it asks for.
#[cfg(unix)]
#[expect(unsafe_code, reason = "C's formatted printing")]
unsafe fn render(format: *const c_char, args: VaList) -> String {
    /// Longest line, bytes; the lists of supported configurations come close to it.
    const LONGEST: usize = 8192;
    unsafe extern "C" {
        fn vsnprintf(
            buffer: *mut c_char,
            size: usize,
            format: *const c_char,
            args: VaList,
        ) -> std::ffi::c_int;
    }
    let mut text = vec![0u8; LONGEST];
    // SAFETY: the buffer has `LONGEST` bytes; format and values match by this function's contract. `VaList` is what a
    // `va_list` parameter is on the supported targets.
    let written = unsafe { vsnprintf(text.as_mut_ptr().cast(), text.len(), format, args) };
    if written < 0 {
        // SAFETY: a C string by this function's contract.
        return unsafe { CStr::from_ptr(format) }.to_string_lossy().into_owned();
    }
    let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
    text.to_string_lossy().trim_end().to_owned()
}

/// # Safety
/// `format` is a C string.
#[cfg(not(unix))]
#[expect(unsafe_code, reason = "reads a C string")]
unsafe fn render(format: *const c_char, _args: VaList) -> String {
    // Without a formatted printing function that can be linked everywhere, the bare format still says most.
    // SAFETY: a C string by this function's contract.
    unsafe { CStr::from_ptr(format) }.to_string_lossy().trim_end().to_owned()
}
