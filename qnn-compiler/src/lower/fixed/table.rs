//! Which nodes are lowered on integers, by the rows of their operators, and what their inputs are.

use qnn::DataType;
use qnn_types::Target;

use super::FixedPoint;
use super::fixed_point::wider;
use crate::graph::{Encoding, Granularity, Graph, Node, ValueId};
use crate::op::{Fit, Op, Steps};

/// What an input is to an operator on integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Numbers of the same type as the result's.
    Operand,
    /// A constant weight; its output channels are along this axis.
    Weight(usize),
    /// A constant bias: one number an output channel, in units of the product of input and weight.
    Bias,
    /// The constant factors of a normalization.
    Gain,
    /// The constant offsets of a normalization.
    Offset,
    /// Not part of the arithmetic: indices, bounds, sizes.
    Aside,
}

/// Why a node is computed with floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// HTP does not have the operator on integers.
    Operator,
    /// The operator, but not in this form.
    Form,
    /// A value has no encoding, or one that HTP computes nothing with.
    Value(ValueId),
}

/// Whether the steps of a node on integers of a type are encoded by their own ranges.
pub(super) fn derives(node: &Node, dtype: DataType, target: &Target) -> bool {
    is_normalized_apart(node, target)
        || node.op.on_integers().is_some_and(|row| match row.steps {
            Steps::Result => false,
            Steps::Derived => true,
            Steps::DerivedWide => dtype == DataType::UFixed16,
        })
}

/// Whether the scale and offset of a normalization are ops of their own: v68 and v69 take scales of 8 bits only, which is worth 48
/// to 54 dB where results have 16 bits (measured on QCS6490; 80 apart).
fn is_normalized_apart(node: &Node, target: &Target) -> bool {
    let norm = [Op::GroupNormalization, Op::InstanceNormalization, Op::LayerNormalization];
    !target.fp16 && target.arch < 73 && norm.contains(&node.op)
}

/// What the `i`-th input is.
pub(super) fn role(graph: &Graph, node: &Node, i: usize) -> Role {
    let constant = |i: usize| node.input(i).is_some_and(|id| graph.is_constant(id));
    let swapped = node.attrs.int_or("transB", 0) != 0;
    match (node.op, i) {
        (Op::Conv, 1) if !constant(1) => Role::Operand,
        (Op::Conv | Op::ConvTranspose, 1) => Role::Weight(3),
        (Op::Gemm, 1) => Role::Weight(usize::from(!swapped)),
        (Op::MatMul, 1) if constant(1) && !has_crosswise_scales(graph, node) => {
            Role::Weight(columns_of(graph, node))
        }
        (Op::Conv | Op::ConvTranspose | Op::Gemm, 2) => Role::Bias,
        (Op::GroupNormalization | Op::InstanceNormalization | Op::LayerNormalization, 1) => Role::Gain,
        (Op::GroupNormalization | Op::InstanceNormalization | Op::LayerNormalization, 2) => Role::Offset,
        (Op::Where, 0) | (Op::ScatterElements | Op::ScatterND, 1) => Role::Aside,
        _ if i < node.op.on_integers().map_or(0, |row| row.operands) => Role::Operand,
        _ => Role::Aside,
    }
}

/// Along which axis of its second operand the columns of a MatMul are.
fn columns_of(graph: &Graph, node: &Node) -> usize {
    let rank = node.input(1).map_or(2, |id| graph.shape(id).len());
    rank.saturating_sub(if node.attrs.int_or("transB", 0) != 0 { 2 } else { 1 })
}

/// Whether the constant second operand of a MatMul has scales along another axis than its columns, as quantizers give one that is a
/// transposed table of positions: HTP has no such weights, but takes its numbers as an operand of 16 bits.
fn has_crosswise_scales(graph: &Graph, node: &Node) -> bool {
    let encoding = || graph.value(node.input(1)?).encoding.as_ref();
    node.op == Op::MatMul
        && node.input(1).is_some_and(|id| graph.is_constant(id))
        && encoding().is_some_and(|encoding| match encoding.granularity() {
            Granularity::PerAxis(slices) => slices.axis() != columns_of(graph, node),
            _ => false,
        })
}

