//! Inputs and outputs of an ONNX model file, read without loading the model: weights are skipped.

mod onnx;
mod wire;

pub use onnx::{ModelValue, Scan, scan, static_shapes};
pub use wire::WireError;
