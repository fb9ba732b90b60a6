//! Second moments that no normalization takes, in forms that fp16 can hold.

use super::super::view::{View, with_scalar};
use super::moments::{Mean, clamped, difference_of_moments, mean_of_squares};
use crate::graph::{Attr, Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// Writes nodes one after the other.
struct Chain<'g> {
    graph: &'g mut Graph,
    nodes: Vec<Node>,
    name: String,
    numbers: usize,
}

impl Chain<'_> {
    /// A node over `inputs`, whose result has the shape.
    fn op(&mut self, op: Op, inputs: &[ValueId], shape: &[usize], attrs: Attrs) -> ValueId {
        let name = format!("{}.{}{}", self.name, op.name().to_lowercase(), self.nodes.len());
        let y = self.graph.add_value(name.clone(), TensorType::new(DType::F32, shape));
        let mut node = Node::added(op, &name, y, y, attrs);
        node.inputs = inputs.iter().map(|&i| Some(i)).collect();
        node.opset = 18;
        self.nodes.push(node);
        y
    }

    /// A reduction over axes that are kept as ones.
    fn reduce(&mut self, op: Op, x: ValueId, axes: &[usize]) -> ValueId {
        let shape: Vec<usize> = self
            .graph
            .shape(x)
            .iter()
            .enumerate()
            .map(|(a, &d)| if axes.contains(&a) { 1 } else { d })
            .collect();
        let numbers: Vec<i64> = axes.iter().map(|&a| a as i64).collect();
        let axes = self.graph.add_constant(
            format!("{}.axes{}", self.name, self.nodes.len()),
            TensorType::new(DType::I64, [numbers.len()]),
            Data::from_i64(&numbers),
        );
        let mut attrs = Attrs::default();
        attrs.set("keepdims", Attr::Int(1));
        self.op(op, &[x, axes], &shape, attrs)
    }

    fn number(&mut self, number: f32) -> ValueId {
        self.numbers += 1;
        let name = format!("{}.number{}", self.name, self.numbers);
        self.graph.add_constant(name, TensorType::new(DType::F32, []), Data::from_f32(&[number]))
    }

    /// Replaces node `i` by what was written, whose last node then makes the value that node `i` made.
    fn put(self, i: usize) {
        let Self { graph, mut nodes, .. } = self;
        let outputs = graph.nodes[i].outputs.clone();
        let shape = outputs.first().copied().flatten().map(|y| graph.shape(y).to_vec());
        let Some(last) = nodes.last_mut() else { return };
        let made = last.output(0).map(|y| graph.shape(y).to_vec());
        if made == shape {
            last.outputs = outputs;
        } else if let (Some(from), Some(to)) = (last.output(0), outputs.first().copied().flatten()) {
            // The reduced axes are not kept.
            let dims: Vec<i64> = graph.shape(to).iter().map(|&d| d as i64).collect();
            let name = format!("{}.shape", graph.value(to).name);
            let dims = graph.add_constant(
                name.clone(),
                TensorType::new(DType::I64, [dims.len()]),
                Data::from_i64(&dims),
            );
            let mut reshape = Node::added(Op::Reshape, &name, from, to, Attrs::default());
            reshape.inputs.push(Some(dims));
            nodes.push(reshape);
        }
        graph.nodes.splice(i..=i, nodes);
    }
}

/// E[x²] − E[x]² becomes E[(x − E[x])²], which does not cancel.
pub(in super::super) fn centred_variance(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some(found) = difference_of_moments(graph, view, &graph.nodes[i]) else { return false };
    if graph.dtype(found.of) != DType::F32 || found.repeat != 1 {
        return false;
    }
    let shape = graph.shape(found.of).to_vec();
    let name = graph.nodes[i].name.clone();
    let mut chain = Chain { graph, nodes: Vec::new(), name, numbers: 0 };
    let mean = chain.reduce(Op::ReduceMean, found.of, &found.axes);
    let centred = chain.op(Op::Sub, &[found.of, mean], &shape, Attrs::default());
    let square = chain.op(Op::Mul, &[centred, centred], &shape, Attrs::default());
    chain.reduce(Op::ReduceMean, square, &found.axes);
    chain.put(i);
    true
}

