//! Types that the core interface and every backend share.

mod handle;
mod mapping;
mod op;
mod quantize;
mod scalar;
mod tensor;

pub use handle::*;
pub use mapping::*;
pub use op::*;
pub use quantize::*;
pub use scalar::*;
pub use tensor::*;
