//! The checks of `cargo qnn doctor`.

mod android;
mod check;
mod host;
mod libraries;
mod tools;

pub(crate) use check::{Answer, Check, Finding, Verdict, run_all};

/// Every check in the order they are shown. Ids are stable: scripts select by them.
pub(crate) const CHECKS: &[Check] = &[
    Check::new("host", "platform", host::platform),
    Check::new("glibc", "C library", host::glibc),
    Check::new("memory", "memory", host::memory),
    Check::new("toolchain", "QNN libraries", libraries::toolchain),
    Check::slow("toolchain-files", "files of the toolchain", libraries::files),
    Check::new("libcxx", "C++ runtime", libraries::libcxx),
    Check::new("libatomic", "libatomic.so.1", libraries::libatomic),
    Check::new("library-path", "library search path", libraries::library_path),
    Check::new("reference-engine", "ONNX Runtime", libraries::reference_engine),
    Check::new("sdk", "QAIRT SDK", libraries::sdk),
    Check::slow("installer", "uv or pip", tools::installer),
    Check::new("cargo-qnn", "build scripts", tools::cargo_qnn),
    Check::new("cache", "cache folder", host::cache),
    Check::new("disk", "free space", host::disk),
    Check::new("rust-target", "Rust target for Android", android::rust_target),
    Check::new("ndk", "Android NDK", android::ndk),
    Check::new("adb", "Android devices", android::adb),
    Check::new("hexagon", "Hexagon compiler", tools::hexagon),
];
