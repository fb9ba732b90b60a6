//! Constants outside of what fp16 can say.
//!
//! HTP clamps constants to ±65504: masks of −3.4e38 and −inf do their work all the same, and stay as they are. A factor or divisor
//! that large would compute something else, so it is taken in two steps, and weights that large are divided by a power of two
//! with which the result is multiplied; a guard against zero that rounds to zero becomes the smallest number that does not.

use super::view::{View, with_scalar};
use crate::graph::{Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// The largest number of fp16.
const LARGEST: f32 = 65504.0;
/// Factors beyond this are masks.
const MASK: f32 = 1.7e7;
/// One of the two steps.
const STEP: f32 = 256.0;
/// The smallest number of fp16 that is not zero.
const SMALLEST: f32 = 5.960_464_5e-8;

/// A factor or divisor that fp16 cannot hold.
pub(super) fn two_steps(graph: &mut Graph, _: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        if !matches!(node.op, Op::Mul | Op::Div) {
            return None;
        }
        let (x, c) = with_scalar(graph, node).or_else(|| with_large(graph, node))?;
        let divided = node.op == Op::Mul || node.input(0) == Some(x);
        let floats = graph.dtype(x) == DType::F32 && graph.shape(x) == graph.shape(node.output(0)?);
        (c.abs() > LARGEST && c.abs() < MASK && divided && floats).then_some((x, c))
    };
    let Some((x, c)) = find() else { return false };
    let name = graph.nodes[i].name.clone();
    let ty = graph.value(x).ty.clone();
    // Multiplying by the reciprocal is more exact than HTP's division (38 dB where this has 60).
    let (step, rest) = if graph.nodes[i].op == Op::Mul { (STEP, c / STEP) } else { (1.0 / STEP, STEP / c) };
    let step = number(graph, &format!("{name}.step"), step);
    let many = graph.nodes[i]
        .inputs
        .iter()
        .flatten()
        .find(|id| graph.value(**id).ty.elements() > 1 && graph.is_constant(**id));
    let rest = match many.copied() {
        Some(many) if with_scalar(graph, &graph.nodes[i]).is_none() => {
            let parts: Vec<f32> =
                graph.const_f32(many).unwrap_or_default().iter().map(|v| v / STEP).collect();
            let ty = graph.value(many).ty.clone();
            graph.add_constant(format!("{name}.rest"), ty, Data::from_f32(&parts))
        }
        _ => number(graph, &format!("{name}.rest"), rest),
    };
    let between = graph.add_value(format!("{name}.between"), ty);
    let mut first = Node::added(Op::Mul, &name, x, between, Attrs::default());
    first.inputs.push(Some(step));
    graph.nodes[i].op = Op::Mul;
    graph.nodes[i].inputs = vec![Some(between), Some(rest)];
    graph.nodes.insert(i, first);
    true
}

/// The computed operand of a product with constants, and the largest of these, where fp16 has some of them not.
fn with_large(graph: &Graph, node: &Node) -> Option<(ValueId, f32)> {
    let (a, b) = (node.input(0)?, node.input(1)?);
    let (x, constant) = if graph.is_constant(b) { (a, b) } else { (b, a) };
    if node.op != Op::Mul || !graph.is_constant(constant) || graph.is_constant(x) || !plain(graph, constant) {
        return None;
    }
    let largest = largest(graph, constant).filter(|largest| *largest > LARGEST)?;
    Some((x, largest))
}

fn plain(graph: &Graph, id: ValueId) -> bool {
    graph.value(id).encoding.is_none() && graph.dtype(id) == DType::F32
}

/// The largest absolute number of a float32 constant.
fn largest(graph: &Graph, id: ValueId) -> Option<f32> {
    graph.value(id).data.as_ref().map(|data| data.largest_f32())
}

