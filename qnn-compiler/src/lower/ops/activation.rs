//! Activations.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::broadcast;
use crate::lower::engine::{FP16_MAX, Lower, Ops, is_float};
use crate::lower::ops::unary::{exp, float4};
use crate::op::Op;
use crate::program::TensorId;

const ADD: &str = "ElementWiseAdd";
const MUL: &str = "ElementWiseMultiply";
const DIV: &str = "ElementWiseDivide";

/// Celu: α · elu(x / α).
pub(crate) fn celu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let alpha = node.attrs.float_or("alpha", 1.0);
    let x = float4(&mut ops, 0)?;
    let scaled = if alpha == 1.0 { x } else { ops.with(MUL, x, 1.0 / f64::from(alpha)) };
    let mut y = ops.unary_with("Elu", scaled, |op| op.f32("alpha", 1.0));
    if alpha != 1.0 {
        y = ops.with(MUL, y, f64::from(alpha));
    }
    ops.output(0, y)
}

/// Elu.
pub(crate) fn elu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let alpha = node.attrs.float_or("alpha", 1.0);
    let x = float4(&mut ops, 0)?;
    let y = ops.unary_with("Elu", x, |op| op.f32("alpha", alpha));
    ops.output(0, y)
}

/// Selu: γ · elu with its own α.
pub(crate) fn selu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let alpha = node.attrs.float_or("alpha", 1.673_263_2);
    let gamma = node.attrs.float_or("gamma", 1.050_701);
    let x = float4(&mut ops, 0)?;
    let elu = ops.unary_with("Elu", x, |op| op.f32("alpha", alpha));
    let y = ops.with(MUL, elu, f64::from(gamma));
    ops.output(0, y)
}

/// HardSigmoid.
pub(crate) fn hard_sigmoid(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    const HARD_SIGMOID: u32 = 2;
    let mut ops = Ops::new(lower, node);
    let (alpha, beta) = (node.attrs.float_or("alpha", 0.2), node.attrs.float_or("beta", 0.5));
    let x = float4(&mut ops, 0)?;
    let y = ops.unary_with("ElementWiseNeuron", x, |op| {
        op.u32("operation", HARD_SIGMOID).f32("alpha", alpha).f32("beta", beta)
    });
    ops.output(0, y)
}

/// LeakyRelu: Prelu with one slope.
pub(crate) fn leaky_relu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let slope = ops.number(ops.dtype(x), f64::from(node.attrs.float_or("alpha", 0.01)));
    let y = prelu_of(&mut ops, x, slope, &[1])?;
    ops.output(0, y)
}

/// PRelu.
pub(crate) fn prelu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let (x, slope) = (ops.input(0)?, ops.input(1)?);
    let shape = &ops.input_type(1)?.shape;
    let y = prelu_of(&mut ops, x, slope, shape)?;
    ops.output(0, y)
}

fn prelu_of(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    slope: TensorId,
    slope_shape: &[usize],
) -> Result<TensorId, Diagnostic> {
    if !is_float(ops.dtype(x)) {
        return Err(ops.refuse("of integers has no HTP op"));
    }
    let shape = &ops.input_type(0)?.shape;
    // HTP's own op of five axes cannot be compiled behind a convolution (QNN 2.51): images of a volume lie one below the other where
    // each has the same slopes.
    let inner = slope_shape.len().saturating_sub(3);
    let stacks = shape.len() == 5 && slope_shape.len() <= 5 && slope_shape[..inner].iter().all(|&d| d == 1);
    let [x, slope] = if stacks {
        let x = ops.reshape(x, &broadcast::fold(shape, 4));
        [x, ops.reshape(slope, &slope_shape[inner..])]
    } else {
        broadcast::operands(ops, [(x, shape), (slope, slope_shape)], 4)?
    };
    if ops.lower.ranges.is_some() {
        // HTP has no Prelu of 16 bits with a slope a channel.
        let above = ops.unary("Relu", x);
        let below =
            ops.unary_with("ReluMinMax", x, |op| op.f32("min_value", -FP16_MAX as f32).f32("max_value", 0.0));
        let below = ops.binary(MUL, below, slope);
        return Ok(ops.binary(ADD, above, below));
    }
    Ok(ops.binary("Prelu", x, slope))
}

