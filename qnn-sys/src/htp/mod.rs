//! What the HTP backend adds: targets, graph options, performance modes, metadata.

mod context;
mod device;
mod graph;
mod mem;
mod metadata;
mod perf;
mod profile;

pub use context::*;
pub use device::*;
pub use graph::*;
pub use mem::*;
pub use metadata::*;
pub use perf::*;
pub use profile::*;
