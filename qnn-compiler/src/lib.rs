//! Compiles ONNX and DLC models into QNN HTP context binaries.

mod calibrate;
mod computed;
pub mod custom;
mod engine;
pub mod fold;
pub mod frontend;
pub mod graph;
mod htp;
pub mod infer;
mod interval;
pub mod llm;
pub mod lower;
pub mod npz;

pub mod op;
pub mod passes;
pub mod problem;
pub mod program;
mod reach;
pub mod reference;
mod reporter;

pub use engine::run;

/// Identity of this engine: a hash over its sources and the versions of what they use. Models that another engine compiled are not taken
/// for what this one would make of them.
pub const ENGINE: &str = env!("QNN_ENGINE");
