//! Softmax, its logarithm, LogSumExp and Softplus written out. Written out, the exponential of anything above 11 leaves the range
//! of fp16; HTP's own ops (and the lowering of the others) shift their operand first.

use super::view::{View, near, with_scalar};
use crate::graph::{Attr, Attrs, DType, Data, Graph, Node, TensorType, ValueId};

/// The sum of exponentials of `of` along axes that are kept as ones.
struct Sum {
    of: ValueId,
    axes: Vec<i64>,
}

fn sum_of_exponentials(graph: &Graph, view: &View, value: ValueId) -> Option<Sum> {
    let sum = view.maker(graph, value, &["ReduceSum"])?;
    let exp = view.maker(graph, sum.input(0)?, &["Exp"])?;
    let axes = graph.const_i64(sum.input(1)?)?;
    (sum.attrs.int_or("keepdims", 1) == 1).then_some(Sum { of: exp.input(0)?, axes })
}

/// `x` of `x − max(x)`, which is the same to a softmax; else the value itself.
fn unshifted(graph: &Graph, view: &View, value: ValueId, axes: &[i64]) -> ValueId {
    let shifted = || {
        let sub = view.maker(graph, value, &["Sub"])?;
        let max = view.maker(graph, sub.input(1)?, &["ReduceMax"])?;
        let same = max.input(0) == sub.input(0) && graph.const_i64(max.input(1)?)? == axes;
        (same && max.attrs.int_or("keepdims", 1) == 1).then_some(sub.input(0)?)
    };
    shifted().unwrap_or(value)
}

fn become_softmax(node: &mut Node, op: &str, x: ValueId, axis: i64) {
    node.op = op.to_owned();
    node.inputs = vec![Some(x)];
    node.attrs = Attrs::default();
    node.attrs.set("axis", Attr::Int(axis));
}

/// exp(x) / Σ exp(x)
pub(super) fn softmax(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        if node.op != "Div" || !node.domain.is_empty() {
            return None;
        }
        let of = view.maker(graph, node.input(0)?, &["Exp"])?.input(0)?;
        let sum = sum_of_exponentials(graph, view, node.input(1)?).filter(|sum| sum.of == of)?;
        let &[axis] = &sum.axes[..] else { return None };
        Some((unshifted(graph, view, of, &sum.axes), axis))
    };
    let Some((x, axis)) = find() else { return false };
    become_softmax(&mut graph.nodes[i], "Softmax", x, axis);
    true
}

/// log(softmax(x)), or x − log Σ exp(x)
pub(super) fn log_softmax(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        if !node.domain.is_empty() {
            return None;
        }
        if node.op == "Log" {
            let softmax = view.maker(graph, node.input(0)?, &["Softmax"])?;
            return Some((softmax.input(0)?, softmax.attrs.int("axis")?));
        }
        if node.op != "Sub" {
            return None;
        }
        let log = view.maker(graph, node.input(1)?, &["Log"])?;
        let sum = sum_of_exponentials(graph, view, log.input(0)?)?;
        let &[axis] = &sum.axes[..] else { return None };
        (node.input(0)? == sum.of).then(|| (unshifted(graph, view, sum.of, &sum.axes), axis))
    };
    let Some((x, axis)) = find() else { return false };
    become_softmax(&mut graph.nodes[i], "LogSoftmax", x, axis);
    true
}

/// log Σ exp(x)
pub(super) fn log_sum_exp(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        let sum = view.maker(graph, node.input(0)?, &["ReduceSum"]).filter(|_| node.op == "Log")?;
        let exp = view.maker(graph, sum.input(0)?, &["Exp"])?;
        Some((exp.input(0)?, sum.input(1)?, sum.attrs.clone()))
    };
    let Some((x, axes, attrs)) = find() else { return false };
    let node = &mut graph.nodes[i];
    node.op = "ReduceLogSumExp".to_owned();
    node.opset = 18;
    node.inputs = vec![Some(x), Some(axes)];
    node.attrs = attrs;
    true
}

/// log(1 + exp(x))
pub(super) fn softplus(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        let add = view.maker(graph, node.input(0)?, &["Add"]).filter(|_| node.op == "Log")?;
        let (exp, one) = with_scalar(graph, add)?;
        let x = view.maker(graph, exp, &["Exp"])?.input(0)?;
        (near(one, 1.0) && graph.shape(x) == graph.shape(node.output(0)?)).then_some(x)
    };
    let Some(x) = find() else { return false };
    let node = &mut graph.nodes[i];
    node.op = "Softplus".to_owned();
    node.inputs = vec![Some(x)];
    true
}

/// Scores below this come from a mask, not from a network.
const MASKED: f32 = -2.0e4;

/// `Where(IsNaN(softmax(x)), 0, softmax(x))`: what exporters write for rows that a mask of −inf hides altogether. HTP has no NaN
/// to be found; such a row is one whose largest score is masked.
pub(super) fn hidden_rows(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some((x, axis, softmax, other)) = find_hidden(graph, view, &graph.nodes[i]) else { return false };
    let name = graph.nodes[i].name.clone();
    let mut reduced = graph.shape(x).to_vec();
    reduced[axis] = 1;
    let axes = graph.add_constant(
        format!("{name}.axes"),
        TensorType::new(DType::I64, [1]),
        Data::from_i64(&[axis as i64]),
    );
    let least = graph.add_constant(
        format!("{name}.masked"),
        TensorType::new(DType::F32, []),
        Data::from_f32(&[MASKED]),
    );
    let largest = graph.add_value(format!("{name}.largest"), TensorType::new(DType::F32, reduced.clone()));
    let hidden = graph.add_value(format!("{name}.hidden"), TensorType::new(DType::Bool, reduced));
    let mut attrs = Attrs::default();
    attrs.set("keepdims", Attr::Int(1));
    let mut max = Node::added("ReduceMax", &name, x, largest, attrs);
    max.opset = 18;
    max.inputs.push(Some(axes));
    let mut less = Node::added("Less", &name, largest, hidden, Attrs::default());
    less.inputs.push(Some(least));
    graph.nodes[i].inputs = vec![Some(hidden), Some(other), Some(softmax)];
    graph.nodes.splice(i..i, [max, less]);
    true
}

/// Scores, axis, softmax and what stands in its place.
fn find_hidden(graph: &Graph, view: &View, node: &Node) -> Option<(ValueId, usize, ValueId, ValueId)> {
    if node.op != "Where" || !node.domain.is_empty() {
        return None;
    }
    let (other, softmax) = (node.input(1)?, node.input(2)?);
    let nan = view.maker(graph, node.input(0)?, &["IsNaN"])?;
    let maker = view.maker(graph, softmax, &["Softmax"])?;
    let x = maker.input(0)?;
    let axis = usize::try_from(maker.attrs.int("axis")?).ok()?;
    let fits = nan.input(0)? == softmax && graph.dtype(x) == DType::F32 && axis < graph.shape(x).len();
    fits.then_some((x, axis, softmax, other))
}
