//! Ops that move elements without computing.

use qnn_build::job::Diagnostic;

use super::Lower;
use crate::graph::Node;

/// Reshape; the new shape is the output's.
pub(super) fn reshape(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    lower.simple(node, "Reshape", 1)?.emit();
    Ok(())
}

/// Transpose; attribute `perm` is always there after the layout pass.
pub(super) fn transpose(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let perm: Vec<u32> = node.attrs.ints("perm").unwrap_or_default().iter().map(|&p| p as u32).collect();
    lower.simple(node, "Transpose", 1)?.u32s("perm", &[perm.len() as u32], &perm).emit();
    Ok(())
}
