//! What an operator is.
//!
//! [`Op`] is its name: a variant for every operator that the engine knows, so that a misspelt one does not compile, and
//! [`Op::Other`] for those of an app's op packages and for those that nobody knows. Each has one row, which answers every question that
//! the engine asks of an operator; `columns` lists the questions, `rows/` has the answers by family. Functions that rows name live where
//! they work: types in `infer/`, evaluation in `fold/`, lowering in `lower/ops/`.

mod columns;
mod integers;
mod name;
mod names;
mod row;
mod rows;

pub(crate) use columns::{Axes, Elements, Fold, Lowering, Onnx, Operands, Results, Scale, Types};
pub(crate) use integers::{Fit, Steps};
pub use name::Name;
pub use names::Op;
