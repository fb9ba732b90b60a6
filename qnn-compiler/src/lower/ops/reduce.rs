//! Sums, means, extremes and norms over axes.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::slices;
use crate::lower::blocks::transpose::transposed;
use crate::lower::engine::{Lower, Ops, is_float};
use crate::lower::ops::elementwise::int_divided;
use crate::lower::ops::unary::{exp, positive};
use crate::op::Op;
use crate::program::{Quant, TensorId};

/// The most axes HTP's reductions take. Five validate too, but int32 then reads the wrong elements (measured on SM8650).
const RANK: usize = 4;

const MUL: &str = "ElementWiseMultiply";
const DIV: &str = "ElementWiseDivide";

/// A tensor on the way to being reduced: its shape with unit axes dropped and neighbours of the same fate joined, and which
/// of the axes go.
struct Plan {
    dims: Vec<usize>,
    gone: Vec<bool>,
}

impl Plan {
    /// As the node says; the shape is left alone where HTP takes it.
    fn of(shape: &[usize], axes: &[usize]) -> Self {
        let gone: Vec<bool> = (0..shape.len()).map(|a| axes.contains(&a)).collect();
        if shape.len() <= RANK {
            return Self { dims: shape.to_vec(), gone };
        }
        let mut plan = Self { dims: Vec::new(), gone: Vec::new() };
        for (&d, &g) in shape.iter().zip(&gone) {
            match plan.dims.last_mut().filter(|_| d == 1 || plan.gone.last() == Some(&g)) {
                Some(open) => *open *= d,
                None => {
                    plan.dims.push(d);
                    plan.gone.push(g);
                }
            }
        }
        plan
    }
}

/// Axes of a Reduce… node.
fn axes(node: &Node) -> Vec<usize> {
    node.attrs.ints("axes").unwrap_or_default().iter().map(|&a| a as usize).collect()
}

/// Reduces `x` by an HTP op; the result has ones where axes went.
fn reduced(ops: &mut Ops<'_, '_, '_>, ty: &'static str, x: TensorId, plan: &Plan) -> TensorId {
    let left: Vec<u32> = (0..plan.dims.len() as u32).filter(|&a| plan.gone[a as usize]).collect();
    if left.is_empty() {
        return x;
    }
    let x = ops.reshape(x, &plan.dims);
    let result: Vec<usize> = plan.dims.iter().zip(&plan.gone).map(|(&d, &g)| if g { 1 } else { d }).collect();
    reduce_op(ops, ty, x, &result, &left)
}

/// The node's input and how it is to be reduced. Too many alternating axes are sorted first: those that stay, then those
/// that go.
fn prepared(ops: &mut Ops<'_, '_, '_>, axes: &[usize]) -> Result<(TensorId, Plan), Diagnostic> {
    let shape = &ops.input_type(0)?.shape;
    let plan = Plan::of(shape, axes);
    let x = ops.input(0)?;
    let x = if is_float(ops.dtype(x)) { x } else { ops.widened(x, &[DataType::Int32])? };
    if plan.dims.len() <= RANK {
        let x = ops.reshape(x, &plan.dims);
        return Ok((x, plan));
    }
    let (stay, go): (Vec<usize>, Vec<usize>) = (0..shape.len()).partition(|a| !axes.contains(a));
    let perm: Vec<usize> = stay.iter().chain(&go).copied().collect();
    let sorted = transposed(ops, x, shape, &perm)?;
    let size = |axes: &[usize]| axes.iter().map(|&a| shape[a]).product::<usize>();
    let dims = vec![size(&stay), size(&go)];
    let x = ops.reshape(sorted, &dims);
    Ok((x, Plan { dims, gone: vec![false, true] }))
}

fn reduce_op(
    ops: &mut Ops<'_, '_, '_>,
    ty: &'static str,
    x: TensorId,
    shape: &[usize],
    axes: &[u32],
) -> TensorId {
    let dtype = ops.dtype(x);
    let count = [axes.len() as u32];
    ops.step(ty, &[x], dtype, shape, |op| op.u32s("axes", &count, axes).bool("keep_dims", true))
}

/// ONNX operators that are one HTP op.
const REDUCE: &[(Op, &str)] = &[
    (Op::ReduceMax, "ReduceMax"),
    (Op::ReduceMean, "ReduceMean"),
    (Op::ReduceMin, "ReduceMin"),
    (Op::ReduceSum, "ReduceSum"),
];

/// ReduceMax, ReduceMean, ReduceMin, ReduceSum.
pub(crate) fn reduce(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let ty = REDUCE
        .iter()
        .find(|(op, _)| *op == node.op)
        .map(|(_, ty)| *ty)
        .ok_or_else(|| ops.refuse("no reduction of this name"))?;
    let axes = axes(node);
    let shape = &ops.input_type(0)?.shape;
    let x = ops.input(0)?;
    // The op drops the axes itself where nothing has to be reshaped.
    if is_float(ops.dtype(x)) && shape.len() <= RANK {
        return plain(ops, ty, x, &axes);
    }
    let (x, plan) = prepared(&mut ops, &axes)?;
    let y = if ty == "ReduceMean" && !is_float(ops.dtype(x)) {
        let count: usize = axes.iter().map(|&a| shape[a]).product();
        let sum = reduced(&mut ops, "ReduceSum", x, &plan);
        int_divided(&mut ops, sum, count as f64)
    } else {
        reduced(&mut ops, ty, x, &plan)
    };
    ops.output(0, y)
}