/// The form of a node's result on integers, whose encoding is of the form `own`.
pub(super) fn result(node: &Node, own: FixedPoint) -> FixedPoint {
    match node.op.on_integers().and_then(|row| row.range) {
        // Half of the integers are below zero.
        Some((low, high)) if low < 0.0 => {
            let steps = if own.dtype == DataType::UFixed8 { 128 } else { 32768 };
            FixedPoint { scale: (high / f64::from(steps)) as f32, offset: -steps, ..own }
        }
        Some(_) if node.op == Op::Softmax && is_softmax(own) => own,
        Some((low, high)) => FixedPoint::around(own.dtype, low, high),
        // With its zero outside of the codes HTP's results of 16 bits are garbage.
        None if node.op == Op::LogSoftmax && own.offset < -65535 => FixedPoint { offset: -65535, ..own },
        None => own,
    }
}

/// The type of integers to lower a node on, or why it is to be computed with floats, which a SoC may not have.
pub(super) fn integers(graph: &Graph, node: &Node, target: &Target) -> Result<DataType, Why> {
    let row = node.op.on_integers().ok_or(Why::Operator)?;
    let form = |id: ValueId| graph.value(id).encoding.as_ref().and_then(FixedPoint::of).ok_or(Why::Value(id));
    let mut dtype = DataType::UFixed8;
    for (i, id) in node.inputs.iter().enumerate() {
        let Some(id) = *id else { continue };
        let value = graph.value(id);
        match (role(graph, node, i), value.data.is_some()) {
            (Role::Operand, false) => dtype = wider(dtype, form(id)?.dtype),
            (Role::Weight(_), true) if value.encoding.is_none() => return Err(Why::Value(id)),
            (Role::Weight(_) | Role::Bias, false) => return Err(Why::Form),
            _ => {}
        }
    }
    for id in node.outputs.iter().flatten().filter(|id| graph.dtype(**id).is_float()) {
        dtype = wider(dtype, form(*id)?.dtype);
    }
    let wide = match node.op {
        Op::Softmax => {
            let other = node.output(0).is_some_and(|y| form(y).is_ok_and(|own| !is_softmax(own)));
            other || node.input(0).is_some_and(|x| is_wide(graph, x))
        }
        // Its result has a range of its own: of 8 bits it would be rounded twice.
        Op::Tanh => true,
        // Of 8 bits it is wrong.
        Op::CumSum => true,
        _ => {
            row.steps == Steps::Derived
                || is_normalized_apart(node, target)
                || has_crosswise_scales(graph, node)
        }
    };
    if wide {
        dtype = DataType::UFixed16;
    }
    let computed = (0..node.inputs.len()).any(|i| {
        role(graph, node, i) == Role::Operand && node.input(i).is_some_and(|id| !graph.is_constant(id))
    });
    // A table is looked up as it is stored.
    let table = node.input(0).filter(|&x| node.op == Op::Gather && graph.is_constant(x));
    let computed = computed || table.is_some_and(|x| form(x).is_ok());
    let fit = if computed && node.inputs.len() <= row.operands.max(8) {
        (row.fits)(graph, node, dtype, target)
    } else {
        Fit::No
    };
    match fit {
        Fit::Well if target.fp16 && has_crosswise_scales(graph, node) => {
            Err(node.input(1).map_or(Why::Form, Why::Value))
        }
        Fit::Well => Ok(dtype),
        Fit::Worse if !target.fp16 => Ok(dtype),
        Fit::Worse | Fit::No => Err(Why::Form),
    }
}

/// Whether HTP's softmax of 8 bits makes these integers: the first one is zero, or it ignores that, and the last one is a half at
/// least, or it is two steps off (measured on SM8650 and QCS6490). Others are made of 16 bits, so that they are rounded once.
fn is_softmax(own: FixedPoint) -> bool {
    own.dtype == DataType::UFixed8 && own.offset == 0 && own.scale > 0.49 / 255.0
}

/// Whether logits span more than HTP's softmax of 8 bits takes: a step off where they span 8, five steps where they span 20, 50
/// where they span 300 (measured on SM8650 and QCS6490). That of 16 bits is right to 70 dB with any.
fn is_wide(graph: &Graph, x: ValueId) -> bool {
    let range = graph.value(x).encoding.as_ref().and_then(Encoding::range);
    range.is_some_and(|(low, high)| high - low > 8.5)
}
