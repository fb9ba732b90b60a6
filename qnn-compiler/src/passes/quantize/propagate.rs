//! Encodings reach the values that models leave without: through operators that only move elements, where a rounded value
//! stays the same; and back through a Relu, which saturation does.

use super::groups::moved_inputs;
use crate::graph::{Encoding, Graph, Node, ValueId};

/// Carries encodings forward and back.
pub(super) fn run(graph: &mut Graph) {
    let nodes = std::mem::take(&mut graph.nodes);
    for node in &nodes {
        forward(graph, node);
    }
    let readers = {
        graph.nodes = nodes;
        graph.consumers()
    };
    let mut nodes = std::mem::take(&mut graph.nodes);
    for node in nodes.iter_mut().rev() {
        let alone = |id: ValueId| readers.get(&id).is_some_and(|r| r.len() == 1);
        backward(graph, node, &alone);
    }
    graph.nodes = nodes;
}

fn is_free(graph: &Graph, id: ValueId) -> bool {
    let value = graph.value(id);
    value.encoding.is_none()
        && value.data.is_none()
        && value.ty.dtype.is_float()
        && !graph.inputs.contains(&id)
        && !graph.outputs.contains(&id)
}

/// Elements that are moved keep the encoding that they all have.
fn forward(graph: &mut Graph, node: &Node) {
    let moved = moved_inputs(&node.domain, &node.op);
    let mut parts = node.inputs.iter().take(moved).flatten();
    let Some(encoding) = parts.next().and_then(|&id| activation(graph, id)) else { return };
    if parts.any(|&id| activation(graph, id).as_ref() != Some(&encoding)) {
        return;
    }
    for &y in node.outputs.iter().flatten() {
        if is_free(graph, y) {
            graph.value_mut(y).encoding = Some(encoding.clone());
        }
    }
}

fn activation(graph: &Graph, id: ValueId) -> Option<Encoding> {
    let value = graph.value(id);
    value.encoding.clone().filter(|e| e.per_tensor().is_some() && value.data.is_none())
}

/// What is rounded after it was moved, or after what saturation does, may as well be rounded before.
fn backward(graph: &mut Graph, node: &mut Node, alone: &dyn Fn(ValueId) -> bool) {
    let (Some(x), Some(y)) = (node.input(0), node.output(0)) else { return };
    let one = node.outputs.iter().flatten().count() == 1;
    let Some(encoding) = activation(graph, y).filter(|_| one && alone(x) && is_free(graph, x)) else {
        return;
    };
    if saturates(graph, node, &encoding) {
        node.op = "Identity".to_owned();
        node.inputs.truncate(1);
    } else if moved_inputs(&node.domain, &node.op) != 1 {
        return;
    }
    graph.value_mut(x).encoding = Some(encoding);
}

/// Whether rounding and saturating to an encoding does what a node does.
fn saturates(graph: &Graph, node: &Node, encoding: &Encoding) -> bool {
    let Some((low, high)) = encoding.range() else { return false };
    let (from, to) = match (node.domain.as_str(), node.op.as_str()) {
        ("", "Relu") => (0.0, f64::INFINITY),
        ("", "Clip") => {
            let bound = |i: usize, none: f64| match node.input(i) {
                None => Some(none),
                Some(id) => graph.const_scalar(id).map(f64::from),
            };
            let (Some(from), Some(to)) = (bound(1, f64::NEG_INFINITY), bound(2, f64::INFINITY)) else {
                return false;
            };
            (from, to)
        }
        _ => return false,
    };
    from <= low && high <= to
}
