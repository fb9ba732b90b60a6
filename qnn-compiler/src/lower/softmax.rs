//! Softmax and LogSoftmax; the layout pass made their axis the innermost.

use qnn_build::job::Diagnostic;

use super::Lower;
use super::ops::Ops;
use crate::graph::Node;

/// Softmax.
pub(super) fn softmax(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    along_last(lower, node, "Softmax", 5)
}

/// LogSoftmax. HTP refuses five axes, and gives 5.3 instead of 0 along an axis of one element (QNN 2.51, SM8650).
pub(super) fn log_softmax(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    if lower.input_type(node, 0)?.shape.last().is_none_or(|&d| d == 1) {
        let mut ops = Ops::new(lower, node);
        let x = ops.input(0)?;
        let y = ops.binary("ElementWiseSubtract", x, x);
        return ops.output(0, y);
    }
    along_last(lower, node, "LogSoftmax", 4)
}

fn along_last(lower: &mut Lower<'_>, node: &Node, ty: &'static str, rank: usize) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let mut shape = ops.shape(x);
    let last = shape.len() - 1;
    if shape.len() > rank {
        shape = vec![shape[..last].iter().product(), shape[last]];
    }
    let x = ops.reshape(x, &shape);
    let dtype = ops.dtype(x);
    let axis = shape.len() as u32 - 1;
    let y = ops.step(ty, &[x], dtype, &shape, |op| op.u32("axis", axis).f32("beta", 1.0));
    ops.output(0, y)
}
