//! Types of the interface that all backends share, by the object they belong to.

mod backend;
mod context;
mod context_callback;
mod device;
mod graph;
mod log;
mod mem;
mod profile;
mod property;
mod signal;

pub use backend::*;
pub use context::*;
pub use context_callback::*;
pub use device::*;
pub use graph::*;
pub use log::*;
pub use mem::*;
pub use profile::*;
pub use property::*;
pub use signal::*;
