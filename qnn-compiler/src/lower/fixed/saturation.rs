//! What an encoding cuts off stays cut off where the library would take the encoding away.
//!
//! Numbers that are quantized and dequantized again between two ops on floats keep all their digits on HTP, and all their range: the
//! library removes the pair, and whatever moves elements in between. A clip of the floats stands for it. On integers the library
//! joins some ops with the one that follows, and what the first one's encoding cuts off is there again: a PoolMax2d of single
//! elements keeps the two apart, which it takes for nothing else (measured with QNN 2.51 on SM8650; a ReluMinMax is taken for nothing).

use std::collections::HashSet;

use qnn::DataType;

use super::table;
use crate::graph::{Graph, Node, ValueId};
use crate::lower::blocks::apart::apart;
use crate::lower::engine::{Lower, Ops};
use crate::op::Op;
use crate::program::TensorId;
use crate::reach;

/// Ops that the library joins: that of a maker, and those of readers. Where nothing is cut off it may.
const JOINED: &[(&[Op], &[Op])] = &[
    (
        &[Op::Conv, Op::ConvTranspose, Op::Gemm, Op::MatMul, Op::Add, Op::Sub, Op::Mul],
        &[Op::Clip, Op::HardSwish, Op::LeakyRelu, Op::Relu],
    ),
    (&[Op::Add, Op::Sub, Op::Resize], &[Op::Clip, Op::Concat, Op::Identity, Op::Relu]),
    (&[Op::Mul], &[Op::Add, Op::Mul, Op::Softmax, Op::Sub]),
    (&[Op::AveragePool], &[Op::GlobalAveragePool, Op::ReduceMean]),
];

/// Makes a float that exists, and that an encoded value is rounded from, the floats of that value: those that its range has.
pub(super) fn floats(lower: &mut Lower<'_>, node: &Node, id: ValueId, made: TensorId) -> TensorId {
    let graph = lower.graph;
    let maker = lower.maker(id);
    let Some(((low, high), _)) = reach::window(graph, id).filter(|_| reach::cuts(graph, maker, id)) else {
        return made;
    };
    Ops::new(lower, node)
        .unary_with("ReluMinMax", made, |op| op.f32("min_value", low as f32).f32("max_value", high as f32))
}

/// Whether an op on floats reads a value behind ops that move its integers.
pub(super) fn floats_behind(lower: &Lower<'_>, id: ValueId) -> bool {
    behind(lower, moved(lower, id), |y| match lower.graph.value(y).encoding {
        Some(_) => is_read_as_float(lower, y),
        None => !lower.graph.outputs.contains(&y),
    })
}

/// Whether the numbers of a value become floats, of an op or for the app, behind ops that move its integers.
fn ends_in_floats(lower: &Lower<'_>, id: ValueId) -> bool {
    behind(lower, std::iter::once(id), |y| {
        lower.graph.value(y).encoding.is_none() || is_read_as_float(lower, y)
    })
}

/// Whether one of the values, or one that its integers are moved to, is `wanted`.
fn behind(lower: &Lower<'_>, from: impl Iterator<Item = ValueId>, wanted: impl Fn(ValueId) -> bool) -> bool {
    let mut open: Vec<ValueId> = from.collect();
    let mut seen: HashSet<ValueId> = open.iter().copied().collect();
    while let Some(id) = open.pop() {
        if wanted(id) {
            return true;
        }
        if lower.graph.value(id).encoding.is_some() {
            open.extend(moved(lower, id).filter(|y| seen.insert(*y)));
        }
    }
    false
}

/// The results of nodes that only move the elements of a value.
fn moved(lower: &Lower<'_>, id: ValueId) -> impl Iterator<Item = ValueId> {
    let moving = |node: &&Node| node.op == Op::Identity || node.op.moved_inputs() > 0;
    lower.readers(id).filter(moving).flat_map(|node| node.outputs.iter().flatten().copied())
}

fn is_read_as_float(lower: &Lower<'_>, id: ValueId) -> bool {
    let (graph, target) = (lower.graph, lower.target);
    lower.readers(id).any(|node| node.op != Op::Identity && table::integers(graph, node, target).is_err())
}

/// An operand of a node on integers, kept apart from its maker where the library would join the two and numbers be there again
/// that the operand's encoding cuts off.
pub(super) fn integers(lower: &mut Lower<'_>, node: &Node, id: ValueId, x: TensorId) -> TensorId {
    let joined = is_joined(lower, node, id) || is_passed(lower, node, id) || is_twin(lower, node, id);
    if !(joined || is_gate(lower, node, id, x)) {
        return x;
    }
    apart(&mut Ops::new(lower, node), x)
}