/// ThresholdedRelu: x where it is larger than α.
pub(crate) fn thresholded_relu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = float4(&mut ops, 0)?;
    let alpha = ops.number(ops.dtype(x), f64::from(node.attrs.float_or("alpha", 1.0)));
    let zero = ops.number(ops.dtype(x), 0.0);
    let larger = ops.compare("ElementWiseGreater", x, alpha);
    let y = ops.select(larger, x, zero);
    ops.output(0, y)
}

/// Shrink: x + bias below −λ, x − bias above λ, zero between.
pub(crate) fn shrink(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let lambda = f64::from(node.attrs.float_or("lambd", 0.5));
    let bias = f64::from(node.attrs.float_or("bias", 0.0));
    let x = float4(&mut ops, 0)?;
    let dtype = ops.dtype(x);
    let (low, high, zero) = (ops.number(dtype, -lambda), ops.number(dtype, lambda), ops.number(dtype, 0.0));
    let (below, above) = (ops.compare("ElementWiseLess", x, low), ops.compare("ElementWiseGreater", x, high));
    let (up, down) = (ops.with(ADD, x, bias), ops.with(ADD, x, -bias));
    let right = ops.select(above, down, zero);
    let y = ops.select(below, up, right);
    ops.output(0, y)
}

/// Gelu, exact and approximate: HTP has one op for both, which differ by at most 4.8e-4.
pub(crate) fn gelu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let y = gelu_of(&mut ops, x)?;
    ops.output(0, y)
}

/// BiasGelu, FastGelu: Gelu of x plus a bias, where there is one.
pub(crate) fn bias_gelu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let mut x = ops.input(0)?;
    if node.input(1).is_some() {
        let bias = ops.finite_input(1)?;
        let (sx, sb) = (&ops.input_type(0)?.shape, &ops.input_type(1)?.shape);
        let [a, b] = broadcast::operands(&mut ops, [(x, sx), (bias, sb)], 5)?;
        x = ops.binary(ADD, a, b);
    }
    let y = gelu_of(&mut ops, x)?;
    ops.output(0, y)
}

