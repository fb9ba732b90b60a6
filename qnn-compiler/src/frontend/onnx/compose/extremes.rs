//! Positions of maxima, and scatter operators that reduce by maximum or minimum.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] =
    &[row("ScatterElements", SCATTER, scatter_elements), row("ScatterND", SCATTER, scatter_nd)];

const SCATTER: &str = "reductions max and min: Equal, Where, ReduceMax over all updates";

/// Elements of the comparison of all updates with all places above which it is refused.
const MOST: usize = 1 << 24;

/// The indices of maxima of a plane, with the maxima: one slice for each element of the window. Called for a MaxPool with two outputs.
pub(super) fn max_pool(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let (shape, result) = (p.shape(x), p.types[0].clone());
    let (n, c, extents) = (shape[0], shape[1], shape[2..].to_vec());
    let window = crate::infer::Window::read(&p.site(), &extents, None)?;
    let cells = window.kernel.iter().product::<i64>();
    if cells > 256 || extents.len() > 2 {
        return p.refuse(format!("indices of maxima of {cells} elements over {} axes", extents.len()));
    }
    let float = if p.dtype(x).is_float() { x } else { p.cast(x, DType::F32)? };
    // (batch · channels, height, width), of one axis a single row.
    let (rows, columns) = if extents.len() == 2 { (extents[0], extents[1]) } else { (1, extents[0]) };
    let axis = |list: &[i64], fill: i64| if list.len() == 2 { [list[0], list[1]] } else { [fill, list[0]] };
    let (kernel, strides) = (axis(&window.kernel, 1), axis(&window.strides, 1));
    let (dilations, begins) = (axis(&window.dilations, 1), axis(&window.begins, 0));
    let out = axis(&result.shape[2..].iter().map(|d| *d as i64).collect::<Vec<_>>(), 1);
    let plane = p.reshape(float, &[n * c, rows, columns])?;
    let mut pads = vec![0; 6];
    for a in 0..2 {
        let reach = (out[a] - 1) * strides[a] + (kernel[a] - 1) * dilations[a] + 1;
        pads[1 + a] = begins[a];
        pads[4 + a] = (reach - begins[a] - [rows, columns][a] as i64).max(0);
    }
    let pads = p.ints(DType::I64, &[6], &pads);
    let low = p.scalar(p.dtype(plane), -65504.0);
    let padded = p.op(Op::Pad, &[plane, pads, low])?;
    let by_columns = p.node.attrs.int_or("storage_order", 0) != 0;
    let mut best: Option<(ValueId, ValueId)> = None;
    for cell in 0..cells {
        let k = [cell / kernel[1], cell % kernel[1]];
        let mut seen = padded;
        for a in 0..2 {
            let start = k[a] * dilations[a];
            seen = p.slice(seen, 1 + a, [start, start + (out[a] - 1) * strides[a] + 1, strides[a]])?;
        }
        let place = |o: i64| {
            let [row, column] = [(0, o / out[1]), (1, o % out[1])]
                .map(|(a, o)| o * strides[a] + k[a] * dilations[a] - begins[a]);
            if by_columns { column * rows as i64 + row } else { row * columns as i64 + column }
        };
        let places: Vec<i64> = (0..out[0] * out[1]).map(place).collect();
        let places = p.ints(DType::I32, &[1, out[0] as usize, out[1] as usize], &places);
        best = Some(match best {
            None => (seen, places),
            Some((value, at)) => {
                let larger = p.op(Op::Greater, &[seen, value])?;
                (p.op(Op::Where, &[larger, seen, value])?, p.op(Op::Where, &[larger, places, at])?)
            }
        });
    }
    let Some((value, at)) = best else { return invalid("the window has no elements") };
    let starts: Vec<i64> = (0..(n * c) as i64).map(|i| i * (rows * columns) as i64).collect();
    let starts = p.ints(DType::I32, &[n * c, 1, 1], &starts);
    let at = p.op(Op::Add, &[at, starts])?;
    let (value, at) = (p.reshape(value, &result.shape)?, p.reshape(at, &result.shape)?);
    Ok(Some(vec![p.cast(value, result.dtype)?, p.cast(at, DType::I64)?]))
}

/// Whether the reduction is the larger or the smaller; `None` for those that HTP has.
fn is_largest(p: &Parts<'_, '_>) -> Option<bool> {
    match p.node.attrs.str_or("reduction", "none") {
        "max" => Some(true),
        "min" => Some(false),
        _ => None,
    }
}

