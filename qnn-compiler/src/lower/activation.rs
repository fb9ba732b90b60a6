//! Activations.

use qnn_build::job::Diagnostic;

use super::Lower;
use crate::graph::Node;

/// Relu.
pub(super) fn relu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    lower.simple(node, "Relu", 1)?.emit();
    Ok(())
}
