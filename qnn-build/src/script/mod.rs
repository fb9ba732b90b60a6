//! What a build script calls: everything from the manifest to `OUT_DIR/qnn.rs`.

mod builder;
mod cargo;
mod install;
mod mode;
mod run;
mod stub;

pub use builder::{Artifacts, Builder, Outcome};
pub use mode::Mode;
