//! Normalization over groups of channels, as exporters write it: the groups become channels, InstanceNormalization, and back.

use super::super::view::View;
use crate::graph::{Attr, Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// GroupNormalization from the Reshape that brings the channels back. Scales and offsets that follow it are for `affine` to fold.
///
/// Written out, all numbers of a group are rows of a single channel, which HTP takes apart into thousands of pieces.
pub(in super::super) fn group_norm(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some(Found { x, groups, epsilon, scale, offset }) = find(graph, view, i) else { return false };
    let name = graph.nodes[i].name.clone();
    let mut vector = |what: &str, values: &[f32]| {
        let ty = TensorType::new(DType::F32, [values.len()]);
        graph.add_constant(format!("{name}.{what}"), ty, Data::from_f32(values))
    };
    let (scale, offset) = (vector("scale", &scale), vector("bias", &offset));
    let mut attrs = Attrs::default();
    attrs.set("epsilon", Attr::Float(epsilon));
    attrs.set("num_groups", Attr::Int(groups as i64));
    let mut node = Node::added(Op::GroupNormalization, &name, x, x, attrs);
    node.name = name;
    node.opset = 23;
    node.inputs = vec![Some(x), Some(scale), Some(offset)];
    node.outputs = std::mem::take(&mut graph.nodes[i].outputs);
    graph.nodes[i] = node;
    true
}

struct Found {
    x: ValueId,
    groups: usize,
    epsilon: f32,
    /// One number a channel.
    scale: Vec<f32>,
    /// One number a channel.
    offset: Vec<f32>,
}

fn find(graph: &Graph, view: &View, i: usize) -> Option<Found> {
    let back = &graph.nodes[i];
    if back.op != Op::Reshape {
        return None;
    }
    let normalized = back.input(0)?;
    let norm = view.maker(graph, normalized, &[Op::InstanceNormalization])?;
    let apart = view.maker(graph, norm.input(0)?, &[Op::Reshape])?;
    let x = apart.input(0)?;
    let (shape, middle) = (graph.shape(x), graph.shape(normalized));
    let (&[batch, channels, _, ..], &[same, groups, ..]) = (shape, middle) else { return None };
    let whole = groups > 0 && channels.is_multiple_of(groups) && same == batch;
    let floats = graph.dtype(x).is_float() && graph.value(x).encoding.is_none();
    if !whole || !floats || shape.len() > 5 || graph.shape(back.output(0)?) != shape {
        return None;
    }
    let each = channels / groups;
    let vector = |i: usize| {
        let values = graph.const_f32(norm.input(i)?)?;
        (values.len() == groups).then(|| values.iter().flat_map(|&v| vec![v; each]).collect::<Vec<f32>>())
    };
    let epsilon = norm.attrs.float_or("epsilon", 1e-5);
    Some(Found { x, groups, epsilon, scale: vector(1)?, offset: vector(2)? })
}
