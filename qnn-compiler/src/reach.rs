//! The range of a node's result from the ranges of its operands: whether an encoding clips it.

use crate::graph::{Graph, Node, ValueId};
use crate::op::{Op, Results};

/// The least and the largest number.
pub(crate) type Span = (f64, f64);

/// The numbers that a node can make, by what it computes and by the encodings of its operands; `None` where nothing is known.
pub(crate) fn reach(graph: &Graph, node: &Node) -> Option<Span> {
    if !node.op.is_standard() {
        return None;
    }
    let of = |i: usize| node.input(i).and_then(|id| span(graph, id));
    if let Results::Between(low, high) = node.op.results()
        && low.is_finite()
        && high.is_finite()
    {
        return Some((low, high));
    }
    match node.op {
        Op::Relu | Op::Clip => bounds(graph, node).map(|(low, high)| match of(0) {
            Some((from, to)) => (from.clamp(low, high), to.clamp(low, high)),
            None => (low, high),
        }),
        Op::Concat | Op::Max | Op::Min => {
            let mut parts = node.inputs.iter().flatten().map(|&id| span(graph, id));
            let first = parts.next()??;
            parts.try_fold(first, |(low, high), part| {
                let (from, to) = part?;
                Some(match node.op {
                    Op::Max => (low.max(from), high.max(to)),
                    Op::Min => (low.min(from), high.min(to)),
                    _ => (low.min(from), high.max(to)),
                })
            })
        }
        Op::Pad => of(0).filter(|_| node.attrs.str_or("mode", "constant") != "constant").or_else(|| {
            // Before and after the layout pass the number is another input.
            let filling = |id: &ValueId| graph.const_scalar(*id).filter(|_| graph.dtype(*id).is_float());
            let filling = node.inputs.iter().skip(1).flatten().find_map(filling);
            let computed = node.inputs.iter().skip(1).flatten().any(|&id| !graph.is_constant(id));
            let filling = f64::from(filling.unwrap_or(0.0));
            of(0).filter(|_| !computed).map(|(low, high)| (low.min(filling), high.max(filling)))
        }),
        Op::Resize if node.attrs.str_or("mode", "nearest") == "cubic" => None,
        // What interpolation finds outside is zero or a number of the model.
        Op::Resize if node.attrs.str_or("coordinate_transformation_mode", "") == "tf_crop_and_resize" => None,
        Op::AveragePool => of(0).map(|(low, high)| (low.min(0.0), high.max(0.0))),
        Op::GlobalAveragePool | Op::GlobalMaxPool | Op::Resize => of(0),
        op if op.results() == Results::Among => of(0),
        Op::Neg => of(0).map(|(low, high)| (-high, -low)),
        Op::Abs => of(0).map(|(low, high)| (low.max(-high).max(0.0), high.max(-low))),
        Op::HardSwish => of(0).map(|(low, high)| {
            let value = |x: f64| x * (x / 6.0 + 0.5).clamp(0.0, 1.0);
            let least = if low < -1.5 && high > -1.5 { -0.375 } else { value(low).min(value(high)) };
            (least, value(low).max(value(high)))
        }),
        Op::LeakyRelu => {
            let slope = f64::from(node.attrs.float_or("alpha", 0.01));
            of(0).filter(|_| slope >= 0.0).map(|ends| sloped(ends, slope))
        }
        Op::PRelu => of(0).zip(of(1)).filter(|(_, slopes)| slopes.0 >= 0.0).map(|(ends, slopes)| {
            let (gentle, steep) = (sloped(ends, slopes.0), sloped(ends, slopes.1));
            (gentle.0.min(steep.0), gentle.1.max(steep.1))
        }),
        Op::Add => both(of(0), of(1), |a, b| (a.0 + b.0, a.1 + b.1)),
        Op::Sub => both(of(0), of(1), |a, b| (a.0 - b.1, a.1 - b.0)),
        Op::Mul => both(of(0), of(1), |a, b| {
            let corners = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
            corners
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &c| (low.min(c), high.max(c)))
        }),
        _ => None,
    }
}

/// What a slope below zero makes of two ends.
fn sloped((low, high): Span, slope: f64) -> Span {
    let of = |x: f64| if x < 0.0 { x * slope } else { x };
    (of(low), of(high))
}

fn both(a: Option<Span>, b: Option<Span>, of: impl Fn(Span, Span) -> Span) -> Option<Span> {
    a.zip(b).map(|(a, b)| of(a, b))
}

/// The numbers of a value: of a constant its own, of a computed one those of its encoding.
pub(crate) fn span(graph: &Graph, id: ValueId) -> Option<Span> {
    /// Numbers of a constant that are looked at.
    const MANY: usize = 1 << 16;
    let value = graph.value(id);
    if value.data.is_none() {
        return value.encoding.as_ref()?.range();
    }
    let all = value.reals().filter(|all| !all.is_empty() && all.len() <= MANY)?;
    let ends =
        all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &r| (low.min(r), high.max(r)));
    (ends.0.is_finite() && ends.1.is_finite()).then_some(ends)
}

/// Whether rounding to a value's encoding cuts off numbers that its maker can make: more than `slack` steps of them.
pub(crate) fn cuts(graph: &Graph, maker: Option<&Node>, id: ValueId) -> bool {
    let Some(((low, high), step)) = window(graph, id) else { return false };
    match maker.and_then(|maker| reach(graph, maker)) {
        Some((from, to)) => from < low - step || to > high + step,
        None => true,
    }
}

/// The range of an encoded value and its step.
pub(crate) fn window(graph: &Graph, id: ValueId) -> Option<(Span, f64)> {
    let encoding = graph.value(id).encoding.as_ref()?;
    let (scale, _) = encoding.per_tensor()?;
    Some((encoding.range()?, f64::from(scale)))
}

/// The least and the largest result that a Relu or Clip lets through; `None` for other operators, and for computed bounds.
pub(crate) fn bounds(graph: &Graph, node: &Node) -> Option<Span> {
    match node.op {
        Op::Relu => Some((0.0, f64::INFINITY)),
        Op::Clip => {
            let (low, high) =
                (constant(graph, node, 1, f64::NEG_INFINITY)?, constant(graph, node, 2, f64::INFINITY)?);
            // Where they cross, all numbers are the upper one.
            (!high.is_nan()).then_some((low.min(high), high))
        }
        _ => None,
    }
}

/// The number that an input is, or what its absence stands for; `None` where it is computed.
pub(crate) fn constant(graph: &Graph, node: &Node, i: usize, none: f64) -> Option<f64> {
    match node.input(i) {
        None => Some(none),
        Some(id) => graph.const_scalar(id).map(f64::from),
    }
}
