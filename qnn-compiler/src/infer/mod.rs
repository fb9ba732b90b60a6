//! Types of a node's outputs from its inputs: a table from operator to rule.
//!
//! The rules read nodes in the form that the ONNX front end leaves them in (`frontend/onnx/normalize`), spatial axes in the
//! standard's order. A newcomer adds an operator by adding a row to the table of its family.

mod attention;
mod elementwise;
mod linear;
mod ml;
mod quant;
mod recurrent;
mod reduction;
mod shaping;
mod signal;
mod site;
mod spatial;
mod table;
mod training;
mod window;

pub(crate) use ml::classes;
pub(crate) use shaping::{permutation, slice_plan, split_sizes};
pub use site::{Answer, Reason, Site, axes, axis, broadcast, dim, dims, volume};
pub(crate) use site::{LIMIT, invalid};
pub use table::infer;
#[cfg(test)]
pub(crate) use table::is_known;
pub(crate) use window::{Window, transposed_padding};
