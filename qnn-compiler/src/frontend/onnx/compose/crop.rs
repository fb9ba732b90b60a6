//! Resize of a region that is only known when the model runs: along each axis a product with the weights of the elements that
//! are sampled, which follow from the region.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[row(
    "Resize",
    "of a computed region: weights of the elements by Sub, Abs, Relu, then a MatMul an axis; linear, nearest",
    resize,
)];

/// One axis of the region.
struct Sampled {
    /// Extents before and after.
    from: usize,
    to: usize,
    /// Where the region starts and ends, as shares of the extent.
    bounds: [ValueId; 2],
}

fn resize(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let attrs = &p.node.attrs;
    let Some(region) = p.node.input(1).filter(|id| p.known(*id).is_none()) else { return Ok(None) };
    let mode = attrs.str_or("mode", "nearest").to_owned();
    let crops = attrs.str_or("coordinate_transformation_mode", "") == "tf_crop_and_resize";
    if !crops || !["linear", "nearest"].contains(&&*mode) {
        return Ok(None);
    }
    let nearest = (mode == "nearest").then(|| attrs.str_or("nearest_mode", "round_prefer_floor").to_owned());
    let outside = attrs.float_or("extrapolation_value", 0.0);
    let listed = attrs.ints("region_axes").map(<[i64]>::to_vec);
    let x = p.input(0)?;
    let (shape, result) = (p.shape(x), p.types[0].shape.clone());
    let axes: Vec<usize> = match listed {
        Some(list) => list.iter().map(|a| *a as usize).collect(),
        None => (0..shape.len()).collect(),
    };
    if p.shape(region) != [2 * axes.len()] {
        return invalid(format!("a region of {:?} for {} axes", p.shape(region), axes.len()));
    }
    let known = elements(p, region, 2 * axes.len());
    let dtype = p.dtype(x);
    let region = p.cast(region, dtype)?;
    let mut y = x;
    let mut inside: Option<ValueId> = None;
    for (k, &axis) in axes.iter().enumerate() {
        let (from, to) = (shape[axis], result[axis]);
        let whole = known[k] == Some(0.0) && known[axes.len() + k] == Some(1.0);
        if from == to && (whole || from == 1) {
            continue;
        }
        let bounds = [p.range(region, 0, k, k + 1)?, p.range(region, 0, axes.len() + k, axes.len() + k + 1)?];
        let (weights, mask) = weights(p, &Sampled { from, to, bounds }, nearest.as_deref(), dtype)?;
        y = along(p, y, axis, weights)?;
        if outside != 0.0 {
            let mut to_all = vec![1; shape.len()];
            to_all[axis] = to;
            let mask = p.reshape(mask, &to_all)?;
            inside = Some(match inside {
                Some(others) => p.op(Op::Mul, &[others, mask])?,
                None => mask,
            });
        }
    }
    if let Some(inside) = inside {
        let one = p.scalar(dtype, 1.0);
        let missing = p.op(Op::Sub, &[one, inside])?;
        let missing = p.by(Op::Mul, missing, outside.into())?;
        y = p.op(Op::Add, &[y, missing])?;
    }
    Ok(Some(vec![y]))
}

/// Which elements of a list are constant: exporters write the bounds of batch and channels beside the computed ones.
fn elements(p: &Parts<'_, '_>, list: ValueId, count: usize) -> Vec<Option<f64>> {
    let joined = p.maker(list).filter(|n| n.op == Op::Concat);
    let Some(node) = joined else { return vec![None; count] };
    let mut all = Vec::new();
    for id in node.inputs.iter().flatten() {
        match p.known_floats(*id) {
            Some(values) => all.extend(values.into_iter().map(Some)),
            None => all.extend(vec![None; p.shape(*id).iter().product()]),
        }
    }
    all.resize(count, None);
    all
}

/// What each element weighs in each result, (from, to), and which results are inside, (1, to). An element weighs what the distance to
/// the sampled place leaves of one.
fn weights(
    p: &mut Parts<'_, '_>,
    sampled: &Sampled,
    nearest: Option<&str>,
    dtype: DType,
) -> Answer<(ValueId, ValueId)> {
    let Sampled { from, to, bounds } = *sampled;
    let last = from.saturating_sub(1) as f64;
    let share = |i: usize| if to == 1 { 0.5 } else { i as f64 / (to - 1) as f64 };
    let ends: Vec<f64> = (0..to).map(|i| last * share(i)).collect();
    let starts: Vec<f64> = ends.iter().map(|end| last - end).collect();
    let (starts, ends) = (p.floats(dtype, &[1, to], &starts), p.floats(dtype, &[1, to], &ends));
    let (start, end) = (p.op(Op::Mul, &[starts, bounds[0]])?, p.op(Op::Mul, &[ends, bounds[1]])?);
    let place = p.op(Op::Add, &[start, end])?;
    let (first, end) = (p.scalar(dtype, 0.0), p.scalar(dtype, last));
    let (after, before) = (p.op(Op::GreaterOrEqual, &[place, first])?, p.op(Op::LessOrEqual, &[place, end])?);
    let inside = p.op(Op::And, &[after, before])?;
    let inside = p.cast(inside, dtype)?;
    let place = match nearest {
        None => place,
        Some("floor") => p.op(Op::Floor, &[place])?,
        Some("ceil") => p.op(Op::Ceil, &[place])?,
        Some("round_prefer_ceil") => {
            let next = p.by(Op::Add, place, 0.5)?;
            p.op(Op::Floor, &[next])?
        }
        Some(_) => {
            let next = p.by(Op::Sub, place, 0.5)?;
            p.op(Op::Ceil, &[next])?
        }
    };
    let grid: Vec<f64> = (0..from).map(|j| j as f64).collect();
    let grid = p.floats(dtype, &[from, 1], &grid);
    let distance = p.op(Op::Sub, &[place, grid])?;
    let distance = p.op(Op::Abs, &[distance])?;
    let one = p.scalar(dtype, 1.0);
    let left = p.op(Op::Sub, &[one, distance])?;
    let left = p.op(Op::Relu, &[left])?;
    Ok((p.op(Op::Mul, &[left, inside])?, inside))
}

/// The product of an axis with weights (from, to).
fn along(p: &mut Parts<'_, '_>, x: ValueId, axis: usize, weights: ValueId) -> Answer<ValueId> {
    let last = p.shape(x).len() - 1;
    let mut order: Vec<usize> = (0..=last).collect();
    order.swap(axis, last);
    let swapped = p.transpose(x, &order)?;
    let y = p.op(Op::MatMul, &[swapped, weights])?;
    p.transpose(y, &order)
}
