//! What to do about a node that takes much of the time.

/// What runs on the matrix unit.
const LAYERS: &[&str] = &["Conv", "ConvTranspose", "Gemm", "MatMul"];

/// For ops of a model, what makes them cheaper on HTP; from measurements of single ops in the simulation.
const ROWS: &[(&[&str], &str)] = &[
    (
        &["Transpose"],
        "moves data only: take inputs as NHWC (`layout = \"nhwc\"`), or drop the transpose from the model",
    ),
    (
        &["Reshape", "Flatten", "Squeeze", "Unsqueeze"],
        "moves data only: keep four axes, channels last, around it",
    ),
    (&["Div"], "divide by a constant, or multiply with a reciprocal that is computed once"),
    (&["Pow"], "write squares as x * x and roots as Sqrt"),
    (
        &["Max", "Min", "Clip"],
        "with a constant, Relu or Clip with both limits are 10 times cheaper than Max and Min",
    ),
    (&["CumSum"], "a product with a triangle of ones is cheaper"),
    (
        &["Gelu", "Erf", "Sigmoid", "Tanh", "Swish", "Mish"],
        "`accuracy = \"fast\"` joins it with the layer before it; HardSwish and Relu are free there",
    ),
    (&["Resize", "Upsample"], "nearest with whole factors is cheapest; linear costs twice as much"),
    (
        &["LSTM", "GRU", "RNN"],
        "steps run one after the other: fewer steps an execution, or a convolution over time",
    ),
    (&["Softmax", "LogSoftmax"], "over the last axis it is cheapest"),
    (
        &["Gather", "GatherND", "GatherElements", "ScatterND", "ScatterElements"],
        "indices that are constant become slices",
    ),
    (LAYERS, "channels in multiples of 32 fill the matrix unit"),
    (
        &["LayerNormalization", "InstanceNormalization", "GroupNormalization"],
        "over the last axis it is cheapest",
    ),
];

/// A sentence about a node of this operator that became `internal` ops, the dearest first, where there is one.
pub(super) fn about(op: &str, internal: &[(String, u64)]) -> Option<&'static str> {
    // An activation that is joined has the name of both, and the time of the layer before it.
    let layer = internal.first().is_some_and(|(name, _)| name.starts_with("ConvLayer"));
    let op = if layer && !LAYERS.contains(&op) { LAYERS[0] } else { op };
    ROWS.iter().find(|(ops, _)| ops.contains(&op)).map(|(_, advice)| *advice)
}
