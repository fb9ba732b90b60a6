//! Quantization by a tensor's own range, which is only known when the model runs.
//!
//! HTP sums products in fp16, which holds no sums of raw integers: 65504 is reached with some 64 of them. Everything here
//! therefore becomes a product of real numbers: what is quantized is rounded to its steps and stays a float, what it is
//! multiplied by is dequantized by its own scale.

use super::parts::Parts;
use super::quant::{numbers, whole};
use super::sums_of_integers::{Operand, later};
use super::table::{Row, Written, row};
use crate::frontend::builder::Rounded;
use crate::graph::{Attrs, DType, Node, ValueId};
use crate::infer::Answer;
use crate::op::Op;

const SUM: &str = "of real numbers where the sum is cast and scaled, as quantizers write it; else of the integers, in fp16's 11 bits";

pub(super) const ROWS: &[Row] = &[
    row("ConvInteger", SUM, later),
    row("DynamicQuantizeLinear", "ReduceMin, ReduceMax, Mul, Round, QuantizeLinear", quantize),
    row("MatMulInteger", SUM, later),
    Row { domain: "com.microsoft", ..row("DynamicQuantizeMatMul", PRODUCT, dynamic_matmul) },
    Row { domain: "com.microsoft", ..row("MatMulIntegerToFloat", PRODUCT, to_float) },
];

const PRODUCT: &str = "DynamicQuantizeLinear, DequantizeLinear, MatMul, Add";

/// The least range that steps are made of: below it their number in one is beyond fp16.
const LEAST_SPAN: f64 = 1.0 / 256.0;

fn quantize(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let steps = Steps::of(p, x)?;
    let offset = p.op(Op::Mul, &[steps.low, steps.rate])?;
    let offset = p.op(Op::Neg, &[offset])?;
    let offset = p.op(Op::Round, &[offset])?;
    let count = p.op(Op::Add, &[steps.count, offset])?;
    let y = whole(p, count, DType::U8)?;
    let real = p.op(Op::Mul, &[steps.count, steps.length])?;
    let zero = whole(p, offset, DType::U8)?;
    p.remember(y, Rounded { real, scale: steps.length, zero });
    let mut values = vec![y, steps.length, zero];
    values.truncate(p.outputs.max(1));
    Ok(Some(values))
}

/// A tensor in steps of its range.
struct Steps {
    /// The least number, at most zero.
    low: ValueId,
    /// How many steps a unit has.
    rate: ValueId,
    /// How long a step is.
    length: ValueId,
    /// The tensor in steps, whole numbers around zero: fp16 has those exactly, and rounds the smaller ones more finely.
    count: ValueId,
}

impl Steps {
    fn of(p: &mut Parts<'_, '_>, x: ValueId) -> Answer<Self> {
        let axes: Vec<usize> = (0..p.shape(x).len()).collect();
        let zero = p.scalar(DType::F32, 0.0);
        let bound = |p: &mut Parts<'_, '_>, reduce: Op, op: Op| -> Answer<ValueId> {
            let most = if axes.is_empty() { x } else { p.reduce(reduce, x, &axes, false)? };
            p.op(op, &[most, zero])
        };
        let (low, high) = (bound(p, Op::ReduceMin, Op::Min)?, bound(p, Op::ReduceMax, Op::Max)?);
        let span = p.op(Op::Sub, &[high, low])?;
        let span = p.by(Op::Max, span, LEAST_SPAN)?;
        let length = p.by(Op::Mul, span, 1.0 / 255.0)?;
        let rate = p.op(Op::Reciprocal, &[span])?;
        let rate = p.by(Op::Mul, rate, 255.0)?;
        let count = p.op(Op::Mul, &[x, rate])?;
        let count = p.op(Op::Round, &[count])?;
        Ok(Self { low, rate, length, count })
    }
}

/// A tensor rounded to the steps of its own range.
pub(super) fn rounded(p: &mut Parts<'_, '_>, x: ValueId) -> Answer<ValueId> {
    let steps = Steps::of(p, x)?;
    p.op(Op::Mul, &[steps.count, steps.length])
}

/// Operators that only move elements of their first input.
const MOVES: &[Op] = &[
    Op::Expand,
    Op::Flatten,
    Op::Gather,
    Op::Identity,
    Op::Reshape,
    Op::Slice,
    Op::Squeeze,
    Op::Tile,
    Op::Transpose,
    Op::Unsqueeze,
];

