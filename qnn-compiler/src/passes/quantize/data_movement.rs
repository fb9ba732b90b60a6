//! What only moves elements keeps their encoding: where it would change, an Identity before or after it does that.
//!
//! HTP copies the codes of what it moves, whatever encoding the result has, in silence (Reshape, Transpose, DepthToSpace, nearest
//! neighbours; measured from v68 to v81), and the layout pass moves axes without an op. A Concat has its operands' makers write in its
//! own encoding, so that numbers are there again that theirs cut off.

use std::collections::HashMap;

use crate::graph::{Attrs, Encoding, Graph, Node, ValueId};
use crate::op::Op;
use crate::reach::cuts;

/// Operators whose results are fewer elements than their operand: these are rounded after them.
const FEWER: &[Op] = &[Op::Gather, Op::Slice, Op::Split];

/// Operators that the layout pass makes no op of, or that are joined with their like.
const RELABELLED: &[Op] = &[Op::Flatten, Op::Reshape, Op::Squeeze, Op::Transpose, Op::Unsqueeze];

/// Puts an Identity wherever an encoding changes on the way through an operator that moves elements.
pub(in crate::passes) fn run(graph: &mut Graph) {
    let producers = graph.producers();
    let makers: Vec<Node> = graph.nodes.clone();
    let maker = |id: ValueId| producers.get(&id).map(|at| &makers[at.0]);
    // Operands in the encoding of what is made of them, once each.
    let mut rounded: HashMap<(ValueId, ValueId), ValueId> = HashMap::new();
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for mut node in std::mem::take(&mut graph.nodes) {
        let moved = node.op.moved_inputs();
        // A maximum is rounded in the op itself.
        if moved == 0 || matches!(node.op, Op::Identity | Op::MaxPool) {
            nodes.push(node);
            continue;
        }
        let Some(y) = node.output(0) else {
            nodes.push(node);
            continue;
        };
        let to = graph.value(y).encoding.clone();
        let after = FEWER.contains(&node.op) || to.is_none();
        if after {
            let own = node.input(0).map(|x| (x, graph.value(x).encoding.clone()));
            let mut behind = Vec::new();
            for out in node.outputs.iter_mut() {
                let (Some(y), Some((x, from))) = (*out, &own) else { continue };
                if graph.is_constant(*x) || !changes(node.op, from.as_ref(), graph.value(y).encoding.as_ref())
                {
                    continue;
                }
                let inner = copy(graph, y, from.clone());
                *out = Some(inner);
                behind.push(Node::added(Op::Identity, &graph.value(y).name, inner, y, Attrs::default()));
            }
            nodes.push(node);
            nodes.append(&mut behind);
            continue;
        }
        for slot in node.inputs.iter_mut().take(moved) {
            let Some(x) = *slot else { continue };
            let from = graph.value(x).encoding.clone();
            let same = graph.is_constant(x) || !changes(node.op, from.as_ref(), to.as_ref());
            // Joined by the library, which costs nothing where no number is cut off.
            let joined = node.op == Op::Concat && from.is_some() && !cuts(graph, maker(x), x);
            if same || joined && holds(to.as_ref(), from.as_ref()) {
                continue;
            }
            let inner = *rounded.entry((x, y)).or_insert_with(|| {
                let inner = copy(graph, x, to.clone());
                nodes.push(Node::added(Op::Identity, &graph.value(x).name, x, inner, Attrs::default()));
                inner
            });
            *slot = Some(inner);
        }
        nodes.push(node);
    }
    graph.nodes = nodes;
}

/// Whether an operator may not have these encodings on its two sides.
fn changes(op: Op, from: Option<&Encoding>, to: Option<&Encoding>) -> bool {
    match (from, to) {
        (None, None) => false,
        (Some(from), Some(to)) => from != to,
        _ => RELABELLED.contains(&op),
    }
}

/// Whether the range of `to` has all of `from`.
fn holds(to: Option<&Encoding>, from: Option<&Encoding>) -> bool {
    let ranges = to.and_then(Encoding::range).zip(from.and_then(Encoding::range));
    ranges.is_some_and(|((low, high), (from, to))| low <= from && to <= high)
}

/// A value like another, in an encoding.
fn copy(graph: &mut Graph, like: ValueId, encoding: Option<Encoding>) -> ValueId {
    let value = graph.value(like);
    let (name, ty) = (format!("{}.rounded", value.name), value.ty.clone());
    let id = graph.add_value(name, ty);
    graph.value_mut(id).encoding = encoding;
    id
}
