//! QuantizeLinear and DequantizeLinear to encodings.

use std::collections::{HashMap, HashSet};

use super::integer_regions;
use super::weights;
use crate::graph::{Attrs, DType, Data, Encoding, Graph, Node, ValueId, params};
use crate::op::Op;

/// Rewrites every quantization node whose scales are constant; others stay and are computed as they are written.
pub(in crate::passes) fn run(graph: &mut Graph) {
    let quantization = [Op::QuantizeLinear, Op::DequantizeLinear];
    if !graph.nodes.iter().any(|n| quantization.contains(&n.op)) {
        return;
    }
    fold_constants(graph);
    integer_regions::complete(graph);
    let encodings = integer_regions::encodings(graph);
    integer_regions::encode_constants(graph, &encodings);
    let types = real_types(graph, &encodings);
    for (&id, encoding) in &encodings {
        let value = graph.value_mut(id);
        value.encoding = Some(encoding.clone());
        value.ty.dtype = types.get(&id).copied().unwrap_or(DType::F32);
    }
    let readers = graph.consumers();
    let graph_io: HashSet<ValueId> = graph.inputs.iter().chain(&graph.outputs).copied().collect();
    let app_reads: HashSet<ValueId> = graph.outputs.iter().copied().collect();
    let mut renamed: HashMap<ValueId, ValueId> = HashMap::new();
    let mut nodes: Vec<Node> = Vec::with_capacity(graph.nodes.len());
    for mut node in std::mem::take(&mut graph.nodes) {
        for input in node.inputs.iter_mut().flatten() {
            if let Some(&to) = renamed.get(input) {
                *input = to;
            }
        }
        let (Some(from), Some(to)) = (node.input(0), node.output(0)) else {
            nodes.push(node);
            continue;
        };
        match node.op {
            Op::QuantizeLinear if encodings.contains_key(&to) => {
                // `from` may be a value that took another's place: what counts are the readers of all of them, and such a
                // value has its encoding already.
                let alone = readers.get(&from).is_none_or(|r| r.len() == 1)
                    && !graph_io.contains(&from)
                    && !graph.is_constant(from)
                    && graph.value(from).encoding.is_none();
                if !alone {
                    nodes.push(Node::added(Op::Identity, &node.name, from, to, Attrs::default()));
                    continue;
                }
                graph.value_mut(from).encoding = encodings.get(&to).cloned();
                if app_reads.contains(&to) {
                    swap_names(graph, from, to);
                    graph.outputs.iter_mut().filter(|o| **o == to).for_each(|o| *o = from);
                }
                renamed.insert(to, from);
            }
            Op::DequantizeLinear if graph.value(from).encoding.is_some() => {
                if app_reads.contains(&to) {
                    nodes.push(Node::added(Op::Identity, &node.name, from, to, Attrs::default()));
                }
                renamed.insert(to, from);
            }
            _ => nodes.push(node),
        }
    }
    graph.nodes = nodes;
}

fn swap_names(graph: &mut Graph, a: ValueId, b: ValueId) {
    let name = std::mem::take(&mut graph.value_mut(a).name);
    let other = std::mem::replace(&mut graph.value_mut(b).name, name);
    graph.value_mut(a).name = other;
}

/// The float type that each encoded integer has on its other side.
fn real_types(graph: &Graph, encodings: &HashMap<ValueId, Encoding>) -> HashMap<ValueId, DType> {
    let mut types = HashMap::new();
    for node in graph.nodes.iter().filter(|n| n.op.is_standard()) {
        let pair = match node.op {
            Op::QuantizeLinear => (node.output(0), node.input(0)),
            Op::DequantizeLinear => (node.input(0), node.output(0)),
            _ => continue,
        };
        if let (Some(q), Some(real)) = pair
            && encodings.contains_key(&q)
        {
            types.insert(q, graph.dtype(real));
        }
    }
    types
}

/// Constants that are quantized, dequantized or both: integers with an encoding where one says it, floats else.
fn fold_constants(graph: &mut Graph) {
    let mut renamed: HashMap<ValueId, ValueId> = HashMap::new();
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for mut node in std::mem::take(&mut graph.nodes) {
        for input in node.inputs.iter_mut().flatten() {
            if let Some(&to) = renamed.get(input) {
                *input = to;
            }
        }
        match folded(graph, &node) {
            Some((from, to)) => drop(renamed.insert(from, to)),
            None => nodes.push(node),
        }
    }
    graph.nodes = nodes;
}

/// The constant that a node's result is, and that result; `None` where it is not constant or the app reads it.
fn folded(graph: &mut Graph, node: &Node) -> Option<(ValueId, ValueId)> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    if !node.op.is_standard() || !graph.is_constant(x) || graph.outputs.contains(&y) {
        return None;
    }
    let name = graph.value(y).name.clone();
    let ty = graph.value(y).ty.clone();
    match node.op {
        Op::QuantizeLinear => {
            let encoding = params::encoding_of(graph, node, y)?;
            let integers = encoding.quantize(&graph.const_f32(x)?, &ty.shape).ok()?;
            let data = Data::from_ints(&integers, ty.dtype);
            Some((y, graph.add_constant(name, ty, data)))
        }
        Op::DequantizeLinear => {
            let encoding = params::encoding_of(graph, node, x)?;
            let value = graph.value(x).clone();
            let id = graph.add_constant(name, value.ty, value.data?);
            graph.value_mut(id).encoding = Some(encoding);
            Some((y, id))
        }
        _ => weights::moved(graph, node).map(|id| (y, id)),
    }
}
