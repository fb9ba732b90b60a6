//! Constants outside of what fp16 can say.
//!
//! HTP clamps constants to ±65504: masks of −3.4e38 and −inf do their work all the same, and stay as they are. A factor or divisor
//! that large would compute something else, so it is taken in two steps; and a guard against zero that rounds to zero becomes
//! the smallest number that does not.

use super::view::{View, with_scalar};
use crate::graph::{Attrs, DType, Data, Graph, Node, TensorType, ValueId};

/// The largest number of fp16.
const LARGEST: f32 = 65504.0;
/// Factors beyond this are masks.
const MASK: f32 = 1.7e7;
/// One of the two steps.
const STEP: f32 = 256.0;
/// The smallest number of fp16 that is not zero.
const SMALLEST: f32 = 5.960_464_5e-8;

/// A factor or divisor that fp16 cannot hold.
pub(super) fn two_steps(graph: &mut Graph, _: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        if !node.domain.is_empty() || !matches!(node.op.as_str(), "Mul" | "Div") {
            return None;
        }
        let (x, c) = with_scalar(graph, node)?;
        let divided = node.op == "Mul" || node.input(0) == Some(x);
        let floats = graph.dtype(x) == DType::F32 && graph.shape(x) == graph.shape(node.output(0)?);
        (c.abs() > LARGEST && c.abs() < MASK && divided && floats).then_some((x, c))
    };
    let Some((x, c)) = find() else { return false };
    let name = graph.nodes[i].name.clone();
    let ty = graph.value(x).ty.clone();
    // Multiplying by the reciprocal is more exact than HTP's division (38 dB where this has 60).
    let (step, rest) = if graph.nodes[i].op == "Mul" { (STEP, c / STEP) } else { (1.0 / STEP, STEP / c) };
    let step = number(graph, &format!("{name}.step"), step);
    let rest = number(graph, &format!("{name}.rest"), rest);
    let between = graph.add_value(format!("{name}.between"), ty);
    let mut first = Node::added("Mul", &name, x, between, Attrs::default());
    first.inputs.push(Some(step));
    graph.nodes[i].op = "Mul".to_owned();
    graph.nodes[i].inputs = vec![Some(between), Some(rest)];
    graph.nodes.insert(i, first);
    true
}

/// `x + ε` and `max(x, ε)` with an ε that would round to zero.
pub(super) fn guard(graph: &mut Graph, _: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let tiny = |id: ValueId| {
        graph.dtype(id) == DType::F32 && graph.const_scalar(id).is_some_and(|c| c > 0.0 && c < SMALLEST)
    };
    let at = match node.op.as_str() {
        "Add" | "Max" if node.inputs.len() == 2 => (0..2).find(|&k| node.input(k).is_some_and(tiny)),
        "Clip" => Some(1).filter(|&k| node.input(k).is_some_and(tiny)),
        _ => None,
    };
    let Some(at) = at.filter(|_| node.domain.is_empty()) else { return false };
    let shape = node.input(at).map(|id| graph.shape(id).to_vec()).unwrap_or_default();
    let name = format!("{}.guard", node.name);
    let guard = graph.add_constant(name, TensorType::new(DType::F32, shape), Data::from_f32(&[SMALLEST]));
    graph.nodes[i].inputs[at] = Some(guard);
    true
}

fn number(graph: &mut Graph, name: &str, number: f32) -> ValueId {
    graph.add_constant(name.to_owned(), TensorType::new(DType::F32, []), Data::from_f32(&[number]))
}
