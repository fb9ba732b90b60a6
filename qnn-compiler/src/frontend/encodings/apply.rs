//! Gives the values of a graph the encodings that a file has for them.

use std::collections::HashMap;

use qnn_platform::nearest::nearest;
use qnn_types::Diagnostic;

use super::entry::{Entry, Target, Unfit};
use crate::graph::{Attrs, DType, Data, Graph, Node, ValueId};
use crate::op::Op;
use crate::problem::{Problems, Result, problem};

/// Encodes every value that has an entry: constants become integers, computed values keep their dtype. What the app writes
/// and reads stays a float. Returns warnings: names that the graph does not have.
///
/// # Errors
/// `E0219` where scales do not fit a tensor.
pub fn apply(graph: &mut Graph, entries: &[Entry]) -> Result<Vec<Diagnostic>> {
    let named: HashMap<String, ValueId> = used(graph).map(|id| (graph.value(id).name.clone(), id)).collect();
    let (mut problems, mut unknown, mut front) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let Some(&id) = named.get(&entry.name) else {
            unknown.push(entry.name.as_str());
            continue;
        };
        let value = graph.value(id);
        let constant = value.data.is_some();
        let other = if constant { Target::Activation } else { Target::Parameter };
        if !value.ty.dtype.is_float()
            || value.encoding.is_some()
            || entry.storage.bits() > 16
            || entry.target == other
            || is_size(graph, id)
        {
            continue;
        }
        let done =
            if constant { parameter(graph, id, entry) } else { activation(graph, &mut front, id, entry) };
        problems.extend(done.err());
    }
    front.append(&mut graph.nodes);
    graph.nodes = front;
    if problems.is_empty() { Ok(warning(&unknown, &named)) } else { Err(Problems(problems)) }
}

/// Whether a value says how large another one becomes, which no rounding may change.
fn is_size(graph: &Graph, id: ValueId) -> bool {
    let sizes = |node: &Node| node.op == Op::Resize && node.inputs.iter().skip(1).any(|i| *i == Some(id));
    graph.nodes.iter().any(sizes)
}

fn used(graph: &Graph) -> impl Iterator<Item = ValueId> {
    let nodes = graph.nodes.iter().flat_map(|n| n.inputs.iter().chain(&n.outputs).flatten());
    graph
        .inputs
        .iter()
        .chain(&graph.outputs)
        .chain(nodes)
        .copied()
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
}

/// One warning for all names that the graph does not have: exporters list what their own graph has, which may be folded here.
fn warning(unknown: &[&str], named: &HashMap<String, ValueId>) -> Vec<Diagnostic> {
    let Some(first) = unknown.first() else { return Vec::new() };
    let mut p = problem(
        "E0220",
        format!(
            "{} of the encodings are for tensors that the model does not have, {first:?} first",
            unknown.len()
        ),
    );
    if let Some(near) = nearest(first, named.keys().map(String::as_str), 1).first() {
        p.help = Some(format!("did you mean {near:?}?"));
    }
    vec![p]
}

fn unfit(graph: &Graph, id: ValueId, why: &str) -> Diagnostic {
    let value = graph.value(id);
    problem("E0219", format!("the encoding of {:?}, of shape {:?}, {why}", value.name, value.ty.shape))
}

fn activation(
    graph: &mut Graph,
    front: &mut Vec<Node>,
    id: ValueId,
    entry: &Entry,
) -> std::result::Result<(), Diagnostic> {
    let encoding = match entry.of_activation() {
        Some(Ok(encoding)) => encoding,
        Some(Err(why)) => return Err(unfit(graph, id, &format!("has {why}"))),
        None => return Err(unfit(graph, id, "has several scales, and a computed value can have only one")),
    };
    let inside = graph.add_value(format!("{}.quantized", graph.value(id).name), graph.value(id).ty.clone());
    let name = graph.value(id).name.clone();
    if graph.inputs.contains(&id) {
        graph.value_mut(inside).encoding = Some(encoding);
        for input in graph.nodes.iter_mut().flat_map(|n| n.inputs.iter_mut()).filter(|i| **i == Some(id)) {
            *input = Some(inside);
        }
        front.push(Node::added(Op::Identity, &name, id, inside, Attrs::default()));
    } else if graph.outputs.contains(&id) {
        graph.value_mut(inside).encoding = Some(encoding);
        for node in &mut graph.nodes {
            let both = node.inputs.iter_mut().chain(&mut node.outputs);
            both.filter(|v| **v == Some(id)).for_each(|v| *v = Some(inside));
        }
        graph.nodes.push(Node::added(Op::Identity, &name, inside, id, Attrs::default()));
    } else {
        graph.value_mut(id).encoding = Some(encoding);
    }
    Ok(())
}

