//! The only part of the engine that talks to the vendor's library.

mod binary;
mod compile;
mod emit;

pub(crate) use compile::{Session, finish};
pub use emit::diagnostic;
