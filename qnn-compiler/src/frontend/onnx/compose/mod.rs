//! Operators that HTP has no op for, written as operators that it has.
//!
//! A composed operator is gone when the passes start: they fuse and lay out its parts like any others. Each family is a
//! table of rows; a rule sees a normalized node and its types, and writes the parts with [`Parts`].

mod algebra;
mod bits;
mod extremes;
mod loss;
mod parts;
mod placement;
mod refused;
mod sample;
mod select;
mod signal;
mod sums;
mod table;
mod training;
mod volume;

pub(super) use table::compose;
pub use table::{Row, is_composed, rows};
