//! Element-wise arithmetic.

use qnn_build::job::Diagnostic;

use super::Lower;
use crate::graph::Node;

/// ONNX binary operators and the QNN ops they are.
const BINARY: &[(&str, &str)] = &[
    ("Add", "ElementWiseAdd"),
    ("Div", "ElementWiseDivide"),
    ("Mul", "ElementWiseMultiply"),
    ("Sub", "ElementWiseSubtract"),
];

/// Two inputs, broadcast, one output.
pub(super) fn binary(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let ty = BINARY.iter().find(|(op, _)| *op == node.op).map_or("", |(_, ty)| ty);
    lower.simple(node, ty, 2)?.emit();
    Ok(())
}
