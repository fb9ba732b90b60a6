//! Recognizes means, variances and what is divided by their root.
//!
//! A statistic is known by its numbers, row by row: exporters drop the reduced axes and bring them back by Reshape, Unsqueeze or
//! Squeeze wherever they like. What shape it has counts only where it meets x.

use super::super::view::{View, near, uniform, with_scalar};
use super::repeat::{self, repeated};
use crate::graph::{Graph, Node, ValueId};
use crate::op::Op;

/// `factor` times the mean of something over `axes`.
#[derive(Clone, Debug)]
pub(super) struct Mean {
    pub(super) of: ValueId,
    pub(super) axes: Vec<usize>,
    pub(super) factor: f32,
    /// How often each number stands in the last axis: the channels of a group share one. 1 elsewhere.
    pub(super) repeat: usize,
}

/// What a normalization does: `(x − mean(x)) / sqrt(factor · mean((x − mean(x))²) + epsilon)`, without the means where it is
/// not centred.
#[derive(Clone, Debug)]
pub(super) struct Normal {
    pub(super) x: ValueId,
    pub(super) axes: Vec<usize>,
    pub(super) centred: bool,
    pub(super) factor: f32,
    pub(super) epsilon: f32,
    /// Channels that share a statistic, where these are spread to the channels of a value that x is the groups of.
    pub(super) repeat: usize,
}

/// A normalization and what it is multiplied with and added to.
pub(super) struct Found {
    pub(super) normal: Normal,
    pub(super) gamma: Option<ValueId>,
    pub(super) beta: Option<ValueId>,
}

/// Extent of some axes together.
pub(super) fn extent(graph: &Graph, x: ValueId, axes: &[usize]) -> usize {
    axes.iter().map(|&a| graph.shape(x)[a]).product()
}

/// Axes of a reduction, ascending.
pub(super) fn axes_of(graph: &Graph, node: &Node) -> Option<Vec<usize>> {
    let rank = graph.shape(node.input(0)?).len() as i64;
    let axes = match node.input(1) {
        Some(axes) => graph.const_i64(axes)?,
        None => node.attrs.ints("axes")?.to_vec(),
    };
    let mut axes: Vec<usize> = axes
        .into_iter()
        .map(|a| usize::try_from(if a < 0 { a + rank } else { a }))
        .collect::<Result<_, _>>()
        .ok()?;
    axes.sort_unstable();
    Some(axes)
}

/// Ops that give the same numbers in another shape.
const SHAPING: &[Op] = &[Op::Flatten, Op::Identity, Op::Reshape, Op::Squeeze, Op::Unsqueeze];

/// The value that another one has its numbers from.
pub(in super::super) fn unshaped(graph: &Graph, view: &View, mut value: ValueId) -> ValueId {
    for _ in 0..4 {
        let Some(inner) = view.maker(graph, value, SHAPING).and_then(|node| node.input(0)) else { break };
        value = inner;
    }
    value
}

/// The op that makes a statistic's numbers.
fn maker<'g>(graph: &'g Graph, view: &View, value: ValueId, ops: &[Op]) -> Option<&'g Node> {
    view.maker(graph, unshaped(graph, view, value), ops)
}

/// The reduction that makes `value`.
fn reduction<'g>(
    graph: &'g Graph,
    view: &View,
    value: ValueId,
    ops: &[Op],
) -> Option<(&'g Node, Vec<usize>)> {
    let node = maker(graph, view, value, ops)?;
    let axes = match node.op {
        Op::GlobalAveragePool => (2..graph.shape(node.input(0)?).len()).collect(),
        _ => axes_of(graph, node)?,
    };
    Some((node, axes))
}

