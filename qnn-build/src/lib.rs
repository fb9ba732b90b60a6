//! Compiles the models declared in `[package.metadata.qnn]` into QNN context binaries from build.rs.

pub mod codegen;
pub mod diagnostics;
mod error;
mod files;
pub mod job;
pub mod key;
pub mod manifest;
mod memo;
pub mod plan;
pub mod source;
pub mod toolchain;

pub use error::{Error, Result};
pub use memo::Memo;
