//! Softmax and LogSoftmax; the layout pass made their axis the innermost.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::{DType, Node};
use crate::lower::blocks::broadcast;
use crate::lower::engine::{FP16_MAX, Lower, Ops};
use crate::program::TensorId;

/// Softmax.
pub(crate) fn softmax(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    along_last(lower, node, "Softmax", 5)
}

/// LogSoftmax. HTP refuses five axes, and gives 5.3 instead of 0 along an axis of one element (QNN 2.51, SM8650).
pub(crate) fn log_softmax(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    if lower.input_type(node, 0)?.shape.last().is_none_or(|&d| d == 1) {
        let mut ops = Ops::new(lower, node);
        let x = ops.input(0)?;
        let y = ops.binary("ElementWiseSubtract", x, x);
        return ops.output(0, y);
    }
    along_last(lower, node, "LogSoftmax", 4)
}

fn along_last(lower: &mut Lower<'_>, node: &Node, ty: &'static str, rank: usize) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let mut shape = ops.shape(x);
    let last = shape.len() - 1;
    if shape.len() > rank {
        shape = vec![shape[..last].iter().product(), shape[last]];
    }
    // Softmax gives zero for what is so much less than the largest, in any float type; its logarithm says how much.
    let far = if ty == "Softmax" { -1000.0 } else { -FP16_MAX };
    let x = if is_from_app(&ops)? { less_maximum(&mut ops, x, far)? } else { x };
    let x = ops.reshape(x, &shape);
    let y = if ty == "LogSoftmax" && !ops.dtype(x).is_quantized() {
        log_of_softmax(&mut ops, x)
    } else {
        along(&mut ops, ty, x)
    };
    ops.output(0, y)
}

/// An op along the last axis.
fn along(ops: &mut Ops<'_, '_, '_>, ty: &'static str, x: TensorId) -> TensorId {
    let (dtype, shape) = (ops.dtype(x), ops.shape(x));
    let axis = shape.len() as u32 - 1;
    ops.step(ty, &[x], dtype, &shape, |op| op.u32("axis", axis).f32("beta", 1.0))
}

/// `x − max(x) + log(max(softmax(x)))`: the largest probability is that of the largest logit, and never small. HTP's own LogSoftmax is
/// wrong in whole rows where a logit is 300 or more below the largest, as a mask is (QNN 2.51; −68 for −3.1); its Softmax is not.
fn log_of_softmax(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let largest = largest_of_row(ops, x);
    let away = ops.unary("ElementWiseNeg", largest);
    let below = ops.binary("ElementWiseAdd", x, away);
    let probabilities = along(ops, "Softmax", x);
    let certain = largest_of_row(ops, probabilities);
    let log = ops.unary("ElementWiseLog", certain);
    ops.binary("ElementWiseAdd", below, log)
}

/// The largest number along the last axis, which is kept.
fn largest_of_row(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let (dtype, mut single) = (ops.dtype(x), ops.shape(x));
    let axis = single.len() as u32 - 1;
    if let Some(last) = single.last_mut() {
        *last = 1;
    }
    ops.step("ReduceMax", &[x], dtype, &single, |op| op.u32s("axes", &[1], &[axis]).bool("keep_dims", true))
}

/// Whether the logits are float32 numbers that the app passes, of which HTP's fp16 would keep eleven bits.
fn is_from_app(ops: &Ops<'_, '_, '_>) -> Result<bool, Diagnostic> {
    let id = ops.value(0)?;
    let value = ops.lower.graph.value(id);
    Ok(ops.lower.graph.inputs.contains(&id) && value.ty.dtype == DType::F32 && value.encoding.is_none())
}

/// The logits less the whole part of their largest. Int32 numbers are exact on HTP, and so is the cast of what the app
/// passes to them: whole parts are subtracted there, so that what is left of large logits is small before it becomes fp16; at least
/// `far`.
fn less_maximum(ops: &mut Ops<'_, '_, '_>, x: TensorId, far: f64) -> Result<TensorId, Diagnostic> {
    let shape = broadcast::fold(&ops.shape(x), 4);
    let x = ops.reshape(x, &shape);
    let whole = ops.cast(x, DataType::Int32)?;
    let largest = largest_of_row(ops, whole);
    let below = ops.binary("ElementWiseSubtract", whole, largest);
    let below = ops.with("ElementWiseMaximum", below, far);
    let dtype = ops.dtype(x);
    let below = ops.cast(below, dtype)?;
    // By way of a subtraction: the library takes a cast back and forth for nothing done.
    let zero = ops.number(DataType::Int32, 0.0);
    let away = ops.binary("ElementWiseSubtract", zero, whole);
    let away = ops.cast(away, dtype)?;
    let fraction = ops.binary("ElementWiseAdd", x, away);
    let fraction =
        ops.unary_with("ReluMinMax", fraction, |op| op.f32("min_value", -1.0).f32("max_value", 1.0));
    Ok(ops.binary("ElementWiseAdd", below, fraction))
}
