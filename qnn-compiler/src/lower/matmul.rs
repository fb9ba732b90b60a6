//! Matrix products.

use qnn_build::job::Diagnostic;

use super::Lower;
use crate::graph::Node;

/// Gemm: MatMul with transposition flags, then the scaled bias.
pub(super) fn gemm(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let trans_a = node.attrs.int_or("transA", 0) != 0;
    let trans_b = node.attrs.int_or("transB", 0) != 0;
    let bias = node.input(2).is_some();
    lower
        .simple(node, "MatMul", if bias { 3 } else { 2 })?
        .bool("transpose_in0", trans_a)
        .bool("transpose_in1", trans_b)
        .emit();
    Ok(())
}
