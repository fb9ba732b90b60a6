//! Language models.

mod artifacts;

pub use artifacts::{LlmArtifacts, LlmSource};
