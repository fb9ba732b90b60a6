//! Op packages: kernels of the app's own, compiled for the emulator and for every Hexagon architecture that the app targets.
//!
//! [`Package::open`] reads what a folder holds (definitions, sources), [`build`] compiles it for [`Target`]s by the toolchain that
//! [`toolchain`] finds: only what changed, side by side, every command written down. What was linked is held against what was asked
//! for ([`qnn_ops::elf`]) before it gets its name.

mod build;
mod check;
mod commands;
mod depfile;
mod flags;
mod objects;
mod package;
mod registered;
mod target;
pub mod toolchain;

pub use build::{Built, Settings, build};
pub use package::{Package, definitions};
pub use qnn_manifest::{Kind, Spec};
pub use registered::{Builds, Device, Opened, open};
pub(crate) use registered::{devices, open_all};
pub use target::Target;
