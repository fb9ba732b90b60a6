//! Writes a recognized normalization as one operator.

use super::super::view::View;
use super::moments::{Found, Normal, by_parts, extent, normalized};
use crate::graph::{Attr, Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// A normalization from its last node, with the scale and offset that follow it where they fit.
pub(in super::super) fn rule(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let parts = by_parts(graph, view, node);
    let ends = parts.is_some();
    let Some(Found { normal, mut gamma, mut beta }) = parts.or_else(|| normalized(graph, view, node)) else {
        return false;
    };
    let Some(form) = Form::of(graph, &normal) else { return false };
    let fits = |p: Option<ValueId>| p.is_none_or(|p| form.fits(graph, &normal, p));
    if !fits(gamma) || !fits(beta) || (beta.is_some() && !normal.centred) {
        // The op has no place for them.
        let after = [gamma.take().map(|p| (Op::Mul, p)), beta.take().map(|p| (Op::Add, p))];
        let written = write(graph, i, i, &normal, form, None, None);
        append(graph, i + written - 1, &after.into_iter().flatten().collect::<Vec<_>>());
        return true;
    }
    // γ and β that follow.
    let mut last = i;
    if !ends
        && gamma.is_none()
        && let Some((next, constant)) = follower(graph, view, last, Op::Mul, &normal, form)
    {
        (last, gamma) = (next, Some(constant));
    }
    if beta.is_none()
        && normal.centred
        && let Some((next, constant)) = follower(graph, view, last, Op::Add, &normal, form)
    {
        (last, beta) = (next, Some(constant));
    }
    write(graph, i, last, &normal, form, gamma, beta);
    true
}

/// Multiplies and adds to what the node gives.
fn append(graph: &mut Graph, at: usize, after: &[(Op, ValueId)]) {
    let Some(result) = graph.nodes[at].output(0) else { return };
    let ty = graph.value(result).ty.clone();
    let name = graph.value(result).name.clone();
    let mut from = graph.add_value(format!("{name}.plain"), ty.clone());
    graph.nodes[at].outputs[0] = Some(from);
    for (k, &(op, by)) in after.iter().enumerate() {
        let to =
            if k + 1 == after.len() { result } else { graph.add_value(format!("{name}.scaled"), ty.clone()) };
        let mut node = Node::added(op, &name, from, to, Attrs::default());
        node.inputs.push(Some(by));
        graph.nodes.insert(at + 1 + k, node);
        from = to;
    }
}

/// The only reader of a node's result, when it is this op with a constant that fits the normalization.
fn follower(
    graph: &Graph,
    view: &View,
    i: usize,
    op: Op,
    normal: &Normal,
    form: Form,
) -> Option<(usize, ValueId)> {
    let value = graph.nodes[i].output(0)?;
    if !view.read_once(value) || !view.may_vanish(graph, value) {
        return None;
    }
    let at = graph.nodes.iter().position(|n| n.inputs.contains(&Some(value)))?;
    let node = &graph.nodes[at];
    let encoded = |id: ValueId| graph.value(id).encoding.is_some();
    if node.op != op || encoded(value) && !encoded(node.output(0)?) {
        return None;
    }
    let (a, b) = (node.input(0)?, node.input(1)?);
    let constant = if a == value { b } else { a };
    let same = graph.shape(node.output(0)?) == graph.shape(normal.x);
    (same && form.fits(graph, normal, constant)).then_some((at, constant))
}

/// The operator that a normalization becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Over the innermost axes: LayerNormalization, or RMSNormalization where it is not centred.
    Innermost,
    /// The same between two Transposes.
    Transposed,
    /// Over all axes behind the channels.
    Instance,
    /// Over all axes between the batch and the channels: the same between two Transposes, which no spatial op needs.
    InstanceLast,
    /// The same, with channels that share mean and variance.
    Groups,
    /// Over all axes behind the batch.
    Sample,
}

impl Form {
    fn of(graph: &Graph, normal: &Normal) -> Option<Self> {
        let rank = graph.shape(normal.x).len();
        let floats = graph.dtype(normal.x).is_float();
        if !floats || normal.axes.is_empty() || rank == 0 || rank > 5 {
            return None;
        }
        let axes = &normal.axes[..];
        let behind = |first: usize| axes.iter().copied().eq(first..rank);
        let between = axes.iter().copied().eq(1..rank - 1);
        Some(if normal.repeat > 1 {
            Self::Groups
        } else if normal.centred && rank >= 4 && between {
            Self::InstanceLast
        } else if normal.centred && rank >= 4 && behind(2) {
            Self::Instance
        } else if normal.centred && rank >= 3 && behind(1) {
            Self::Sample
        } else if behind(axes[0]) {
            Self::Innermost
        } else {
            Self::Transposed
        })
    }

    /// Axes that scale and offset vary along.
    fn varies(self, graph: &Graph, normal: &Normal) -> Vec<usize> {
        match self {
            Self::Innermost | Self::Transposed => normal.axes.clone(),
            Self::Instance | Self::Sample => vec![1],
            Self::InstanceLast | Self::Groups => vec![graph.shape(normal.x).len() - 1],
        }
    }

    /// In which order of axes the op takes the value, where that is not the model's.
    fn order(self, graph: &Graph, normal: &Normal) -> Option<Vec<usize>> {
        let rank = graph.shape(normal.x).len();
        match self {
            Self::Transposed => {
                let stay = (0..rank).filter(|a| !normal.axes.contains(a));
                Some(stay.chain(normal.axes.iter().copied()).collect())
            }
            Self::InstanceLast | Self::Groups => Some([0, rank - 1].into_iter().chain(1..rank - 1).collect()),
            Self::Innermost | Self::Instance | Self::Sample => None,
        }
    }

