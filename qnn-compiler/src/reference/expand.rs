//! Operators, and forms of operators, that only this compiler has, as operators of the standard.

use crate::frontend::onnx::element;
use crate::graph::{Attr, Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// An operator and what it is.
struct Row {
    op: Op,
    /// The nodes that compute the same, or `None` for a node that is the standard's as it is.
    expand: fn(&mut Graph, &Node) -> Option<Vec<Node>>,
}

const ROWS: &[Row] = &[
    Row { op: Op::Cast, expand: cast },
    Row { op: Op::LayerNormalization, expand: normalization },
    Row { op: Op::MatMul, expand: product },
    Row { op: Op::RMSNormalization, expand: normalization },
    Row { op: Op::Reshape, expand: reshape },
    Row { op: Op::SpaceToDepth, expand: space_to_depth },
    Row { op: Op::TopK, expand: top_k },
    Row { op: Op::HtpChannelShuffle, expand: channel_shuffle },
];

/// The nodes that ONNX Runtime runs for a node.
pub(super) fn expanded(graph: &mut Graph, node: Node) -> Vec<Node> {
    let row = ROWS.iter().find(|row| row.op == node.op);
    row.and_then(|row| (row.expand)(graph, &node)).unwrap_or_else(|| vec![node])
}

/// A Cast whose result tells its type.
fn cast(graph: &mut Graph, node: &Node) -> Option<Vec<Node>> {
    let dtype = graph.dtype(node.output(0)?);
    let dtype = if matches!(dtype, DType::F16 | DType::Bf16) { DType::F32 } else { dtype };
    let mut node = node.clone();
    node.attrs.set("to", Attr::Int(element::number(dtype).into()));
    Some(vec![node])
}

/// A product with a vector that is added to each row.
fn product(graph: &mut Graph, node: &Node) -> Option<Vec<Node>> {
    let (bias, y) = (node.input(2)?, node.output(0)?);
    let plain = graph.add_value("", graph.value(y).ty.clone());
    let mut product = node.clone();
    product.inputs.truncate(2);
    product.outputs[0] = Some(plain);
    let mut sum = Node::added(Op::Add, &node.name, plain, y, Attrs::default());
    sum.inputs.push(Some(bias));
    Some(vec![product, sum])
}

/// A choice of the largest whose places nobody reads: the standard's has both results.
fn top_k(graph: &mut Graph, node: &Node) -> Option<Vec<Node>> {
    let ty = TensorType::new(DType::I64, graph.shape(node.output(0).or(node.output(1))?));
    let mut node = node.clone();
    node.outputs.resize(2, None);
    for output in node.outputs.iter_mut().filter(|output| output.is_none()) {
        *output = Some(graph.add_value("", ty.clone()));
    }
    Some(vec![node])
}

/// A normalization over several axes whose scale and offset have one for all of them.
fn normalization(graph: &mut Graph, node: &Node) -> Option<Vec<Node>> {
    let shape = graph.shape(node.input(0)?);
    let axis = usize::try_from(node.attrs.int_or("axis", -1)).ok()?;
    let shape = shape.get(axis..)?.to_vec();
    let mut node = node.clone();
    for slot in node.inputs.iter_mut().skip(1) {
        let value = graph.value((*slot)?);
        // One number an axis broadcasts as it is.
        let whole = value.ty.shape[..] == [shape.iter().product::<usize>()];
        if whole && shape.len() > 1 && value.encoding.is_none() {
            let (dtype, data) = (value.ty.dtype, value.data.clone()?);
            *slot = Some(graph.add_constant("", TensorType::new(dtype, shape.clone()), data));
        }
    }
    Some(vec![node])
}

/// Channels of each group one after the other become channels of each place in a group one after the other.
fn channel_shuffle(graph: &mut Graph, node: &Node) -> Option<Vec<Node>> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let groups = usize::try_from(node.attrs.int("group")?).ok().filter(|&groups| groups > 0)?;
    let &[n, c, h, w] = graph.shape(x) else { return None };
    Some(turned(graph, &node.name, (x, y), &[n, groups, c / groups, h, w], &[0, 2, 1, 3, 4]))
}

/// With the channel outermost in the result, which the standard has of DepthToSpace only.
fn space_to_depth(graph: &mut Graph, node: &Node) -> Option<Vec<Node>> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let b = usize::try_from(node.attrs.int("blocksize")?).ok().filter(|&b| b > 0)?;
    let &[n, c, h, w] = graph.shape(x) else { return None };
    let crd = node.attrs.str_or("mode", "DCR") == "CRD";
    let order: &[usize] = if crd { &[0, 1, 3, 5, 2, 4] } else { &[0, 3, 5, 1, 2, 4] };
    Some(turned(graph, &node.name, (x, y), &[n, c, h / b, b, w / b, b], order))
}

/// A value seen in another shape, its axes put in another order, and seen as the result.
fn turned(
    graph: &mut Graph,
    name: &str,
    (x, y): (ValueId, ValueId),
    shape: &[usize],
    order: &[usize],
) -> Vec<Node> {
    let dtype = graph.dtype(x);
    let split = graph.add_value("", TensorType::new(dtype, shape));
    let to: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
    let turned = graph.add_value("", TensorType::new(dtype, to));
    let mut attrs = Attrs::default();
    attrs.set("perm", Attr::Ints(order.iter().map(|&axis| axis as i64).collect()));
    let turn = Node::added(Op::Transpose, name, split, turned, attrs);
    vec![shaped(graph, name, x, split), turn, shaped(graph, name, turned, y)]
}

/// A Reshape whose result tells its shape.
fn reshape(graph: &mut Graph, node: &Node) -> Option<Vec<Node>> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    node.input(1).is_none().then(|| vec![shaped(graph, &node.name, x, y)])
}

fn shaped(graph: &mut Graph, name: &str, from: ValueId, to: ValueId) -> Node {
    let dims: Vec<i64> = graph.shape(to).iter().map(|&dim| dim as i64).collect();
    let ty = TensorType::new(DType::I64, [dims.len()]);
    let shape = graph.add_constant("", ty, Data::from_i64(&dims));
    let mut node = Node::added(Op::Reshape, name, from, to, Attrs::default());
    node.inputs.push(Some(shape));
    node
}
