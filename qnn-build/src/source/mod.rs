//! What has to be known of a model file before it is compiled: the hash of all its bytes, and for ONNX the
//! inputs and outputs. Read without loading the model: weights are skipped, and facts are remembered per file.

mod facts;
mod llm;
mod onnx;
mod wire;

pub use facts::{ExternalFile, SourceFacts, inspect};
pub use llm::{FileFacts, LlmFacts, LlmWeight, Place, read_llm};
pub use onnx::{ModelValue, static_shapes};

#[cfg(test)]
mod tests;
