//! Comparisons, truth values, and choices by them.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::{DType, Node};
use crate::lower::blocks::broadcast;
use crate::lower::engine::{FP16_MAX, Lower, Ops, is_float, max_rank};
use crate::lower::fixed::FixedPoint;
use crate::lower::ops::unary::{self, float4};
use crate::op::Op;
use crate::program::{Quant, Role, TensorId};

/// ONNX comparisons and the HTP ops they are.
const COMPARE: &[(Op, &str)] = &[
    (Op::Equal, "ElementWiseEqual"),
    (Op::Greater, "ElementWiseGreater"),
    (Op::GreaterOrEqual, "ElementWiseGreaterEqual"),
    (Op::Less, "ElementWiseLess"),
    (Op::LessOrEqual, "ElementWiseLessEqual"),
];

/// Equal, Greater, GreaterOrEqual, Less, LessOrEqual; of bool and small integers as int32.
pub(crate) fn compare(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let ty = COMPARE
        .iter()
        .find(|(op, _)| *op == node.op)
        .map(|(_, ty)| *ty)
        .ok_or_else(|| ops.refuse("no comparison of this name"))?;
    let (mut a, mut b) = (ops.finite_input(0)?, ops.finite_input(1)?);
    if !is_float(ops.dtype(a)) {
        (a, b) = (ops.widened(a, &[DataType::Int32])?, ops.widened(b, &[DataType::Int32])?);
    }
    (a, b) = (in_steps_of(&mut ops, a, b), in_steps_of(&mut ops, b, a));
    (a, b) = (comparable(&mut ops, 0, a), comparable(&mut ops, 1, b));
    let (sa, sb) = (&ops.input_type(0)?.shape, &ops.input_type(1)?.shape);
    let rank = max_rank(ops.dtype(a));
    let [a, b] = broadcast::operands(&mut ops, [(a, sa), (b, sb)], rank)?;
    let y = ops.compare(ty, a, b);
    ops.output(0, y)
}

/// Ops whose results may be larger than fp16 says: they stop at 131008.
const GROWING: &[&str] = &[
    "ElementWiseAdd",
    "ElementWiseExp",
    "ElementWiseMultiply",
    "ElementWisePower",
    "ElementWiseSubtract",
    "ReduceSum",
];

/// A computed number where HTP's comparisons are right: they take what is beyond 65504 for NaN, which is above nothing and below
/// nothing (SM8650, QNN 2.51).
fn comparable(ops: &mut Ops<'_, '_, '_>, i: usize, x: TensorId) -> TensorId {
    let tensor = ops.lower.get(x);
    let float = matches!(tensor.dtype, DataType::Float16 | DataType::Float32);
    let maker = |x: TensorId| ops.lower.op_that_makes(x);
    let reshaped = maker(x).filter(|op| op.ty == "Reshape").and_then(|op| maker(op.inputs[0]));
    let grown = reshaped.or_else(|| maker(x)).is_some_and(|op| GROWING.contains(&&*op.ty));
    let within = ops.node.input(i).is_some_and(|id| {
        let bounds = ops.lower.bounds(id);
        bounds.low >= -FP16_MAX && bounds.high <= FP16_MAX
    });
    // v68 computes in float32.
    if !float || !grown || within || ops.lower.target.arch <= 68 {
        return x;
    }
    unary::within(ops, x, -FP16_MAX, FP16_MAX)
}

/// A constant that integers are compared with, in their encoding: whether two numbers are the same is told by their integers.
fn in_steps_of(ops: &mut Ops<'_, '_, '_>, x: TensorId, other: TensorId) -> TensorId {
    let (tensor, like) = (ops.lower.get(x), ops.lower.get(other));
    let computed = !matches!(like.role, Role::Static(_));
    match (&tensor.role, &like.quant) {
        (Role::Static(_), &Quant::PerTensor { scale, offset })
            if computed && like.dtype == tensor.dtype && is_float(like.dtype) =>
        {
            let form = FixedPoint { dtype: like.dtype, scale, offset };
            ops.in_form(x, form)
        }
        _ => x,
    }
}

/// ONNX operators on truth values and the HTP ops they are.
const LOGIC: &[(Op, &str)] =
    &[(Op::And, "ElementWiseAnd"), (Op::Or, "ElementWiseOr"), (Op::Xor, "ElementWiseXor")];

/// And, Or, Xor.
pub(crate) fn logic(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let ty = LOGIC
        .iter()
        .find(|(op, _)| *op == node.op)
        .map(|(_, ty)| *ty)
        .ok_or_else(|| ops.refuse("no logic of this name"))?;
    let (a, b) = (ops.input(0)?, ops.input(1)?);
    let (sa, sb) = (&ops.input_type(0)?.shape, &ops.input_type(1)?.shape);
    let [a, b] = broadcast::operands(&mut ops, [(a, sa), (b, sb)], 4)?;
    let y = ops.binary(ty, a, b);
    ops.output(0, y)
}

