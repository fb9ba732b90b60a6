//! ONNX Runtime on the host's CPU: reference results, and what the front end cannot tell about a model by itself.
//!
//! It is loaded when it is first needed, which an ordinary import never does.

mod engine;
mod job;
mod model;
mod node;
mod ranges;
mod tensor;
mod widen;

pub use engine::{ReferenceEngine, ReferenceError};
pub use job::run_job;
pub use model::{ReferenceInput, ReferenceModel};
pub use ranges::{generated, ranges};
pub use tensor::Tensor;
