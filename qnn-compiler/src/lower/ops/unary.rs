//! Functions of one number.

use std::f64::consts::{FRAC_1_PI, FRAC_2_SQRT_PI, FRAC_PI_2, LN_2, PI};

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::broadcast::fold;
use crate::lower::engine::{FP16_MAX, Lower, Ops, is_float};
use crate::op::Op;
use crate::program::{Quant, TensorId};

/// ONNX operators and the HTP ops they are.
const UNARY: &[(Op, &str)] = &[
    (Op::Abs, "ElementWiseAbs"),
    (Op::Atan, "ElementWiseAtan"),
    (Op::Ceil, "ElementWiseCeil"),
    (Op::Exp, "ElementWiseExp"),
    (Op::Floor, "ElementWiseFloor"),
    (Op::HardSwish, "HardSwish"),
    (Op::Log, "ElementWiseLog"),
    (Op::Neg, "ElementWiseNeg"),
    (Op::Relu, "Relu"),
    (Op::Round, "ElementWiseRound"),
    (Op::Sigmoid, "Sigmoid"),
    (Op::Sign, "ElementWiseSign"),
    (Op::Sqrt, "ElementWiseSquareRoot"),
    (Op::Tanh, "Tanh"),
];

/// Ops that take five axes; the others take four.
const FIVE: &[&str] = &["ElementWiseAbs", "ElementWiseExp", "Relu", "Sigmoid"];

/// Operators that are one HTP op.
pub(crate) fn unary(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let ty = UNARY
        .iter()
        .find(|(op, _)| *op == node.op)
        .map(|(_, ty)| *ty)
        .ok_or_else(|| ops.refuse("no function of this name"))?;
    let x = ops.input(0)?;
    if !is_float(ops.dtype(x)) {
        return integer(ops, x);
    }
    let shape = fold(&ops.shape(x), if FIVE.contains(&ty) { 5 } else { 4 });
    let mut x = ops.reshape(x, &shape);
    match ty {
        "ElementWiseLog" => x = positive(&mut ops, x),
        // v68 computes in float32.
        "ElementWiseExp" if ops.lower.target.arch > 68 && !known_within(&ops, -POWER, POWER) => {
            x = power_in_range(&mut ops, x)
        }
        "ElementWiseAtan" if !known_within(&ops, -STEEP, STEEP) => x = within(&mut ops, x, -STEEP, STEEP),
        _ => {}
    }
    let y = ops.unary(ty, x);
    ops.output(0, y)
}

/// The smallest number of fp16 that is not zero.
const SMALLEST: f64 = 5.960_464_5e-8;

/// HTP's exponential of anything below -88.7 is not zero but -131008, 131008 or another number, and beyond 250 as wrong (SM8650,
/// QNN 2.51). Up to here it is right, and its result zero or the largest number of fp16 long before.
pub(in crate::lower) const POWER: f64 = 87.0;

/// HTP's arc tangent is 131008 beyond 32768; it is π/2 to fp16 long before.
const STEEP: f64 = 8192.0;

/// Whether the node's operand is known to lie between two numbers.
fn known_within(ops: &Ops<'_, '_, '_>, low: f64, high: f64) -> bool {
    ops.node.input(0).is_some_and(|id| {
        let bounds = ops.lower.bounds(id);
        bounds.low >= low && bounds.high <= high
    })
}

/// `x` between two numbers, by the op that costs least; integers with an encoding are bounded by it.
pub(in crate::lower) fn within(ops: &mut Ops<'_, '_, '_>, x: TensorId, low: f64, high: f64) -> TensorId {
    if ops.dtype(x).is_quantized() {
        return x;
    }
    ops.unary_with("ReluMinMax", x, |op| op.f32("min_value", low as f32).f32("max_value", high as f32))
}

/// `x` where HTP's exponential of it is right.
fn power_in_range(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    within(ops, x, -POWER, POWER)
}

/// The exponential of numbers that may be as large as they like.
pub(in crate::lower) fn exp(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let x = power_in_range(ops, x);
    ops.unary("ElementWiseExp", x)
}