/// Whether a statistic of `x` over `axes` meets `x` as one number for each slice along the axes.
pub(in super::super) fn meets(graph: &Graph, value: ValueId, x: ValueId, axes: &[usize]) -> bool {
    let (shape, of) = (graph.shape(value), graph.shape(x));
    let Some(lead) = of.len().checked_sub(shape.len()) else { return false };
    of.iter().enumerate().all(|(a, &of)| {
        let dim = if a < lead { 1 } else { shape[a - lead] };
        if axes.contains(&a) { dim == 1 } else { dim == of }
    })
}

/// A number that a node multiplies its computed operand with.
pub(super) fn factor_of(graph: &Graph, node: &Node) -> Option<(ValueId, f32)> {
    let (inner, scalar) = with_scalar(graph, node)?;
    match node.op {
        Op::Mul => Some((inner, scalar)),
        Op::Div => (Some(inner) == node.input(0)).then_some((inner, 1.0 / scalar)),
        _ => None,
    }
}

/// Factors that follow one another and are looked through: exporters write one or two.
const FACTORS: usize = 4;

/// The value that another one is a multiple of, and the multiple.
fn unscaled(graph: &Graph, view: &View, mut value: ValueId) -> (ValueId, f32) {
    let mut by = 1.0;
    for _ in 0..FACTORS {
        let node = maker(graph, view, value, &[Op::Mul, Op::Div]);
        let Some((inner, scalar)) = node.and_then(|node| factor_of(graph, node)) else { break };
        (value, by) = (inner, by * scalar);
    }
    (value, by)
}

/// What `value` is the mean of.
pub(super) fn mean(graph: &Graph, view: &View, value: ValueId) -> Option<Mean> {
    let (value, outer) = unscaled(graph, view, value);
    let (value, repeat) = repeated(graph, view, value).unwrap_or((value, 1));
    let (value, inner) = unscaled(graph, view, value);
    let ops = [Op::ReduceMean, Op::GlobalAveragePool, Op::ReduceSum];
    let (node, axes) = reduction(graph, view, value, &ops)?;
    let of = node.input(0)?;
    let all = if node.op == Op::ReduceSum { extent(graph, of, &axes) as f32 } else { 1.0 };
    Some(Mean { of, axes, factor: all * inner * outer, repeat })
}

/// A mean and nothing else: factor 1.
pub(super) fn plain_mean(graph: &Graph, view: &View, value: ValueId) -> Option<Mean> {
    mean(graph, view, value).filter(|m| near(m.factor, 1.0))
}

/// The x of x².
pub(super) fn square(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    let node = view.maker(graph, value, &[Op::Pow, Op::Mul])?;
    match node.op {
        Op::Pow => (uniform(graph, node.input(1)?)? == 2.0).then_some(node.input(0)?),
        _ => (node.input(0) == node.input(1)).then_some(node.input(0)?),
    }
}

/// The mean of squares.
pub(super) fn mean_of_squares(graph: &Graph, view: &View, value: ValueId) -> Option<Mean> {
    if let Some((inner, repeat)) = repeated(graph, view, value) {
        return mean_of_each_square(graph, view, inner)
            .filter(|m| m.repeat == 1)
            .map(|m| Mean { repeat, ..m });
    }
    mean_of_each_square(graph, view, value)
}

/// The mean of squares, of a value that is not spread.
fn mean_of_each_square(graph: &Graph, view: &View, value: ValueId) -> Option<Mean> {
    if let Some((node, axes)) = reduction(graph, view, value, &[Op::ReduceSumSquare]) {
        let of = node.input(0)?;
        let factor = extent(graph, of, &axes) as f32;
        return Some(Mean { of, axes, factor, repeat: 1 });
    }
    if let Some(found) = mean(graph, view, value)
        && let Some(of) = square(graph, view, found.of)
    {
        return Some(Mean { of, ..found });
    }
    // ReduceSumSquare · 1/n
    let (inner, scalar) = factor_of(graph, maker(graph, view, value, &[Op::Mul, Op::Div])?)?;
    let (sum, axes) = reduction(graph, view, inner, &[Op::ReduceSumSquare])?;
    let of = sum.input(0)?;
    Some(Mean { of, factor: scalar * extent(graph, of, &axes) as f32, axes, repeat: 1 })
}