fn plain(mut ops: Ops<'_, '_, '_>, ty: &'static str, x: TensorId, axes: &[usize]) -> Result<(), Diagnostic> {
    let keep = ops.node.attrs.int_or("keepdims", 1) != 0;
    let shape: Vec<usize> = ops
        .shape(x)
        .into_iter()
        .enumerate()
        .filter(|(a, _)| keep || !axes.contains(a))
        .map(|(a, d)| if axes.contains(&a) { 1 } else { d })
        .collect();
    let dtype = ops.dtype(x);
    let list: Vec<u32> = axes.iter().map(|&a| a as u32).collect();
    let count = [list.len() as u32];
    let y = ops.step(ty, &[x], dtype, &shape, |op| op.u32s("axes", &count, &list).bool("keep_dims", keep));
    ops.output(0, y)
}

/// ReduceL1, ReduceL2, ReduceLogSum, ReduceLogSumExp, ReduceSumSquare: a sum with something before and after.
pub(crate) fn norm(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let (x, plan) = prepared(&mut ops, &axes(node))?;
    if !is_float(ops.dtype(x)) && !matches!(node.op, Op::ReduceL1 | Op::ReduceSumSquare) {
        return Err(ops.refuse("of integers has no HTP op"));
    }
    let y = match node.op {
        Op::ReduceL1 => {
            let size = ops.unary("ElementWiseAbs", x);
            reduced(&mut ops, "ReduceSum", size, &plan)
        }
        Op::ReduceSumSquare => {
            let square = ops.binary(MUL, x, x);
            reduced(&mut ops, "ReduceSum", square, &plan)
        }
        Op::ReduceLogSum => {
            let sum = reduced(&mut ops, "ReduceSum", x, &plan);
            let sum = if ops.dtype(sum).is_quantized() { positive(&mut ops, sum) } else { sum };
            ops.unary("ElementWiseLog", sum)
        }
        Op::ReduceLogSumExp => log_sum_exp(&mut ops, x, &plan),
        _ => l2(&mut ops, x, &plan),
    };
    ops.output(0, y)
}

/// max + log Σ exp(x − max), so that the exponentials stay in range.
fn log_sum_exp(ops: &mut Ops<'_, '_, '_>, x: TensorId, plan: &Plan) -> TensorId {
    let max = reduced(ops, "ReduceMax", x, plan);
    let mut below = ops.binary("ElementWiseSubtract", x, max);
    if let (true, &Quant::PerTensor { scale, .. }) =
        (ops.dtype(below).is_quantized(), &ops.lower.get(x).quant)
    {
        // Nothing is above the largest, which the ranges of the two do not know.
        let least = (-65535.0 * scale).max(-20.0);
        below = ops.unary_with("ReluMinMax", below, |op| op.f32("min_value", least).f32("max_value", 0.0));
    }
    let exp = exp(ops, below);
    let sum = reduced(ops, "ReduceSum", exp, plan);
    let log = ops.unary("ElementWiseLog", sum);
    ops.binary("ElementWiseAdd", log, max)
}

/// unit · √n · sqrt(mean((x / unit)²)): the square of anything above 255 leaves the range of fp16. The unit is a 64th of the
/// largest number, because HTP divides by multiplying with the reciprocal, whose digits are lost where it is very small.
fn l2(ops: &mut Ops<'_, '_, '_>, x: TensorId, plan: &Plan) -> TensorId {
    const SMALLEST: f64 = 6.103_515_6e-5;
    let count: usize = plan.dims.iter().zip(&plan.gone).filter(|(_, gone)| **gone).map(|(&d, _)| d).product();
    if ops.dtype(x).is_quantized() {
        let square = ops.binary(MUL, x, x);
        let mean = reduced(ops, "ReduceMean", square, plan);
        let root = ops.unary("ElementWiseSquareRoot", mean);
        return ops.with(MUL, root, (count as f64).sqrt());
    }
    let size = ops.unary("ElementWiseAbs", x);
    let max = reduced(ops, "ReduceMax", size, plan);
    let part = ops.with(MUL, max, 1.0 / 64.0);
    let unit = ops.with("ElementWiseMaximum", part, SMALLEST);
    let scaled = ops.binary(DIV, x, unit);
    let square = ops.binary(MUL, scaled, scaled);
    let mean = reduced(ops, "ReduceMean", square, plan);
    let root = ops.unary("ElementWiseSquareRoot", mean);
    let whole = ops.with(MUL, unit, (count as f64).sqrt());
    ops.binary(MUL, root, whole)
}

/// The most floats that are multiplied: already eight of four are as much as fp16 holds.
const MOST_FACTORS: usize = 8;

/// ReduceProd: HTP has no such op; the elements along the axes are multiplied half with half.
pub(crate) fn product(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let mut x = if is_float(ops.dtype(x)) { x } else { ops.widened(x, &[DataType::Int32])? };
    let mut shape = ops.input_type(0)?.shape.clone();
    let factors: usize = axes(node).into_iter().map(|a| shape[a]).product();
    if is_float(ops.dtype(x)) && factors > MOST_FACTORS {
        return Err(ops.refuse(format!(
            "a product of {factors} numbers leaves the range of fp16, in which HTP computes; up to {MOST_FACTORS} are multiplied"
        )));
    }
    for axis in axes(node) {
        let (outer, inner) = (shape[..axis].iter().product(), shape[axis + 1..].iter().product());
        x = ops.reshape(x, &[outer, shape[axis], inner]);
        let mut count = shape[axis];
        while count > 1 {
            let half = count / 2;
            let low = slices::part(&mut ops, x, 1, 0, half);
            let high = slices::part(&mut ops, x, 1, half, 2 * half);
            let product = ops.binary(MUL, low, high);
            x = if count % 2 == 0 {
                product
            } else {
                let last = slices::part(&mut ops, x, 1, count - 1, count);
                slices::joined(&mut ops, &[product, last], 1)
            };
            count = count.div_ceil(2);
        }
        shape[axis] = 1;
    }
    ops.output(0, x)
}
