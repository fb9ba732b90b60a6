//! Compiles the models declared in `[package.metadata.qnn]` into QNN context binaries from build.rs.

pub mod diagnostics;
pub mod job;
