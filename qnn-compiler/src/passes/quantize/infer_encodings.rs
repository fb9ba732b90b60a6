//! Encodings of results that have none, by what their operands let them be: for SoCs without floats, which can compute nothing else.

use super::propagate;
use crate::graph::{Encoding, Graph, Node, Storage, ValueId};
use crate::interval::{self, Interval};
use crate::op::Op;

/// Beyond this 16 bits are too coarse for a bound, which is further than what a network makes of its numbers.
const FURTHEST: f64 = 4096.0;

/// Gives results of encoded operands 16 bits over a range that holds them whatever the operands are.
pub(in crate::passes) fn run(graph: &mut Graph) {
    before_sums(graph);
    propagate::forward(graph, over_its_bounds);
    propagate::run(graph);
}

/// Gives what is read by one sum with a constant the range of the sum less the constant: what is beyond it is beyond the sum's too.
/// A linear layer whose bias is added before its result is rounded is one of these.
fn before_sums(graph: &mut Graph) {
    let readers = graph.consumers();
    for i in 0..graph.nodes.len() {
        let Some((x, range)) = before_sum(graph, &graph.nodes[i]) else { continue };
        let value = graph.value(x);
        let free = value.encoding.is_none() && value.data.is_none() && value.ty.dtype.is_float();
        let graph_io = graph.outputs.contains(&x) || graph.inputs.contains(&x);
        if free && !graph_io && readers.get(&x).is_some_and(|r| r.len() == 1) {
            graph.value_mut(x).encoding = sixteen_bits(range);
        }
    }
}

fn before_sum(graph: &Graph, node: &Node) -> Option<(ValueId, Interval)> {
    if node.op != Op::Add {
        return None;
    }
    let (a, b) = (node.input(0)?, node.input(1)?);
    let (x, constant) = if graph.is_constant(b) { (a, b) } else { (b, a) };
    let (least, most) = operand(graph, constant).filter(|_| graph.is_constant(constant))?;
    let (low, high) = graph.value(node.output(0)?).encoding.as_ref()?.range()?;
    Some((x, (low - most, high - least)))
}

/// 16 bits over a range and zero.
fn sixteen_bits((low, high): Interval) -> Option<Encoding> {
    let (low, high) = (low.min(0.0), high.max(0.0));
    let scale = ((high - low) / 65535.0) as f32;
    let zero = (-low / f64::from(scale)).round() as i32;
    let fine = low >= -FURTHEST && high <= FURTHEST && scale > f32::MIN_POSITIVE;
    Encoding::new_per_tensor(Storage::U16, scale, zero).ok().filter(|_| fine)
}

fn over_its_bounds(graph: &Graph, node: &Node) -> Option<Encoding> {
    if !node.op.is_standard() || node.outputs.iter().flatten().count() != 1 {
        return None;
    }
    let x = node.input(0)?;
    let first = operand(graph, x);
    let copied =
        graph.value(x).encoding.clone().filter(|e| e.per_tensor().is_some() && !graph.is_constant(x));
    let range = match node.op {
        // Zero is among the numbers of every encoding.
        Op::Pad if node.input(1).is_none_or(|id| graph.const_scalar(id) == Some(0.0)) => return copied,
        Op::Conv => linear(graph, node, first?, 0)?,
        Op::ConvTranspose => linear(graph, node, first?, 1)?,
        Op::Gemm => linear(graph, node, first?, usize::from(node.attrs.int_or("transB", 0) == 0))?,
        Op::MatMul if graph.is_constant(node.input(1)?) => {
            let rank = graph.shape(node.input(1)?).len();
            let back = if node.attrs.int_or("transB", 0) == 0 { 1 } else { 2 };
            linear(graph, node, first?, rank.checked_sub(back)?)?
        }
        Op::Clip => {
            let bound = |i: usize, none: f64| match node.input(i) {
                None => Some(none),
                Some(id) => graph.const_scalar(id).map(f64::from),
            };
            let (from, to) = (bound(1, f64::NEG_INFINITY)?, bound(2, f64::INFINITY)?);
            let (low, high) = first?;
            (low.max(from).min(to), high.min(to).max(from))
        }
        Op::LogSoftmax => {
            let (low, high) = first?;
            // Of equal numbers it is the logarithm of their count.
            let count = graph.shape(x).iter().product::<usize>().max(1) as f64;
            (low - high - count.ln(), 0.0)
        }
        Op::Exp | Op::Log | Op::Pow => return None,
        op => {
            let skip = usize::from(op == Op::Where);
            let operands: Option<Vec<Interval>> =
                node.inputs.iter().skip(skip).flatten().map(|&id| operand(graph, id)).collect();
            let same = node.inputs.len() == 2 && node.input(0) == node.input(1);
            interval::of(op, &operands?, terms(graph, node), same)?
        }
    };
    let computed = node.inputs.iter().flatten().any(|&id| !graph.is_constant(id));
    sixteen_bits(range).filter(|_| computed)
}

/// What a value can be: by its encoding, or as a constant.
fn operand(graph: &Graph, id: ValueId) -> Option<Interval> {
    let value = graph.value(id);
    if value.data.is_none() {
        return value.encoding.as_ref()?.range();
    }
    let reals = value.reals().filter(|_| value.ty.dtype.is_float() || value.encoding.is_some())?;
    let low = reals.iter().copied().fold(f64::INFINITY, f64::min);
    let high = reals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (low <= high).then_some((low, high))
}

/// How many products or numbers are added to one element of the result.
fn terms(graph: &Graph, node: &Node) -> usize {
    let elements = |id: Option<ValueId>| id.map_or(1, |id| graph.value(id).ty.elements());
    match node.op {
        Op::MatMul => node.input(0).and_then(|id| graph.shape(id).last().copied()).unwrap_or(1),
        _ => elements(node.input(0)) / elements(node.output(0)).max(1),
    }
}

/// The range of sums of numbers times a constant weight, of which `axis` counts the results, and a constant bias.
fn linear(graph: &Graph, node: &Node, (low, high): Interval, axis: usize) -> Option<Interval> {
    let weight = graph.value(node.input(1)?);
    // Without an encoding it is not multiplied on integers.
    weight.encoding.as_ref()?;
    let plain = ["alpha", "beta"].iter().all(|name| node.attrs.float_or(name, 1.0) == 1.0);
    let (reals, shape) = (weight.reals().filter(|_| plain)?, &weight.ty.shape);
    let inner: usize = shape.get(axis + 1..)?.iter().product();
    let count = *shape.get(axis)?;
    let mut sums = vec![(0.0, 0.0); count];
    for (i, w) in reals.iter().enumerate() {
        // What is padded is zero.
        let (least, most) = interval::product((*w, *w), (low.min(0.0), high.max(0.0)));
        let sum = sums.get_mut(i / inner.max(1) % count.max(1))?;
        *sum = (sum.0 + least, sum.1 + most);
    }
    let sums = sums.into_iter();
    let (least, most) =
        sums.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), sum| (a.min(sum.0), b.max(sum.1)));
    match node.input(2) {
        None => Some((least, most)),
        Some(id) => operand(graph, id).map(|(a, b)| (least + a, most + b)),
    }
}
