//! Expand and Tile: elements repeated along axes.

use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::repeat::{plan, tile};
use crate::lower::engine::{Lower, Ops};
use crate::program::TensorId;

/// Expand; the new shape is the output's.
pub(crate) fn expand(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let (shape, repeats) = plan(&ops.input_type(0)?.shape, &ops.output_type(0)?.shape);
    repeated(&mut ops, x, &shape, &repeats)
}

/// Tile; attribute `repeats`.
pub(crate) fn tile_node(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let shape = ops.input_type(0)?.shape.clone();
    let repeats: Vec<usize> = node
        .attrs
        .ints("repeats")
        .unwrap_or_default()
        .iter()
        .map(|&r| usize::try_from(r).unwrap_or(0))
        .collect();
    if repeats.len() != shape.len() || repeats.contains(&0) {
        return Err(ops.refuse(format!("repeats are {repeats:?} for {} axes", shape.len())));
    }
    repeated(&mut ops, x, &shape, &repeats)
}

fn repeated(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    shape: &[usize],
    repeats: &[usize],
) -> Result<(), Diagnostic> {
    if repeats.iter().all(|&r| r == 1) {
        let dims = crate::lower::blocks::broadcast::fold(shape, crate::lower::engine::MAX_RANK);
        let x = if shape.is_empty() { x } else { ops.reshape(x, &dims) };
        return ops.pass_on(x);
    }
    let y = tile(ops, x, shape, repeats)?;
    ops.output(0, y)
}
