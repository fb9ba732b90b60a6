//! ONNX files.

mod attributes;
mod bodies;
mod compose;
mod containers;
pub mod element;
mod external;
mod fault;
mod file;
mod flex;
mod import;
mod inputs;
mod loops;
mod normalize;
mod order;
pub mod proto;
mod runtime;
mod scope;
mod tensor;
mod walk;
mod write;

pub use compose::{Row as Composition, is_composed, rows as compositions};
pub(super) use external::location as external_location;
pub use file::OnnxFile;
pub use import::{ImportOptions, Imported, import};
pub use normalize::{OPSET, Row as Normalization, rows as normalizations};
pub(crate) use write::to_single;
pub use write::{to_bytes, to_model, to_model_beside};
