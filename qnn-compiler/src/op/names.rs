//! The list of operators.

use super::Name;

/// What an operator is called: its variant's name, unless the list gives another.
macro_rules! name {
    ($variant:ident) => {
        stringify!($variant)
    };
    ($variant:ident $name:literal) => {
        $name
    };
}

macro_rules! operators {
    ($($domain:literal { $($variant:ident $(= $name:literal)?,)* })*) => {
        /// An operator of a graph. Those of the standard have their own names; `Ms` stands before those of ONNX Runtime's domain
        /// `com.microsoft`, `Ml` before those of `ai.onnx.ml`, and `Htp` before the vendor's ops that patterns become.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Op {
            $($(
                #[doc = concat!("`", name!($variant $($name)?), "`")]
                $variant,
            )*)*
            /// An operator of an op package, or one that is not known.
            Other(&'static Name),
        }

        impl Op {
            /// Every operator that is known.
            pub const KNOWN: &[Self] = &[$($(Self::$variant,)*)*];

            /// The variant's own name.
            pub(super) const fn variant(self) -> &'static str {
                match self {
                    $($(Self::$variant => stringify!($variant),)*)*
                    Self::Other(_) => "Other",
                }
            }

            /// Its place in [`Op::KNOWN`], if it is there.
            pub(super) const fn place(self) -> Option<usize> {
                #[expect(clippy::upper_case_acronyms, reason = "the names are ONNX's")]
                #[derive(Clone, Copy)]
                enum Place {
                    $($($variant,)*)*
                }
                match self {
                    $($(Self::$variant => Some(Place::$variant as usize),)*)*
                    Self::Other(_) => None,
                }
            }

            /// Domain and name.
            pub(super) fn full_name(self) -> (&'static str, &'static str) {
                match self {
                    $($(Self::$variant => ($domain, name!($variant $($name)?)),)*)*
                    Self::Other(name) => (&name.domain, &name.name),
                }
            }
        }
    };
}

