//! A variance whose epsilon stands in its middle.

use super::super::view::{View, uniform};
use super::moments::{mean_of_squares, square, unshaped};
use crate::graph::{Attrs, DType, Graph, Node, ValueId};
use crate::op::Op;

/// `E[x²] + (ε − E[x]²)`, as XLA writes it, becomes `(E[x²] − E[x]²) + ε`.
pub(in super::super) fn regroup(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        if node.op != Op::Add {
            return None;
        }
        let (a, b) = (node.input(0)?, node.input(1)?);
        [(a, b), (b, a)].into_iter().find_map(|(first, rest)| {
            let sub = view.maker(graph, rest, &[Op::Sub])?;
            let (epsilon, second) = (sub.input(0)?, sub.input(1)?);
            uniform(graph, epsilon).filter(|_| graph.is_constant(epsilon))?;
            mean_of_squares(graph, view, unshaped(graph, view, first))?;
            square(graph, view, unshaped(graph, view, second))?;
            let ty = &graph.value(node.output(0)?).ty;
            let same = [first, second].iter().all(|id| graph.value(*id).ty == *ty);
            (same && ty.dtype == DType::F32).then_some((first, second, epsilon))
        })
    };
    let Some((first, second, epsilon)): Option<(ValueId, ValueId, ValueId)> = find() else { return false };
    let name = graph.nodes[i].name.clone();
    let ty = graph.value(first).ty.clone();
    let variance = graph.add_value(format!("{name}.variance"), ty);
    let mut sub = Node::added(Op::Sub, &name, first, variance, Attrs::default());
    sub.inputs.push(Some(second));
    graph.nodes[i].inputs = vec![Some(variance), Some(epsilon)];
    graph.nodes.insert(i, sub);
    true
}
