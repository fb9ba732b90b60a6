//! The table of operators: how each takes its axes, and which function lowers it.

use qnn_build::job::Diagnostic;

use super::{Lower, activation, conv, elementwise, matmul, pool, shape};
use crate::graph::Node;

/// How an operator relates to the order of its operands' axes; read by the layout pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axes {
    /// All operands in the model's order.
    Opaque,
    /// Input 0 and output 0 channels-last; other inputs as the operand rule says.
    Spatial(Operands),
    /// Any order, the same for all; operands broadcast. Covers unary and n-ary ops.
    Elementwise,
    /// Any order; attribute `axis` names one axis of every operand.
    Axis,
    /// Attribute `axis` must name the innermost axis.
    InnermostAxis,
    /// Attribute `axis`, removed from the outputs unless `keepdims`.
    ArgReduce,
    /// Constant input 1 lists axes, removed from the output unless `keepdims`.
    Reduce,
    /// The axes from attribute `axis` on must be innermost, in the model's order (LayerNormalization).
    InnermostFrom,
    /// Constant inputs starts, ends, axes, steps.
    Slice,
    /// Constant inputs pads, value, axes.
    Pad,
    /// Constant input 1 has one number an axis (Tile).
    PerAxis,
    /// Output shape broadcasts input 0 (Expand).
    Expand,
    /// Reorders axes: nothing is computed until a consumer needs it.
    Transpose,
    /// Same elements, other shape: Reshape, Flatten, Squeeze, Unsqueeze.
    Reshape,
    /// Batched matrix product; a swap of the two innermost axes becomes a flag.
    MatMul,
    /// Input 0 indexed along `axis` by input 1.
    Gather,
}

/// What a spatial operator's further inputs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// Left as they are (one number a channel, or none).
    PerChannel,
    /// Input 1 is a weight (out, in, spatial…), wanted as (spatial…, in, out).
    ConvWeight,
    /// Input 1 is a weight (in, out, spatial…), wanted as (spatial…, in, out).
    ConvTransposeWeight,
}

/// Lowers one node.
pub type LowerFn = fn(&mut Lower<'_>, &Node) -> Result<(), Diagnostic>;

/// One operator.
pub struct Row {
    /// Domain; empty for the ONNX standard's own.
    pub domain: &'static str,
    /// Operator.
    pub op: &'static str,
    /// Its relation to axis order.
    pub axes: Axes,
    /// Its lowering.
    pub lower: LowerFn,
    /// For docs/SUPPORTED-OPS.md: the HTP ops it becomes, and what is refused.
    pub note: &'static str,
}

const fn row(op: &'static str, axes: Axes, lower: LowerFn, note: &'static str) -> Row {
    Row { domain: "", op, axes, lower, note }
}

/// Every operator that can be lowered, in alphabetical order.
pub static ROWS: &[Row] = &[
    row("Add", Axes::Elementwise, elementwise::binary, "ElementWiseAdd"),
    row("Conv", Axes::Spatial(Operands::ConvWeight), conv::conv, "Conv2d, DepthWiseConv2d; 1-D and 2-D"),
    row("Div", Axes::Elementwise, elementwise::binary, "ElementWiseDivide"),
    row("Flatten", Axes::Reshape, shape::reshape, "Reshape"),
    row("Gemm", Axes::Opaque, matmul::gemm, "MatMul"),
    row("GlobalAveragePool", Axes::Spatial(Operands::PerChannel), pool::global_average, "PoolAvg2d"),
    row("MaxPool", Axes::Spatial(Operands::PerChannel), pool::max, "PoolMax2d"),
    row("Mul", Axes::Elementwise, elementwise::binary, "ElementWiseMultiply"),
    row("Relu", Axes::Elementwise, activation::relu, "Relu"),
    row("Reshape", Axes::Reshape, shape::reshape, "Reshape"),
    row("Squeeze", Axes::Reshape, shape::reshape, "Reshape"),
    row("Sub", Axes::Elementwise, elementwise::binary, "ElementWiseSubtract"),
    row("Transpose", Axes::Transpose, shape::transpose, "Transpose"),
    row("Unsqueeze", Axes::Reshape, shape::reshape, "Reshape"),
];

/// The row of an operator.
pub fn find(domain: &str, op: &str) -> Option<&'static Row> {
    let domain = if domain == "ai.onnx" { "" } else { domain };
    ROWS.iter().find(|r| r.op == op && r.domain == domain)
}
