//! Recognizes means, variances and what is divided by their root.

use super::super::view::{View, near, with_scalar};
use crate::graph::{Graph, Node, ValueId};

/// `factor` times the mean of something over `axes`, which are kept as ones.
#[derive(Clone, Debug)]
pub(super) struct Mean {
    pub(super) of: ValueId,
    pub(super) axes: Vec<usize>,
    pub(super) factor: f32,
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

/// The reduction that makes `value`, looking through what only puts its axes back as ones.
fn reduction<'g>(
    graph: &'g Graph,
    view: &View,
    value: ValueId,
    ops: &[&str],
) -> Option<(&'g Node, Vec<usize>)> {
    let shape = graph.shape(value);
    let mut node = view.maker(graph, value, &[ops, &["Unsqueeze", "Reshape", "Expand"]].concat())?;
    for _ in 0..2 {
        if ops.contains(&node.op.as_str()) {
            break;
        }
        node = view.maker(graph, node.input(0)?, &[ops, &["Unsqueeze", "Reshape"]].concat())?;
    }
    if !ops.contains(&node.op.as_str()) {
        return None;
    }
    let x = node.input(0)?;
    let axes = match node.op.as_str() {
        "GlobalAveragePool" => (2..graph.shape(x).len()).collect(),
        _ => axes_of(graph, node)?,
    };
    // An Expand back to the shape of x is what broadcasting does anyhow.
    let kept = shape.len() == graph.shape(x).len()
        && shape
            .iter()
            .zip(graph.shape(x))
            .enumerate()
            .all(|(a, (&got, &of))| got == of || (got == 1 && axes.contains(&a)));
    kept.then_some((node, axes))
}

/// What `value` is the mean of, its axes kept.
pub(super) fn mean(graph: &Graph, view: &View, value: ValueId) -> Option<Mean> {
    if let Some((node, axes)) = reduction(graph, view, value, &["ReduceMean", "GlobalAveragePool"]) {
        return Some(Mean { of: node.input(0)?, axes, factor: 1.0 });
    }
    if let Some((node, axes)) = reduction(graph, view, value, &["ReduceSum"]) {
        let of = node.input(0)?;
        let factor = extent(graph, of, &axes) as f32;
        return Some(Mean { of, axes, factor });
    }
    let node = view.maker(graph, value, &["Mul", "Div"])?;
    let (inner, scalar) = with_scalar(graph, node)?;
    let scalar =
        if node.op == "Div" { (Some(inner) == node.input(0)).then_some(1.0 / scalar)? } else { scalar };
    let mean = mean(graph, view, inner)?;
    Some(Mean { factor: mean.factor * scalar, ..mean })
}

/// A mean and nothing else: factor 1.
pub(super) fn plain_mean(graph: &Graph, view: &View, value: ValueId) -> Option<Mean> {
    mean(graph, view, value).filter(|m| near(m.factor, 1.0))
}

/// The x of x².
pub(super) fn square(graph: &Graph, view: &View, value: ValueId) -> Option<ValueId> {
    let node = view.maker(graph, value, &["Pow", "Mul"])?;
    match node.op.as_str() {
        "Pow" => (graph.const_scalar(node.input(1)?)? == 2.0).then_some(node.input(0)?),
        _ => (node.input(0) == node.input(1)).then_some(node.input(0)?),
    }
}

/// The mean of squares.
pub(super) fn mean_of_squares(graph: &Graph, view: &View, value: ValueId) -> Option<Mean> {
    if let Some((node, axes)) = reduction(graph, view, value, &["ReduceSumSquare"]) {
        let of = node.input(0)?;
        let factor = extent(graph, of, &axes) as f32;
        return Some(Mean { of, axes, factor });
    }
    if let Some(found) = mean(graph, view, value)
        && let Some(of) = square(graph, view, found.of)
    {
        return Some(Mean { of, ..found });
    }
    // ReduceSumSquare · 1/n
    let node = view.maker(graph, value, &["Mul", "Div"])?;
    let (inner, scalar) = with_scalar(graph, node)?;
    let scalar =
        if node.op == "Div" { (Some(inner) == node.input(0)).then_some(1.0 / scalar)? } else { scalar };
    let (sum, axes) = reduction(graph, view, inner, &["ReduceSumSquare"])?;
    let of = sum.input(0)?;
    Some(Mean { of, factor: scalar * extent(graph, of, &axes) as f32, axes })
}

