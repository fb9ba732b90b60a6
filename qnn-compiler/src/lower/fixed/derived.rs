//! Formulas on integers: each step has 16 bits over the range that its operands let it have.

use qnn::DataType;

use super::FixedPoint;
use crate::interval::{self, Interval};
use crate::lower::engine::{Lower, MOVING, storage};
use crate::program::{Op, Param, Quant, Role, Scalar, TensorId};

/// Gives the result of the op that was written last the form of its range. Where none is known it keeps the form of the node's
/// result, as the last step of a formula may.
pub(in crate::lower) fn derive(lower: &mut Lower<'_>, out: TensorId) {
    let Some(op) = lower.newest().cloned() else { return };
    let Some(range) = result(lower, &op, out) else { return };
    if let Some(ranges) = &mut lower.ranges {
        ranges.insert(out, range);
    }
    let dtype = lower.get(out).dtype;
    if MOVING.contains(&&*op.ty) || dtype != DataType::UFixed16 {
        return;
    }
    let quant = match (&*op.ty, &op.inputs[..]) {
        // Refused with its zero anywhere else.
        ("Tanh", _) => FixedPoint { dtype, scale: 1.0 / 32768.0, offset: -32768 }.quant(),
        ("ElementWiseSelect", &[_, first, _]) => lower.get(first).quant.clone(),
        // It does not saturate: of the smallest number that the operand's integers can say it must be there too.
        ("ElementWiseLog", &[x]) => {
            let least = step(lower, x).map_or(range.0, |step| step.ln().min(range.0));
            // A step more than it needs, for what rounding the scale takes away.
            FixedPoint::around(dtype, least - (range.1 - least) / 32768.0, range.1).quant()
        }
        _ => FixedPoint::around(dtype, range.0, range.1).quant(),
    };
    lower.encode(out, quant);
}

/// The step of a tensor's integers.
fn step(lower: &Lower<'_>, id: TensorId) -> Option<f64> {
    match lower.get(id).quant {
        Quant::PerTensor { scale, .. } => Some(f64::from(scale)),
        _ => None,
    }
}

const NORMS: &[&str] = &["GroupNorm", "InstanceNorm", "LayerNorm"];

/// How many deviations a normalized number is from the mean at most: of n numbers at most the root of n, and of many fewer.
const FURTHEST: f64 = 32.0;

fn result(lower: &Lower<'_>, op: &Op, out: TensorId) -> Option<Interval> {
    let skip = usize::from(&*op.ty == "ElementWiseSelect");
    let operands: Option<Vec<Interval>> = op.inputs.iter().skip(skip).map(|&id| operand(lower, id)).collect();
    let operands = operands?;
    let &first = operands.first()?;
    if MOVING.contains(&&*op.ty) {
        return Some(first);
    }
    if &*op.ty == "ReluMinMax" {
        let bound = |name| f64::from(scalar(op, name).unwrap_or(0.0));
        let (low, high) = (bound("min_value"), bound("max_value"));
        return Some((first.0.clamp(low, high), first.1.clamp(low, high)));
    }
    if &*op.ty == "Elu" {
        let alpha = f64::from(scalar(op, "alpha").unwrap_or(1.0));
        let at = |v: f64| if v < 0.0 { alpha * v.exp_m1() } else { v };
        return Some((at(first.0), at(first.1)));
    }
    if &*op.ty == "ElementWiseLog" {
        let least = first.0.max(step(lower, *op.inputs.first()?)?);
        return (least < first.1).then(|| (least.ln(), first.1.ln()));
    }
    if NORMS.contains(&&*op.ty) {
        let elements: usize = lower.get(out).dims.iter().skip(1).map(|&d| d as usize).product();
        let most = (elements as f64).sqrt().min(FURTHEST);
        return Some((-most, most));
    }
    let same = op.inputs.len() == 2 && op.inputs[0] == op.inputs[1];
    let terms = match &*op.ty {
        "ReduceSum" => {
            let count = |id: TensorId| lower.get(id).dims.iter().map(|&d| d as usize).product::<usize>();
            count(*op.inputs.first()?) / count(out).max(1)
        }
        "MatMul" => lower.get(*op.inputs.first()?).dims.last().copied()? as usize,
        _ => 1,
    };
    interval::of_htp(&op.ty, &operands, terms, same)
}

fn scalar(op: &Op, wanted: &str) -> Option<f32> {
    op.params.iter().find_map(|param| match param {
        Param::Scalar(name, Scalar::F32(value)) if name == wanted => Some(*value),
        _ => None,
    })
}

/// The range that holds both operands of a choice, as one form.
pub(in crate::lower) fn common(lower: &Lower<'_>, a: TensorId, b: TensorId) -> Option<FixedPoint> {
    let dtype = lower.get(a).dtype;
    let (a, b) = (operand(lower, a)?, operand(lower, b)?);
    Some(FixedPoint::around(dtype, a.0.min(b.0), a.1.max(b.1)))
}

/// What an operand can be: what was derived, a constant's own numbers, or all that its encoding can say.
fn operand(lower: &Lower<'_>, id: TensorId) -> Option<Interval> {
    if let Some(&range) = lower.ranges.as_ref().and_then(|ranges| ranges.get(&id)) {
        return Some(range);
    }
    let tensor = lower.get(id);
    let &Quant::PerTensor { scale, offset } = &tensor.quant else { return None };
    let real = |q: i64| (q + i64::from(offset)) as f64 * f64::from(scale);
    match &tensor.role {
        Role::Static(data) => {
            let stored = data.to_i64(storage(tensor.dtype));
            Some((real(stored.iter().copied().min()?), real(stored.iter().copied().max()?)))
        }
        _ => Some((real(0), real(if tensor.dtype == DataType::UFixed16 { 65535 } else { 255 }))),
    }
}