operators! {
"" {
    Abs,
    Acos,
    Acosh,
    Add,
    AffineGrid,
    And,
    ArgMax,
    ArgMin,
    Asin,
    Asinh,
    Atan,
    Atanh,
    Attention,
    AveragePool,
    BatchNormalization,
    Bernoulli,
    BitCast,
    BitShift,
    BitwiseAnd,
    BitwiseNot,
    BitwiseOr,
    BitwiseXor,
    BlackmanWindow,
    Cast,
    CastLike,
    CausalConvWithState,
    Ceil,
    Celu,
    CenterCropPad,
    Clip,
    Col2Im,
    Compress,
    Concat,
    ConstantOfShape,
    Conv,
    ConvInteger,
    ConvTranspose,
    Cos,
    Cosh,
    CumProd,
    CumSum,
    DFT,
    DeformConv,
    DepthToSpace,
    DequantizeLinear,
    Det,
    Div,
    DynamicQuantizeLinear,
    Einsum,
    Elu,
    Equal,
    Erf,
    Exp,
    Expand,
    EyeLike,
    Flatten,
    Floor,
    GRU,
    Gather,
    GatherElements,
    GatherND,
    Gelu,
    Gemm,
    GlobalAveragePool,
    GlobalLpPool,
    GlobalMaxPool,
    Greater,
    GreaterOrEqual,
    GridSample,
    GroupNormalization,
    HammingWindow,
    HannWindow,
    HardSigmoid,
    HardSwish,
    Hardmax,
    Identity,
    ImageDecoder,
    InstanceNormalization,
    IsInf,
    IsNaN,
    LRN,
    LSTM,
    LayerNormalization,
    LeakyRelu,
    Less,
    LessOrEqual,
    LinearAttention,
    Log,
    LogSoftmax,
    LpNormalization,
    LpPool,
    MatMul,
    MatMulInteger,
    Max,
    MaxPool,
    MaxRoiPool,
    MaxUnpool,
    Mean,
    MeanVarianceNormalization,
    MelWeightMatrix,
    Min,
    Mish,
    Mod,
    Mul,
    Multinomial,
    Neg,
    NegativeLogLikelihoodLoss,
    NonMaxSuppression,
    NonZero,
    Not,
    OneHot,
    Or,
    PRelu,
    Pad,
    Pow,
    QLinearConv,
    QLinearMatMul,
    QuantizeLinear,
    RMSNormalization,
    RNN,
    RandomNormal,
    RandomNormalLike,
    RandomUniform,
    RandomUniformLike,
    Range,
    Reciprocal,
    ReduceL1,
    ReduceL2,
    ReduceLogSum,
    ReduceLogSumExp,
    ReduceMax,
    ReduceMean,
    ReduceMin,
    ReduceProd,
    ReduceSum,
    ReduceSumSquare,
    RegexFullMatch,
    Relu,
    Reshape,
    Resize,
    ReverseSequence,
    RoiAlign,
    RotaryEmbedding,
    Round,
    STFT,
    Scatter,
    ScatterElements,
    ScatterND,
    Selu,
    Shape,
    Shrink,
    Sigmoid,
    Sign,
    SimplifiedLayerNormalization,
    Sin,
    Sinh,
    Size,
    Slice,
    Softmax,
    SoftmaxCrossEntropyLoss,
    Softplus,
    Softsign,
    SpaceToDepth,
    Split,
    Sqrt,
    Squeeze,
    StringConcat,
    StringNormalizer,
    StringSplit,
    Sub,
    Sum,
    SwiGLU,
    Swish,
    Tan,
    Tanh,
    TensorScatter,
    ThresholdedRelu,
    Tile,
    TopK,
    Transpose,
    Trilu,
    Unique,
    Unsqueeze,
    Where,
    Xor,
}
"com.microsoft" {
    MsAttention = "Attention",
    MsBiasAdd = "BiasAdd",
    MsBiasGelu = "BiasGelu",
    MsBiasSplitGelu = "BiasSplitGelu",
    MsDynamicQuantizeLSTM = "DynamicQuantizeLSTM",
    MsDynamicQuantizeMatMul = "DynamicQuantizeMatMul",
    MsEmbedLayerNormalization = "EmbedLayerNormalization",
    MsExpandDims = "ExpandDims",
    MsFastGelu = "FastGelu",
    MsFusedConv = "FusedConv",
    MsFusedGemm = "FusedGemm",
    MsFusedMatMul = "FusedMatMul",
    MsGatherND = "GatherND",
    MsGelu = "Gelu",
    MsGemmFastGelu = "GemmFastGelu",
    MsGridSample = "GridSample",
    MsGroupNorm = "GroupNorm",
    MsGroupQueryAttention = "GroupQueryAttention",
    MsInverse = "Inverse",
    MsMatMulBnb4 = "MatMulBnb4",
    MsMatMulIntegerToFloat = "MatMulIntegerToFloat",
    MsMatMulNBits = "MatMulNBits",
    MsMultiHeadAttention = "MultiHeadAttention",
    MsPad = "Pad",
    MsQGemm = "QGemm",
    MsQLinearAdd = "QLinearAdd",
    MsQLinearAveragePool = "QLinearAveragePool",
    MsQLinearConcat = "QLinearConcat",
    MsQLinearGlobalAveragePool = "QLinearGlobalAveragePool",
    MsQLinearLeakyRelu = "QLinearLeakyRelu",
    MsQLinearMul = "QLinearMul",
    MsQLinearReduceMean = "QLinearReduceMean",
    MsQLinearSigmoid = "QLinearSigmoid",
    MsQLinearSoftmax = "QLinearSoftmax",
    MsQuickGelu = "QuickGelu",
    MsRotaryEmbedding = "RotaryEmbedding",
    MsSkipGroupNorm = "SkipGroupNorm",
    MsSkipLayerNormalization = "SkipLayerNormalization",
    MsSkipSimplifiedLayerNormalization = "SkipSimplifiedLayerNormalization",
    MsTransposeMatMul = "TransposeMatMul",
    MsTrilu = "Trilu",
}
"ai.onnx.ml" {
    MlArrayFeatureExtractor = "ArrayFeatureExtractor",
    MlBinarizer = "Binarizer",
    MlFeatureVectorizer = "FeatureVectorizer",
    MlImputer = "Imputer",
    MlLabelEncoder = "LabelEncoder",
    MlLinearClassifier = "LinearClassifier",
    MlLinearRegressor = "LinearRegressor",
    MlNormalizer = "Normalizer",
    MlOneHotEncoder = "OneHotEncoder",
    MlScaler = "Scaler",
    MlTreeEnsemble = "TreeEnsemble",
    MlTreeEnsembleClassifier = "TreeEnsembleClassifier",
    MlTreeEnsembleRegressor = "TreeEnsembleRegressor",
    MlZipMap = "ZipMap",
}
"ai.onnx.preview.training" {
    Adagrad,
    Adam,
    Momentum,
}
"qti.aisw" {
    HtpChannelShuffle = "ChannelShuffle",
    HtpRotaryEmbedding = "RotaryEmbedding",
}}