/// What HTP can take the logarithm of. Of zero it is -7.6 in floats, larger than that of the smallest number; of 8 bits, where the
/// function is a table, it is as small as the result can say.
pub(in crate::lower) fn positive(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let tensor = ops.lower.get(x);
    match (tensor.dtype, &tensor.quant) {
        (DataType::UFixed8, _) => x,
        (DataType::UFixed16, &Quant::PerTensor { scale, .. }) => {
            ops.unary_with("ReluMinMax", x, |op| op.f32("min_value", scale).f32("max_value", FP16_MAX as f32))
        }
        _ => ops.with("ElementWiseMaximum", x, SMALLEST),
    }
}

/// The few functions that make sense on integers.
fn integer(mut ops: Ops<'_, '_, '_>, x: TensorId) -> Result<(), Diagnostic> {
    let shape = fold(&ops.shape(x), 4);
    let x = ops.widened(x, &[DataType::Int32])?;
    let x = ops.reshape(x, &shape);
    let y = match ops.node.op {
        Op::Abs => ops.unary("ElementWiseAbs", x),
        Op::Neg => {
            let zero = ops.number(DataType::Int32, 0.0);
            ops.binary("ElementWiseSubtract", zero, x)
        }
        Op::Relu => ops.with("ElementWiseMaximum", x, 0.0),
        Op::Sign => ops.unary_with("ReluMinMax", x, |op| op.f32("min_value", -1.0).f32("max_value", 1.0)),
        op => return Err(ops.refuse(format!("{op} of integers has no HTP op"))),
    };
    ops.output(0, y)
}