/// `a` of a − b, also written a + (−b), and b.
fn difference(graph: &Graph, view: &View, value: ValueId) -> Option<(ValueId, ValueId)> {
    let node = view.maker(graph, value, &[Op::Sub, Op::Add])?;
    let (a, b) = (node.input(0)?, node.input(1)?);
    if node.op == Op::Sub {
        return Some((a, b));
    }
    [(a, b), (b, a)].into_iter().find_map(|(a, b)| Some((a, negated(graph, view, b)?)))
}

/// x of −x.
fn negated(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    let node = view.maker(graph, value, &[Op::Neg, Op::Mul])?;
    if node.op == Op::Neg {
        node.input(0)
    } else {
        with_scalar(graph, node).filter(|(_, by)| *by == -1.0).map(|f| f.0)
    }
}

/// The value that a statistic was expanded from; broadcasting would do the same.
fn unexpanded(graph: &Graph, view: &View, value: ValueId) -> ValueId {
    view.maker(graph, value, &[Op::Expand]).and_then(|node| node.input(0)).unwrap_or(value)
}

/// Whether `value` is the plain mean of `x` over these axes, in a shape that broadcasts along them.
fn is_mean(graph: &Graph, view: &View, value: ValueId, x: ValueId, axes: &[usize]) -> bool {
    let value = unexpanded(graph, view, value);
    meets(graph, value, x, axes)
        && plain_mean(graph, view, value).is_some_and(|m| m.of == x && m.axes == axes && m.repeat == 1)
}

/// The x of x − mean(x) over these axes.
fn centre(graph: &Graph, view: &View, value: ValueId, axes: &[usize]) -> Option<ValueId> {
    let (x, mean) = difference(graph, view, value)?;
    is_mean(graph, view, mean, x, axes).then_some(x)
}

/// E[x²] − E[x]²
pub(super) fn difference_of_moments(graph: &Graph, view: &View, node: &Node) -> Option<Mean> {
    if node.op != Op::Sub {
        return None;
    }
    let squares = mean_of_squares(graph, view, node.input(0)?)?;
    let second = square(graph, view, unshaped(graph, view, node.input(1)?))?;
    let mean = mean(graph, view, second)?;
    let plain = near(squares.factor, 1.0) && near(mean.factor, 1.0) && squares.repeat == mean.repeat;
    // Operands of other shapes would have been broadcast against each other.
    let x = squares.of;
    let left = graph.value(x).ty.elements() / extent(graph, x, &squares.axes).max(1) * squares.repeat;
    let same = graph.value(node.output(0)?).ty.elements() == left;
    (plain && same && x == mean.of && squares.axes == mean.axes).then_some(squares)
}

/// Clamps, factors and spreadings that are looked through around a moment.
const STEPS: usize = 6;

/// A second moment: around the mean when `centred`, else around zero.
struct Moment {
    mean: Mean,
    centred: bool,
}

/// What a node keeps from falling below a number that is not negative, and that number.
pub(super) fn clamped(graph: &Graph, clamp: &Node) -> Option<(ValueId, f32)> {
    let (x, floor) = match clamp.op {
        Op::Max => with_scalar(graph, clamp).filter(|_| clamp.inputs.len() == 2)?,
        Op::Clip => {
            let open = clamp.input(2).is_none_or(|high| graph.const_scalar(high).is_some_and(|h| h > 1e30));
            (clamp.input(0).filter(|_| open)?, graph.const_scalar(clamp.input(1)?)?)
        }
        _ => (clamp.input(0)?, 0.0),
    };
    (floor >= 0.0).then_some((x, floor))
}

