//! Statistics of groups of channels that are spread to the channels, as flax writes group normalization: mean and variance of
//! (N, spatial…, groups, each) become (N, groups · each), and what is normalized keeps its channels last.

use super::super::view::View;
use super::moments::{Normal, unshaped};
use crate::graph::{Graph, ValueId};
use crate::op::Op;

/// The statistic that is spread along the last axis, and how often each of its numbers stands there.
pub(super) fn repeated(graph: &Graph, view: &View, value: ValueId) -> Option<(ValueId, usize)> {
    let flat = unshaped(graph, view, value);
    let node = view.maker(graph, flat, &[Op::Expand, Op::Gather, Op::Tile, Op::Concat])?;
    let inner = node.input(0)?;
    let (from, to) = (graph.shape(inner), graph.shape(flat));
    let (&old, &new) = (from.last()?, to.last()?);
    let lead = |n: usize, m: usize| {
        from[..from.len() - n].iter().product::<usize>() == to[..to.len() - m].iter().product::<usize>()
    };
    match node.op {
        Op::Expand | Op::Tile => {
            let one = old == 1 && new > 1 && from.len() == to.len() && lead(1, 1);
            one.then_some((inner, new))
        }
        Op::Gather => {
            let axis = node.attrs.int_or("axis", 0);
            let axis = if axis < 0 { axis + from.len() as i64 } else { axis };
            let indices = graph.const_i64(node.input(1)?)?;
            let each =
                indices.len().checked_div(old).filter(|each| *each > 1 && each * old == indices.len())?;
            let in_order = indices.iter().enumerate().all(|(at, &i)| i == (at / each) as i64);
            (axis as usize + 1 == from.len() && in_order && lead(1, 1)).then_some((inner, each))
        }
        _ => {
            // The same value beside itself, along a last axis of ones.
            let same = node.inputs.iter().all(|i| *i == Some(inner));
            let last = node.attrs.int("axis")?;
            let last = last == -1 || last == from.len() as i64 - 1;
            (same && last && old == 1).then_some((inner, node.inputs.len()))
        }
    }
}

/// Shape of the value whose channels are grouped: (N, spatial…, groups · each).
fn whole(graph: &Graph, normal: &Normal) -> Option<Vec<usize>> {
    let grouped = graph.shape(normal.x);
    let [outer @ .., groups, each] = grouped else { return None };
    Some(outer.iter().copied().chain([groups * each]).collect())
}

/// Whether a spread statistic meets the value as one number for each channel.
pub(super) fn meets(graph: &Graph, value: ValueId, normal: &Normal) -> bool {
    let Some(of) = whole(graph, normal) else { return false };
    let shape = graph.shape(value);
    shape.len() == of.len()
        && shape.iter().enumerate().all(|(a, &d)| d == if a == 0 || a + 1 == of.len() { of[a] } else { 1 })
}

/// Whether the normalization's x is `x` with its channels in groups, normalized over all but batch and groups.
pub(super) fn groups(graph: &Graph, view: &View, x: ValueId, normal: &Normal) -> bool {
    let rank = graph.shape(normal.x).len();
    let axes = rank >= 4
        && normal.axes.iter().copied().eq((1..rank).filter(|&a| a != rank - 2))
        && graph.shape(normal.x).last() == Some(&normal.repeat);
    axes && whole(graph, normal).as_deref() == Some(graph.shape(x))
        && unshaped(graph, view, normal.x) == unshaped(graph, view, x)
}

/// The normalization of `x` itself.
pub(super) fn of(graph: &Graph, x: ValueId, normal: Normal) -> Normal {
    if normal.repeat == 1 {
        return normal;
    }
    let rank = graph.shape(x).len();
    Normal { x, axes: (1..rank - 1).collect(), ..normal }
}
