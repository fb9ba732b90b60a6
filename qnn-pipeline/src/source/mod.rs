//! What has to be known of a model file before it is compiled: the hash of all its bytes, and for ONNX the
//! inputs and outputs. Read without loading the model: weights are skipped, and facts are remembered per file.

mod facts;
mod llm;

pub(crate) use facts::hashed;
pub use facts::{ExternalFile, SourceFacts, inspect};
pub use llm::{FileFacts, LlmFacts, LlmWeight, Place, read_llm};

#[cfg(test)]
mod tests;