fn moment(graph: &Graph, view: &View, mut value: ValueId) -> Option<Moment> {
    let (mut spread, mut factor) = (1, 1.0);
    for _ in 0..STEPS {
        if let Some((inner, repeat)) = repeated(graph, view, value) {
            if spread > 1 {
                return None;
            }
            (value, spread) = (inner, repeat);
            continue;
        }
        // Rounding can make a variance negative: exporters clamp it.
        if let Some(clamp) = maker(graph, view, value, &[Op::Relu, Op::Abs, Op::Max, Op::Clip]) {
            value = clamped(graph, clamp).filter(|(_, floor)| *floor == 0.0)?.0;
            continue;
        }
        if let Some(Moment { mean, centred }) = second_moment(graph, view, value) {
            let repeat = match (spread, mean.repeat) {
                (spread, 1) => spread,
                (1, repeat) => repeat,
                _ => return None,
            };
            return Some(Moment { mean: Mean { factor: mean.factor * factor, repeat, ..mean }, centred });
        }
        // Bessel's correction.
        let (inner, scalar) = factor_of(graph, maker(graph, view, value, &[Op::Mul, Op::Div])?)?;
        (value, factor) = (inner, factor * scalar);
    }
    None
}

fn second_moment(graph: &Graph, view: &View, value: ValueId) -> Option<Moment> {
    if let Some(sub) = maker(graph, view, value, &[Op::Sub]) {
        return difference_of_moments(graph, view, sub).map(|mean| Moment { mean, centred: true });
    }
    let mean = mean_of_squares(graph, view, value)?;
    Some(match centre(graph, view, mean.of, &mean.axes) {
        Some(x) => Moment { mean: Mean { of: x, ..mean }, centred: true },
        _ => Moment { mean, centred: false },
    })
}

/// The largest number added to a standard deviation that counts as an epsilon.
const SMALL: f32 = 1.1e-5;

/// The largest lower bound of a radicand that counts as an epsilon.
const FLOOR: f32 = 1.1e-6;

/// What `find` knows of a value, or of the one that it is spread from.
fn spread(
    graph: &Graph,
    view: &View,
    value: ValueId,
    find: fn(&Graph, &View, ValueId) -> Option<Normal>,
) -> Option<Normal> {
    if let Some((inner, repeat)) = repeated(graph, view, value)
        && let Some(normal) = find(graph, view, inner).filter(|n| n.repeat == 1)
    {
        return Some(Normal { repeat, ..normal });
    }
    find(graph, view, value)
}

/// The normalization whose denominator is `value`.
pub(super) fn deviation(graph: &Graph, view: &View, value: ValueId) -> Option<Normal> {
    spread(graph, view, value, padded_root)
}

/// A root, or one with an epsilon added to it.
fn padded_root(graph: &Graph, view: &View, value: ValueId) -> Option<Normal> {
    let value = unshaped(graph, view, unexpanded(graph, view, value));
    let sum = view.maker(graph, value, &[Op::Add]).and_then(|add| with_scalar(graph, add));
    let Some((inner, small)) = sum else { return root(graph, view, value) };
    let normal = spread(graph, view, Some(inner).filter(|_| (0.0..=SMALL).contains(&small))?, root)?;
    (normal.epsilon == 0.0).then_some(Normal { epsilon: small * small, ..normal })
}

fn root(graph: &Graph, view: &View, value: ValueId) -> Option<Normal> {
    let value = unshaped(graph, view, unexpanded(graph, view, value));
    let root = view.maker(graph, value, &[Op::Sqrt, Op::Pow])?;
    if root.op == Op::Pow && uniform(graph, root.input(1)?)? != 0.5 {
        return None;
    }
    radicand(graph, view, root.input(0)?)
}

