//! The program that runs jobs.

use std::path::PathBuf;

/// A `cargo-qnn` that runs jobs: the running one itself, so that the two always speak one protocol.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The executable.
    pub path: PathBuf,
    /// Identity of its engine: a hash over its sources and what they are built with. It is part of the store's key, so that what
    /// another engine made is never taken for what this one would make.
    pub engine: String,
}
