//! What cargo-qnn knows of language models: weight files (GGUF, safetensors), architectures, and the description of a
//! compiled model that the app loads.
//!
//! Build scripts (`qnn-build`), the compiler and the runtime share these types, so the crate is light: it links no engine.

pub mod arch;
mod assemble;
pub mod block;
pub mod config;
pub mod deployment;
pub mod gguf;
pub mod hf;
mod map;
mod open;
mod problem;
mod rope;
mod rows;
pub mod strategy;
pub mod synthetic;
pub mod tokenizer;
pub mod weights;

pub use config::{Config, Rope, RopeScaling};
pub use deployment::{Deployment, Heads, KvType, Strategy};
pub use open::{Kind, Peek, Tensor, kind, of_folder_bytes, of_gguf_bytes, open, peek};
pub use problem::{Class, Problem, Problems};
pub use weights::{Format, Model, Role, Weight};