/// Weights that fp16 cannot hold, column by column divided by a power of two that the product is multiplied with. The sum is in
/// a wider type, so that nothing is lost.
pub(super) fn large_weights(graph: &mut Graph, _: &View, i: usize) -> bool {
    let Some(Large { weight, axis, bias, columns }) = find_large(graph, &graph.nodes[i]) else {
        return false;
    };
    let node = graph.nodes[i].clone();
    let Some(y) = node.output(0) else { return false };
    let (Some(values), ty) = (graph.const_f32(weight), graph.value(weight).ty.clone()) else { return false };
    let inner: usize = ty.shape[axis + 1..].iter().product();
    let column = |at: usize| at / inner % columns;
    let mut most = vec![0.0_f32; columns];
    for (at, v) in values.iter().enumerate() {
        most[column(at)] = most[column(at)].max(v.abs());
    }
    let scales: Vec<f32> =
        most.iter().map(|m| if *m > LARGEST { (m / TARGET).log2().ceil().exp2() } else { 1.0 }).collect();
    let divided: Vec<f32> = values.iter().enumerate().map(|(at, v)| v / scales[column(at)]).collect();
    let name = node.name.clone();
    let constant = graph.add_constant(format!("{name}.divided"), ty, Data::from_f32(&divided));
    graph.nodes[i].inputs[1] = Some(constant);
    if let Some(bias) = bias {
        let values = graph.const_f32(bias).unwrap_or_default();
        let each = |(at, v): (usize, &f32)| v / scales[if values.len() == 1 { 0 } else { at }];
        let divided: Vec<f32> = values.iter().enumerate().map(each).collect();
        let ty = graph.value(bias).ty.clone();
        let constant = graph.add_constant(format!("{name}.divided_bias"), ty, Data::from_f32(&divided));
        graph.nodes[i].inputs[2] = Some(constant);
    }
    // Channels of convolutions are the second axis, columns of matrices the last.
    let rank = graph.shape(y).len();
    let spatial = matches!(node.op, Op::Conv | Op::ConvTranspose);
    let shape: Vec<usize> =
        std::iter::once(columns).chain(vec![1; if spatial { rank - 2 } else { 0 }]).collect();
    let scales = graph.add_constant(
        format!("{name}.scales"),
        TensorType::new(DType::F32, shape),
        Data::from_f32(&scales),
    );
    let between = graph.add_value(format!("{name}.product"), graph.value(y).ty.clone());
    graph.nodes[i].outputs[0] = Some(between);
    let mut after = Node::added(Op::Mul, &name, between, y, Attrs::default());
    after.inputs.push(Some(scales));
    graph.nodes.insert(i + 1, after);
    true
}

/// What the largest weight of a column becomes at most.
const TARGET: f32 = 16384.0;

/// Weights beyond fp16, along which axis their columns are, and the bias that is added to the product.
struct Large {
    weight: ValueId,
    axis: usize,
    bias: Option<ValueId>,
    columns: usize,
}

fn find_large(graph: &Graph, node: &Node) -> Option<Large> {
    if !node.op.is_standard() {
        return None;
    }
    let weight = node.input(1).filter(|w| graph.is_constant(*w) && plain(graph, *w))?;
    let rank = graph.shape(weight).len();
    let transposed = node.attrs.int_or("transB", 0) != 0;
    let axis = match node.op {
        Op::Conv => 0,
        Op::ConvTranspose if node.attrs.int_or("group", 1) == 1 => 1,
        Op::Gemm => usize::from(!transposed),
        Op::MatMul if rank > 1 => rank - 1,
        _ => return None,
    };
    let columns = *graph.shape(weight).get(axis)?;
    let bias = node.input(2);
    let fits = bias.is_none_or(|b| {
        let count = graph.value(b).ty.elements();
        graph.is_constant(b) && plain(graph, b) && count == columns
    });
    let largest = largest(graph, weight)?;
    // Beyond the last, what the scale is multiplied with would leave fp16 itself.
    let range = largest > LARGEST && largest < TARGET * LARGEST;
    let scaled = node.output(0).is_some_and(|y| plain(graph, y) && graph.shape(y).len() > 1);
    (range && fits && scaled).then_some(Large { weight, axis, bias, columns })
}

/// `x + ε` and `max(x, ε)` with an ε that would round to zero.
pub(super) fn guard(graph: &mut Graph, _: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let tiny = |id: ValueId| {
        graph.dtype(id) == DType::F32 && graph.const_scalar(id).is_some_and(|c| c > 0.0 && c < SMALLEST)
    };
    let at = match node.op {
        Op::Add | Op::Max if node.inputs.len() == 2 => (0..2).find(|&k| node.input(k).is_some_and(tiny)),
        Op::Clip => Some(1).filter(|&k| node.input(k).is_some_and(tiny)),
        _ => None,
    };
    let Some(at) = at.filter(|_| node.op.is_standard()) else { return false };
    let shape = node.input(at).map(|id| graph.shape(id).to_vec()).unwrap_or_default();
    let name = format!("{}.guard", node.name);
    let guard = graph.add_constant(name, TensorType::new(DType::F32, shape), Data::from_f32(&[SMALLEST]));
    graph.nodes[i].inputs[at] = Some(guard);
    true
}

fn number(graph: &mut Graph, name: &str, number: f32) -> ValueId {
    graph.add_constant(name.to_owned(), TensorType::new(DType::F32, []), Data::from_f32(&[number]))
}
