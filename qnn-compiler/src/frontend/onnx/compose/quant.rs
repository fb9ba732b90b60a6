//! Operators on stored integers, written as DequantizeLinear, the operator on numbers, and QuantizeLinear: there is one way only
//! from there on.

use super::dynamic;
use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{Attr, DType, Data, ValueId, params};
use crate::infer::Answer;
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("DequantizeLinear", "of scales a slice or a block, or computed: Sub, Mul", dequantize),
    row("QLinearConv", FORM, conv),
    row("QLinearMatMul", FORM, matmul),
    row("QuantizeLinear", "of scales a slice or a block, or computed: Div, Add", quantize),
    microsoft("QGemm", gemm),
    microsoft("QLinearAdd", |p| binary(p, Op::Add)),
    microsoft("QLinearAveragePool", |p| pool(p, Op::AveragePool)),
    microsoft("QLinearConcat", concat),
    microsoft("QLinearGlobalAveragePool", |p| pool(p, Op::GlobalAveragePool)),
    microsoft("QLinearLeakyRelu", |p| unary(p, Op::LeakyRelu)),
    microsoft("QLinearMul", |p| binary(p, Op::Mul)),
    microsoft("QLinearReduceMean", reduce_mean),
    microsoft("QLinearSigmoid", |p| unary(p, Op::Sigmoid)),
    microsoft("QLinearSoftmax", softmax),
];

/// Integers that HTP stores numbers as, and those of biases.
const STORED: &[DType] = &[DType::U8, DType::I8, DType::U16, DType::I16, DType::I32];

const FORM: &str = "DequantizeLinear, the operator on numbers, QuantizeLinear";

const fn microsoft(op: &'static str, rule: super::table::Rule) -> Row {
    Row { domain: "com.microsoft", ..row(op, FORM, rule) }
}

/// The numbers of input `i`, whose scale and zero point are the next two inputs; several scales are along `axis`.
fn real(p: &mut Parts<'_, '_>, i: usize, axis: usize) -> Answer<ValueId> {
    let (x, scale) = (p.input(i)?, p.input(i + 1)?);
    numbers(p, x, scale, p.node.input(i + 2), axis)
}

pub(super) fn numbers(
    p: &mut Parts<'_, '_>,
    x: ValueId,
    scale: ValueId,
    zero: Option<ValueId>,
    axis: usize,
) -> Answer<ValueId> {
    let inputs: Vec<ValueId> = [x, scale].into_iter().chain(zero).collect();
    p.with(Op::DequantizeLinear, &inputs, [("axis", Attr::Int(axis as i64))])
}

/// The result in the encoding that inputs `i` and `i + 1` say.
fn stored(p: &mut Parts<'_, '_>, y: ValueId, i: usize) -> Answer<Written> {
    let scale = p.input(i)?;
    let zero = match p.node.input(i + 1) {
        Some(zero) => zero,
        None => p.scalar(p.types[0].dtype, 0.0),
    };
    Ok(Some(vec![p.op(Op::QuantizeLinear, &[y, scale, zero])?]))
}

/// An int32 bias in units of the product of two scales; `None` where these are computed.
fn bias(p: &mut Parts<'_, '_>, b: ValueId, scales: [ValueId; 2]) -> Answer<Option<ValueId>> {
    let [Some(x), Some(w)] = scales.map(|s| p.known_floats(s)) else { return Ok(None) };
    let units: Vec<f64> = (0..x.len().max(w.len())).map(|c| x[c % x.len()] * w[c % w.len()]).collect();
    let shape: &[usize] = if units.len() == 1 { &[] } else { &[units.len()] };
    let units = p.floats(DType::F32, shape, &units);
    let axis = p.shape(b).len().saturating_sub(1);
    numbers(p, b, units, None, axis).map(Some)
}

fn conv(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, w) = (real(p, 0, 1)?, real(p, 3, 0)?);
    let mut inputs = vec![x, w];
    if p.node.input(8).is_some() {
        let (b, scales) = (p.input(8)?, [p.input(1)?, p.input(4)?]);
        let Some(b) = bias(p, b, scales)? else { return Ok(None) };
        inputs.push(b);
    }
    let y = p.like(Op::Conv, &inputs, p.node.attrs.clone())?;
    stored(p, y, 6)
}

