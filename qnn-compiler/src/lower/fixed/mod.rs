//! Quantized operators. An encoded value is stored as integers; each node that touches one is lowered either on the integers
//! or on floats between Dequantize and Quantize.
//!
//! HTP computes with unsigned 8 and 16 bits (ufixed8, ufixed16) for every operator that it has quantized; signed integers
//! are refused, or wrong, for many of them (measured on SM8650), so signed encodings are shifted to unsigned ones, which mean the
//! same numbers. The forms of the operands of one node are an overlay over the tensors of the program: lowering functions
//! see fixed-point tensors where the node is lowered on integers, and floats else.

mod constants;
mod derived;
pub(crate) mod fits;
mod fixed_point;
mod node;
mod placement;
mod products;
mod saturation;
mod table;

pub(super) use constants::around;
pub(super) use derived::{common, derive};
pub(super) use fixed_point::FixedPoint;
pub(super) use node::{lower, lower_own};
pub use placement::{Placement, placements};
