//! The table of operators: how each takes its axes, and which function lowers it.

use qnn_types::Diagnostic;

use super::ops::{
    activation, arg, conv, convert, einsum, elementwise, gather, logic, mask, matmul, norm, pad, pool,
    reduce, resize, rotary, scatter, shape, slice, softmax, spatial, spread, unary,
};
use crate::graph::Node;
use crate::lower::Lower;
use crate::op::Op;

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
    /// Operator.
    pub op: Op,
    /// Its relation to axis order.
    pub axes: Axes,
    /// Its lowering.
    pub lower: LowerFn,
    /// For docs/SUPPORTED-OPS.md: the HTP ops it becomes, and what is refused.
    pub note: &'static str,
}

const fn row(op: Op, axes: Axes, lower: LowerFn, note: &'static str) -> Row {
    Row { op, axes, lower, note }
}

/// Every operator that can be lowered, in alphabetical order.
pub static ROWS: &[Row] = &[
    row(Op::Abs, Axes::Elementwise, unary::unary, "ElementWiseAbs"),
    row(Op::Acos, Axes::Elementwise, unary::formula, "atan, sqrt"),
    row(Op::Acosh, Axes::Elementwise, unary::formula, "log, sqrt"),
    row(Op::Add, Axes::Elementwise, elementwise::nary, "ElementWiseAdd"),
    row(Op::And, Axes::Elementwise, logic::logic, "ElementWiseAnd"),
    row(Op::ArgMax, Axes::ArgReduce, arg::extreme, "Argmax"),
    row(Op::ArgMin, Axes::ArgReduce, arg::extreme, "Argmin"),
    row(Op::Asin, Axes::Elementwise, unary::formula, "atan, sqrt"),
    row(Op::Asinh, Axes::Elementwise, unary::formula, "log, sqrt"),
    row(Op::Atan, Axes::Elementwise, unary::unary, "ElementWiseAtan"),
    row(Op::Atanh, Axes::Elementwise, unary::formula, "log"),
    row(
        Op::AveragePool,
        Axes::Spatial(Operands::PerChannel),
        pool::average,
        "PoolAvg2d; with padding DepthWiseConv2d or MatMul; 1-D and 2-D",
    ),
    row(
        Op::BatchNormalization,
        Axes::Spatial(Operands::PerChannel),
        norm::batch,
        "Batchnorm, or part of the convolution before it",
    ),
    row(Op::MsBiasGelu, Axes::Elementwise, activation::bias_gelu, "ElementWiseAdd, Gelu"),
    row(Op::Cast, Axes::Elementwise, convert::cast, "Cast; to bool ElementWiseNotEqual"),
    row(Op::CastLike, Axes::Elementwise, convert::cast, "as Cast"),
    row(Op::Ceil, Axes::Elementwise, unary::unary, "ElementWiseCeil"),
    row(Op::Celu, Axes::Elementwise, activation::celu, "Elu, ElementWiseMultiply"),
    row(
        Op::HtpChannelShuffle,
        Axes::Spatial(Operands::PerChannel),
        spatial::channel_shuffle,
        "ChannelShuffle; what Reshape, Transpose, Reshape that shuffle channels become",
    ),
    row(
        Op::Clip,
        Axes::Elementwise,
        activation::clip,
        "Relu, ReluMinMax; computed bounds ElementWiseMaximum, ElementWiseMinimum",
    ),
    row(Op::Concat, Axes::Axis, slice::concat, "Concat"),
    row(Op::Conv, Axes::Spatial(Operands::ConvWeight), conv::conv, "Conv2d, DepthWiseConv2d; 1-D and 2-D"),
    row(
        Op::ConvTranspose,
        Axes::Spatial(Operands::ConvTransposeWeight),
        conv::transpose,
        "TransposeConv2d; 1-D and 2-D",
    ),
    row(Op::Cos, Axes::Elementwise, unary::formula, "as Sin"),
    row(Op::Cosh, Axes::Elementwise, unary::formula, "exp"),
    row(Op::CumSum, Axes::Opaque, arg::cum_sum, "CumulativeSum"),
    row(Op::DepthToSpace, Axes::Spatial(Operands::PerChannel), spatial::depth_to_space, "DepthToSpace"),
    row(Op::Div, Axes::Elementwise, elementwise::nary, "ElementWiseDivide"),
    row(
        Op::Einsum,
        Axes::Opaque,
        einsum::einsum,
        "Transpose, MatMul, ReduceSum; one or two operands without ellipsis",
    ),
    row(Op::Elu, Axes::Elementwise, activation::elu, "Elu"),
    row(Op::Equal, Axes::Elementwise, logic::compare, "ElementWiseEqual"),
    row(Op::Erf, Axes::Elementwise, unary::formula, "tanh of a polynomial"),
    row(Op::Exp, Axes::Elementwise, unary::unary, "ElementWiseExp"),
    row(Op::Expand, Axes::Expand, spread::expand, "Tile"),
    row(Op::MsFastGelu, Axes::Elementwise, activation::bias_gelu, "ElementWiseAdd, Gelu"),
    row(Op::EyeLike, Axes::Opaque, mask::eye_like, "a constant"),
    row(Op::Flatten, Axes::Reshape, shape::reshape, "Reshape"),
    row(Op::Floor, Axes::Elementwise, unary::unary, "ElementWiseFloor"),
    row(Op::MsFusedMatMul, Axes::Opaque, matmul::fused, "MatMul, ElementWiseMultiply"),
    row(Op::Gather, Axes::Gather, gather::gather, "Gather; evenly spaced constant indices StridedSlice"),
    row(Op::GatherElements, Axes::Axis, gather::gather_elements, "GatherElements"),
    row(Op::GatherND, Axes::Opaque, gather::gather_nd, "Gather"),
    row(Op::Gelu, Axes::Elementwise, activation::gelu, "Gelu, also for the tanh approximation"),
    row(Op::MsGelu, Axes::Elementwise, activation::gelu, "Gelu"),
    row(Op::Gemm, Axes::Opaque, matmul::gemm, "FullyConnected for a constant (out, in) operand, else MatMul"),
    row(Op::GlobalAveragePool, Axes::Spatial(Operands::PerChannel), pool::global_average, "PoolAvg2d"),
    row(Op::GlobalLpPool, Axes::Spatial(Operands::PerChannel), pool::global_lp, "PoolAvg2d of powers"),
    row(Op::GlobalMaxPool, Axes::Spatial(Operands::PerChannel), pool::global_max, "PoolMax2d"),
    row(Op::Greater, Axes::Elementwise, logic::compare, "ElementWiseGreater"),
    row(Op::GreaterOrEqual, Axes::Elementwise, logic::compare, "ElementWiseGreaterEqual"),
    row(
        Op::GridSample,
        Axes::Spatial(Operands::PerChannel),
        spatial::grid_sample,
        "GridSample; linear and nearest; places are fp16",
    ),
    row(Op::GroupNormalization, Axes::Spatial(Operands::PerChannel), norm::group, "GroupNorm"),
    row(Op::HardSigmoid, Axes::Elementwise, activation::hard_sigmoid, "ElementWiseNeuron"),
    row(Op::HardSwish, Axes::Elementwise, unary::unary, "HardSwish"),
    row(
        Op::Identity,
        Axes::Elementwise,
        convert::identity,
        "nothing; Reshape where the app reads the result",
    ),
    row(Op::InstanceNormalization, Axes::Spatial(Operands::PerChannel), norm::instance, "InstanceNorm"),
    row(
        Op::IsInf,
        Axes::Elementwise,
        logic::is_inf,
        "IsNan, comparisons; float32 infinity and NaN are one to HTP",
    ),
    row(
        Op::IsNaN,
        Axes::Elementwise,
        logic::is_nan,
        "IsNan, comparisons; float32 infinity and NaN are one to HTP",
    ),
    row(Op::LRN, Axes::Spatial(Operands::PerChannel), norm::local_response, "Lrn; odd sizes"),
    row(Op::LayerNormalization, Axes::InnermostFrom, norm::layer, "LayerNorm; no statistics as outputs"),
    row(Op::LeakyRelu, Axes::Elementwise, activation::leaky_relu, "Prelu"),
    row(Op::Less, Axes::Elementwise, logic::compare, "ElementWiseLess"),
    row(Op::LessOrEqual, Axes::Elementwise, logic::compare, "ElementWiseLessEqual"),
    row(Op::Log, Axes::Elementwise, unary::unary, "ElementWiseLog"),
    row(
        Op::LogSoftmax,
        Axes::InnermostAxis,
        softmax::log_softmax,
        "LogSoftmax; wrong where logits span more than about 240",
    ),
    row(Op::LpNormalization, Axes::Axis, norm::lp, "L2Norm; for p = 1 ReduceSum, ElementWiseDivide"),
    row(Op::LpPool, Axes::Spatial(Operands::PerChannel), pool::lp, "Pad, PoolAvg2d of powers; 1-D and 2-D"),
    row(Op::MatMul, Axes::MatMul, matmul::matmul, "MatMul"),
    row(Op::Max, Axes::Elementwise, elementwise::nary, "ElementWiseMaximum"),
    row(
        Op::MaxPool,
        Axes::Spatial(Operands::PerChannel),
        pool::max,
        "PoolMax2d, also with Pad before it; 1-D and 2-D; no indices",
    ),
    row(Op::Mean, Axes::Elementwise, elementwise::nary, "ElementWiseAdd, ElementWiseMultiply"),
    row(
        Op::MeanVarianceNormalization,
        Axes::Spatial(Operands::PerChannel),
        norm::mean_variance,
        "InstanceNorm, LayerNorm; the channels, or all spatial axes together",
    ),
    row(Op::Min, Axes::Elementwise, elementwise::nary, "ElementWiseMinimum"),
    row(Op::Mish, Axes::Elementwise, activation::mish, "Exp, Multiply, Divide"),
    row(
        Op::Mod,
        Axes::Elementwise,
        elementwise::modulo,
        "ElementWiseMod; with fmod Divide, Multiply, Subtract",
    ),
    row(Op::Mul, Axes::Elementwise, elementwise::nary, "ElementWiseMultiply"),
    row(Op::Neg, Axes::Elementwise, unary::unary, "ElementWiseNeg"),
    row(Op::Not, Axes::Elementwise, logic::not, "ElementWiseNot"),
    row(Op::OneHot, Axes::Opaque, mask::one_hot, "ElementWiseEqual, ElementWiseSelect"),
    row(Op::Or, Axes::Elementwise, logic::logic, "ElementWiseOr"),
    row(Op::PRelu, Axes::Elementwise, activation::prelu, "Prelu"),
    row(Op::Pad, Axes::Pad, pad::pad, "Pad; what HTP cannot pad Concat or Gather; a constant value"),
    row(
        Op::Pow,
        Axes::Elementwise,
        elementwise::pow,
        "Multiply, SquareRoot, Rsqrt or Divide where the exponent is that simple, ElementWisePower else; integers to a constant power of 0 to 4",
    ),
    row(Op::MsQuickGelu, Axes::Elementwise, activation::swish, "Sigmoid, ElementWiseMultiply"),
    row(Op::RMSNormalization, Axes::InnermostFrom, norm::rms, "RmsNorm"),
    row(Op::Reciprocal, Axes::Elementwise, unary::formula, "ElementWiseDivide"),
    row(Op::ReduceL1, Axes::Reduce, reduce::norm, "Abs, ReduceSum"),
    row(Op::ReduceL2, Axes::Reduce, reduce::norm, "ReduceMax, Multiply, ReduceSum, SquareRoot"),
    row(Op::ReduceLogSum, Axes::Reduce, reduce::norm, "ReduceSum, Log"),
    row(Op::ReduceLogSumExp, Axes::Reduce, reduce::norm, "ReduceMax, Exp, ReduceSum, Log"),
    row(Op::ReduceMax, Axes::Reduce, reduce::reduce, "ReduceMax"),
    row(Op::ReduceMean, Axes::Reduce, reduce::reduce, "ReduceMean"),
    row(Op::ReduceMin, Axes::Reduce, reduce::reduce, "ReduceMin"),
    row(Op::ReduceProd, Axes::Reduce, reduce::product, "StridedSlice, ElementWiseMultiply"),
    row(Op::ReduceSum, Axes::Reduce, reduce::reduce, "ReduceSum"),
    row(Op::ReduceSumSquare, Axes::Reduce, reduce::norm, "Multiply, ReduceSum"),
    row(Op::Relu, Axes::Elementwise, unary::unary, "Relu"),
    row(Op::Reshape, Axes::Reshape, shape::reshape, "Reshape"),
    row(
        Op::Resize,
        Axes::Spatial(Operands::PerChannel),
        resize::resize,
        "ResizeBilinear, ResizeNearestNeighbor, Resize (cubic); what these get wrong MatMul or Gather by axis",
    ),
    row(
        Op::HtpRotaryEmbedding,
        Axes::Opaque,
        rotary::rotary,
        "RotaryEmbedding; of language models, ONNX's operator of that name is written as products",
    ),
    row(Op::Round, Axes::Elementwise, unary::unary, "ElementWiseRound"),
    row(
        Op::ScatterElements,
        Axes::Axis,
        scatter::scatter_elements,
        "ScatterElements, ScatterNd; reductions none, add, mul",
    ),
    row(Op::ScatterND, Axes::Opaque, scatter::scatter_nd, "ScatterNd; reductions none, add, mul"),
    row(Op::Selu, Axes::Elementwise, activation::selu, "Elu, ElementWiseMultiply"),
    row(Op::Shrink, Axes::Elementwise, activation::shrink, "ElementWiseSelect"),
    row(Op::Sigmoid, Axes::Elementwise, unary::unary, "Sigmoid"),
    row(Op::Sign, Axes::Elementwise, unary::unary, "ElementWiseSign"),
    row(Op::SimplifiedLayerNormalization, Axes::InnermostFrom, norm::rms, "RmsNorm"),
    row(Op::Sin, Axes::Elementwise, unary::formula, "ElementWiseSin of the angle less half turns"),
    row(Op::Sinh, Axes::Elementwise, unary::formula, "tanh and exp"),
    row(Op::MsSkipLayerNormalization, Axes::Opaque, norm::skip, "ElementWiseAdd, LayerNorm"),
    row(Op::MsSkipSimplifiedLayerNormalization, Axes::Opaque, norm::skip, "ElementWiseAdd, RmsNorm"),
    row(Op::Slice, Axes::Slice, slice::slice, "StridedSlice"),
    row(Op::Softmax, Axes::InnermostAxis, softmax::softmax, "Softmax"),
    row(Op::Softplus, Axes::Elementwise, activation::softplus, "Exp and a series"),
    row(Op::Softsign, Axes::Elementwise, unary::formula, "ElementWiseDivide, ElementWiseAbs"),
    row(Op::SpaceToDepth, Axes::Spatial(Operands::PerChannel), spatial::space_to_depth, "SpaceToDepth"),
    row(Op::Split, Axes::Axis, slice::split, "Split"),
    row(Op::Sqrt, Axes::Elementwise, unary::unary, "ElementWiseSquareRoot"),
    row(Op::Squeeze, Axes::Reshape, shape::reshape, "Reshape"),
    row(Op::Sub, Axes::Elementwise, elementwise::nary, "ElementWiseSubtract"),
    row(Op::Sum, Axes::Elementwise, elementwise::nary, "ElementWiseAdd"),
    row(Op::Swish, Axes::Elementwise, activation::swish, "Sigmoid, ElementWiseMultiply"),
    row(Op::Tan, Axes::Elementwise, unary::formula, "sin / cos"),
    row(Op::Tanh, Axes::Elementwise, unary::unary, "Tanh"),
    row(
        Op::ThresholdedRelu,
        Axes::Elementwise,
        activation::thresholded_relu,
        "ElementWiseGreater, ElementWiseSelect",
    ),
    row(Op::Tile, Axes::PerAxis, spread::tile_node, "Tile"),
    row(
        Op::TopK,
        Axes::InnermostAxis,
        arg::top_k,
        "TopK of the elements in reverse, so that equal ones come in ONNX's order",
    ),
    row(Op::Transpose, Axes::Transpose, shape::transpose, "Transpose"),
    row(Op::Trilu, Axes::Opaque, mask::trilu, "ElementWiseSelect by a constant mask"),
    row(Op::Unsqueeze, Axes::Reshape, shape::reshape, "Reshape"),
    row(Op::Where, Axes::Elementwise, logic::select, "ElementWiseSelect; of bool And, Not, Or"),
    row(Op::Xor, Axes::Elementwise, logic::logic, "ElementWiseXor"),
];

/// The row of an operator.
pub fn find(op: Op) -> Option<&'static Row> {
    ROWS.iter().find(|r| r.op == op)
}
