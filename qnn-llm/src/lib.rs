//! What cargo-qnn knows of language models: weight files (GGUF, safetensors), architectures, and the description of a
//! compiled model that the app loads.
//!
//! Build scripts (`qnn-build`), the compiler and the runtime share these types, so the crate is light: it links no engine.

pub mod config;
pub mod deployment;
pub mod weights;

pub use config::{Config, Rope, RopeScaling};
pub use deployment::{Deployment, Heads, KvType, Strategy};
pub use weights::{Format, Model, Role, Weight};
