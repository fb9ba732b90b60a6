//! Encodings files: scales of a model's tensors beside the model, as AIMET exports them (versions 0.6.1, 1.0.0 and 2.0.0) and
//! as QAIRT's quantization overrides are written.

mod apply;
mod entry;
mod read;

pub use apply::apply;
pub use entry::{Blocks, Entry, Target};
pub use read::{open, read};