/// The least unit: the smallest normal number of fp16.
const SMALLEST: f32 = 6.103_515_6e-5;

/// Units in the largest number. HTP divides by multiplying with the reciprocal, which must not become too small itself.
const UNITS: f32 = 64.0;

/// The root of a sum or mean of squares, an epsilon added or not, is taken of numbers that were divided by a part of the
/// largest of them: their squares neither overflow nor vanish.
pub(in super::super) fn root_of_squares(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some(Root { x, axes, factor, epsilon, floor }) = root(graph, view, i) else { return false };
    let shape = graph.shape(x).to_vec();
    let name = graph.nodes[i].name.clone();
    let mut chain = Chain { graph, nodes: Vec::new(), name, numbers: 0 };
    let none = Attrs::default;
    let size = chain.op(Op::Abs, &[x], &shape, none());
    let largest = chain.reduce(Op::ReduceMax, size, &axes);
    let reduced = chain.graph.shape(largest).to_vec();
    let part = chain.number(1.0 / UNITS);
    let part = chain.op(Op::Mul, &[largest, part], &reduced, none());
    // With an epsilon the root is at least its root, so that nothing is lost, and ε / unit² stays small.
    let least = chain.number(SMALLEST.max((epsilon / factor).sqrt() / UNITS));
    let unit = chain.op(Op::Max, &[part, least], &reduced, none());
    let scaled = chain.op(Op::Div, &[x, unit], &shape, none());
    let square = chain.op(Op::Mul, &[scaled, scaled], &shape, none());
    let mut mean = chain.reduce(Op::ReduceMean, square, &axes);
    if epsilon > 0.0 {
        let root = chain.number((epsilon / factor).sqrt());
        let part = chain.op(Op::Div, &[root, unit], &reduced, none());
        let part = chain.op(Op::Mul, &[part, part], &reduced, none());
        mean = chain.op(Op::Add, &[mean, part], &reduced, none());
    }
    let root = chain.op(Op::Sqrt, &[mean], &reduced, none());
    let unit = if factor == 1.0 {
        unit
    } else {
        let factor = chain.number(factor.sqrt());
        chain.op(Op::Mul, &[unit, factor], &reduced, none())
    };
    let root = chain.op(Op::Mul, &[root, unit], &reduced, none());
    if floor > 0.0 {
        let floor = chain.number(floor.sqrt());
        chain.op(Op::Max, &[root, floor], &reduced, none());
    }
    chain.put(i);
    true
}

/// The parts of `sqrt(max(factor · mean(x²) + epsilon, floor))`.
struct Root {
    x: ValueId,
    axes: Vec<usize>,
    factor: f32,
    epsilon: f32,
    floor: f32,
}

fn root(graph: &Graph, view: &View, i: usize) -> Option<Root> {
    let node = &graph.nodes[i];
    if node.op != Op::Sqrt {
        return None;
    }
    let inside = node.input(0)?;
    let (inside, floor) = match view.maker(graph, inside, &[Op::Relu, Op::Abs, Op::Max, Op::Clip]) {
        Some(clamp) => clamped(graph, clamp)?,
        None => (inside, 0.0),
    };
    let (inside, epsilon) = match view.maker(graph, inside, &[Op::Add]) {
        Some(add) => with_scalar(graph, add).filter(|(_, e)| *e >= 0.0)?,
        None => (inside, 0.0),
    };
    let Mean { of: x, axes, factor, repeat } = mean_of_squares(graph, view, inside)?;
    let usable = repeat == 1 && graph.dtype(x) == DType::F32 && factor > 0.0 && graph.shape(x).len() <= 5;
    usable.then_some(Root { x, axes, factor, epsilon, floor })
}