/// A moment plus an epsilon, or kept above one.
fn radicand(graph: &Graph, view: &View, value: ValueId) -> Option<Normal> {
    let value = unshaped(graph, view, value);
    let floor = view.maker(graph, value, &[Op::Max, Op::Clip]).and_then(|clamp| clamped(graph, clamp));
    let (variance, epsilon) = match (view.maker(graph, value, &[Op::Add]), floor) {
        (Some(add), _) => with_scalar(graph, add).filter(|(_, epsilon)| *epsilon >= 0.0)?,
        (None, Some((inner, floor))) if floor > 0.0 && floor <= FLOOR => (inner, floor),
        _ => (value, 0.0),
    };
    let Moment { mean, centred } = moment(graph, view, variance)?;
    (mean.factor > 0.0).then_some(Normal {
        x: mean.of,
        axes: mean.axes,
        centred,
        factor: mean.factor,
        epsilon,
        repeat: mean.repeat,
    })
}

/// The normalization whose inverse deviation is `value`, and what this is multiplied with already.
fn inverse(graph: &Graph, view: &View, value: ValueId) -> Option<(Normal, Option<ValueId>)> {
    if let Some(normal) = spread(graph, view, value, plain_inverse) {
        return Some((normal, None));
    }
    let value = unexpanded(graph, view, value);
    if let Some(mul) = view.maker(graph, value, &[Op::Mul]) {
        let (a, b) = (mul.input(0)?, mul.input(1)?);
        return [(a, b), (b, a)].into_iter().find_map(|(inv, gamma)| {
            let normal = spread(graph, view, inv, plain_inverse)?;
            shaped_for(graph, inv, &normal).then_some((normal, Some(gamma)))
        });
    }
    let div = maker(graph, view, value, &[Op::Div]).filter(|div| div.output(0) == Some(value));
    if let Some((gamma, below)) = div.and_then(|div| div.input(0).zip(div.input(1)))
        && graph.is_constant(gamma)
        && uniform(graph, gamma) != Some(1.0)
    {
        let normal = deviation(graph, view, below)?;
        return shaped_for(graph, below, &normal).then_some((normal, Some(gamma)));
    }
    None
}

/// The normalization whose inverse deviation is `value`.
fn plain_inverse(graph: &Graph, view: &View, value: ValueId) -> Option<Normal> {
    let value = unexpanded(graph, view, value);
    let node = maker(graph, view, value, &[Op::Reciprocal, Op::Pow, Op::Div, Op::Sqrt])?;
    let x = node.input(0)?;
    match node.op {
        Op::Reciprocal => deviation(graph, view, x),
        Op::Pow if uniform(graph, node.input(1)?)? == -0.5 => radicand(graph, view, x),
        Op::Pow if uniform(graph, node.input(1)?)? == -1.0 => deviation(graph, view, x),
        Op::Sqrt => {
            let over = maker(graph, view, x, &[Op::Reciprocal])?;
            radicand(graph, view, over.input(0)?)
        }
        Op::Div if uniform(graph, x) == Some(1.0) => deviation(graph, view, node.input(1)?),
        _ => None,
    }
}

/// Whether a statistic has the shape in which it meets the value that is normalized.
fn shaped_for(graph: &Graph, value: ValueId, normal: &Normal) -> bool {
    if normal.repeat > 1 {
        repeat::meets(graph, value, normal)
    } else {
        meets(graph, value, normal.x, &normal.axes)
    }
}

/// The value whose numbers are normalized, when `value` is what a normalization divides: x, or x less its mean.
fn numerator(graph: &Graph, view: &View, value: ValueId, normal: &Normal) -> Option<ValueId> {
    if normal.repeat > 1 {
        let (x, mean) = difference(graph, view, value).filter(|_| normal.centred)?;
        let mean = unexpanded(graph, view, mean);
        let found = plain_mean(graph, view, mean)?;
        let same = found.of == normal.x && found.axes == normal.axes && found.repeat == normal.repeat;
        return (same && repeat::meets(graph, mean, normal) && repeat::groups(graph, view, x, normal))
            .then_some(x);
    }
    if !normal.centred {
        return (value == normal.x).then_some(value);
    }
    centre(graph, view, value, &normal.axes).filter(|x| *x == normal.x)
}

