//! Compiles the models declared in `[package.metadata.qnn]` into QNN context binaries from build.rs.
//!
//! ```no_run
//! // build.rs
//! fn main() {
//!     qnn_build::compile().unwrap_or_exit();
//! }
//! ```
//!
//! The app includes a Rust module per model by `qnn::include_models!()`. [`Builder`] is the same with more to say.
//!
//! This crate does not compile models itself: it asks `cargo-qnn`, which `CARGO_QNN` names or `PATH` has, and which keeps what it
//! compiled in a store. Where there is no `cargo-qnn`, a build that the store remembers is taken as it is; where `QNN_BUILD` says `stub`,
//! modules are made that have all types and no model. Build scripts are compiled without optimization and on every clean build, so this
//! crate is small, and so is what it depends on.

#![allow(clippy::needless_doctest_main, reason = "the examples are whole build scripts")]

mod ask;
mod builder;
mod cargo;
mod run;
mod stored;
mod stub;

pub use builder::{Artifacts, Builder, Outcome};
pub use qnn_manifest::Mode;
pub use qnn_types::{
    ArtifactKind, ArtifactManifest, ArtifactRecord, Diagnostic, Error, GraphInfo, OpPackageRecord, Result,
    TensorInfo,
};

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
