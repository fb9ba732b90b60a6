//! The only part of the engine that talks to the vendor's library.

mod activations;
mod arrange;
mod binary;
mod compile;
mod emit;
mod estimate;
mod execute;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod heap;
mod miscompilations;
mod packages;

pub(crate) use activations::choose as choose_activations;
pub(crate) use compile::{Session, finish, pass_on};
pub(crate) use emit::{diagnostic, emit_to_file, undivided};
pub(crate) use estimate::write_origins;
pub(crate) use execute::execute;
pub(crate) use packages::own_ops;