/// The normalization that a node ends, with the scale that the inverse deviation was multiplied with.
pub(super) fn normalized(graph: &Graph, view: &View, node: &Node) -> Option<Found> {
    if !node.op.is_standard() {
        return None;
    }
    let (a, b) = (node.input(0)?, node.input(1)?);
    let (x, normal, gamma) = match node.op {
        Op::Div => {
            let normal = deviation(graph, view, b)?;
            let shaped = shaped_for(graph, unexpanded(graph, view, b), &normal);
            (numerator(graph, view, a, &normal).filter(|_| shaped)?, normal, None)
        }
        Op::Mul => [(a, b), (b, a)].into_iter().find_map(|(x, inv)| {
            let (normal, gamma) = inverse(graph, view, inv)?;
            let inv = unexpanded(graph, view, inv);
            let shaped = gamma.is_some() || shaped_for(graph, inv, &normal);
            Some((numerator(graph, view, x, &normal).filter(|_| shaped)?, normal, gamma))
        })?,
        _ => return None,
    };
    let same = graph.shape(node.output(0)?) == graph.shape(x);
    same.then_some(Found { normal: repeat::of(graph, x, normal), gamma, beta: None })
}

/// The terms of a sum with their signs.
fn terms(
    graph: &Graph,
    view: &View,
    value: ValueId,
    sign: bool,
    depth: usize,
    all: &mut Vec<(ValueId, bool)>,
) {
    let inner = view.maker(graph, value, &[Op::Add, Op::Sub, Op::Neg]).filter(|_| depth > 0);
    match inner.map(|node| (node.op, node.input(0), node.input(1))) {
        Some((Op::Neg, Some(x), _)) => terms(graph, view, x, !sign, depth - 1, all),
        Some((op, Some(a), Some(b))) => {
            terms(graph, view, a, sign, depth - 1, all);
            terms(graph, view, b, sign == (op == Op::Add), depth - 1, all);
        }
        _ => all.push((value, sign)),
    }
}

/// `x · a + (β − mean(x) · a)` with `a = γ / deviation`, the terms in any order and with any signs: the form of TensorFlow's and
/// Keras' normalizations.
pub(super) fn by_parts(graph: &Graph, view: &View, node: &Node) -> Option<Found> {
    if !matches!(node.op, Op::Add | Op::Sub) {
        return None;
    }
    let mut all = Vec::new();
    terms(graph, view, node.input(0)?, true, 2, &mut all);
    terms(graph, view, node.input(1)?, node.op == Op::Add, 2, &mut all);
    if !(2..=3).contains(&all.len()) {
        return None;
    }
    let products = (0..all.len()).filter_map(|i| {
        let mul = view.maker(graph, all[i].0, &[Op::Mul])?;
        Some((i, mul.input(0)?, mul.input(1)?, all[i].1))
    });
    let products: Vec<_> = products.collect();
    for &(i, xa, xb, sign) in &products {
        for (x, factor) in [(xa, xb), (xb, xa)] {
            let Some((normal, gamma)) =
                inverse(graph, view, factor).filter(|(n, _)| sign && n.centred && n.x == x)
            else {
                continue;
            };
            if gamma.is_none() && !shaped_for(graph, unexpanded(graph, view, factor), &normal) {
                continue;
            }
            let shift = products.iter().find(|&&(k, a, b, positive)| {
                let other = match (a, b) {
                    (m, f) | (f, m) if f == factor => m,
                    _ => return false,
                };
                let mean = if positive { negated(graph, view, other) } else { Some(other) };
                k != i && mean.is_some_and(|m| is_mean(graph, view, m, x, &normal.axes))
            });
            let Some(&(k, ..)) = shift else { continue };
            let beta = (0..all.len()).find(|&at| at != i && at != k);
            let beta = match beta {
                Some(at) if !all[at].1 => continue,
                Some(at) => Some(all[at].0),
                None => None,
            };
            if graph.shape(node.output(0)?) == graph.shape(x) && normal.repeat == 1 {
                return Some(Found { normal, gamma, beta });
            }
        }
    }
    None
}
