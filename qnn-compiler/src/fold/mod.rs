//! Evaluates nodes whose inputs are constant.
//!
//! What shape arithmetic uses has an evaluator here, exact to the bit for the types it is used with. Everything else that
//! is constant is left to ONNX Runtime, or to the device.

mod arithmetic;
mod lane;
mod movement;
mod strided;
mod table;

pub use table::{Folded, fold};
