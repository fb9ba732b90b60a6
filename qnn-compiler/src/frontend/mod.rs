//! Model files to [`crate::graph::Graph`].

pub mod onnx;
