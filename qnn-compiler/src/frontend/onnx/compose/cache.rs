//! Writing into a cache at places that are only known when the model runs.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, axis, dims, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[row(
    "TensorScatter",
    "a product with ones at the places that are written, and Where; linear and circular, along any axis but the first",
    scatter,
)];

fn scatter(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (cache, update) = (p.site().id(0)?, p.site().id(1)?);
    let (shape, new) = (p.shape(cache), p.shape(update));
    let rank = shape.len();
    let at = axis(p.node.attrs.int_or("axis", -2), rank)?;
    let same = |i: usize| i == at || new.get(i) == Some(&shape[i]);
    if at == 0 || rank < 3 || new.len() != rank || !(0..rank).all(same) || new[at] > shape[at] {
        return invalid(format!("{} written into {} along axis {at}", dims(&new), dims(&shape)));
    }
    let circular = match p.node.attrs.str_or("mode", "linear") {
        "linear" => false,
        "circular" => true,
        other => return invalid(format!("attribute mode is {other}")),
    };
    let start = match p.node.input(2) {
        Some(start) => start,
        None => p.ints(DType::I32, &[shape[0]], &vec![0; shape[0]]),
    };
    // The product wants the axis to be the last but one.
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(at, rank - 2);
    let (cache, update) = (p.transpose(cache, &order)?, p.transpose(update, &order)?);
    let written = write(p, cache, update, start, circular)?;
    Ok(Some(vec![p.transpose(written, &order)?]))
}

/// (batch, …, places, width) with (batch, …, new, width) written from place `start`, (batch), on.
pub(super) fn write(
    p: &mut Parts<'_, '_>,
    cache: ValueId,
    update: ValueId,
    start: ValueId,
    circular: bool,
) -> Answer<ValueId> {
    let (shape, dtype) = (p.shape(cache), p.dtype(cache));
    let rank = shape.len();
    let (batch, places, new) = (shape[0], shape[rank - 2] as i64, p.shape(update)[rank - 2] as i64);
    let mut ones = vec![1; rank];
    ones[0] = batch;
    let start = p.reshape(start, &ones)?;
    // Place j takes the new row i where j - i is the start.
    let wrap = |distance: i64| if circular { distance.rem_euclid(places) } else { distance };
    let distances: Vec<i64> = (0..places).flat_map(|j| (0..new).map(move |i| wrap(j - i))).collect();
    let mut grid = vec![1; rank - 2];
    grid.extend([places as usize, new as usize]);
    let distances = p.ints(p.dtype(start), &grid, &distances);
    let meets = p.op(Op::Equal, &[distances, start])?;
    let chosen = p.cast(meets, dtype)?;
    let rows = p.op(Op::MatMul, &[chosen, update])?;
    let any = p.reduce(Op::ReduceMax, chosen, &[rank - 1], true)?;
    let half = p.floats(dtype, &[], &[0.5]);
    let any = p.op(Op::Greater, &[any, half])?;
    p.op(Op::Where, &[any, rows, cache])
}