/// Not.
pub(crate) fn not(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let shape = broadcast::fold(&ops.shape(x), 4);
    let x = ops.reshape(x, &shape);
    let y = ops.unary("ElementWiseNot", x);
    ops.output(0, y)
}

/// Where; of bool by logic, of other types that HTP cannot choose between as int32.
pub(crate) fn select(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let (condition, a, b) = (ops.input(0)?, ops.finite_input(1)?, ops.finite_input(2)?);
    let [sc, sa, sb] = [&ops.input_type(0)?.shape, &ops.input_type(1)?.shape, &ops.input_type(2)?.shape];
    if ops.dtype(a) == DataType::Bool {
        let [condition, a, b] = broadcast::operands(&mut ops, [(condition, sc), (a, sa), (b, sb)], 4)?;
        let yes = ops.binary("ElementWiseAnd", condition, a);
        let otherwise = ops.unary("ElementWiseNot", condition);
        let no = ops.binary("ElementWiseAnd", otherwise, b);
        let y = ops.binary("ElementWiseOr", yes, no);
        return ops.output(0, y);
    }
    let native = [DataType::Int32];
    let (a, b) = match is_float(ops.dtype(a)) {
        true => (a, b),
        false => (ops.widened(a, &native)?, ops.widened(b, &native)?),
    };
    let rank = max_rank(ops.dtype(a));
    let [condition, a, b] = broadcast::operands(&mut ops, [(condition, sc), (a, sa), (b, sb)], rank)?;
    let y = ops.select(condition, a, b);
    ops.output(0, y)
}

/// Refuses to tell the app NaN from infinity of float32 numbers that it passes: HTP reads both as one (QNN 2.51, SM8650: what
/// is beyond 131008 becomes 0x7fff in fp16). HTP itself makes no infinities of finite numbers: it stops at 65504. Where the answer
/// stays in the model, it is a guard, which is right for finite numbers; `passes::numeric_warnings` says so.
fn told_apart(ops: &Ops<'_, '_, '_>) -> Result<(), Diagnostic> {
    let (x, answer) = (ops.value(0)?, ops.node.output(0));
    let told = answer.is_some_and(|answer| ops.lower.is_output(answer));
    if told && ops.lower.graph.inputs.contains(&x) && ops.input_type(0)?.dtype == DType::F32 {
        let mut p = ops.refuse("HTP reads infinity and NaN of a float32 input as one");
        p.help = Some("make the model's input float16, or look for them in the app".to_owned());
        return Err(p);
    }
    Ok(())
}

/// IsNaN.
pub(crate) fn is_nan(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    told_apart(&ops)?;
    let x = float4(&mut ops, 0)?;
    let y = not_a_number(&mut ops, x);
    ops.output(0, y)
}

/// IsInf. HTP's own op validates and then cannot be finalized. Float16 tensors are compared with the largest finite number; in
/// float32 ones infinity has become NaN, and NaN is reported too, as positive.
pub(crate) fn is_inf(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = float4(&mut ops, 0)?;
    let dtype = ops.dtype(x);
    let half = dtype == DataType::Float16;
    let positive = node.attrs.int_or("detect_positive", 1) != 0;
    let negative = node.attrs.int_or("detect_negative", 1) != 0;
    if positive || negative {
        told_apart(&ops)?;
    }
    let y = match (positive, negative) {
        (true, true) if half => {
            let (size, limit) = (ops.unary("ElementWiseAbs", x), ops.number(dtype, FP16_MAX));
            ops.compare("ElementWiseGreater", size, limit)
        }
        (true, true) => not_a_number(&mut ops, x),
        (false, false) => ops.compare("ElementWiseLess", x, x),
        (positive, _) => {
            let (side, limit) =
                if positive { ("ElementWiseGreater", FP16_MAX) } else { ("ElementWiseLess", -FP16_MAX) };
            if half {
                let limit = ops.number(dtype, limit);
                ops.compare(side, x, limit)
            } else {
                signed_infinity(&mut ops, x, side)
            }
        }
    };
    ops.output(0, y)
}

/// Infinite and on one side of zero, in float32; the side is told by what ReluMinMax makes of infinity, which is finite.
fn signed_infinity(ops: &mut Ops<'_, '_, '_>, x: TensorId, side: &'static str) -> TensorId {
    let infinite = not_a_number(ops, x);
    let sign = ops.unary_with("ReluMinMax", x, |op| op.f32("min_value", -1.0).f32("max_value", 1.0));
    let zero = ops.number(ops.dtype(x), 0.0);
    let there = ops.compare(side, sign, zero);
    ops.binary("ElementWiseAnd", infinite, there)
}

fn not_a_number(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let shape = ops.shape(x);
    ops.step("IsNan", &[x], DataType::Bool, &shape, |op| op)
}
