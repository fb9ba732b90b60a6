//! Compiles the models declared in `[package.metadata.qnn]` into QNN context binaries from build.rs.
//!
//! ```no_run
//! // build.rs
//! fn main() {
//!     qnn_build::compile().unwrap_or_exit();
//! }
//! ```
//!
//! This reads the package's Cargo.toml ([`manifest`]), makes one job per model and SoC of it ([`plan`]), takes from the store
//! what was compiled before ([`store`]), has `cargo-qnn` compile the rest, each job in a process of its own
//! ([`driver`]), and generates a Rust module per model ([`codegen`]), which the app includes by `qnn::include_models!()`.
//! [`Builder`] is the same with more to say.
//!
//! `cargo qnn` uses the same parts through [`package`] and [`compile`](mod@compile).
//!
//! Build scripts are compiled without optimization and on every clean build, so this crate has few dependencies and no
//! native code of its own: the compiler proper is in `cargo-qnn`.

#![allow(clippy::needless_doctest_main, reason = "the examples are whole build scripts")]

pub mod artifacts;
pub mod codegen;
pub mod compile;
pub mod driver;
mod files;
pub mod key;
mod log;
pub mod manifest;
mod memo;
pub mod op_package;
pub mod package;
pub mod plan;
mod script;
pub mod source;
pub mod store;
pub mod toolchain;

pub use log::Log;
pub use memo::Memo;
pub use qnn_types::{Error, Result};
pub use script::{Artifacts, Builder, Mode, Outcome};

/// Compiles all models that the package's Cargo.toml declares, and generates `OUT_DIR/qnn.rs`.
///
/// ```no_run
/// fn main() {
///     qnn_build::compile().unwrap_or_exit();
/// }
/// ```
pub fn compile() -> Outcome {
    Builder::new().compile()
}
