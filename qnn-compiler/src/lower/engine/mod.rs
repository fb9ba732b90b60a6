//! The machinery of lowering: the walk over the graph, its state, and the writer of ops.

mod builder;
mod lowering;
mod steps;
mod unsupported;

pub use builder::OpBuilder;
pub use lowering::{Lower, MAX_RANK, lower};
pub(in crate::lower) use lowering::{max_rank, nodes};
pub(in crate::lower) use steps::{FP16_MAX, MOVING, Ops, encode, is_float, storage};
pub(crate) use unsupported::with_unsupported;
