//! Nodes that change nothing, which hide patterns from the other rules: a maximum with −inf (where JAX begins one), a product with
//! one, an Expand to the shape that is there.

use std::collections::HashMap;

use super::view::{uniform, with_scalar};
use crate::graph::{Graph, Node, ValueId};
use crate::op::Op;

/// The largest number of fp16: no value is beyond.
const LARGEST: f32 = 65504.0;

/// Lets the readers of such nodes read their operands.
pub(super) fn run(graph: &mut Graph) {
    let mut same: HashMap<ValueId, ValueId> = HashMap::new();
    for i in 0..graph.nodes.len() {
        for input in graph.nodes[i].inputs.iter_mut().flatten() {
            if let Some(&from) = same.get(input) {
                *input = from;
            }
        }
        let node = &graph.nodes[i];
        let Some((x, y)) = unchanged(graph, node).zip(node.output(0)) else { continue };
        let plain = [x, y].iter().all(|id| graph.value(*id).encoding.is_none());
        if plain && graph.value(x).ty == graph.value(y).ty && !graph.outputs.contains(&y) {
            same.insert(y, x);
        }
    }
}

/// The operand that a node gives back.
fn unchanged(graph: &Graph, node: &Node) -> Option<ValueId> {
    if !node.op.is_standard() || node.outputs.len() != 1 {
        return None;
    }
    let first = node.input(0).filter(|x| graph.dtype(*x).is_float() && !graph.is_constant(*x));
    match node.op {
        Op::Cast | Op::Expand | Op::Identity | Op::Reshape => first,
        Op::Pow => first.filter(|_| node.input(1).and_then(|e| uniform(graph, e)) == Some(1.0)),
        Op::Add | Op::Div | Op::Max | Op::Min | Op::Mul | Op::Sub if node.inputs.len() == 2 => {
            let (x, number) = with_scalar(graph, node)?;
            let nothing = match node.op {
                Op::Add => number == 0.0,
                Op::Max => number <= -LARGEST,
                Op::Min => number >= LARGEST,
                Op::Mul => number == 1.0,
                Op::Sub => number == 0.0 && first == Some(x),
                _ => number == 1.0 && first == Some(x),
            };
            (nothing && graph.dtype(x).is_float()).then_some(x)
        }
        _ => None,
    }
}
