//! Compiles the models declared in `[package.metadata.qnn]` into QNN context binaries from build.rs.

pub mod diagnostics;
mod error;
pub mod job;
pub mod manifest;

pub use error::{Error, Result};
