//! Composite operators, written out in the operators that they are made of, so that fusion and layout see the parts.

mod activation;
mod attention;
mod bias;
mod norm;
mod parts;
mod recurrent;
mod rotary;

use super::table::Row;

pub(super) const ROWS: [&[Row]; 4] = [attention::ROWS, norm::ROWS, recurrent::ROWS, rotary::ROWS];
