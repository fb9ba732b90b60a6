//! Reshape, Transpose, Reshape that move whole blocks: pixel shuffle and its inverse in both orders of channels, and channel
//! shuffle. One op on HTP; written out, each is a Transpose of five or six axes between two copies.

use super::view::View;
use crate::graph::{Attr, Attrs, Graph};
use crate::op::Op;

/// A way to write one of these ops for a tensor (n, c, h, w).
struct Pattern {
    op: Op,
    /// Order of channels within a block, where the op has one.
    mode: Option<&'static str>,
    perm: &'static [i64],
    /// The shape between the reshapes for a block or a number of groups, where that divides the shape.
    middle: fn([usize; 4], usize) -> Option<Vec<usize>>,
    /// The axis of that shape which tells the block or the number of groups.
    block: usize,
}

const PATTERNS: &[Pattern] = &[
    Pattern {
        op: Op::DepthToSpace,
        mode: Some("DCR"),
        perm: &[0, 3, 4, 1, 5, 2],
        middle: |[n, c, h, w], b| Some(vec![n, b, b, parts(c, b * b)?, h, w]),
        block: 1,
    },
    Pattern {
        op: Op::DepthToSpace,
        mode: Some("CRD"),
        perm: &[0, 1, 4, 2, 5, 3],
        middle: |[n, c, h, w], b| Some(vec![n, parts(c, b * b)?, b, b, h, w]),
        block: 2,
    },
    Pattern {
        op: Op::SpaceToDepth,
        mode: Some("DCR"),
        perm: &[0, 3, 5, 1, 2, 4],
        middle: |[n, c, h, w], b| Some(vec![n, c, parts(h, b)?, b, parts(w, b)?, b]),
        block: 3,
    },
    Pattern {
        op: Op::SpaceToDepth,
        mode: Some("CRD"),
        perm: &[0, 1, 3, 5, 2, 4],
        middle: |[n, c, h, w], b| Some(vec![n, c, parts(h, b)?, b, parts(w, b)?, b]),
        block: 3,
    },
    Pattern {
        op: Op::HtpChannelShuffle,
        mode: None,
        perm: &[0, 2, 1, 3, 4],
        middle: |[n, c, h, w], groups| Some(vec![n, groups, parts(c, groups)?, h, w]),
        block: 1,
    },
];

fn parts(extent: usize, of: usize) -> Option<usize> {
    (of > 1 && extent.is_multiple_of(of)).then(|| extent / of)
}

/// The op from the last Reshape.
pub(super) fn rule(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some((x, pattern, block)) = find(graph, view, i) else { return false };
    let node = &mut graph.nodes[i];
    node.op = pattern.op;
    node.inputs = vec![Some(x)];
    node.attrs = Attrs::default();
    let name = if pattern.mode.is_some() { "blocksize" } else { "group" };
    node.attrs.set(name, Attr::Int(block as i64));
    if let Some(mode) = pattern.mode {
        node.attrs.set("mode", Attr::Str(mode.to_owned()));
    }
    true
}

fn find(graph: &Graph, view: &View, i: usize) -> Option<(crate::graph::ValueId, &'static Pattern, usize)> {
    let node = &graph.nodes[i];
    if node.op != Op::Reshape {
        return None;
    }
    let moved = node.input(0)?;
    let transpose = view.maker(graph, moved, &[Op::Transpose])?;
    let middle = transpose.input(0)?;
    let x = view.maker(graph, middle, &[Op::Reshape])?.input(0)?;
    let from = <[usize; 4]>::try_from(graph.shape(x)).ok()?;
    // Encodings that differ on the way convert the numbers.
    let encoding = |id| graph.value(id).encoding.as_ref();
    let one = [moved, middle, node.output(0)?].into_iter().all(|id| encoding(id) == encoding(x));
    let perm = transpose.attrs.ints("perm").filter(|_| one)?;
    let shape = graph.shape(middle);
    let to = graph.shape(node.output(0)?);
    PATTERNS.iter().find_map(|pattern| {
        let block = *shape.get(pattern.block)?;
        // The vendor's ops are lowered on floats only.
        let float = pattern.op.is_standard() || encoding(x).is_none();
        let fits = float
            && perm == pattern.perm
            && (pattern.middle)(from, block).as_deref() == Some(shape)
            && to == result(pattern, from, block);
        fits.then_some((x, pattern, block))
    })
}

/// The shape that the op makes.
fn result(pattern: &Pattern, [n, c, h, w]: [usize; 4], b: usize) -> [usize; 4] {
    match pattern.op {
        Op::DepthToSpace => [n, c / (b * b), h * b, w * b],
        Op::SpaceToDepth => [n, c * b * b, h / b, w / b],
        _ => [n, c, h, w],
    }
}