fn matmul(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let rank = |p: &Parts<'_, '_>, i: usize| p.input(i).map(|id| p.shape(id).len());
    let (rows, columns) = (rank(p, 0)?.saturating_sub(2), rank(p, 3)?.saturating_sub(1));
    let (a, b) = (real(p, 0, rows)?, real(p, 3, columns)?);
    let y = p.op(Op::MatMul, &[a, b])?;
    stored(p, y, 6)
}

fn gemm(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let columns = usize::from(p.node.attrs.int_or("transB", 0) == 0);
    let (a, b) = (real(p, 0, 0)?, real(p, 3, columns)?);
    let mut inputs = vec![a, b];
    if p.node.input(6).is_some() {
        let (c, scales) = (p.input(6)?, [p.input(1)?, p.input(4)?]);
        let Some(c) = bias(p, c, scales)? else { return Ok(None) };
        inputs.push(c);
    }
    let y = p.like(Op::Gemm, &inputs, p.node.attrs.clone())?;
    if p.node.input(7).is_some() { stored(p, y, 7) } else { Ok(Some(vec![y])) }
}

fn binary(p: &mut Parts<'_, '_>, op: Op) -> Answer<Written> {
    let (a, b) = (real(p, 0, 0)?, real(p, 3, 0)?);
    let y = p.op(op, &[a, b])?;
    stored(p, y, 6)
}

fn unary(p: &mut Parts<'_, '_>, op: Op) -> Answer<Written> {
    let x = real(p, 0, 0)?;
    let y = p.like(op, &[x], p.node.attrs.clone())?;
    stored(p, y, 3)
}

fn softmax(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = real(p, 0, 0)?;
    let rank = p.shape(x).len() as i64;
    let axis = p.node.attrs.int_or("axis", -1);
    let last = axis == -1 || axis == rank - 1;
    if p.node.attrs.int_or("opset", 13) < 13 && !last {
        return p.refuse("over all axes from one on (its form before opset 13)");
    }
    let y = p.with(Op::Softmax, &[x], [("axis", Attr::Int(axis))])?;
    stored(p, y, 3)
}

fn pool(p: &mut Parts<'_, '_>, op: Op) -> Answer<Written> {
    if p.node.attrs.int_or("channels_last", 0) != 0 {
        return p.refuse("with channels last");
    }
    let x = real(p, 0, 0)?;
    let mut attrs = p.node.attrs.clone();
    attrs.0.remove("channels_last");
    let y = p.like(op, &[x], attrs)?;
    stored(p, y, 3)
}

fn reduce_mean(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = real(p, 0, 0)?;
    let rank = p.shape(x).len();
    let listed = p.node.attrs.ints("axes").unwrap_or_default();
    let axes = if listed.is_empty() { (0..rank).collect() } else { crate::infer::axes(listed, rank)? };
    let keep = p.node.attrs.int_or("keepdims", 1) != 0;
    let y = p.reduce(Op::ReduceMean, x, &axes, keep)?;
    stored(p, y, 3)
}

fn concat(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let parts: Vec<ValueId> =
        (2..p.node.inputs.len()).step_by(3).map(|i| real(p, i, 0)).collect::<Answer<_>>()?;
    let y = p.like(Op::Concat, &parts, p.node.attrs.clone())?;
    stored(p, y, 0)
}

/// Whether a value is what a QuantizeLinear makes.
fn is_quantized(p: &Parts<'_, '_>, id: ValueId) -> bool {
    let site = p.site();
    let maker = site.graph.nodes.iter().rev().find(|n| n.outputs.contains(&Some(id)));
    maker.is_some_and(|n| n.op == Op::QuantizeLinear)
}