/// The x of x − mean(x), and the axes of the mean.
fn centre(graph: &Graph, view: &View, value: ValueId) -> Option<(ValueId, Vec<usize>)> {
    let sub = view.maker(graph, value, &["Sub"])?;
    let x = sub.input(0)?;
    let mean = plain_mean(graph, view, sub.input(1)?)?;
    (mean.of == x).then_some((x, mean.axes))
}

/// E[x²] − E[x]²
pub(super) fn difference_of_moments(graph: &Graph, view: &View, node: &Node) -> Option<Mean> {
    if node.op != "Sub" || !node.domain.is_empty() {
        return None;
    }
    let (first, second) = (node.input(0)?, square(graph, view, node.input(1)?)?);
    let squares = match mean_of_squares(graph, view, first) {
        Some(found) => found,
        None => {
            let found = dropping(graph, view, first)?;
            Mean { of: square(graph, view, found.of)?, ..found }
        }
    };
    let mean = mean(graph, view, second).or_else(|| dropping(graph, view, second))?;
    let plain = near(squares.factor, 1.0) && near(mean.factor, 1.0);
    (plain && squares.of == mean.of && squares.axes == mean.axes).then_some(squares)
}

/// What `value` is the mean of, where its axes are not kept.
fn dropping(graph: &Graph, view: &View, value: ValueId) -> Option<Mean> {
    let node = view.maker(graph, value, &["ReduceMean"])?;
    Some(Mean { of: node.input(0)?, axes: axes_of(graph, node)?, factor: 1.0 })
}

/// A second moment: around the mean when `centred`, else around zero.
struct Moment {
    mean: Mean,
    centred: bool,
}

/// What a node keeps from falling below a number that is not negative, and that number.
pub(super) fn clamped(graph: &Graph, clamp: &Node) -> Option<(ValueId, f32)> {
    let (x, floor) = match clamp.op.as_str() {
        "Max" => with_scalar(graph, clamp).filter(|_| clamp.inputs.len() == 2)?,
        "Clip" => {
            let open = clamp.input(2).is_none_or(|high| graph.const_scalar(high).is_some_and(|h| h > 1e30));
            (clamp.input(0).filter(|_| open)?, graph.const_scalar(clamp.input(1)?)?)
        }
        _ => (clamp.input(0)?, 0.0),
    };
    (floor >= 0.0).then_some((x, floor))
}

fn moment(graph: &Graph, view: &View, value: ValueId) -> Option<Moment> {
    // Rounding can make a variance negative: exporters clamp it.
    if let Some(clamp) = view.maker(graph, value, &["Relu", "Abs", "Max", "Clip"]) {
        let (inner, _) = clamped(graph, clamp).filter(|(_, floor)| *floor == 0.0)?;
        return moment(graph, view, inner);
    }
    if let Some(sub) = view.maker(graph, value, &["Sub"]) {
        return difference_of_moments(graph, view, sub).map(|mean| Moment { mean, centred: true });
    }
    let mean = mean_of_squares(graph, view, value)?;
    Some(match centre(graph, view, mean.of) {
        Some((x, axes)) if axes == mean.axes => Moment { mean: Mean { of: x, ..mean }, centred: true },
        _ => Moment { mean, centred: false },
    })
}

/// The largest number added to a standard deviation that counts as an epsilon.
const SMALL: f32 = 1.1e-5;

/// The normalization whose denominator is `value`.
pub(super) fn deviation(graph: &Graph, view: &View, value: ValueId) -> Option<Normal> {
    if let Some((root, small)) = view.maker(graph, value, &["Add"]).and_then(|add| with_scalar(graph, add)) {
        let inner = deviation(graph, view, root).filter(|_| (0.0..=SMALL).contains(&small))?;
        return (inner.epsilon == 0.0).then_some(Normal { epsilon: small * small, ..inner });
    }
    let root = view.maker(graph, value, &["Sqrt", "Pow"])?;
    if root.op == "Pow" && graph.const_scalar(root.input(1)?)? != 0.5 {
        return None;
    }
    radicand(graph, view, root.input(0)?)
}

