//! Pad.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::broadcast;
use crate::lower::blocks::indices::{self, GATHERED};
use crate::lower::blocks::slices::{self, Range};
use crate::lower::engine::{Lower, OpBuilder, Ops, is_float};
use crate::program::TensorId;

/// How the new elements come about.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Constant,
    Reflect,
    Edge,
    Wrap,
}

/// Padding along one axis.
#[derive(Clone, Copy)]
struct Pads {
    before: usize,
    after: usize,
}

/// Pad; attribute `pads` has all begins, then all ends; negative ones take elements away.
pub(crate) fn pad(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let mode = match node.attrs.str_or("mode", "constant") {
        "constant" => Mode::Constant,
        "reflect" => Mode::Reflect,
        "edge" => Mode::Edge,
        "wrap" => Mode::Wrap,
        other => return Err(ops.refuse(format!("mode {other:?} is not known"))),
    };
    let mut shape = ops.input_type(0)?.shape.clone();
    let list = node.attrs.ints("pads").unwrap_or_default();
    if list.len() != 2 * shape.len() {
        return Err(ops.refuse(format!("{} pads do not fit {} axes", list.len(), shape.len())));
    }
    let (begins, ends) = list.split_at(shape.len());
    let x = ops.input(0)?;
    let dtype = ops.dtype(x);
    let mut y = if is_float(dtype) { x } else { ops.widened(x, &[DataType::Int32])? };
    if begins.iter().chain(ends).any(|&p| p < 0) {
        y = cut(&mut ops, y, &mut shape, begins, ends)?;
    }
    let pads: Vec<Pads> = begins
        .iter()
        .zip(ends)
        .map(|(&b, &e)| Pads { before: b.max(0) as usize, after: e.max(0) as usize })
        .collect();
    let fill = if mode == Mode::Constant { fill_value(&ops)? } else { 0.0 };
    y = match mode {
        Mode::Constant if is_float(dtype) && shape.len() <= 5 => constant_op(&mut ops, y, &pads, fill),
        _ => along_axes(&mut ops, y, &mut shape, &pads, mode, fill)?,
    };
    if y == x { ops.pass_on(x) } else { ops.output(0, y) }
}

/// Takes away what negative pads say.
fn cut(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    shape: &mut [usize],
    begins: &[i64],
    ends: &[i64],
) -> Result<TensorId, Diagnostic> {
    if shape.len() > 5 {
        return Err(ops.refuse("negative pads need at most 5 axes"));
    }
    let ranges: Vec<Range> = shape
        .iter()
        .zip(begins.iter().zip(ends))
        .map(|(&d, (&b, &e))| [(-b).max(0), d as i64 - (-e).max(0), 1])
        .collect();
    for (d, [start, end, _]) in shape.iter_mut().zip(&ranges) {
        *d = usize::try_from(end - start).unwrap_or(0);
    }
    if shape.contains(&0) {
        return Err(ops.refuse("nothing is left of the tensor"));
    }
    Ok(slices::strided(ops, x, &ranges))
}

/// The constant to pad with, in fp16's range.
fn fill_value(ops: &Ops<'_, '_, '_>) -> Result<f64, Diagnostic> {
    match ops.node.input(1) {
        None => Ok(0.0),
        Some(id) => ops
            .lower
            .graph
            .const_scalar(id)
            .map(|v| f64::from(v).clamp(-crate::lower::engine::FP16_MAX, crate::lower::engine::FP16_MAX))
            .ok_or_else(|| crate::problem::node_problem("E0307", ops.node, "the value must be constant")),
    }
}

fn constant_op(ops: &mut Ops<'_, '_, '_>, x: TensorId, pads: &[Pads], fill: f64) -> TensorId {
    let quantized = ops.dtype(x).is_quantized();
    // Of integers HTP leaves the new columns unwritten where rows and columns get elements behind them and none before (QNN 2.51, SM8650).
    // Columns come first, with all rows below each other; in one shape the library would join the two.
    let behind = |p: &Pads| p.before == 0 && p.after > 0;
    if quantized && pads.last().is_some_and(behind) && pads.iter().filter(|p| behind(p)).count() > 1 {
        let none = Pads { before: 0, after: 0 };
        let (last, mut rows) = (pads.len() - 1, pads.to_vec());
        let columns = std::mem::replace(&mut rows[last], none);
        let mut shape = ops.shape(x);
        let long = [1, 1, shape[..last].iter().product(), shape[last]];
        shape[last] += columns.after;
        let x = ops.reshape(x, &long);
        let x = pad_constant(ops, x, &[none, none, none, columns], fill);
        let x = ops.reshape(x, &shape);
        return pad_constant(ops, x, &rows, fill);
    }
    pad_constant(ops, x, pads, fill)
}

