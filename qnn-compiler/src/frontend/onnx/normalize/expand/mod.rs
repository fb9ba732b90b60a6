//! Composite operators, written out in the operators that they are made of, so that fusion and layout see the parts.

mod activation;
mod attention;
mod bias;
mod cache;
mod fused;
mod grouped;
mod multi_head;
mod n_bits;
mod norm;
mod parts;
mod recurrent;
mod rotary;

use super::table::Row;

pub(super) const ROWS: [&[Row]; 9] = [
    attention::ROWS,
    cache::ROWS,
    fused::ROWS,
    grouped::ROWS,
    multi_head::ROWS,
    n_bits::ROWS,
    norm::ROWS,
    recurrent::ROWS,
    rotary::ROWS,
];
