//! Softmax, its logarithm, LogSumExp and Softplus written out. Written out, the exponential of anything above 11 leaves the range
//! of fp16; HTP's own ops (and the lowering of the others) shift their operand first.

use super::norm::{meets, unshaped};
use super::view::{View, near, with_scalar};
use crate::graph::{Attr, Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// The sum of exponentials of `of` along axes that are kept as ones.
struct Sum {
    of: ValueId,
    axes: Vec<i64>,
}

/// What `value` reduces along axes that are ones in its shape, however they came to be, and these axes.
fn kept(graph: &Graph, view: &View, value: ValueId, op: Op) -> Option<(ValueId, Vec<i64>)> {
    let reduce = view.maker(graph, unshaped(graph, view, value), &[op])?;
    let (x, axes) = (reduce.input(0)?, graph.const_i64(reduce.input(1)?)?);
    let places: Vec<usize> = axes.iter().filter_map(|&a| usize::try_from(a).ok()).collect();
    (places.len() == axes.len() && meets(graph, value, x, &places)).then_some((x, axes))
}

fn sum_of_exponentials(graph: &Graph, view: &View, value: ValueId) -> Option<Sum> {
    let (exp, axes) = kept(graph, view, value, Op::ReduceSum)?;
    Some(Sum { of: view.maker(graph, exp, &[Op::Exp])?.input(0)?, axes })
}

/// `x` of `x − max(x)`, which is the same to a softmax; else the value itself.
fn unshifted(graph: &Graph, view: &View, value: ValueId, axes: &[i64]) -> ValueId {
    let shifted = || {
        let sub = view.maker(graph, value, &[Op::Sub])?;
        let (x, along) = kept(graph, view, sub.input(1)?, Op::ReduceMax)?;
        (Some(x) == sub.input(0) && along == axes).then_some(x)
    };
    shifted().unwrap_or(value)
}

fn become_softmax(node: &mut Node, op: Op, x: ValueId, axis: i64) {
    node.op = op;
    node.inputs = vec![Some(x)];
    node.attrs = Attrs::default();
    node.attrs.set("axis", Attr::Int(axis));
}

/// exp(x) / Σ exp(x), also by the reciprocal
pub(super) fn softmax(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        if !node.op.is_standard() {
            return None;
        }
        let (a, b) = (node.input(0)?, node.input(1)?);
        let (exp, sum) = match node.op {
            Op::Div => (a, b),
            Op::Mul => [(a, b), (b, a)].into_iter().find_map(|(exp, below)| {
                Some((exp, view.maker(graph, below, &[Op::Reciprocal])?.input(0)?))
            })?,
            _ => return None,
        };
        let of = view.maker(graph, exp, &[Op::Exp])?.input(0)?;
        let sum = sum_of_exponentials(graph, view, sum).filter(|sum| sum.of == of)?;
        let &[axis] = &sum.axes[..] else { return None };
        Some((unshifted(graph, view, of, &sum.axes), axis))
    };
    let Some((x, axis)) = find() else { return false };
    become_softmax(&mut graph.nodes[i], Op::Softmax, x, axis);
    true
}

/// log(softmax(x)), or x − log Σ exp(x)
pub(super) fn log_softmax(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        if !node.op.is_standard() {
            return None;
        }
        if node.op == Op::Log {
            let softmax = view.maker(graph, node.input(0)?, &[Op::Softmax])?;
            return Some((softmax.input(0)?, softmax.attrs.int("axis")?));
        }
        if node.op != Op::Sub {
            return None;
        }
        let log = view.maker(graph, node.input(1)?, &[Op::Log])?;
        let sum = sum_of_exponentials(graph, view, log.input(0)?)?;
        let &[axis] = &sum.axes[..] else { return None };
        (node.input(0)? == sum.of).then(|| (unshifted(graph, view, sum.of, &sum.axes), axis))
    };
    let Some((x, axis)) = find() else { return false };
    become_softmax(&mut graph.nodes[i], Op::LogSoftmax, x, axis);
    true
}