fn pad_constant(ops: &mut Ops<'_, '_, '_>, x: TensorId, pads: &[Pads], fill: f64) -> TensorId {
    const CONSTANT: u32 = 0;
    pad_op(ops, x, pads, |op| op.u32("scheme", CONSTANT).f32("pad_constant_value", fill as f32))
}

fn pad_op<'g>(
    ops: &mut Ops<'_, 'g, '_>,
    x: TensorId,
    pads: &[Pads],
    scheme: impl for<'a> FnOnce(OpBuilder<'a, 'g>) -> OpBuilder<'a, 'g>,
) -> TensorId {
    if pads.iter().all(|p| p.before + p.after == 0) {
        return x;
    }
    let dtype = ops.dtype(x);
    let result: Vec<usize> = ops.shape(x).iter().zip(pads).map(|(d, p)| d + p.before + p.after).collect();
    let amounts: Vec<u32> = pads.iter().flat_map(|p| [p.before as u32, p.after as u32]).collect();
    let rank = pads.len() as u32;
    ops.step("Pad", &[x], dtype, &result, |op| scheme(op.u32s("pad_amount", &[rank, 2], &amounts)))
}

/// Pads one axis after the other. HTP's own EDGE writes next to nothing along the innermost axis, and other elements than the
/// last where more than one is added (measured on SM8650).
fn along_axes(
    ops: &mut Ops<'_, '_, '_>,
    mut x: TensorId,
    shape: &mut [usize],
    pads: &[Pads],
    mode: Mode,
    fill: f64,
) -> Result<TensorId, Diagnostic> {
    const REFLECT: u32 = 2;
    if mode == Mode::Reflect && is_float(ops.dtype(x)) && shape.len() <= 4 {
        return Ok(pad_op(ops, x, pads, |op| op.u32("scheme", REFLECT)));
    }
    for axis in 0..shape.len() {
        let p = pads[axis];
        if p.before + p.after == 0 {
            continue;
        }
        let extent = shape[axis];
        let form = [shape[..axis].iter().product(), extent, shape[axis + 1..].iter().product()];
        x = if mode == Mode::Constant {
            filled(ops, x, form, p, fill)
        } else {
            x = ops.widened(x, GATHERED)?;
            let source = indices(extent, p, mode);
            indices::pick(ops, x, form, &source)
        };
        shape[axis] = extent + p.before + p.after;
    }
    let result = broadcast::fold(shape, 5);
    Ok(ops.reshape(x, &result))
}

/// Constants before and after, put together with the data.
fn filled(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    [outer, extent, inner]: [usize; 3],
    pads: Pads,
    fill: f64,
) -> TensorId {
    let dtype = ops.dtype(x);
    let mut parts = Vec::new();
    let block = |ops: &mut Ops<'_, '_, '_>, parts: &mut Vec<TensorId>, count: usize| {
        if count > 0 {
            parts.push(ops.filled(dtype, &[outer, count, inner], fill));
        }
    };
    block(ops, &mut parts, pads.before);
    parts.push(ops.reshape(x, &[outer, extent, inner]));
    block(ops, &mut parts, pads.after);
    slices::joined(ops, &parts, 1)
}

/// Which element each place along a padded axis takes.
fn indices(extent: usize, pads: Pads, mode: Mode) -> Vec<i64> {
    let n = extent as i64;
    (-(pads.before as i64)..n + pads.after as i64)
        .map(|i| match mode {
            Mode::Wrap => i.rem_euclid(n),
            Mode::Reflect if n > 1 => {
                let period = 2 * (n - 1);
                let at = i.rem_euclid(period);
                at.min(period - at)
            }
            _ => i.clamp(0, n - 1),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_places_take_the_elements_that_the_mode_says() {
        let pads = Pads { before: 2, after: 3 };
        assert_eq!(indices(4, pads, Mode::Edge), [0, 0, 0, 1, 2, 3, 3, 3, 3]);
        assert_eq!(indices(4, pads, Mode::Reflect), [2, 1, 0, 1, 2, 3, 2, 1, 0]);
        assert_eq!(indices(4, pads, Mode::Wrap), [2, 3, 0, 1, 2, 3, 0, 1, 2]);
    }
}