fn gelu_of(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> Result<TensorId, Diagnostic> {
    if !is_float(ops.dtype(x)) {
        return Err(ops.refuse("of integers has no HTP op"));
    }
    let shape = broadcast::fold(&ops.shape(x), 5);
    let x = ops.reshape(x, &shape);
    Ok(ops.unary("Gelu", x))
}

/// QuickGelu, Swish: x · sigmoid(α · x).
pub(crate) fn swish(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let default = if node.op == Op::MsQuickGelu { 1.702 } else { 1.0 };
    let alpha = f64::from(node.attrs.float_or("alpha", default));
    let x = float4(&mut ops, 0)?;
    let scaled = if alpha == 1.0 { x } else { ops.with(MUL, x, alpha) };
    let gate = ops.unary("Sigmoid", scaled);
    let y = ops.binary(MUL, x, gate);
    ops.output(0, y)
}

/// Softplus: relu(x) + log(1 + t) with t = exp(-|x|), the logarithm as 2 · atanh(z) = 2 · (z + z³/3 + z⁵/5 + z⁷/7) of z = t / (2 + t).
///
/// HTP's own op is off by 3 % between -1 and 1 (measured on SM8650), and the logarithm of 1 + t in fp16 has no digits left where t
/// is small.
pub(crate) fn softplus(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = float4(&mut ops, 0)?;
    let y = softplus_of(&mut ops, x);
    ops.output(0, y)
}

fn softplus_of(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let size = ops.unary("ElementWiseAbs", x);
    let minus = ops.unary("ElementWiseNeg", size);
    let t = exp(ops, minus);
    let below = ops.with(ADD, t, 2.0);
    let z = ops.binary(DIV, t, below);
    let square = ops.binary(MUL, z, z);
    let mut series = ops.with(MUL, square, 2.0 / 7.0);
    for coefficient in [2.0 / 5.0, 2.0 / 3.0] {
        series = ops.with(ADD, series, coefficient);
        series = ops.binary(MUL, series, square);
    }
    series = ops.with(ADD, series, 2.0);
    let log = ops.binary(MUL, series, z);
    let relu = ops.unary("Relu", x);
    ops.binary(ADD, relu, log)
}

/// Mish: x · tanh(softplus(x)), which is x · n / (n + 2) with n = e²ˣ + 2eˣ. Beyond 4.8 the quotient is 1 to fp16; HTP divides by the
/// reciprocal, which is 0 for divisors above 16384, and its exponential of less than -88 is not zero (measured on SM8650).
pub(crate) fn mish(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = float4(&mut ops, 0)?;
    if ops.dtype(x).is_quantized() {
        // n spans more than 16 bits have.
        let softplus = softplus_of(&mut ops, x);
        let gate = ops.unary("Tanh", softplus);
        let y = ops.binary(MUL, x, gate);
        return ops.output(0, y);
    }
    let low = ops.unary_with("ReluMinMax", x, |op| op.f32("min_value", -80.0).f32("max_value", 4.8));
    let w = ops.unary("ElementWiseExp", low);
    let more = ops.with(ADD, w, 2.0);
    let n = ops.binary(MUL, w, more);
    let below = ops.with(ADD, n, 2.0);
    let ratio = ops.binary(DIV, n, below);
    let y = ops.binary(MUL, x, ratio);
    ops.output(0, y)
}

/// Clip: ReluMinMax with constant bounds, else Maximum and Minimum.
pub(crate) fn clip(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let x = ops.input(0)?;
    let (low, high) = (bound(&ops, 1), bound(&ops, 2));
    match (low, high) {
        (Bound::None, Bound::None) => ops.pass_on(x),
        (Bound::Computed, _) | (_, Bound::Computed) => computed_clip(ops, x),
        (low, high) if is_float(ops.dtype(x)) => {
            let shape = broadcast::fold(&ops.shape(x), 5);
            let x = ops.reshape(x, &shape);
            let (low, high) = (low.or(-FP16_MAX as f32), high.or(FP16_MAX as f32));
            // ONNX lets the upper bound win where the bounds are crossed.
            let low = low.min(high);
            let y = if low == 0.0 && high >= FP16_MAX as f32 {
                ops.unary("Relu", x)
            } else {
                ops.unary_with("ReluMinMax", x, |op| op.f32("min_value", low).f32("max_value", high))
            };
            ops.output(0, y)
        }
        _ => computed_clip(ops, x),
    }
}

/// A bound of Clip.
enum Bound {
    None,
    Constant(f32),
    Computed,
}

impl Bound {
    fn or(&self, default: f32) -> f32 {
        match self {
            Self::Constant(v) => v.clamp(-FP16_MAX as f32, FP16_MAX as f32),
            _ => default,
        }
    }
}

fn bound(ops: &Ops<'_, '_, '_>, i: usize) -> Bound {
    match ops.node.input(i) {
        None => Bound::None,
        Some(id) => ops.lower.graph.const_scalar(id).map_or(Bound::Computed, Bound::Constant),
    }
}

fn computed_clip(mut ops: Ops<'_, '_, '_>, x: TensorId) -> Result<(), Diagnostic> {
    let native = [DataType::Float32, DataType::Float16, DataType::Int32];
    let shape = broadcast::fold(&ops.shape(x), 4);
    let mut y = ops.widened(x, &native)?;
    y = ops.reshape(y, &shape);
    for (i, ty) in [(1, "ElementWiseMaximum"), (2, "ElementWiseMinimum")] {
        if ops.node.input(i).is_some() {
            let bound = ops.finite_input(i)?;
            let bound = ops.widened(bound, &native)?;
            y = ops.binary(ty, y, bound);
        }
    }
    ops.output(0, y)
}
