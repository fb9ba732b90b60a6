//! Model files to [`crate::graph::Graph`].

pub(crate) mod builder;
pub mod encodings;
pub mod inspect;
pub(crate) mod mapped;
pub mod onnx;

pub use builder::Builder;
