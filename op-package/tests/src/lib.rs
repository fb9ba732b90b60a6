//! What the tests of the op package share: building it, running its kernels on cases, and what is right.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code, which panics where something is amiss")]

pub mod build;
pub mod elf;
pub mod emulated;
pub mod harness;
pub mod reference;
pub mod stored;
pub mod trials;
