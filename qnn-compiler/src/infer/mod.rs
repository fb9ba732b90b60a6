//! Types of a node's outputs from its inputs: rules, which the rows of operators name.
//!
//! The rules read nodes in the form that the ONNX front end leaves them in (`frontend/onnx/normalize`), spatial axes in the
//! standard's order. Each family is a file.

pub(crate) mod attention;
pub(crate) mod elementwise;
pub(crate) mod linear;
pub(crate) mod ml;
pub(crate) mod quant;
pub(crate) mod recurrent;
pub(crate) mod reduction;
mod rule;
pub(crate) mod shaping;
pub(crate) mod signal;
mod site;
pub(crate) mod spatial;
pub(crate) mod training;
mod window;

pub(crate) use ml::classes;
pub(crate) use rule::Rule;
pub use rule::infer;
pub(crate) use shaping::{permutation, slice_plan, split_sizes};
pub use site::{Answer, Reason, Site, axes, axis, broadcast, dim, dims, volume};
pub(crate) use site::{LIMIT, invalid};
pub(crate) use window::{Window, transposed_padding};
