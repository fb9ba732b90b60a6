//! The questions that a row answers, and the answers there are.

use crate::fold::Evaluator;
use crate::infer::Rule;
use crate::lower::LowerFn;

/// The types of a node's results.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Types {
    /// As the rule says.
    By(Rule),
    /// Nothing is known of the operator.
    Unknown,
}

/// How an operator relates to the order of its operands' axes; read by the layout pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axes {
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
pub(crate) enum Operands {
    /// Left as they are (one number a channel, or none).
    PerChannel,
    /// Input 1 is a weight (out, in, spatial…), wanted as (spatial…, in, out).
    ConvWeight,
    /// Input 1 is a weight (in, out, spatial…), wanted as (spatial…, in, out).
    ConvTransposeWeight,
}

/// What becomes of the elements of operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    /// So many inputs are elements that it only puts elsewhere, without looking at them.
    Moved(usize),
    /// It compares them: on integers that stand for numbers by one encoding it is the same function. These inputs are such integers,
    /// and so is the result where `stored`.
    Compared { inputs: &'static [usize], stored: bool },
    /// It computes with them.
    Computed,
}

/// What becomes of a factor that all elements of the first operand have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// The result has it too; the other operands are no numbers.
    Homogeneous,
    /// The result has it where all operands have the same.
    Sum,
    /// The result does not have it, but for what epsilon does.
    Invariant,
    /// The second operand, a constant, can take it out; a bias is constant too.
    Linear,
    /// It is multiplied back first, unless the pass knows better (Mul, Div, Sqrt).
    Other,
}

/// Between which numbers a result lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Results {
    /// Between these two whatever the operands are.
    Between(f64, f64),
    /// Between the least and the largest of the first operand.
    Among,
    /// Its ends are where those of its operands' ends are.
    ByEnds,
    /// The row does not say.
    Any,
}

/// How a node with constant operands is evaluated while the model is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fold {
    /// By this; ONNX Runtime is asked for cases that it leaves out.
    By(Evaluator),
    /// As `By`, but ONNX Runtime is not asked about integers: where it divides one by zero its process ends.
    Division(Evaluator),
    /// As `By`, whether operands are constant or not: only their types are read.
    OfShape(Evaluator),
    /// Only where it is a single number that others read as a constant: else the node is the meaning.
    Number(Evaluator),
    /// By ONNX Runtime.
    Reference,
    /// Never: the node is the meaning, or its result is no function of the operands.
    Never,
}

/// How the operator is written for ONNX Runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Onnx {
    /// As itself, in the form of [`crate::frontend::onnx::OPSET`] or its domain's first.
    Itself,
    /// As itself, where it has the attribute (always, where that is empty) in a later version.
    Since { attribute: &'static str, version: i64 },
    /// ONNX has no such operator: it is what a pattern became.
    Nothing,
}

/// How a node is lowered to HTP.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lowering {
    /// By this; `note` says for docs/SUPPORTED-OPS.md which HTP ops it becomes and what is refused.
    By { lower: LowerFn, note: &'static str },
    /// It is gone before: the front end writes it as others (`frontend/onnx/compose`), its result is known when the model is read, or it
    /// cannot be expressed.
    Nothing,
}
