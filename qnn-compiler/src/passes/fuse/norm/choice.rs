//! Roots of second moments that something stands before: a choice that keeps zero from the root, as safe norms are written, or the
//! product of two. The root is taken of each by itself, so that the rules for moments see it: their squares overflow fp16.

use super::super::view::View;
use super::moments::mean_of_squares;
use crate::graph::{Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// `m · a + (1 − m) · b` with a condition as the number m, as TensorFlow's Select is exported, becomes `Where`.
pub(in super::super) fn by_masks(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some((condition, chosen)) = masks(graph, view, &graph.nodes[i]) else { return false };
    let name = graph.nodes[i].name.clone();
    let chosen = chosen.map(|value| match value {
        Some(value) => value,
        None => {
            graph.add_constant(format!("{name}.one"), TensorType::new(DType::F32, []), Data::from_f32(&[1.0]))
        }
    });
    let node = &mut graph.nodes[i];
    node.op = Op::Where;
    node.opset = 16;
    node.inputs = [condition].into_iter().chain(chosen).map(Some).collect();
    true
}

/// A condition, and what is chosen where it holds and where not: a value, or one.
type Masks = (ValueId, [Option<ValueId>; 2]);

fn masks(graph: &Graph, view: &View, node: &Node) -> Option<Masks> {
    if node.op != Op::Add || graph.dtype(node.output(0)?) != DType::F32 {
        return None;
    }
    // A term as masks and what they are multiplied with; a mask by itself is multiplied with one.
    let term = |k: usize| {
        let value = node.input(k)?;
        Some(match view.maker(graph, value, &[Op::Mul]) {
            Some(mul) => {
                let (a, b) = (mul.input(0)?, mul.input(1)?);
                vec![(a, Some(b)), (b, Some(a))]
            }
            None => vec![(value, None)],
        })
    };
    let (first, second) = (term(0)?, term(1)?);
    let pairs = first.iter().flat_map(|f| second.iter().map(move |s| (*f, *s)));
    pairs.into_iter().find_map(|((m, a), (n, b))| {
        match (condition(graph, view, m)?, condition(graph, view, n)?) {
            ((c, true), (d, false)) if c == d => Some((c, [a, b])),
            ((c, false), (d, true)) if c == d => Some((c, [b, a])),
            _ => None,
        }
    })
}

/// The condition that a number, one or zero, was made of, and whether it is one where that holds.
fn condition(graph: &Graph, view: &View, mask: ValueId) -> Option<(ValueId, bool)> {
    let from = view.maker(graph, mask, &[Op::Cast])?.input(0)?;
    if graph.dtype(from) != DType::Bool {
        return None;
    }
    match view.maker(graph, from, &[Op::Not]) {
        Some(not) => Some((not.input(0)?, false)),
        None => Some((from, true)),
    }
}

/// The root of a choice between a second moment and something else, or of a product of two moments, becomes a choice between
/// roots, or their product.
pub(in super::super) fn root_of_choice(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some((op, fixed, parts)) = find(graph, view, &graph.nodes[i]) else { return false };
    let name = graph.nodes[i].name.clone();
    let mut before = Vec::new();
    let roots: Vec<ValueId> = parts.iter().map(|&part| root(graph, &name, part, &mut before)).collect();
    let node = &mut graph.nodes[i];
    node.op = op;
    node.opset = 16;
    node.inputs = fixed.into_iter().chain(roots).map(Some).collect();
    node.attrs = Attrs::default();
    graph.nodes.splice(i..i, before);
    true
}

fn find(graph: &Graph, view: &View, node: &Node) -> Option<(Op, Option<ValueId>, [ValueId; 2])> {
    if node.op != Op::Sqrt {
        return None;
    }
    let inner = view.maker(graph, node.input(0)?, &[Op::Where, Op::Mul])?;
    let moment = |id: ValueId| mean_of_squares(graph, view, id).is_some();
    let above = |id: ValueId| graph.const_f32(id).is_some_and(|v| v.iter().all(|v| *v >= 0.0));
    let floats = graph.dtype(node.output(0)?) == DType::F32;
    match inner.op {
        Op::Where => {
            let (c, a, b) = (inner.input(0)?, inner.input(1)?, inner.input(2)?);
            let fits = (moment(a) && (moment(b) || above(b))) || (moment(b) && above(a));
            (floats && fits).then_some((Op::Where, Some(c), [a, b]))
        }
        _ => {
            let (a, b) = (inner.input(0)?, inner.input(1)?);
            (floats && a != b && moment(a) && moment(b)).then_some((Op::Mul, None, [a, b]))
        }
    }
}

/// The root of a value: a node, or another constant.
fn root(graph: &mut Graph, name: &str, of: ValueId, nodes: &mut Vec<Node>) -> ValueId {
    let ty = graph.value(of).ty.clone();
    let name = format!("{name}.root{}", nodes.len());
    if let Some(values) = graph.const_f32(of) {
        let roots: Vec<f32> = values.iter().map(|v| v.sqrt()).collect();
        return graph.add_constant(format!("{name}.constant"), ty, Data::from_f32(&roots));
    }
    let y = graph.add_value(name.clone(), ty);
    nodes.push(Node::added(Op::Sqrt, &name, of, y, Attrs::default()));
    y
}