/// Writes a formula of one float.
type Formula = fn(&mut Ops<'_, '_, '_>, TensorId) -> TensorId;

/// Operators that HTP has no op for, or none that is good enough.
const FORMULAS: &[(Op, Formula)] = &[
    (Op::Acos, acos),
    (Op::Acosh, acosh),
    (Op::Asin, asin),
    (Op::Asinh, asinh),
    (Op::Atanh, atanh),
    (Op::Cos, cos),
    (Op::Cosh, cosh),
    (Op::Erf, erf),
    (Op::Reciprocal, reciprocal),
    (Op::Sin, sin),
    (Op::Sinh, sinh),
    (Op::Softsign, softsign),
    (Op::Tan, tan),
];

/// Operators that are a formula of HTP ops.
pub(crate) fn formula(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let formula = FORMULAS
        .iter()
        .find(|(op, _)| *op == node.op)
        .map(|(_, formula)| *formula)
        .ok_or_else(|| ops.refuse("no formula of this name"))?;
    let x = float4(&mut ops, 0)?;
    let native = INTEGERS.iter().find(|(op, _)| *op == node.op).filter(|_| ops.dtype(x).is_quantized());
    let y = match native {
        Some((_, ty)) => ops.unary(ty, x),
        None => formula(&mut ops, x),
    };
    ops.output(0, y)
}

/// Operators of which HTP's own op is good on integers, where it is a table, and not on floats.
const INTEGERS: &[(Op, &str)] =
    &[(Op::Asin, "ElementWiseAsin"), (Op::Cos, "ElementWiseCos"), (Op::Sin, "ElementWiseSin")];

/// The `i`-th input, which must be float, with at most four axes.
pub(in crate::lower) fn float4(ops: &mut Ops<'_, '_, '_>, i: usize) -> Result<TensorId, Diagnostic> {
    let x = ops.input(i)?;
    if !is_float(ops.dtype(x)) {
        return Err(ops.refuse(format!("of {} has no HTP op", ops.dtype(x).name())));
    }
    let shape = fold(&ops.shape(x), 4);
    Ok(ops.reshape(x, &shape))
}

const ADD: &str = "ElementWiseAdd";
const SUB: &str = "ElementWiseSubtract";
const MUL: &str = "ElementWiseMultiply";
const DIV: &str = "ElementWiseDivide";

/// 1 − x² as (1 − x)(1 + x), which keeps its digits near ±1.
fn one_minus_square(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let one = ops.number(ops.dtype(x), 1.0);
    let less = ops.binary(SUB, one, x);
    let more = ops.binary(ADD, x, one);
    ops.binary(MUL, less, more)
}

/// 2 · atan(x / (1 + sqrt(1 − x²))): HTP's own op takes quantized types only, and its arc tangent
/// is off by 2e-4 near zero.
fn asin(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let square = one_minus_square(ops, x);
    let root = ops.unary("ElementWiseSquareRoot", square);
    let below = ops.with(ADD, root, 1.0);
    let ratio = ops.binary(DIV, x, below);
    let half = ops.unary("ElementWiseAtan", ratio);
    let angle = ops.with(MUL, half, 2.0);
    series_near_zero(ops, x, (1.0 / 6.0, 3.0 / 40.0), angle)
}

fn acos(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let quarter = ops.number(ops.dtype(x), FRAC_PI_2);
    let sine = asin(ops, x);
    ops.binary(SUB, quarter, sine)
}

/// Sine, or cosine as the sine of a quarter turn more: of what is left of the angle without half turns, with the sign that they give.
///
/// HTP's own ops are within 1e-3 from -π/2 to π/2 only: off by 2.4e-3 at ±π, 9e-3 at 8, 4e-2 at 30; this is within 1.1e-3 from -100 to
/// 100 (measured on SM8650). A half turn is taken off in two parts: 3.125 times the count is exact in fp16.
fn turned(ops: &mut Ops<'_, '_, '_>, x: TensorId, cosine: bool) -> TensorId {
    const COARSE: f64 = 3.125;
    let halves = ops.with(MUL, x, FRAC_1_PI);
    let halves = if cosine { ops.with(ADD, halves, 0.5) } else { halves };
    let halves = ops.unary("ElementWiseRound", halves);
    let taken = if cosine { ops.with(ADD, halves, -0.5) } else { halves };
    let (coarse, fine) = (ops.with(MUL, taken, COARSE), ops.with(MUL, taken, PI - COARSE));
    let rest = ops.binary(SUB, x, coarse);
    let rest = ops.binary(SUB, rest, fine);
    let sine = ops.unary("ElementWiseSin", rest);
    // The count is odd where half of it has a fraction: 1 - 4 · ½ is -1.
    let half = ops.with(MUL, halves, 0.5);
    let floor = ops.unary("ElementWiseFloor", half);
    let fraction = ops.binary(SUB, half, floor);
    let sign = ops.with(MUL, fraction, -4.0);
    let sign = ops.with(ADD, sign, 1.0);
    ops.binary(MUL, sine, sign)
}

fn sin(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    turned(ops, x, false)
}

fn cos(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    turned(ops, x, true)
}

fn tan(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let (sin, cos) = (sin(ops, x), cos(ops, x));
    ops.binary(DIV, sin, cos)
}

/// (eˣ + e⁻ˣ) / 2.
fn cosh(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let x = within(ops, x, -POWER, POWER);
    let minus = ops.unary("ElementWiseNeg", x);
    let (up, down) = (ops.unary("ElementWiseExp", x), ops.unary("ElementWiseExp", minus));
    let sum = ops.binary(ADD, up, down);
    ops.with(MUL, sum, 0.5)
}

/// tanh · cosh: the difference of two exponentials has no digits left near zero.
fn sinh(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let tanh = ops.unary("Tanh", x);
    let cosh = cosh(ops, x);
    ops.binary(MUL, tanh, cosh)
}

/// Beyond this asinh and acosh are log(2x) to fp16; its square is far from the end of fp16.
const FAR: f64 = 128.0;

/// log(c + √(c² ± 1)) + log(x / c) for x of at least zero and c = min(x, FAR), of which `root` is the root; one logarithm, of a
/// number that fp16 has.
fn far_log(ops: &mut Ops<'_, '_, '_>, x: TensorId, near: TensorId, root: TensorId) -> TensorId {
    let sum = ops.binary(ADD, near, root);
    let half = ops.with(MUL, sum, 0.5);
    let times = ops.with(MUL, x, 1.0 / FAR);
    let times = within(ops, times, 1.0, FP16_MAX);
    let product = ops.binary(MUL, half, times);
    let log = ops.unary("ElementWiseLog", product);
    ops.with(ADD, log, LN_2)
}

/// `x · (1 + a·x² + b·x⁴)` where |x| is below a quarter, else `other`, whose logarithm of a number near one has no digits there.
fn series_near_zero(ops: &mut Ops<'_, '_, '_>, x: TensorId, (a, b): (f64, f64), other: TensorId) -> TensorId {
    let x2 = within(ops, x, -1.0, 1.0);
    let square = ops.binary(MUL, x2, x2);
    let sum = ops.with(MUL, square, b);
    let sum = ops.with(ADD, sum, a);
    let sum = ops.binary(MUL, sum, square);
    let sum = ops.with(ADD, sum, 1.0);
    let near = ops.binary(MUL, sum, x);
    let limit = ops.number(ops.dtype(x), 1.0 / 16.0);
    let small = ops.compare("ElementWiseLess", square, limit);
    ops.select(small, near, other)
}

/// sign(x) · log(|x| + sqrt(x² + 1)), so that negative numbers keep their digits.
fn asinh(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let (sign, size) = (ops.unary("ElementWiseSign", x), ops.unary("ElementWiseAbs", x));
    let near = within(ops, size, 0.0, FAR);
    let square = ops.binary(MUL, near, near);
    let more = ops.with(ADD, square, 1.0);
    let root = ops.unary("ElementWiseSquareRoot", more);
    let log = far_log(ops, size, near, root);
    let large = ops.binary(MUL, sign, log);
    series_near_zero(ops, x, (-1.0 / 6.0, 3.0 / 40.0), large)
}

/// log(x + sqrt((x − 1)(x + 1))).
fn acosh(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let near = within(ops, x, 1.0, FAR);
    let less = ops.with(ADD, near, -1.0);
    let more = ops.with(ADD, near, 1.0);
    let square = ops.binary(MUL, less, more);
    let root = ops.unary("ElementWiseSquareRoot", square);
    far_log(ops, x, near, root)
}

/// log((1 + x) / (1 − x)) / 2.
fn atanh(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let one = ops.number(ops.dtype(x), 1.0);
    let (more, less) = (ops.binary(ADD, x, one), ops.binary(SUB, one, x));
    let ratio = ops.binary(DIV, more, less);
    let log = ops.unary("ElementWiseLog", ratio);
    let large = ops.with(MUL, log, 0.5);
    series_near_zero(ops, x, (1.0 / 3.0, 1.0 / 5.0), large)
}

fn reciprocal(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let one = ops.number(ops.dtype(x), 1.0);
    ops.binary(DIV, one, x)
}

/// x / (1 + |x|). HTP's reciprocal of divisors above 16384 is 0; beyond 8192 the quotient is 1 to fp16.
fn softsign(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let x = within(ops, x, -8192.0, 8192.0);
    let size = ops.unary("ElementWiseAbs", x);
    let below = ops.with(ADD, size, 1.0);
    ops.binary(DIV, x, below)
}

/// tanh of an odd polynomial, within 5.5e-5 of the error function everywhere and within 1e-4 of its value: less than fp16
/// tells apart. Beyond ±4 the function is 1 to fp16, and x⁴ would leave its range.
fn erf(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let x = ops.unary_with("ReluMinMax", x, |op| op.f32("min_value", -4.0).f32("max_value", 4.0));
    let square = ops.binary(MUL, x, x);
    let mut poly = ops.with(MUL, square, ERF[2]);
    poly = ops.with(ADD, poly, ERF[1]);
    poly = ops.binary(MUL, poly, square);
    poly = ops.with(ADD, poly, ERF[0]);
    let angle = ops.binary(MUL, poly, x);
    ops.unary("Tanh", angle)
}

/// Coefficients of x, x³ and x⁵: the slope at zero, and what makes the largest error over 0 to 4 the smallest.
const ERF: [f64; 3] = [FRAC_2_SQRT_PI, 0.103_602, -0.001_620_47];
