//! x / max(‖x‖₂, ε), as torch's `normalize` is exported, becomes LpNormalization.

use super::super::view::View;
use super::moments::{axes_of, clamped};
use crate::graph::{Attr, Attrs, Graph, Node, ValueId};
use crate::op::Op;

/// The largest lower bound of the norm that may be left to the op's own.
const SMALL: f32 = 1e-6;

/// Division by the root of the sum of squares along one axis.
pub(in super::super) fn unit_vector(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some((x, axis)) = find(graph, view, &graph.nodes[i]) else { return false };
    let node = &mut graph.nodes[i];
    let mut attrs = Attrs::default();
    attrs.set("axis", Attr::Int(axis as i64));
    attrs.set("p", Attr::Int(2));
    node.op = Op::LpNormalization;
    node.inputs = vec![Some(x)];
    node.attrs = attrs;
    true
}

fn find(graph: &Graph, view: &View, node: &Node) -> Option<(ValueId, usize)> {
    if node.op != Op::Div {
        return None;
    }
    let (x, mut norm) = (node.input(0)?, node.input(1)?);
    if let Some(expand) = view.maker(graph, norm, &[Op::Expand]) {
        norm = expand.input(0)?;
    }
    if let Some(clamp) = view.maker(graph, norm, &[Op::Max, Op::Clip]) {
        norm = clamped(graph, clamp).filter(|(_, floor)| *floor <= SMALL)?.0;
    }
    let reduce = view.maker(graph, norm, &[Op::ReduceL2])?;
    let same = reduce.input(0)? == x && graph.shape(x).len() == graph.shape(norm).len();
    match axes_of(graph, reduce)?[..] {
        [axis] if same && graph.dtype(x).is_float() => Some((x, axis)),
        _ => None,
    }
}