/// `rows` of a table (places, inner), each joined with those updates (count, inner) whose number is its own.
fn joined(
    p: &mut Parts<'_, '_>,
    table: ValueId,
    numbers: ValueId,
    updates: ValueId,
    largest: bool,
) -> Answer<ValueId> {
    let (&[places, inner], &[count, _]) = (&p.shape(table)[..], &p.shape(updates)[..]) else {
        return invalid("the table is no matrix");
    };
    if places.saturating_mul(count).saturating_mul(inner) > MOST {
        return p.refuse(format!(
            "{count} updates of {places} places with a reduction that HTP's scatter has not"
        ));
    }
    let dtype = p.dtype(table);
    let all: Vec<i64> = (0..places as i64).collect();
    let all = p.ints(DType::I32, &[1, places, 1], &all);
    let numbers = p.reshape(numbers, &[count, 1, 1])?;
    let own = p.op(Op::Equal, &[numbers, all])?;
    let updates = p.reshape(updates, &[count, 1, inner])?;
    let bound = match (dtype.is_float(), largest) {
        (true, true) => -65504.0,
        (true, false) => 65504.0,
        (false, true) => f64::from(i32::MIN),
        (false, false) => f64::from(i32::MAX),
    };
    let bound = p.scalar(dtype, bound);
    let candidates = p.op(Op::Where, &[own, updates, bound])?;
    let (reduce, op) = if largest { (Op::ReduceMax, Op::Max) } else { (Op::ReduceMin, Op::Min) };
    let found = p.reduce(reduce, candidates, &[0], false)?;
    p.op(op, &[table, found])
}

/// Small integers as int32.
fn widened(p: &mut Parts<'_, '_>, x: ValueId) -> Answer<ValueId> {
    if p.dtype(x).is_float() { Ok(x) } else { p.cast(x, DType::I32) }
}

fn scatter_nd(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let Some(largest) = is_largest(p) else { return Ok(None) };
    let (x, indices, updates) = (p.input(0)?, p.input(1)?, p.input(2)?);
    let (shape, dtype) = (p.shape(x), p.dtype(x));
    let own = p.shape(indices);
    let Some((&depth, lead)) = own.split_last().filter(|(depth, _)| **depth <= shape.len()) else {
        return invalid("an index has more numbers than the data has axes");
    };
    let count: usize = lead.iter().product();
    let indices = p.cast(indices, DType::I32)?;
    let indices = p.reshape(indices, &[count, depth])?;
    let extents: Vec<i64> = shape[..depth].iter().map(|d| *d as i64).collect();
    let extents = p.ints(DType::I32, &[1, depth], &extents);
    let counted = p.op(Op::Mod, &[indices, extents])?;
    let strides: Vec<i64> =
        (0..depth).map(|a| shape[a + 1..depth].iter().product::<usize>() as i64).collect();
    let strides = p.ints(DType::I32, &[1, depth], &strides);
    let scaled = p.op(Op::Mul, &[counted, strides])?;
    let numbers = p.reduce(Op::ReduceSum, scaled, &[1], true)?;
    let (places, inner): (usize, usize) = (shape[..depth].iter().product(), shape[depth..].iter().product());
    let (x, updates) = (widened(p, x)?, widened(p, updates)?);
    let (table, updates) = (p.reshape(x, &[places, inner])?, p.reshape(updates, &[count, inner])?);
    let y = joined(p, table, numbers, updates, largest)?;
    let y = p.reshape(y, &shape)?;
    Ok(Some(vec![p.cast(y, dtype)?]))
}

fn scatter_elements(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let Some(largest) = is_largest(p) else { return Ok(None) };
    let (x, indices, updates) = (p.input(0)?, p.input(1)?, p.input(2)?);
    let (shape, own, dtype) = (p.shape(x), p.shape(indices), p.dtype(x));
    let axis = p.site().axis("axis", 0, shape.len())?;
    let (total, count): (usize, usize) = (shape.iter().product(), own.iter().product());
    let strides: Vec<usize> = (0..shape.len()).map(|a| shape[a + 1..].iter().product()).collect();
    let base = |flat: usize| {
        let mut rest = flat;
        let mut base = 0;
        for a in (0..own.len()).rev() {
            if a != axis {
                base += rest % own[a] * strides[a];
            }
            rest /= own[a];
        }
        base as i64
    };
    let bases: Vec<i64> = (0..count).map(base).collect();
    let bases = p.ints(DType::I32, &[count], &bases);
    let indices = p.cast(indices, DType::I32)?;
    let indices = p.reshape(indices, &[count])?;
    let counted = p.by(Op::Mod, indices, shape[axis] as f64)?;
    let scaled = p.by(Op::Mul, counted, strides[axis] as f64)?;
    let numbers = p.op(Op::Add, &[scaled, bases])?;
    let (x, updates) = (widened(p, x)?, widened(p, updates)?);
    let (table, updates) = (p.reshape(x, &[total, 1])?, p.reshape(updates, &[count, 1])?);
    let y = joined(p, table, numbers, updates, largest)?;
    let y = p.reshape(y, &shape)?;
    Ok(Some(vec![p.cast(y, dtype)?]))
}
