//! Model files to [`crate::graph::Graph`].

mod builder;
mod mapped;
pub mod onnx;

pub use builder::Builder;
