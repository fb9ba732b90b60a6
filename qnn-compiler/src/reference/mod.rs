//! ONNX Runtime on the host's CPU: reference results, and what the front end cannot tell about a model by itself.
//!
//! It is loaded when it is first needed, which an ordinary import never does.

mod engine;
mod executor;
mod expand;
mod job;
mod model;
mod node;
mod observe;
mod runnable;
mod samples;
mod tensor;
mod widen;

pub use engine::{ReferenceEngine, ReferenceError};
pub use executor::Executor;
pub use job::run_job;
pub use model::{ReferenceInput, ReferenceModel};
pub use observe::{Extremes, Observer};
pub use samples::Samples;
pub use tensor::Tensor;
