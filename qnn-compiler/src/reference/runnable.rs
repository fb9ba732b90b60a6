//! The canonical graph, as it is compiled, in the form that ONNX Runtime runs: every value with a name of its own, half floats as float32,
//! stored integers as the real numbers that they stand for.

use super::expand::expanded;
use crate::graph::{Attr, Attrs, DType, Data, Encoding, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// Attributes that hold the standard's number of a type.
const TYPES: &[&str] = &["to", "dtype", "output_dtype", "stash_type"];
/// The standard's numbers of float16 and bfloat16, and of float32.
const HALVES: [i64; 2] = [10, 16];
const FLOAT: i64 = 1;

/// A copy of a graph that was fused and is not yet in physical layout. Its values keep their ids, and get the names that
/// [`Graph::unique_names`] gives those of `graph`.
///
/// With `rounded`, a computed value with an encoding is rounded and saturated to it, as on the device.
pub(super) fn runnable(graph: &Graph, rounded: bool) -> Graph {
    let names = graph.unique_names();
    let mut graph = graph.clone();
    for id in graph.value_ids() {
        graph.value_mut(id).name.clone_from(&names[id.index()]);
    }
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for mut node in std::mem::take(&mut graph.nodes) {
        for name in TYPES {
            if matches!(node.attrs.get(name), Some(Attr::Int(ty)) if HALVES.contains(ty)) {
                node.attrs.set(name, Attr::Int(FLOAT));
            }
        }
        let mut after = Vec::new();
        for output in node.outputs.iter_mut().flatten().filter(|_| rounded) {
            let value = graph.value(*output);
            let Some(encoding) = value.encoding.clone().filter(|e| e.per_tensor().is_some()) else {
                continue;
            };
            let exact = graph.add_value("", value.ty.clone());
            let to = std::mem::replace(output, exact);
            after.extend(rounding(&mut graph, &encoding, exact, to));
        }
        nodes.extend(expanded(&mut graph, node));
        nodes.append(&mut after);
    }
    graph.nodes = nodes;
    reals(&mut graph);
    app_side(&mut graph);
    let names = graph.unique_names();
    for id in graph.value_ids() {
        graph.value_mut(id).name.clone_from(&names[id.index()]);
    }
    // ONNX Runtime takes no two nodes of one name.
    for node in &mut graph.nodes {
        if let Some(first) = node.outputs.iter().flatten().next() {
            node.name.clone_from(&names[first.index()]);
        }
    }
    graph
}

/// The nodes that round numbers to an encoding: to the nearest step, ties to even, inside of its range.
fn rounding(graph: &mut Graph, encoding: &Encoding, from: ValueId, to: ValueId) -> Vec<Node> {
    let Some(((low, high), (scale, _))) = encoding.range().zip(encoding.per_tensor()) else {
        return Vec::new();
    };
    let ty = graph.value(to).ty.clone();
    let steps = f64::from(scale);
    let mut nodes: Vec<Node> = Vec::new();
    let mut last = from;
    for (op, constants) in [
        (Op::Div, &[steps][..]),
        (Op::Round, &[]),
        (Op::Clip, &[(low / steps).round(), (high / steps).round()]),
        (Op::Mul, &[steps]),
    ] {
        let next = if op == Op::Mul { to } else { graph.add_value("", ty.clone()) };
        let mut node = Node::added(op, "rounding", last, next, Attrs::default());
        for &constant in constants {
            let ty = TensorType::new(ty.dtype, []);
            node.inputs.push(Some(graph.add_constant(
                "",
                ty.clone(),
                Data::from_floats(&[constant], ty.dtype),
            )));
        }
        nodes.push(node);
        last = next;
    }
    nodes
}

/// Gives every value that is read or computed a type that ONNX Runtime computes with.
fn reals(graph: &mut Graph) {
    let used = graph.nodes.iter().flat_map(|node| node.inputs.iter().chain(&node.outputs).flatten());
    let mut used: Vec<ValueId> = used.chain(&graph.inputs).chain(&graph.outputs).copied().collect();
    used.sort_unstable();
    used.dedup();
    for id in used {
        let value = graph.value(id);
        let half = matches!(value.ty.dtype, DType::F16 | DType::Bf16);
        let stored = value.data.is_some() && value.encoding.is_some();
        if !half && !stored {
            continue;
        }
        let data = value.reals().map(|reals| Data::from_floats(&reals, DType::F32));
        let value = graph.value_mut(id);
        value.ty.dtype = DType::F32;
        value.data = data;
        value.encoding = None;
    }
}

/// Lets inputs that the app gives as integers, and the graph takes for the floats of the model, be any numbers: samples are the model's.
fn app_side(graph: &mut Graph) {
    let readers = graph.consumers();
    for id in graph.inputs.clone() {
        let cast = |at: &crate::graph::NodeId| {
            let node = &graph.nodes[at.0];
            node.op == Op::Cast && node.output(0).is_some_and(|y| graph.dtype(y).is_float())
        };
        let only = readers.get(&id).is_some_and(|readers| readers.iter().all(cast));
        if only && graph.dtype(id).is_int() {
            graph.value_mut(id).ty.dtype = DType::F32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_value_is_computed_under_another_name() {
        let mut graph = Graph::new("g");
        let ty = TensorType::new(DType::F16, [4]);
        let (x, y) = (graph.add_value("x", ty.clone()), graph.add_value("y", ty));
        graph.inputs.push(x);
        graph.outputs.push(y);
        graph.nodes.push(Node::added(Op::Relu, "n", x, y, Attrs::default()));
        graph.value_mut(y).encoding =
            Some(Encoding::new_per_tensor(crate::graph::Storage::U8, 0.5, 3).unwrap());
        let ops = |graph: &Graph| graph.nodes.iter().map(|node| node.op.name()).collect::<Vec<_>>().join(" ");
        let run = runnable(&graph, true);
        assert_eq!(ops(&run), "Relu Div Round Clip Mul");
        assert_eq!((run.dtype(y), run.value(y).name.as_str()), (DType::F32, "y"));
        let bounds = run.nodes[3].inputs[1..].iter().flatten().map(|&id| run.const_scalar(id));
        assert_eq!(bounds.collect::<Vec<_>>(), [Some(-3.0), Some(252.0)]);
        assert_eq!(ops(&runnable(&graph, false)), "Relu");
    }
}
