//! The table of operators: how each takes its axes, and which function lowers it.

use qnn_types::Diagnostic;

use super::ops::{
    activation, arg, conv, convert, einsum, elementwise, gather, logic, mask, matmul, norm, pad, pool,
    reduce, resize, rotary, scatter, shape, slice, softmax, spatial, spread, unary,
};
use crate::graph::Node;
use crate::lower::Lower;

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

const fn contrib(op: &'static str, axes: Axes, lower: LowerFn, note: &'static str) -> Row {
    Row { domain: "com.microsoft", op, axes, lower, note }
}

/// An op of the vendor's that ONNX does not have: patterns become it.
const fn vendor(op: &'static str, axes: Axes, lower: LowerFn, note: &'static str) -> Row {
    Row { domain: "qti.aisw", op, axes, lower, note }
}

/// Every operator that can be lowered, in alphabetical order.
pub static ROWS: &[Row] = &[
    row("Abs", Axes::Elementwise, unary::unary, "ElementWiseAbs"),
    row("Acos", Axes::Elementwise, unary::formula, "atan, sqrt"),
    row("Acosh", Axes::Elementwise, unary::formula, "log, sqrt"),
    row("Add", Axes::Elementwise, elementwise::nary, "ElementWiseAdd"),
    row("And", Axes::Elementwise, logic::logic, "ElementWiseAnd"),
    row("ArgMax", Axes::ArgReduce, arg::extreme, "Argmax"),
    row("ArgMin", Axes::ArgReduce, arg::extreme, "Argmin"),
    row("Asin", Axes::Elementwise, unary::formula, "atan, sqrt"),
    row("Asinh", Axes::Elementwise, unary::formula, "log, sqrt"),
    row("Atan", Axes::Elementwise, unary::unary, "ElementWiseAtan"),
    row("Atanh", Axes::Elementwise, unary::formula, "log"),
    row(
        "AveragePool",
        Axes::Spatial(Operands::PerChannel),
        pool::average,
        "PoolAvg2d; with padding DepthWiseConv2d or MatMul; 1-D and 2-D",
    ),
    row(
        "BatchNormalization",
        Axes::Spatial(Operands::PerChannel),
        norm::batch,
        "Batchnorm, or part of the convolution before it",
    ),
    contrib("BiasGelu", Axes::Elementwise, activation::bias_gelu, "ElementWiseAdd, Gelu"),
    row("Cast", Axes::Elementwise, convert::cast, "Cast; to bool ElementWiseNotEqual"),
    row("CastLike", Axes::Elementwise, convert::cast, "as Cast"),
    row("Ceil", Axes::Elementwise, unary::unary, "ElementWiseCeil"),
    row("Celu", Axes::Elementwise, activation::celu, "Elu, ElementWiseMultiply"),
    vendor(
        "ChannelShuffle",
        Axes::Spatial(Operands::PerChannel),
        spatial::channel_shuffle,
        "ChannelShuffle; what Reshape, Transpose, Reshape that shuffle channels become",
    ),
    row(
        "Clip",
        Axes::Elementwise,
        activation::clip,
        "Relu, ReluMinMax; computed bounds ElementWiseMaximum, ElementWiseMinimum",
    ),
    row("Concat", Axes::Axis, slice::concat, "Concat"),
    row("Conv", Axes::Spatial(Operands::ConvWeight), conv::conv, "Conv2d, DepthWiseConv2d; 1-D and 2-D"),
    row(
        "ConvTranspose",
        Axes::Spatial(Operands::ConvTransposeWeight),
        conv::transpose,
        "TransposeConv2d; 1-D and 2-D",
    ),
    row("Cos", Axes::Elementwise, unary::formula, "as Sin"),
    row("Cosh", Axes::Elementwise, unary::formula, "exp"),
    row("CumSum", Axes::Opaque, arg::cum_sum, "CumulativeSum"),
    row("DepthToSpace", Axes::Spatial(Operands::PerChannel), spatial::depth_to_space, "DepthToSpace"),
    row("Div", Axes::Elementwise, elementwise::nary, "ElementWiseDivide"),
    row(
        "Einsum",
        Axes::Opaque,
        einsum::einsum,
        "Transpose, MatMul, ReduceSum; one or two operands without ellipsis",
    ),
    row("Elu", Axes::Elementwise, activation::elu, "Elu"),
    row("Equal", Axes::Elementwise, logic::compare, "ElementWiseEqual"),
    row("Erf", Axes::Elementwise, unary::formula, "tanh of a polynomial"),
    row("Exp", Axes::Elementwise, unary::unary, "ElementWiseExp"),
    row("Expand", Axes::Expand, spread::expand, "Tile"),
    contrib("FastGelu", Axes::Elementwise, activation::bias_gelu, "ElementWiseAdd, Gelu"),
    row("EyeLike", Axes::Opaque, mask::eye_like, "a constant"),
    row("Flatten", Axes::Reshape, shape::reshape, "Reshape"),
    row("Floor", Axes::Elementwise, unary::unary, "ElementWiseFloor"),
    contrib("FusedMatMul", Axes::Opaque, matmul::fused, "MatMul, ElementWiseMultiply"),
    row("Gather", Axes::Gather, gather::gather, "Gather; evenly spaced constant indices StridedSlice"),
    row("GatherElements", Axes::Axis, gather::gather_elements, "GatherElements"),
    row("GatherND", Axes::Opaque, gather::gather_nd, "Gather"),
    row("Gelu", Axes::Elementwise, activation::gelu, "Gelu, also for the tanh approximation"),
    contrib("Gelu", Axes::Elementwise, activation::gelu, "Gelu"),
    row("Gemm", Axes::Opaque, matmul::gemm, "FullyConnected for a constant (out, in) operand, else MatMul"),
    row("GlobalAveragePool", Axes::Spatial(Operands::PerChannel), pool::global_average, "PoolAvg2d"),
    row("GlobalLpPool", Axes::Spatial(Operands::PerChannel), pool::global_lp, "PoolAvg2d of powers"),
    row("GlobalMaxPool", Axes::Spatial(Operands::PerChannel), pool::global_max, "PoolMax2d"),
    row("Greater", Axes::Elementwise, logic::compare, "ElementWiseGreater"),
    row("GreaterOrEqual", Axes::Elementwise, logic::compare, "ElementWiseGreaterEqual"),
    row(
        "GridSample",
        Axes::Spatial(Operands::PerChannel),
        spatial::grid_sample,
        "GridSample; linear and nearest; places are fp16",
    ),
    row("GroupNormalization", Axes::Spatial(Operands::PerChannel), norm::group, "GroupNorm"),
    row("HardSigmoid", Axes::Elementwise, activation::hard_sigmoid, "ElementWiseNeuron"),
    row("HardSwish", Axes::Elementwise, unary::unary, "HardSwish"),
    row("Identity", Axes::Elementwise, convert::identity, "nothing; Reshape where the app reads the result"),
    row("InstanceNormalization", Axes::Spatial(Operands::PerChannel), norm::instance, "InstanceNorm"),
    row(
        "IsInf",
        Axes::Elementwise,
        logic::is_inf,
        "IsNan, comparisons; float32 infinity and NaN are one to HTP",
    ),
    row(
        "IsNaN",
        Axes::Elementwise,
        logic::is_nan,
        "IsNan, comparisons; float32 infinity and NaN are one to HTP",
    ),
    row("LRN", Axes::Spatial(Operands::PerChannel), norm::local_response, "Lrn; odd sizes"),
    row("LayerNormalization", Axes::InnermostFrom, norm::layer, "LayerNorm; no statistics as outputs"),
    row("LeakyRelu", Axes::Elementwise, activation::leaky_relu, "Prelu"),
    row("Less", Axes::Elementwise, logic::compare, "ElementWiseLess"),
    row("LessOrEqual", Axes::Elementwise, logic::compare, "ElementWiseLessEqual"),
    row("Log", Axes::Elementwise, unary::unary, "ElementWiseLog"),
    row(
        "LogSoftmax",
        Axes::InnermostAxis,
        softmax::log_softmax,
        "LogSoftmax; wrong where logits span more than about 240",
    ),
    row("LpNormalization", Axes::Axis, norm::lp, "L2Norm; for p = 1 ReduceSum, ElementWiseDivide"),
    row("LpPool", Axes::Spatial(Operands::PerChannel), pool::lp, "Pad, PoolAvg2d of powers; 1-D and 2-D"),
    row("MatMul", Axes::MatMul, matmul::matmul, "MatMul"),
    row("Max", Axes::Elementwise, elementwise::nary, "ElementWiseMaximum"),
    row(
        "MaxPool",
        Axes::Spatial(Operands::PerChannel),
        pool::max,
        "PoolMax2d, also with Pad before it; 1-D and 2-D; no indices",
    ),
    row("Mean", Axes::Elementwise, elementwise::nary, "ElementWiseAdd, ElementWiseMultiply"),
    row(
        "MeanVarianceNormalization",
        Axes::Spatial(Operands::PerChannel),
        norm::mean_variance,
        "InstanceNorm, LayerNorm; the channels, or all spatial axes together",
    ),
    row("Min", Axes::Elementwise, elementwise::nary, "ElementWiseMinimum"),
    row("Mish", Axes::Elementwise, activation::mish, "Exp, Multiply, Divide"),
    row(
        "Mod",
        Axes::Elementwise,
        elementwise::modulo,
        "ElementWiseMod; with fmod Divide, Multiply, Subtract",
    ),
    row("Mul", Axes::Elementwise, elementwise::nary, "ElementWiseMultiply"),
    row("Neg", Axes::Elementwise, unary::unary, "ElementWiseNeg"),
    row("Not", Axes::Elementwise, logic::not, "ElementWiseNot"),
    row("OneHot", Axes::Opaque, mask::one_hot, "ElementWiseEqual, ElementWiseSelect"),
    row("Or", Axes::Elementwise, logic::logic, "ElementWiseOr"),
    row("PRelu", Axes::Elementwise, activation::prelu, "Prelu"),
    row("Pad", Axes::Pad, pad::pad, "Pad; what HTP cannot pad Concat or Gather; a constant value"),
    row(
        "Pow",
        Axes::Elementwise,
        elementwise::pow,
        "Multiply, SquareRoot, Rsqrt or Divide where the exponent is that simple, ElementWisePower else; integers to a constant power of 0 to 4",
    ),
    contrib("QuickGelu", Axes::Elementwise, activation::swish, "Sigmoid, ElementWiseMultiply"),
    row("RMSNormalization", Axes::InnermostFrom, norm::rms, "RmsNorm"),
    row("Reciprocal", Axes::Elementwise, unary::formula, "ElementWiseDivide"),
    row("ReduceL1", Axes::Reduce, reduce::norm, "Abs, ReduceSum"),
    row("ReduceL2", Axes::Reduce, reduce::norm, "ReduceMax, Multiply, ReduceSum, SquareRoot"),
    row("ReduceLogSum", Axes::Reduce, reduce::norm, "ReduceSum, Log"),
    row("ReduceLogSumExp", Axes::Reduce, reduce::norm, "ReduceMax, Exp, ReduceSum, Log"),
    row("ReduceMax", Axes::Reduce, reduce::reduce, "ReduceMax"),
    row("ReduceMean", Axes::Reduce, reduce::reduce, "ReduceMean"),
    row("ReduceMin", Axes::Reduce, reduce::reduce, "ReduceMin"),
    row("ReduceProd", Axes::Reduce, reduce::product, "StridedSlice, ElementWiseMultiply"),
    row("ReduceSum", Axes::Reduce, reduce::reduce, "ReduceSum"),
    row("ReduceSumSquare", Axes::Reduce, reduce::norm, "Multiply, ReduceSum"),
    row("Relu", Axes::Elementwise, unary::unary, "Relu"),
    row("Reshape", Axes::Reshape, shape::reshape, "Reshape"),
    row(
        "Resize",
        Axes::Spatial(Operands::PerChannel),
        resize::resize,
        "ResizeBilinear, ResizeNearestNeighbor, Resize (cubic); what these get wrong MatMul or Gather by axis",
    ),
    vendor(
        "RotaryEmbedding",
        Axes::Opaque,
        rotary::rotary,
        "RotaryEmbedding; of language models, ONNX's operator of that name is written as products",
    ),
    row("Round", Axes::Elementwise, unary::unary, "ElementWiseRound"),
    row(
        "ScatterElements",
        Axes::Axis,
        scatter::scatter_elements,
        "ScatterElements, ScatterNd; reductions none, add, mul",
    ),
    row("ScatterND", Axes::Opaque, scatter::scatter_nd, "ScatterNd; reductions none, add, mul"),
    row("Selu", Axes::Elementwise, activation::selu, "Elu, ElementWiseMultiply"),
    row("Shrink", Axes::Elementwise, activation::shrink, "ElementWiseSelect"),
    row("Sigmoid", Axes::Elementwise, unary::unary, "Sigmoid"),
    row("Sign", Axes::Elementwise, unary::unary, "ElementWiseSign"),
    row("SimplifiedLayerNormalization", Axes::InnermostFrom, norm::rms, "RmsNorm"),
    row("Sin", Axes::Elementwise, unary::formula, "ElementWiseSin of the angle less half turns"),
    row("Sinh", Axes::Elementwise, unary::formula, "tanh and exp"),
    contrib("SkipLayerNormalization", Axes::Opaque, norm::skip, "ElementWiseAdd, LayerNorm"),
    contrib("SkipSimplifiedLayerNormalization", Axes::Opaque, norm::skip, "ElementWiseAdd, RmsNorm"),
    row("Slice", Axes::Slice, slice::slice, "StridedSlice"),
    row("Softmax", Axes::InnermostAxis, softmax::softmax, "Softmax"),
    row("Softplus", Axes::Elementwise, activation::softplus, "Exp and a series"),
    row("Softsign", Axes::Elementwise, unary::formula, "ElementWiseDivide, ElementWiseAbs"),
    row("SpaceToDepth", Axes::Spatial(Operands::PerChannel), spatial::space_to_depth, "SpaceToDepth"),
    row("Split", Axes::Axis, slice::split, "Split"),
    row("Sqrt", Axes::Elementwise, unary::unary, "ElementWiseSquareRoot"),
    row("Squeeze", Axes::Reshape, shape::reshape, "Reshape"),
    row("Sub", Axes::Elementwise, elementwise::nary, "ElementWiseSubtract"),
    row("Sum", Axes::Elementwise, elementwise::nary, "ElementWiseAdd"),
    row("Swish", Axes::Elementwise, activation::swish, "Sigmoid, ElementWiseMultiply"),
    row("Tan", Axes::Elementwise, unary::formula, "sin / cos"),
    row("Tanh", Axes::Elementwise, unary::unary, "Tanh"),
    row(
        "ThresholdedRelu",
        Axes::Elementwise,
        activation::thresholded_relu,
        "ElementWiseGreater, ElementWiseSelect",
    ),
    row("Tile", Axes::PerAxis, spread::tile_node, "Tile"),
    row(
        "TopK",
        Axes::InnermostAxis,
        arg::top_k,
        "TopK of the elements in reverse, so that equal ones come in ONNX's order",
    ),
    row("Transpose", Axes::Transpose, shape::transpose, "Transpose"),
    row("Trilu", Axes::Opaque, mask::trilu, "ElementWiseSelect by a constant mask"),
    row("Unsqueeze", Axes::Reshape, shape::reshape, "Reshape"),
    row("Where", Axes::Elementwise, logic::select, "ElementWiseSelect; of bool And, Not, Or"),
    row("Xor", Axes::Elementwise, logic::logic, "ElementWiseXor"),
];

/// The row of an operator.
pub fn find(domain: &str, op: &str) -> Option<&'static Row> {
    let domain = if domain == "ai.onnx" { "" } else { domain };
    ROWS.iter().find(|r| r.op == op && r.domain == domain)
}