fn parameter(graph: &mut Graph, id: ValueId, entry: &Entry) -> std::result::Result<(), Diagnostic> {
    let shape = graph.shape(id).to_vec();
    let encoding = entry.of_parameter(&shape, &channel_axes(graph, id, entry)).map_err(|why| match why {
        Unfit::Count(count) => unfit(graph, id, &format!("has {count} scales, which fit none of its axes")),
        Unfit::Invalid(why) => unfit(graph, id, &format!("has {why}")),
    })?;
    let dtype = match (encoding.bits(), encoding.storage().is_signed()) {
        (..=8, true) => DType::I8,
        (..=8, false) => DType::U8,
        (_, true) => DType::I16,
        (_, false) => DType::U16,
    };
    let Some(reals) = graph.const_f32(id) else { return Ok(()) };
    let integers =
        encoding.quantize(&reals, &shape).map_err(|why| unfit(graph, id, &format!("has {why}")))?;
    let value = graph.value_mut(id);
    value.ty.dtype = dtype;
    value.data = Some(Data::from_ints(&integers, dtype));
    value.encoding = Some(encoding);
    Ok(())
}

/// The axes that scales of channels may run along, the likeliest first: what the file says, the output channels of the operator that
/// reads the constant, any other.
fn channel_axes(graph: &Graph, id: ValueId, entry: &Entry) -> Vec<usize> {
    let rank = graph.shape(id).len();
    let said = entry.axis.filter(|_| entry.blocks.is_none());
    let said = said.and_then(|a| usize::try_from(if a < 0 { a + rank as i64 } else { a }).ok());
    let reader = graph.nodes.iter().find(|n| n.inputs.contains(&Some(id)));
    let usual = reader.map(|node| match node.op {
        Op::ConvTranspose => 1,
        Op::MatMul => rank.saturating_sub(1),
        Op::Gemm => usize::from(node.attrs.int_or("transB", 0) == 0),
        _ => 0,
    });
    said.into_iter().chain(usual).chain(0..rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Encoding, Granularity, TensorType};

    fn entry(name: &str, scales: &[f32], zero: i32) -> Entry {
        let zero_points = vec![zero; scales.len()];
        Entry { scales: scales.to_vec(), zero_points, ..Entry::named(name, Target::Either) }
    }

    fn axis_of(encoding: &Encoding) -> Option<usize> {
        match encoding.granularity() {
            Granularity::PerAxis(slices) => Some(slices.axis()),
            _ => None,
        }
    }

    /// y = MatMul(x, w)
    fn product() -> (Graph, [ValueId; 3]) {
        let mut graph = Graph::new("g");
        let ty = |shape: &[usize]| TensorType::new(DType::F32, shape);
        let x = graph.add_value("x", ty(&[1, 2]));
        let w = graph.add_constant("w", ty(&[2, 3]), Data::from_f32(&[1.0, -1.0, 0.5, 0.25, 0.0, 2.0]));
        let y = graph.add_value("y", ty(&[1, 3]));
        let mut node = Node::added(Op::MatMul, "n", x, y, Attrs::default());
        node.inputs.push(Some(w));
        graph.nodes.push(node);
        (graph.inputs, graph.outputs) = (vec![x], vec![y]);
        (graph, [x, w, y])
    }

    #[test]
    fn graph_inputs_and_outputs_stay_float_and_weights_become_integers() {
        let (mut graph, [x, w, y]) = product();
        let list = [entry("x", &[0.1], 3), entry("w", &[0.5, 0.25, 0.125], 128), entry("y", &[0.2], 9)];
        assert!(apply(&mut graph, &list).unwrap().is_empty());
        let ops: Vec<Op> = graph.nodes.iter().map(|n| n.op).collect();
        assert_eq!(ops, [Op::Identity, Op::MatMul, Op::Identity]);
        assert_eq!((graph.inputs[0], graph.outputs[0]), (x, y));
        assert!(graph.value(x).encoding.is_none() && graph.value(y).encoding.is_none());
        let weight = graph.value(w);
        assert_eq!((weight.ty.dtype, axis_of(weight.encoding.as_ref().unwrap())), (DType::I8, Some(1)));
        assert_eq!(weight.reals().unwrap(), [1.0, -1.0, 0.5, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn a_name_that_the_model_lacks_is_a_warning_with_the_nearest() {
        let (mut graph, _) = product();
        let warnings = apply(&mut graph, &[entry("yy", &[0.1], 0)]).unwrap();
        assert_eq!((warnings[0].code.as_str(), warnings.len()), ("E0220", 1));
        assert!(warnings[0].message.contains("yy"));
    }

    #[test]
    fn the_factors_of_a_resize_stay_as_they_are() {
        let mut graph = Graph::new("g");
        let ty = |shape: &[usize]| TensorType::new(DType::F32, shape);
        let x = graph.add_value("x", ty(&[1, 1, 2, 2]));
        let factors = Data::from_f32(&[1.0, 1.0, 2.0, 2.0]);
        let scales = graph.add_constant("scales", ty(&[4]), factors);
        let y = graph.add_value("y", ty(&[1, 1, 4, 4]));
        let mut node = Node::added(Op::Resize, "n", x, y, Attrs::default());
        node.inputs.extend([None, Some(scales)]);
        graph.nodes.push(node);
        (graph.inputs, graph.outputs) = (vec![x], vec![y]);
        assert!(apply(&mut graph, &[entry("scales", &[0.7], 0)]).unwrap().is_empty());
        assert_eq!(graph.const_f32(scales).unwrap(), [1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn scales_that_fit_no_axis_are_refused() {
        let (mut graph, _) = product();
        let problems = apply(&mut graph, &[entry("w", &[0.1; 5], 128)]).unwrap_err();
        assert!(problems.0[0].message.contains("5 scales"), "{problems}");
    }
}
