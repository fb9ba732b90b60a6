//! Reshape and Transpose.

use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::transpose::transposed;
use crate::lower::engine::{Lower, Ops};

/// Reshape; the new shape is the output's.
pub(crate) fn reshape(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    ops.output(0, x)
}

/// Transpose; attribute `perm` is always there after the layout pass.
pub(crate) fn transpose(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let shape = ops.input_type(0)?.shape.clone();
    let perm: Vec<usize> = node.attrs.ints("perm").unwrap_or_default().iter().map(|&p| p as usize).collect();
    if perm.len() != shape.len() || (0..shape.len()).any(|a| !perm.contains(&a)) {
        return Err(ops.refuse(format!("perm {perm:?} does not fit a tensor of {} axes", shape.len())));
    }
    let y = transposed(&mut ops, x, &shape, &perm)?;
    if y == x { ops.pass_on(x) } else { ops.output(0, y) }
}