/// The real numbers of integers that a DynamicQuantizeLinear made with this scale and zero point, however they were moved
/// since; `None` for others.
pub(super) fn real(
    p: &mut Parts<'_, '_>,
    integers: ValueId,
    scale: ValueId,
    zero: Option<ValueId>,
) -> Answer<Option<ValueId>> {
    if p.known(integers).is_some() {
        return Ok(None);
    }
    let mut moves: Vec<Node> = Vec::new();
    let mut at = integers;
    let source = loop {
        if let Some(source) = p.rounded(at) {
            break source;
        }
        let maker = p.maker(at).filter(|n| MOVES.contains(&n.op));
        let Some((node, from)) = maker.and_then(|n| Some((n.clone(), n.input(0)?))) else { return Ok(None) };
        moves.push(node);
        at = from;
    };
    let same_scale = single(p, scale) == single(p, source.scale);
    let same_zero = zero.is_some_and(|zero| single(p, zero) == single(p, source.zero));
    if !(same_scale && same_zero) {
        return Ok(None);
    }
    let mut value = source.real;
    for node in moves.into_iter().rev() {
        let operands: Vec<ValueId> =
            std::iter::once(value).chain(node.inputs.iter().skip(1).copied().flatten()).collect();
        value = p.like(node.op, &operands, node.attrs)?;
    }
    Ok(Some(value))
}

/// One number without the reshapes around it.
pub(super) fn single(p: &Parts<'_, '_>, id: ValueId) -> ValueId {
    const SHAPING: &[Op] = &[Op::Flatten, Op::Identity, Op::Reshape, Op::Squeeze, Op::Unsqueeze];
    let mut at = id;
    while p.shape(at).iter().product::<usize>() == 1 {
        let maker = p.maker(at).filter(|n| SHAPING.contains(&n.op));
        match maker.and_then(|n| n.input(0)) {
            Some(from) => at = from,
            None => break,
        }
    }
    at
}

/// Inputs: floats, weight, its scale, its zero point, bias.
fn dynamic_matmul(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let x = rounded(p, x)?;
    let (w, scale) = (p.input(1)?, p.input(2)?);
    let columns = p.shape(w).len().saturating_sub(1);
    let w = weight(p, w, scale, p.node.input(3), columns)?;
    let y = p.op(Op::MatMul, &[x, w])?;
    finish(p, y, 4)
}

/// Inputs: integers, weight, scale of each, zero point of each, bias.
fn to_float(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, scale) = (p.input(0)?, p.input(2)?);
    let axis = p.shape(x).len().saturating_sub(2);
    let x = numbers(p, x, scale, p.node.input(4), axis)?;
    let (w, scale) = (p.input(1)?, p.input(3)?);
    let columns = p.shape(w).len().saturating_sub(1);
    let w = weight(p, w, scale, p.node.input(5), columns)?;
    let x = p.cast(x, p.dtype(w))?;
    let y = p.op(Op::MatMul, &[x, w])?;
    finish(p, y, 6)
}

fn finish(p: &mut Parts<'_, '_>, y: ValueId, bias: usize) -> Answer<Written> {
    let y = match p.node.input(bias) {
        Some(bias) => p.op(Op::Add, &[y, bias])?,
        None => y,
    };
    Ok(Some(vec![p.cast(y, p.types[0].dtype)?]))
}

/// The real numbers of a weight that has one scale, or one a slice of `axis`.
pub(super) fn weight(
    p: &mut Parts<'_, '_>,
    w: ValueId,
    scale: ValueId,
    zero: Option<ValueId>,
    axis: usize,
) -> Answer<ValueId> {
    if let (Some(integers), Some(scales)) = (p.known_ints(w), p.known_floats(scale))
        && zero.is_none_or(|zero| p.known_ints(zero).is_some())
    {
        let zeros = zero.and_then(|zero| p.known_ints(zero)).unwrap_or_else(|| vec![0]);
        return Operand { integers, id: w, axis, zeros }.scaled(p, &scales);
    }
    numbers(p, w, scale, zero, axis)
}

/// The product of two operands as MatMul or Conv.
pub(super) fn product(p: &mut Parts<'_, '_>, operands: &[ValueId]) -> Answer<ValueId> {
    if p.node.op == Op::ConvInteger {
        return p.like(Op::Conv, operands, p.node.attrs.clone());
    }
    p.like(Op::MatMul, operands, Attrs::default())
}