/// Whether a node is the product of x · sigmoid(x) in 16 bits, over more than some rows of few columns: the library joins the two where
/// x is computed, and gives something else (QNN 2.51, SM8650, behind a sum: 0 dB for 32x8x8, 20x8x8 and 40x6x6; right for 32x16x8
/// and in 8 bits).
fn is_gate(lower: &Lower<'_>, node: &Node, id: ValueId, x: TensorId) -> bool {
    let tensor = lower.get(x);
    let few = tensor.dims.len().checked_sub(3).is_some_and(|first| {
        let [rows, columns] = [tensor.dims[first], tensor.dims[first + 1]];
        rows > 8 && columns < 16
    });
    let gated = || {
        lower.readers(id).any(|reader| reader.op == Op::Sigmoid && node.inputs.contains(&reader.output(0)))
    };
    few && tensor.dtype == DataType::UFixed16 && node.op == Op::Mul && gated()
}

/// Whether the library joins a value's maker with a node so that the value's range is lost.
fn is_joined(lower: &Lower<'_>, node: &Node, id: ValueId) -> bool {
    let Some(maker) = lower.maker(id) else { return false };
    let has = |(makers, readers): &(&[Op], &[Op])| makers.contains(&maker.op) && readers.contains(&node.op);
    JOINED.iter().any(has)
        && reach::cuts(lower.graph, Some(maker), id)
        && !is_cut_again(lower.graph, node, id)
}

/// Whether a value is what the app passes, rounded, and a node moves it on its way to be a float again: the library leaves both
/// roundings out.
fn is_passed(lower: &Lower<'_>, node: &Node, id: ValueId) -> bool {
    let maker = lower.maker(id).filter(|maker| maker.op == Op::Identity);
    let passed = maker
        .and_then(|maker| maker.input(0))
        .is_some_and(|from| lower.graph.value(from).encoding.is_none() && lower.graph.inputs.contains(&from));
    passed
        && [Op::Concat, Op::Expand, Op::Slice, Op::Split].contains(&node.op)
        && node.outputs.iter().flatten().any(|&y| ends_in_floats(lower, y))
}

/// Whether a node reads one value in two other encodings, of which this is not the first: two Converts of one tensor that meet in one
/// op end the library's process.
fn is_twin(lower: &Lower<'_>, node: &Node, id: ValueId) -> bool {
    let source = |id: ValueId| {
        let maker = lower.maker(id).filter(|maker| maker.op == Op::Identity)?;
        maker.input(0).filter(|&x| lower.graph.value(x).encoding.is_some())
    };
    let before = node.inputs.iter().flatten().take_while(|&&other| other != id);
    source(id).is_some_and(|from| before.into_iter().any(|&other| source(other) == Some(from)))
}

/// Whether a node's result has none of the numbers that the encoding of its operand cuts off.
fn is_cut_again(graph: &Graph, node: &Node, id: ValueId) -> bool {
    let Some((((low, high), step), y)) = reach::window(graph, id).zip(node.output(0)) else { return true };
    let Some(((least, most), own)) = reach::window(graph, y) else { return true };
    let slack = step.max(own);
    match node.op {
        Op::Clip | Op::Relu => {
            let (from, to) = reach::bounds(graph, node).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            low - slack <= least.max(from) && most.min(to) <= high + slack
        }
        Op::Concat | Op::Identity => low - slack <= least && most <= high + slack,
        Op::LeakyRelu => {
            let made = reach::reach(graph, node);
            made.is_some_and(|(from, to)| from - slack <= least && most <= to + slack)
        }
        // It is zero below -3, and as large as its operand above 3.
        Op::HardSwish => {
            let largest = high * (high / 6.0 + 0.5).clamp(0.0, 1.0);
            low <= slack - 3.0 && most <= largest + slack
        }
        _ => false,
    }
}

/// Whether a tensor of floats is made by an op: what the app passes is rounded where it comes in.
pub(super) fn is_made(lower: &Lower<'_>, t: TensorId) -> bool {
    let tensor = lower.get(t);
    let float = matches!(tensor.dtype, DataType::Float32 | DataType::Float16);
    float && matches!(tensor.role, crate::program::Role::Native)
}