/// log Σ exp(x)
pub(super) fn log_sum_exp(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        let sum = view.maker(graph, node.input(0)?, &[Op::ReduceSum]).filter(|_| node.op == Op::Log)?;
        let exp = view.maker(graph, sum.input(0)?, &[Op::Exp])?;
        Some((exp.input(0)?, sum.input(1)?, sum.attrs.clone()))
    };
    let Some((x, axes, attrs)) = find() else { return false };
    let node = &mut graph.nodes[i];
    node.op = Op::ReduceLogSumExp;
    node.opset = 18;
    node.inputs = vec![Some(x), Some(axes)];
    node.attrs = attrs;
    true
}

/// log(1 + exp(x))
pub(super) fn softplus(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        let add = view.maker(graph, node.input(0)?, &[Op::Add]).filter(|_| node.op == Op::Log)?;
        let (exp, one) = with_scalar(graph, add)?;
        let x = view.maker(graph, exp, &[Op::Exp])?.input(0)?;
        (near(one, 1.0) && graph.shape(x) == graph.shape(node.output(0)?)).then_some(x)
    };
    let Some(x) = find() else { return false };
    let node = &mut graph.nodes[i];
    node.op = Op::Softplus;
    node.inputs = vec![Some(x)];
    true
}

/// x of −x, written either way.
fn negated(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    let node = view.maker(graph, value, &[Op::Neg, Op::Mul])?;
    if node.op == Op::Neg {
        return node.input(0);
    }
    with_scalar(graph, node).filter(|(_, by)| *by == -1.0).map(|(x, _)| x)
}

/// 1 / (1 + exp(−x)), or exp(x) / (1 + exp(x))
pub(super) fn sigmoid(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    // The exponential of 1 + exp(…), and its operand.
    let divisor = |value: ValueId| {
        let (exp, one) = with_scalar(graph, view.maker(graph, value, &[Op::Add])?)?;
        let of = view.maker(graph, exp, &[Op::Exp]).filter(|_| near(one, 1.0))?.input(0)?;
        Some((exp, of))
    };
    let find = || {
        let (exp, of, above) = match node.op {
            Op::Reciprocal => divisor(node.input(0)?).map(|(exp, of)| (exp, of, None))?,
            Op::Div => divisor(node.input(1)?).map(|(exp, of)| (exp, of, node.input(0)))?,
            Op::Pow if graph.const_scalar(node.input(1)?)? == -1.0 => {
                divisor(node.input(0)?).map(|(exp, of)| (exp, of, None))?
            }
            _ => return None,
        };
        let plain = node.op.is_standard()
            && graph.dtype(of) == DType::F32
            && graph.shape(of) == graph.shape(node.output(0)?);
        let x = match above {
            Some(above) if above == exp => Some(of),
            Some(above) if graph.const_scalar(above) != Some(1.0) => return None,
            _ => negated(graph, view, of),
        };
        plain.then_some((of, x))
    };
    let Some((of, x)) = find() else { return false };
    let mut at = i;
    let x = match x {
        Some(x) => x,
        // 1 / (1 + exp(z)) is the sigmoid of −z.
        None => {
            let name = graph.nodes[i].name.clone();
            let x = graph.add_value(format!("{name}.negated"), graph.value(of).ty.clone());
            graph.nodes.insert(i, Node::added(Op::Neg, &name, of, x, Attrs::default()));
            at += 1;
            x
        }
    };
    let node = &mut graph.nodes[at];
    node.op = Op::Sigmoid;
    node.inputs = vec![Some(x)];
    node.attrs = Attrs::default();
    true
}

