//! (x − mean(x)) / sqrt(mean((x − mean(x))²) + ε) · γ + β over the last axis, as exporters write it.
//!
//! One op instead of eight, and in fp16 the only form whose sum of squares cannot overflow.

use super::view::{View, with_scalar};
use crate::graph::{Attr, Attrs, DType, Data, Graph, TensorType, ValueId};

/// LayerNormalization from its last node: the Add of β, else the Mul by γ, else the Div.
pub(super) fn rule(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some(found) = find(graph, view, i) else { return false };
    let n = *graph.shape(found.x).last().unwrap_or(&1);
    let name = graph.nodes[i].name.clone();
    let ty = TensorType::new(DType::F32, [n]);
    let scale = match found.scale {
        Some(scale) => vector(graph, scale, n, &name),
        None => graph.add_constant(format!("{name}.scale"), ty, Data::from_f32(&vec![1.0; n])),
    };
    let bias = found.bias.map(|bias| vector(graph, bias, n, &name));
    let mut attrs = Attrs::default();
    attrs.set("axis", Attr::Int(-1));
    attrs.set("epsilon", Attr::Float(found.epsilon));
    let node = &mut graph.nodes[i];
    node.op = "LayerNormalization".to_owned();
    node.inputs = vec![Some(found.x), Some(scale), bias];
    node.attrs = attrs;
    true
}

struct Found {
    x: ValueId,
    epsilon: f32,
    scale: Option<ValueId>,
    bias: Option<ValueId>,
}

fn find(graph: &Graph, view: &View, i: usize) -> Option<Found> {
    let node = &graph.nodes[i];
    match node.op.as_str() {
        "Add" => {
            let (value, bias) = with_vector(graph, node)?;
            let found = scaled(graph, view, value)?;
            fits(graph, bias, found.x).then_some(Found { bias: Some(bias), ..found })
        }
        "Mul" => {
            let found = scaled(graph, view, node.output(0)?)?;
            // The Add of β that follows fuses all of it.
            (!followed_by_bias(graph, view, node.output(0)?)).then_some(found)
        }
        "Div" => {
            let found = normalized(graph, view, node.output(0)?)?;
            (!followed_by_scale(graph, view, node.output(0)?)).then_some(found)
        }
        _ => None,
    }
}

fn followed_by_bias(graph: &Graph, view: &View, value: ValueId) -> bool {
    view.read_once(value) && reader(graph, value, "Add")
}

fn followed_by_scale(graph: &Graph, view: &View, value: ValueId) -> bool {
    view.read_once(value) && reader(graph, value, "Mul")
}

fn reader(graph: &Graph, value: ValueId, op: &str) -> bool {
    graph
        .nodes
        .iter()
        .any(|n| n.op == op && n.inputs.contains(&Some(value)) && with_vector(graph, n).is_some())
}

/// normalized(x) · γ
fn scaled(graph: &Graph, view: &View, value: ValueId) -> Option<Found> {
    let mul = view.maker(graph, value, &["Mul"])?;
    let (value, scale) = with_vector(graph, mul)?;
    let found = normalized(graph, view, value)?;
    fits(graph, scale, found.x).then_some(Found { scale: Some(scale), ..found })
}

/// (x − mean) / sqrt(var + ε)
fn normalized(graph: &Graph, view: &View, value: ValueId) -> Option<Found> {
    let div = view.maker(graph, value, &["Div"])?;
    let centred = div.input(0)?;
    let x = centre_of(graph, view, centred)?;
    let root = match view.maker(graph, div.input(1)?, &["Sqrt", "Pow"])? {
        pow if pow.op == "Pow" => (graph.const_scalar(pow.input(1)?)? == 0.5).then_some(pow)?,
        sqrt => sqrt,
    };
    let (variance, epsilon) = with_scalar(graph, view.maker(graph, root.input(0)?, &["Add"])?)?;
    let squares = mean_of(graph, view, variance)?;
    let square = view.maker(graph, squares, &["Pow", "Mul"])?;
    let again = match square.op.as_str() {
        "Pow" => (graph.const_scalar(square.input(1)?)? == 2.0).then_some(square.input(0)?)?,
        _ => (square.input(0) == square.input(1)).then_some(square.input(0)?)?,
    };
    let same = again == centred || centre_of(graph, view, again) == Some(x);
    same.then_some(Found { x, epsilon, scale: None, bias: None })
}

/// The x of x − mean(x).
fn centre_of(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    let sub = view.maker(graph, value, &["Sub"])?;
    let x = sub.input(0)?;
    (mean_of(graph, view, sub.input(1)?)? == x).then_some(x)
}

/// What a value is the mean of, over the last axis alone, that axis kept.
fn mean_of(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    let mean = view.maker(graph, value, &["ReduceMean"])?;
    let x = mean.input(0)?;
    let rank = graph.shape(x).len() as i64;
    let axes = match mean.input(1) {
        Some(axes) => graph.const_i64(axes)?,
        None => mean.attrs.ints("axes")?.to_vec(),
    };
    let last = matches!(axes[..], [axis] if axis == -1 || axis == rank - 1);
    (last && mean.attrs.int_or("keepdims", 1) == 1).then_some(x)
}

/// The operands of a binary node as (computed value, constant).
fn with_vector(graph: &Graph, node: &crate::graph::Node) -> Option<(ValueId, ValueId)> {
    let (a, b) = (node.input(0)?, node.input(1)?);
    match (graph.is_constant(a), graph.is_constant(b)) {
        (false, true) => Some((a, b)),
        (true, false) => Some((b, a)),
        _ => None,
    }
}

/// Whether a constant is one float an element of the last axis of `x`.
fn fits(graph: &Graph, constant: ValueId, x: ValueId) -> bool {
    let ty = &graph.value(constant).ty;
    let n = graph.shape(x).last().copied();
    ty.dtype == DType::F32 && Some(ty.elements()) == n && ty.shape.last().copied() == n
}

/// The constant with one axis.
fn vector(graph: &mut Graph, constant: ValueId, n: usize, name: &str) -> ValueId {
    if graph.shape(constant).len() == 1 {
        return constant;
    }
    let value = graph.value(constant).clone();
    let data = value.data.unwrap_or_else(|| Data::from_f32(&vec![0.0; n]));
    graph.add_constant(format!("{name}.{}", value.name), TensorType::new(value.ty.dtype, [n]), data)
}
