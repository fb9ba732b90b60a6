//! From the graph to QNN ops.
//!
//! * [`engine`]: walks the graph, keeps what became of each value, writes ops.
//! * `blocks`: what families share: broadcasting, slices, windows, indices, weights in other forms.
//! * `ops`: one file an operator family, with a function for each operator; these call the engine and blocks, not one another.
//! * `fixed`: which nodes are computed on integers, and how their operands get there.
//! * `finish`: what is done to the whole program at the end.
//!
//! To add an operator, write a function in the file of its family and add a row to [`table::ROWS`].

mod blocks;
mod engine;
mod finish;
mod fixed;
mod ops;
pub mod table;

pub(crate) use engine::with_unsupported;
pub use engine::{Lower, MAX_RANK, OpBuilder, lower};
pub use fixed::integer_operators;
