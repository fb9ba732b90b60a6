//! Encodings of results that have none and need none where a SoC has floats: their range is known.

use super::propagate;
use crate::graph::{Encoding, Graph, Node, Storage};
use crate::op::{Op, Results};

/// Operators whose results use the range that they have.
const KNOWN: &[Op] = &[Op::HardSigmoid, Op::Sigmoid, Op::Softmax, Op::Tanh];

/// Gives results of encoded operands, whose range is known, 16 bits over that range: steps of 1.5e-5, where fp16 has 4.9e-4 near
/// one. What only moves them has the same encoding then.
pub(in crate::passes) fn run(graph: &mut Graph) {
    propagate::forward(graph, over_its_range);
    propagate::run(graph);
}

fn over_its_range(graph: &Graph, node: &Node) -> Option<Encoding> {
    let Results::Between(low, high) = node.op.results() else { return None };
    if !KNOWN.contains(&node.op) {
        return None;
    }
    let operand = graph.value(node.input(0)?);
    operand.encoding.as_ref().filter(|e| e.per_tensor().is_some() && operand.data.is_none())?;
    let (zero, steps) = if low < 0.0 { (32768, 65536.0) } else { (0, 65535.0) };
    let scale = ((high - low) / steps) as f32;
    Encoding::new_per_tensor(Storage::U16, scale, zero).ok()
}
