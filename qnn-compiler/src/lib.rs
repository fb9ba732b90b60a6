//! Compiles ONNX and DLC models into QNN HTP context binaries.

pub mod fold;
pub mod frontend;
pub mod graph;
pub mod infer;
pub mod lower;
pub mod npz;
pub mod passes;
pub mod problem;
pub mod program;
