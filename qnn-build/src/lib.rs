//! Compiles the models declared in `[package.metadata.qnn]` into QNN context binaries from build.rs.

pub mod codegen;
pub mod diagnostics;
pub mod driver;
mod error;
mod files;
pub mod job;
pub mod key;
mod log;
pub mod manifest;
mod memo;
pub mod plan;
pub mod source;
pub mod store;
pub mod toolchain;

pub use error::{Error, Result};
pub use log::Log;
pub use memo::Memo;
