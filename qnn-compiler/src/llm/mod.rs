//! Language models: decoders of the Llama family as graphs of prefill and decode.
//!
//! `decoder` writes a graph from a model's sizes; `weights` brings the file's weights into it in the encoding that the
//! strategy and the SoC ask for. Nothing is left to find for the fusing passes, and they are not run: they would look at
//! gigabytes of weights.

mod decoder;
mod evaluate;
mod export;
mod job;
mod ops;
mod requantize;
mod spill;
mod weights;

pub(crate) use evaluate::evaluate;
pub(crate) use export::export;
pub(crate) use job::{check, compile};

pub use decoder::{Shape, Span, build, layer_output};
pub use spill::Spill;
pub use weights::{Target, Weights, embedding_table};
