//! Safe runtime for QNN context binaries on the Hexagon NPU (HTP) and its x86-64 emulator.

#[cfg(feature = "compose")]
pub mod compose;
