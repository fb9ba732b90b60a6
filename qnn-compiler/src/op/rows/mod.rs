//! The rows, one file a family.

mod activation;
mod arithmetic;
mod attention;
mod convert;
mod function;
mod linear;
mod logic;
mod ml;
mod movement;
mod normalization;
mod quant;
mod random;
mod recurrent;
mod reduction;
mod signal;
mod spatial;
mod training;
mod vendor;

use super::row::Row;

/// All rows.
pub(super) const FAMILIES: [&[Row]; 18] = [
    activation::ROWS,
    arithmetic::ROWS,
    attention::ROWS,
    convert::ROWS,
    function::ROWS,
    linear::ROWS,
    logic::ROWS,
    ml::ROWS,
    movement::ROWS,
    normalization::ROWS,
    quant::ROWS,
    random::ROWS,
    recurrent::ROWS,
    reduction::ROWS,
    signal::ROWS,
    spatial::ROWS,
    training::ROWS,
    vendor::ROWS,
];
