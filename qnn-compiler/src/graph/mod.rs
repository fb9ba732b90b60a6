//! The one intermediate representation: ONNX-shaped, static, every value typed from the moment it is created.

mod attr;
mod bounds;
mod data;
mod dtype;
mod ir;
mod names;
pub(crate) mod params;
pub mod text;
mod transpose;
pub mod verify;

pub use attr::{Attr, Attrs};
pub use bounds::Bounds;
pub use data::Data;
pub use dtype::DType;
pub use ir::{Graph, Layout, Node, NodeId, Origin, TensorType, Value, ValueId};
pub use qnn_types::quant::{Encoding, Granularity, PerBlock, Storage};
