//! From the models that Cargo.toml declares to artifacts on disk.
//!
//! [`plan`] makes one job per model and SoC (and part, of a language model) of a package's manifest; [`source`] knows a model file
//! by its digest. [`store`] keeps what was compiled, by [`key`]; [`driver`] runs `cargo-qnn worker` processes for the rest, and
//! [`compile`] brings these together. [`op_package`] builds kernels of the app's own. [`package`] does all of it for several packages,
//! [`artifacts`] puts the results where they are used. [`script`] answers a build script.

pub mod artifacts;
pub mod compile;
pub mod driver;
mod files;
pub mod key;
mod log;
mod memo;
mod observe;
pub mod op_package;
pub mod package;
pub mod plan;
pub mod script;
pub mod source;
pub mod store;
pub mod toolchain;

pub use log::Log;
pub use memo::Memo;
pub use qnn_types::{Error, Result};
