//! Operators that HTP has no op for, written as operators that it has.
//!
//! A composed operator is gone when the passes start: they fuse and lay out its parts like any others. Each family is a
//! table of rows; a rule sees a normalized node and its types, and writes the parts with [`Parts`].

mod activation;
mod algebra;
mod attention;
mod bias;
mod bits;
mod cache;
mod causal;
mod crop;
mod dynamic;
mod extremes;
mod fill;
mod fused;
mod grouped;
mod heads;
mod linear_attention;
mod loss;
mod ml;
mod multi_head;
mod n_bits;
mod norm;
mod parts;
mod placement;
mod quant;
mod recurrent;
mod refused;
mod rotary;
mod sample;
mod select;
mod signal;
mod sums;
mod sums_of_integers;
mod table;
mod training;
mod volume;

pub(super) use sums_of_integers::scale_sums;
pub(super) use table::compose;
pub use table::{Row, is_composed, rows};
