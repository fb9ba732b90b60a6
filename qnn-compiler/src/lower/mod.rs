//! From the graph to QNN ops.
//!
//! * `engine`: walks the graph, keeps what became of each value, writes ops.
//! * `blocks`: what families share: broadcasting, slices, windows, indices, weights in other forms.
//! * `ops`: one file an operator family, with a function for each operator; these call the engine and blocks, not one another.
//! * `fixed`: which nodes are computed on integers, and how their operands get there.
//! * `finish`: what is done to the whole program at the end.
//!
//! Which function lowers which operator, rows say (`op/rows/`).

mod blocks;
mod engine;
mod finish;
pub(crate) mod fixed;
pub(crate) mod ops;

pub(crate) use engine::with_unsupported;
pub use engine::{Lower, MAX_RANK, OpBuilder, lower};
pub use fixed::{Placement, placements};

use qnn_types::Diagnostic;

use crate::graph::Node;

/// Lowers one node.
pub(crate) type LowerFn = fn(&mut Lower<'_>, &Node) -> Result<(), Diagnostic>;
