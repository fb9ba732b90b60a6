//! Encodings reach the values that models leave without: through operators whose results are among the numbers that their
//! operands can be, and back through what only moves elements, or does what saturation does.

use std::collections::HashMap;

use crate::graph::{Attrs, Encoding, Graph, Node, ValueId};
use crate::op::Op;
use crate::reach::{bounds, constant};

/// Carries encodings forward and back.
pub(in crate::passes) fn run(graph: &mut Graph) {
    forward(graph, kept);
    let readers = graph.consumers();
    let mut nodes = std::mem::take(&mut graph.nodes);
    for node in nodes.iter_mut().rev() {
        let alone = |id: ValueId| readers.get(&id).is_some_and(|r| r.len() == 1);
        backward(graph, node, &alone);
    }
    graph.nodes = nodes;
}

/// Gives the results of nodes the encodings that `rule` says. What the app reads stays a float: the encoded value comes before
/// it.
pub(super) fn forward(graph: &mut Graph, rule: fn(&Graph, &Node) -> Option<Encoding>) {
    let mut instead: HashMap<ValueId, ValueId> = HashMap::new();
    let mut ends = Vec::new();
    let mut nodes = std::mem::take(&mut graph.nodes);
    for node in &mut nodes {
        for input in node.inputs.iter_mut().flatten() {
            *input = instead.get(input).copied().unwrap_or(*input);
        }
        let Some(encoding) = rule(graph, node) else { continue };
        for y in node.outputs.iter_mut().flatten() {
            if is_free(graph, *y) {
                graph.value_mut(*y).encoding = Some(encoding.clone());
            } else if is_plain(graph, *y) && graph.outputs.contains(y) {
                let value = graph.value(*y);
                let (name, ty) = (value.name.clone(), value.ty.clone());
                let inside = graph.add_value(format!("{name}.quantized"), ty);
                graph.value_mut(inside).encoding = Some(encoding.clone());
                ends.push(Node::added(Op::Identity, &name, inside, *y, Attrs::default()));
                instead.insert(*y, inside);
                *y = inside;
            }
        }
    }
    nodes.append(&mut ends);
    graph.nodes = nodes;
}

/// Whether a value is a computed float without an encoding.
fn is_plain(graph: &Graph, id: ValueId) -> bool {
    let value = graph.value(id);
    value.encoding.is_none()
        && value.data.is_none()
        && value.ty.dtype.is_float()
        && !graph.inputs.contains(&id)
}

fn is_free(graph: &Graph, id: ValueId) -> bool {
    is_plain(graph, id) && !graph.outputs.contains(&id)
}

/// The encoding that can say every result of a node as exactly as it says its operands.
fn kept(graph: &Graph, node: &Node) -> Option<Encoding> {
    let moved = node.op.moved_inputs();
    let operands = if moved > 0 { moved } else { chosen(node) };
    let mut parts = node.inputs.iter().take(operands).flatten();
    let encoding = parts.next().and_then(|&id| activation(graph, id).or_else(|| table(graph, node, id)))?;
    let same = parts.all(|&id| activation(graph, id).as_ref() == Some(&encoding));
    if !same || moved == 0 && !is_exact(graph, node, &encoding) {
        return None;
    }
    // What is never negative starts at zero, see `tighten`.
    if node.op != Op::Relu {
        return Some(encoding);
    }
    let (scale, _) = encoding.per_tensor()?;
    Encoding::new_per_tensor(encoding.storage().unsigned(), scale, 0).ok()
}

/// How many operands a node has of which each element of its result is one, or zero.
fn chosen(node: &Node) -> usize {
    match node.op {
        Op::GlobalMaxPool | Op::Pad | Op::ReduceMax | Op::ReduceMin | Op::Relu | Op::Resize => 1,
        Op::Max | Op::Min => usize::MAX,
        _ => 0,
    }
}

/// Whether what a node adds to its operands' elements can be said in their encoding.
fn is_exact(graph: &Graph, node: &Node, encoding: &Encoding) -> bool {
    let Some(((low, high), (scale, zero))) = encoding.range().zip(encoding.per_tensor()) else {
        return false;
    };
    let has = |real: f64| {
        let q = real / f64::from(scale) + f64::from(zero);
        (low..=high).contains(&real) && (q - q.round()).abs() < 1e-3
    };
    match node.op {
        Op::Relu => has(0.0),
        Op::Pad => {
            let filling = constant(graph, node, 2, 0.0);
            node.attrs.str_or("mode", "constant") == "constant" && filling.is_some_and(has)
        }
        Op::Resize => {
            let places = node.attrs.str_or("coordinate_transformation_mode", "half_pixel");
            node.attrs.str_or("mode", "nearest") == "nearest" && places != "tf_crop_and_resize"
        }
        _ => true,
    }
}

/// The encoding of a constant that is looked up, and stays as small as it is.
fn table(graph: &Graph, node: &Node, id: ValueId) -> Option<Encoding> {
    let encoding = graph.value(id).encoding.clone().filter(|_| node.op == Op::Gather)?;
    (encoding.per_tensor().is_some() && encoding.bits() <= 16).then_some(encoding)
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
        node.op = Op::Identity;
        node.inputs.truncate(1);
    } else if node.op.moved_inputs() != 1 {
        return;
    }
    graph.value_mut(x).encoding = Some(encoding);
}

/// Whether rounding and saturating to an encoding does what a node does.
fn saturates(graph: &Graph, node: &Node, encoding: &Encoding) -> bool {
    let Some(((low, high), (from, to))) = encoding.range().zip(bounds(graph, node)) else { return false };
    // Half a step is lost in rounding.
    let slack = encoding.per_tensor().map_or(0.0, |(scale, _)| f64::from(scale) / 64.0);
    from <= low + slack && high <= to + slack
}
