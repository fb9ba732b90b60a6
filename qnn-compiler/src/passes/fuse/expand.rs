//! Expands behind what is computed of few numbers instead of before it. Exporters (JAX's above all) spread a statistic over the
//! axes that it was taken of as soon as they have it; operators that broadcast need no such copies, and rules see what is behind.

use super::view::View;
use crate::graph::{Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// Operators that compute element by element, and how many of their operands are elements (the others are single numbers).
const POINTWISE: &[(Op, usize)] = &[
    (Op::Abs, 1),
    (Op::Add, 2),
    (Op::Clip, 1),
    (Op::Div, 2),
    (Op::Max, 2),
    (Op::Min, 2),
    (Op::Mul, 2),
    (Op::Neg, 1),
    (Op::Pow, 2),
    (Op::Reciprocal, 1),
    (Op::Relu, 1),
    (Op::Sqrt, 1),
    (Op::Sub, 2),
];

/// Lets an operator compute with what its operands were spread from, and spreads its result where that is smaller then.
pub(super) fn later(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some((operands, shape)) = find(graph, view, &graph.nodes[i]) else { return false };
    let Some(y) = graph.nodes[i].output(0) else { return false };
    graph.nodes[i].inputs.splice(..operands.len(), operands.into_iter().map(Some));
    if graph.shape(y) == shape {
        return true;
    }
    let name = graph.nodes[i].name.clone();
    let dims: Vec<i64> = graph.shape(y).iter().map(|&d| d as i64).collect();
    let few = graph.add_value(format!("{name}.few"), TensorType::new(DType::F32, shape));
    let ty = TensorType::new(DType::I64, [dims.len()]);
    let dims = graph.add_constant(format!("{name}.dims"), ty, Data::from_i64(&dims));
    graph.nodes[i].outputs[0] = Some(few);
    let mut expand = Node::added(Op::Expand, &name, few, y, Attrs::default());
    expand.inputs.push(Some(dims));
    graph.nodes.insert(i + 1, expand);
    true
}

/// The operands without copies, and the shape of what is computed of them.
fn find(graph: &Graph, view: &View, node: &Node) -> Option<(Vec<ValueId>, Vec<usize>)> {
    let count = POINTWISE.iter().find(|(op, _)| *op == node.op)?.1;
    let y = node.output(0)?;
    let given: Vec<ValueId> = node.inputs.iter().take(count).copied().collect::<Option<_>>()?;
    let plain = |id: ValueId| graph.dtype(id) == DType::F32 && graph.value(id).encoding.is_none();
    if given.len() != count || !plain(y) || !given.iter().all(|id| plain(*id)) {
        return None;
    }
    let operands: Vec<ValueId> = given.iter().map(|&id| single(graph, view, id).unwrap_or(id)).collect();
    let mut shape = Vec::new();
    for &id in &operands {
        shape = broadcast(&shape, graph.shape(id))?;
    }
    let whole = graph.shape(y);
    let fits =
        operands != given && operands.iter().all(|id| plain(*id)) && broadcast(&shape, whole)? == whole;
    fits.then_some((operands, shape))
}

/// What a value holds copies of, along axes of one element.
fn single(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    let node = view.maker(graph, value, &[Op::Expand, Op::Tile])?;
    let x = node.input(0)?;
    let (from, to) = (graph.shape(x), graph.shape(value));
    let lead = to.len().checked_sub(from.len())?;
    from.iter().zip(&to[lead..]).all(|(f, t)| f == t || *f == 1).then_some(x)
}

/// The shape that two shapes are broadcast to.
fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let dim = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    let each = |axis: usize| match (dim(a, axis), dim(b, axis)) {
        (x, 1) => Some(x),
        (1, y) => Some(y),
        (x, y) => (x == y).then_some(x),
    };
    (0..rank).map(each).collect()
}