    /// Whether a constant can be its scale or offset.
    fn fits(self, graph: &Graph, normal: &Normal, constant: ValueId) -> bool {
        let value = graph.value(constant);
        let shape = graph.shape(normal.x);
        if value.data.is_none() || !(value.ty.dtype.is_float() || value.encoding.is_some()) {
            return false;
        }
        if value.ty.elements() == 1 {
            return true;
        }
        let varies = self.varies(graph, normal);
        let Some(lead) = shape.len().checked_sub(value.ty.shape.len()) else { return false };
        (0..shape.len()).all(|a| {
            let dim = if a < lead { 1 } else { value.ty.shape[a - lead] };
            if varies.contains(&a) { dim == shape[a] } else { dim == 1 }
        })
    }
}

/// Replaces what ends at node `last`; the new nodes, whose number it returns, stand where node `first` was.
fn write(
    graph: &mut Graph,
    first: usize,
    last: usize,
    normal: &Normal,
    form: Form,
    gamma: Option<ValueId>,
    beta: Option<ValueId>,
) -> usize {
    let name = graph.nodes[last].name.clone();
    let outputs = graph.nodes[last].outputs.clone();
    let count = extent(graph, normal.x, &form.varies(graph, normal));
    // (x − m) / sqrt(f·v + ε) is (x − m) / sqrt(v + ε/f), divided by √f.
    let factor = 1.0 / normal.factor.sqrt();
    let scale = parameter(graph, gamma, count, &format!("{name}.scale"), |g| g.unwrap_or(1.0) * factor);
    let needs_bias = beta.is_some() || !matches!(form, Form::Innermost | Form::Transposed);
    let bias =
        needs_bias.then(|| parameter(graph, beta, count, &format!("{name}.bias"), |b| b.unwrap_or(0.0)));
    let mut attrs = Attrs::default();
    attrs.set("epsilon", Attr::Float(normal.epsilon / normal.factor));
    let op = match form {
        Form::Instance | Form::InstanceLast => Op::InstanceNormalization,
        Form::Groups => {
            attrs.set("num_groups", Attr::Int((count / normal.repeat) as i64));
            Op::GroupNormalization
        }
        Form::Sample => {
            attrs.set("num_groups", Attr::Int(1));
            Op::GroupNormalization
        }
        Form::Innermost | Form::Transposed => {
            let rank = graph.shape(normal.x).len();
            attrs.set("axis", Attr::Int((rank - normal.axes.len()) as i64));
            if normal.centred { Op::LayerNormalization } else { Op::RMSNormalization }
        }
    };
    let mut node = Node::added(op, &name, normal.x, normal.x, attrs);
    node.name = name.clone();
    node.opset = 23;
    node.inputs = [Some(normal.x), Some(scale)].into_iter().chain(bias.map(Some)).collect();
    node.outputs = outputs;
    let mut nodes = vec![node];
    if let Some(order) = form.order(graph, normal) {
        surround(graph, &mut nodes, normal, &order, &name);
    }
    graph.nodes.remove(last);
    if last != first {
        graph.nodes.remove(first);
    }
    let written = nodes.len();
    graph.nodes.splice(first..first, nodes);
    written
}

/// Puts the axes in another order, and back.
fn surround(graph: &mut Graph, nodes: &mut Vec<Node>, normal: &Normal, perm: &[usize], name: &str) {
    let ty = graph.value(normal.x).ty.clone();
    let rank = ty.shape.len();
    let mut back = vec![0; rank];
    for (to, &from) in perm.iter().enumerate() {
        back[from] = to;
    }
    let moved = TensorType::new(ty.dtype, perm.iter().map(|&a| ty.shape[a]).collect::<Vec<_>>());
    let before = graph.add_value(format!("{name}.innermost"), moved.clone());
    let after = graph.add_value(format!("{name}.normalized"), moved);
    let Some(result) = nodes[0].output(0) else { return };
    nodes[0].inputs[0] = Some(before);
    nodes[0].outputs[0] = Some(after);
    nodes.insert(0, transpose(&format!("{name}.in"), normal.x, before, perm));
    nodes.push(transpose(&format!("{name}.out"), after, result, &back));
}

fn transpose(origin: &str, from: ValueId, to: ValueId, perm: &[usize]) -> Node {
    let mut attrs = Attrs::default();
    attrs.set("perm", Attr::Ints(perm.iter().map(|&a| a as i64).collect()));
    Node::added(Op::Transpose, origin, from, to, attrs)
}

/// A constant as `count` floats with one axis, each changed by `each`.
fn parameter(
    graph: &mut Graph,
    constant: Option<ValueId>,
    count: usize,
    name: &str,
    each: impl Fn(Option<f32>) -> f32,
) -> ValueId {
    let given = constant.and_then(|c| graph.const_f32(c)).unwrap_or_default();
    let values: Vec<f32> = match given[..] {
        [] => vec![each(None); count],
        [one] => vec![each(Some(one)); count],
        _ => given.iter().map(|&g| each(Some(g))).collect(),
    };
    graph.add_constant(name.to_owned(), TensorType::new(DType::F32, [values.len()]), Data::from_f32(&values))
}
