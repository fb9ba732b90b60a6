//! Writing into a cache at places that are only known when the model runs.

use super::super::table::{Draft, Row, Step, row};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, axis, dims, invalid};

pub(super) const ROWS: &[Row] = &[row(
    "TensorScatter",
    "a product with ones at the places that are written, and Where; linear and circular, along any axis but the first",
    scatter,
)];

fn scatter(d: &mut Draft<'_, '_>) -> Answer<Step> {
    let (cache, update) = (d.site().id(0)?, d.site().id(1)?);
    let (shape, new) = (d.dims(cache), d.dims(update));
    let rank = shape.len();
    let at = axis(d.node.attrs.int_or("axis", -2), rank)?;
    let same = |i: usize| i == at || new.get(i) == Some(&shape[i]);
    if at == 0 || rank < 3 || new.len() != rank || !(0..rank).all(same) || new[at] > shape[at] {
        return invalid(format!("{} written into {} along axis {at}", dims(&new), dims(&shape)));
    }
    let circular = match d.node.attrs.str_or("mode", "linear") {
        "linear" => false,
        "circular" => true,
        other => return invalid(format!("attribute mode is {other}")),
    };
    let start = match d.node.input(2) {
        Some(start) => start,
        None => d.whole("start", DType::I32, &[shape[0]], &vec![0; shape[0]]),
    };
    // The product wants the axis to be the last but one.
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(at, rank - 2);
    let (cache, update) = (d.transpose(cache, &order)?, d.transpose(update, &order)?);
    let written = write(d, cache, update, start, circular)?;
    Ok(Step::alias(d.transpose(written, &order)?))
}

/// (batch, …, places, width) with (batch, …, new, width) written from place `start`, (batch), on.
pub(super) fn write(
    d: &mut Draft<'_, '_>,
    cache: ValueId,
    update: ValueId,
    start: ValueId,
    circular: bool,
) -> Answer<ValueId> {
    let (shape, dtype) = (d.dims(cache), d.dtype(cache));
    let rank = shape.len();
    let (batch, places, new) = (shape[0], shape[rank - 2] as i64, d.dims(update)[rank - 2] as i64);
    let mut ones = vec![1; rank];
    ones[0] = batch;
    let start = d.reshape(start, &ones)?;
    // Place j takes the new row i where j - i is the start.
    let wrap = |distance: i64| if circular { distance.rem_euclid(places) } else { distance };
    let distances: Vec<i64> = (0..places).flat_map(|j| (0..new).map(move |i| wrap(j - i))).collect();
    let mut grid = vec![1; rank - 2];
    grid.extend([places as usize, new as usize]);
    let distances = d.whole("distances", d.dtype(start), &grid, &distances);
    let meets = d.op("Equal", &[distances, start])?;
    let chosen = d.cast(meets, dtype)?;
    let rows = d.op("MatMul", &[chosen, update])?;
    let any = d.reduce("ReduceMax", chosen, rank - 1)?;
    let half = d.floats("half", dtype, &[], &[0.5]);
    let any = d.op("Greater", &[any, half])?;
    d.op("Where", &[any, rows, cache])
}
