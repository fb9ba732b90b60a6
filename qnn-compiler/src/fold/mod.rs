//! Evaluates nodes whose inputs are constant.
//!
//! What shape arithmetic uses has an evaluator here, exact to the bit for the types it is used with. Everything else that
//! is constant is left to ONNX Runtime, or to the device.

pub(crate) mod arithmetic;
mod evaluate;
mod lane;
pub(crate) mod movement;
mod strided;

pub(crate) use evaluate::{Call, Evaluator};
pub use evaluate::{Folded, fold};