/// Scale and zero point of a node in the shape of its operand, where it needs that: `None` where one constant number holds for
/// all, or for each slice of a constant.
fn spread_params(p: &mut Parts<'_, '_>) -> Answer<Option<[Option<ValueId>; 2]>> {
    let (x, scale) = (p.input(0)?, p.input(1)?);
    let (shape, scales) = (p.shape(x), p.shape(scale));
    let constant = |p: &Parts<'_, '_>, id: ValueId| p.known_floats(id).is_some();
    let known = constant(p, scale) && p.node.input(2).is_none_or(|z| constant(p, z));
    let one = scales.iter().product::<usize>() == 1;
    if known && (one || constant(p, x)) {
        return Ok(None);
    }
    let block = usize::try_from(p.node.attrs.int_or("block_size", 0)).unwrap_or(0);
    let axis = crate::infer::axis(p.node.attrs.int_or("axis", 1), shape.len().max(1)).unwrap_or(0);
    let zero = p.node.input(2);
    let spread = |p: &mut Parts<'_, '_>, id: ValueId| -> Answer<ValueId> {
        let id = match p.dtype(id) {
            DType::F32 => id,
            dtype if dtype.is_float() || p.known_floats(id).is_some() => p.cast(id, DType::F32)?,
            // Integers that are no quantized numbers.
            DType::U8 if !is_quantized(p, id) => p.cast(id, DType::F32)?,
            _ => {
                let one = p.scalar(DType::F32, 1.0);
                numbers(p, id, one, None, 0)?
            }
        };
        if one {
            return Ok(id);
        }
        if block == 0 {
            let mut to = vec![1; shape.len()];
            to[axis] = shape[axis];
            return p.reshape(id, &to);
        }
        // Each number once for every element of its block.
        let Some(values) = p.known_floats(id) else { return p.refuse("with computed scales of blocks") };
        let inner: usize = shape[axis + 1..].iter().product();
        let (extent, blocks) = (shape[axis], shape[axis].div_ceil(block));
        let all: Vec<f64> = (0..shape.iter().product())
            .map(|i: usize| {
                let (outer, along, n) = (i / (inner * extent), (i / inner) % extent, i % inner);
                values[(outer * blocks + along / block) * inner + n]
            })
            .collect();
        Ok(p.floats(DType::F32, &shape, &all))
    };
    let scale = spread(p, scale)?;
    let zero = zero.map(|zero| spread(p, zero)).transpose()?;
    Ok(Some([Some(scale), zero]))
}

fn dequantize(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    if !STORED.contains(&p.dtype(x)) {
        return Ok(None);
    }
    let (scale, zero) = (p.input(1)?, p.node.input(2));
    if let Some(real) = dynamic::real(p, x, scale, zero)? {
        return Ok(Some(vec![p.cast(real, p.types[0].dtype)?]));
    }
    let Some([Some(scale), zero]) = spread_params(p)? else { return Ok(None) };
    let mut y = if p.dtype(x) == DType::I32 {
        p.cast(x, DType::F32)?
    } else {
        let one = p.scalar(DType::F32, 1.0);
        numbers(p, x, one, None, 0)?
    };
    if let Some(zero) = zero {
        y = p.op(Op::Sub, &[y, zero])?;
    }
    let y = p.op(Op::Mul, &[y, scale])?;
    Ok(Some(vec![p.cast(y, p.types[0].dtype)?]))
}

/// The integers of numbers that are constant: training with quantization leaves its weights so.
fn quantize_constant(p: &mut Parts<'_, '_>, x: ValueId) -> Option<ValueId> {
    let reals = p.known_floats(x).filter(|_| p.dtype(x).is_float())?;
    let ty = p.types[0].clone();
    let encoding = params::read(p.site().graph, p.node, &ty)?;
    let reals: Vec<f32> = reals.into_iter().map(|real| real as f32).collect();
    let integers = encoding.quantize(&reals, &ty.shape).ok()?;
    let data = Data::from_ints(&integers, ty.dtype);
    Some(p.constant(ty, data))
}

fn quantize(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    if let Some(integers) = quantize_constant(p, x) {
        return Ok(Some(vec![integers]));
    }
    if !STORED.contains(&p.types[0].dtype) || !p.dtype(x).is_float() {
        return Ok(None);
    }
    let Some([Some(scale), zero]) = spread_params(p)? else { return Ok(None) };
    let x = p.cast(x, DType::F32)?;
    let known = p.known_floats(scale).is_some();
    let mut y = p.op(Op::Div, &[x, scale])?;
    if known {
        // Halves go to the even number before the zero point is added. A quotient by a computed scale has fp16's digits
        // only, and halves are none of them.
        y = p.op(Op::Round, &[y])?;
    }
    if let Some(zero) = zero {
        y = p.op(Op::Add, &[y, zero])?;
    }
    Ok(Some(vec![whole(p, y, p.types[0].dtype)?]))
}

/// A number rounded to an integer of a type.
pub(super) fn whole(p: &mut Parts<'_, '_>, y: ValueId, dtype: DType) -> Answer<ValueId> {
    let (one, zero) = (p.scalar(DType::F32, 1.0), p.scalar(dtype, 0.0));
    p.op(Op::QuantizeLinear, &[y, one, zero])
}