/// (exp(2x) − 1) / (exp(2x) + 1), or (exp(x) − exp(−x)) / (exp(x) + exp(−x))
pub(super) fn tanh(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let find = || {
        if node.op != Op::Div {
            return None;
        }
        let above = view.maker(graph, node.input(0)?, &[Op::Sub, Op::Add])?;
        let below = view.maker(graph, node.input(1)?, &[Op::Add])?;
        if let (Some((exp, less)), Some((same, more))) =
            (with_scalar(graph, above), with_scalar(graph, below))
        {
            let less = if above.op == Op::Sub && above.input(0) == Some(exp) { -less } else { less };
            let power = view.maker(graph, exp, &[Op::Exp])?.input(0)?;
            let (x, by) = with_scalar(graph, view.maker(graph, power, &[Op::Mul])?)?;
            return (exp == same && less == -1.0 && more == 1.0 && by == 2.0).then_some(x);
        }
        let (up, down) = (above.input(0)?, above.input(1)?);
        let same = [below.input(0)?, below.input(1)?];
        let x = view.maker(graph, up, &[Op::Exp])?.input(0)?;
        let minus = negated(graph, view, view.maker(graph, down, &[Op::Exp])?.input(0)?)?;
        let fits =
            above.op == Op::Sub && x == minus && same.contains(&up) && same.contains(&down) && up != down;
        fits.then_some(x)
    };
    let plain = |x: &ValueId| {
        let y = node.output(0).map(|y| graph.shape(y));
        graph.dtype(*x) == DType::F32 && Some(graph.shape(*x)) == y
    };
    let Some(x) = find().filter(plain) else { return false };
    let node = &mut graph.nodes[i];
    node.op = Op::Tanh;
    node.inputs = vec![Some(x)];
    node.attrs = Attrs::default();
    true
}

/// log(sigmoid(x)) is −softplus(−x): the sigmoid of anything below −17 is zero in fp16.
pub(super) fn log_sigmoid(graph: &mut Graph, view: &View, i: usize) -> bool {
    let node = &graph.nodes[i];
    let found =
        (node.op == Op::Log).then(|| view.maker(graph, node.input(0)?, &[Op::Sigmoid])?.input(0)).flatten();
    let Some(x) = found.filter(|x| graph.dtype(*x) == DType::F32) else { return false };
    let name = node.name.clone();
    let ty = graph.value(x).ty.clone();
    let minus = graph.add_value(format!("{name}.negated"), ty.clone());
    let softplus = graph.add_value(format!("{name}.softplus"), ty);
    graph.nodes[i].op = Op::Neg;
    graph.nodes[i].inputs = vec![Some(softplus)];
    let before = [
        Node::added(Op::Neg, &name, x, minus, Attrs::default()),
        Node::added(Op::Softplus, &name, minus, softplus, Attrs::default()),
    ];
    graph.nodes.splice(i..i, before);
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
    let mut max = Node::added(Op::ReduceMax, &name, x, largest, attrs);
    max.opset = 18;
    max.inputs.push(Some(axes));
    let mut less = Node::added(Op::Less, &name, largest, hidden, Attrs::default());
    less.inputs.push(Some(least));
    graph.nodes[i].inputs = vec![Some(hidden), Some(other), Some(softmax)];
    graph.nodes.splice(i..i, [max, less]);
    true
}

/// Scores, axis, softmax and what stands in its place.
fn find_hidden(graph: &Graph, view: &View, node: &Node) -> Option<(ValueId, usize, ValueId, ValueId)> {
    if node.op != Op::Where {
        return None;
    }
    let (other, softmax) = (node.input(1)?, node.input(2)?);
    let nan = view.maker(graph, node.input(0)?, &[Op::IsNaN])?;
    let maker = view.maker(graph, softmax, &[Op::Softmax])?;
    let x = maker.input(0)?;
    let axis = usize::try_from(maker.attrs.int("axis")?).ok()?;
    let fits = nan.input(0)? == softmax && graph.dtype(x) == DType::F32 && axis < graph.shape(x).len();
    fits.then_some((x, axis, softmax, other))
}