/// A moment plus an epsilon.
fn radicand(graph: &Graph, view: &View, value: ValueId) -> Option<Normal> {
    let (variance, epsilon) = match view.maker(graph, value, &["Add"]) {
        Some(add) => with_scalar(graph, add).filter(|(_, epsilon)| *epsilon >= 0.0)?,
        None => (value, 0.0),
    };
    let Moment { mean, centred } = moment(graph, view, variance)?;
    (mean.factor > 0.0).then_some(Normal {
        x: mean.of,
        axes: mean.axes,
        centred,
        factor: mean.factor,
        epsilon,
    })
}

/// The normalization whose inverse deviation is `value`.
pub(super) fn inverse(graph: &Graph, view: &View, value: ValueId) -> Option<Normal> {
    let node = view.maker(graph, value, &["Reciprocal", "Pow", "Div"])?;
    match node.op.as_str() {
        "Reciprocal" => deviation(graph, view, node.input(0)?),
        "Pow" => {
            let half = graph.const_scalar(node.input(1)?)? == -0.5;
            half.then(|| radicand(graph, view, node.input(0)?)).flatten()
        }
        _ => {
            let one = graph.const_scalar(node.input(0)?)? == 1.0;
            one.then(|| deviation(graph, view, node.input(1)?)).flatten()
        }
    }
}

/// Whether `value` is what a normalization divides: x, or x less its mean.
fn numerator(graph: &Graph, view: &View, value: ValueId, normal: &Normal) -> bool {
    if !normal.centred {
        return value == normal.x;
    }
    centre(graph, view, value).is_some_and(|(x, axes)| x == normal.x && axes == normal.axes)
}

/// The normalization that a node ends, without scale and offset.
pub(super) fn normalized(graph: &Graph, view: &View, node: &Node) -> Option<Normal> {
    if !node.domain.is_empty() {
        return None;
    }
    let (a, b) = (node.input(0)?, node.input(1)?);
    let found = match node.op.as_str() {
        "Div" => deviation(graph, view, b).filter(|normal| numerator(graph, view, a, normal)),
        "Mul" => [(a, b), (b, a)].into_iter().find_map(|(x, inv)| {
            inverse(graph, view, inv).filter(|normal| numerator(graph, view, x, normal))
        }),
        _ => None,
    }?;
    (graph.shape(node.output(0)?) == graph.shape(found.x)).then_some(found)
}

/// `x · a + (β − mean(x) · a)` with `a = γ / deviation`: the form of TensorFlow's batch_normalization. Gives γ and β too.
pub(super) fn by_parts(
    graph: &Graph,
    view: &View,
    node: &Node,
) -> Option<(Normal, Option<ValueId>, Option<ValueId>)> {
    if !node.domain.is_empty() || !matches!(node.op.as_str(), "Add" | "Sub") {
        return None;
    }
    let (a, b) = (node.input(0)?, node.input(1)?);
    let orders: &[(ValueId, ValueId)] = if node.op == "Add" { &[(a, b), (b, a)] } else { &[(a, b)] };
    orders.iter().find_map(|&(scaled, rest)| {
        let (shift, beta) = if node.op == "Add" {
            let sub = view.maker(graph, rest, &["Sub"])?;
            (sub.input(1)?, Some(sub.input(0)?))
        } else {
            (rest, None)
        };
        let scaled = view.maker(graph, scaled, &["Mul"])?;
        let shift = view.maker(graph, shift, &["Mul"])?;
        for (x, factor) in [(scaled.input(0)?, scaled.input(1)?), (scaled.input(1)?, scaled.input(0)?)] {
            let other = match (shift.input(0)?, shift.input(1)?) {
                (m, f) | (f, m) if f == factor => m,
                (m, f) if m == factor => f,
                _ => continue,
            };
            let Some(mean) = plain_mean(graph, view, other).filter(|m| m.of == x) else { continue };
            let (normal, gamma) = match inverse(graph, view, factor) {
                Some(normal) => (normal, None),
                None => {
                    let mul = view.maker(graph, factor, &["Mul"])?;
                    let (p, q) = (mul.input(0)?, mul.input(1)?);
                    match inverse(graph, view, p) {
                        Some(normal) => (normal, Some(q)),
                        None => (inverse(graph, view, q)?, Some(p)),
                    }
                }
            };
            if normal.centred && normal.x == x && normal.axes == mean.axes {
                return Some((normal, gamma, beta));
            }
        }
        None
    })
}
