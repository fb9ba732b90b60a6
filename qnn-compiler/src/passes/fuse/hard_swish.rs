//! x · clip(x + 3, 0, 6) / 6 and clip(x + 3, 0, 6) / 6, as exporters write them.

use super::view::{View, near, with_scalar};
use crate::graph::{Attr, Attrs, Graph, Node, ValueId};
use crate::op::Op;

/// The input of `clip(x + 3, 0, 6)` that makes `value`.
fn clipped(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    let clip = view.maker(graph, value, &[Op::Add, Op::Clip])?;
    if clip.op == Op::Add {
        // A quantizer deletes the Clip that the encoding of its result stands for, as far as numbers went in calibration.
        let (x, three) = with_scalar(graph, clip)?;
        let ((low, high), (step, _)) =
            graph.value(value).encoding.as_ref().and_then(|e| e.range().zip(e.per_tensor()))?;
        let step = f64::from(step);
        return (near(three, 3.0) && low.abs() < step && high < 6.0 + step).then_some(x);
    }
    let low = graph.const_scalar(clip.input(1)?)?;
    let high = graph.const_scalar(clip.input(2)?)?;
    let (x, three) = with_scalar(graph, view.maker(graph, clip.input(0)?, &[Op::Add])?)?;
    (low == 0.0 && near(high, 6.0) && near(three, 3.0)).then_some(x)
}

/// What `value` is six times of: the operand of a division by six or a product with a sixth.
fn sixth(graph: &Graph, node: &Node) -> Option<ValueId> {
    let (x, s) = with_scalar(graph, node)?;
    match node.op {
        Op::Div if near(s, 6.0) && node.input(0) == Some(x) => Some(x),
        Op::Mul if near(s, 1.0 / 6.0) => Some(x),
        _ => None,
    }
}

/// The input of a hard sigmoid (slope 1/6, offset 1/2) that makes `value`.
fn hard_sigmoid_of(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    if let Some(node) = view.maker(graph, value, &[Op::HardSigmoid]) {
        let fits =
            near(node.attrs.float_or("alpha", 0.2), 1.0 / 6.0) && near(node.attrs.float_or("beta", 0.5), 0.5);
        return fits.then_some(node.input(0)?);
    }
    clipped(graph, view, sixth(graph, view.maker(graph, value, &[Op::Div, Op::Mul])?)?)
}

/// The other factor of a product whose one factor `part` recognises.
fn product(node: &Node, part: impl Fn(ValueId) -> Option<ValueId>) -> Option<ValueId> {
    let (a, b) = (node.input(0)?, node.input(1)?);
    [(a, b), (b, a)].into_iter().find_map(|(x, other)| (part(other)? == x).then_some(x))
}

/// HardSwish from its last Mul or Div.
pub(super) fn hard_swish(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let found = match node.op {
        Op::Mul => {
            product(node, |v| hard_sigmoid_of(graph, view, v)).or_else(|| scaled_product(graph, view, node))
        }
        Op::Div => scaled_product(graph, view, node),
        _ => None,
    };
    let Some(x) = found else { return false };
    replace(&mut graph.nodes[i], Op::HardSwish, x, Attrs::default());
    true
}

/// x · clip(x + 3, 0, 6), then the sixth.
fn scaled_product(graph: &Graph, view: &View, node: &Node) -> Option<ValueId> {
    let mul = view.maker(graph, sixth(graph, node)?, &[Op::Mul])?;
    product(mul, |v| clipped(graph, view, v))
}

/// HardSigmoid from its last Div or Mul.
pub(super) fn hard_sigmoid(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let Some(x) = matches!(node.op, Op::Div | Op::Mul)
        .then(|| sixth(graph, node))
        .flatten()
        .and_then(|v| clipped(graph, view, v))
    else {
        return false;
    };
    let mut attrs = Attrs::default();
    attrs.set("alpha", Attr::Float(1.0 / 6.0));
    attrs.set("beta", Attr::Float(0.5));
    replace(&mut graph.nodes[i], Op::HardSigmoid, x, attrs);
    true
}

fn replace(node: &mut Node, op: Op, x: ValueId, attrs: Attrs) {
    node.op = op;
    node.inputs = vec![Some(x)];
    node.attrs = attrs;
}
