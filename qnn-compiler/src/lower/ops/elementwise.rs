//! Arithmetic on two and more operands.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::broadcast;
use crate::lower::engine::{FP16_MAX, Lower, Ops, is_float};
use crate::lower::ops::unary::{POWER, positive, within};
use crate::op::Op;
use crate::program::TensorId;

/// A broadcasting HTP op.
#[derive(Clone, Copy)]
struct Binary {
    /// ONNX operator.
    op: Op,
    /// HTP op.
    ty: &'static str,
    /// The most axes it takes. Measured on SM8650; ElementWisePower takes five, but then crashes the library (SIGSEGV)
    /// where both operands are broadcast.
    rank: usize,
}

/// Integers other than these are computed as int32.
const INT: &[DataType] = &[DataType::Int32];

const BINARY: &[Binary] = &[
    Binary { op: Op::Add, ty: "ElementWiseAdd", rank: 5 },
    Binary { op: Op::Div, ty: "ElementWiseDivide", rank: 5 },
    Binary { op: Op::Max, ty: "ElementWiseMaximum", rank: 4 },
    Binary { op: Op::Mean, ty: "ElementWiseAdd", rank: 5 },
    Binary { op: Op::Min, ty: "ElementWiseMinimum", rank: 4 },
    Binary { op: Op::Mul, ty: "ElementWiseMultiply", rank: 5 },
    Binary { op: Op::Sub, ty: "ElementWiseSubtract", rank: 5 },
    Binary { op: Op::Sum, ty: "ElementWiseAdd", rank: 5 },
];

/// Add, Div, Max, Mean, Min, Mul, Sub, Sum: any number of operands, one after the other.
pub(crate) fn nary(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let binary =
        BINARY.iter().find(|b| b.op == node.op).ok_or_else(|| ops.refuse("no arithmetic of this name"))?;
    let mut operands = Vec::new();
    for i in 0..node.inputs.len() {
        let x = ops.finite_input(i)?;
        let x = if is_float(ops.dtype(x)) { x } else { ops.widened(x, INT)? };
        operands.push((x, &*ops.input_type(i)?.shape));
    }
    let float = operands.first().is_some_and(|(x, _)| is_float(ops.dtype(*x)));
    let operands = broadcast::align(&mut ops, &operands, if float { binary.rank } else { 4 })?;
    let (&first, rest) = operands.split_first().ok_or_else(|| ops.refuse("there are no operands"))?;
    let divisor = node.input(1).and_then(|id| ops.lower.graph.const_scalar(id)).filter(|_| !float);
    let sum = match (node.op, divisor) {
        (Op::Div, Some(divisor)) => int_divided(&mut ops, first, f64::from(divisor)),
        _ => rest.iter().fold(first, |sum, &x| ops.binary(binary.ty, sum, x)),
    };
    let y = if node.op == Op::Mean {
        ops.with("ElementWiseMultiply", sum, 1.0 / operands.len() as f64)
    } else {
        sum
    };
    if y == first { ops.pass_on(y) } else { ops.output(0, y) }
}

/// Int32 divided by a constant, towards zero. HTP shifts where the divisor is a constant power of two, which rounds
/// down (measured on SM8650): those are divided by its negative, which it does not shift for.
pub(in crate::lower) fn int_divided(ops: &mut Ops<'_, '_, '_>, x: TensorId, divisor: f64) -> TensorId {
    let power_of_two = divisor > 1.0 && (divisor as u64).is_power_of_two();
    if !power_of_two {
        return ops.with("ElementWiseDivide", x, divisor);
    }
    let negative = ops.with("ElementWiseDivide", x, -divisor);
    let zero = ops.number(DataType::Int32, 0.0);
    ops.binary("ElementWiseSubtract", zero, negative)
}

/// Mod: of integers by sign of the divisor, or with `fmod` by that of the dividend.
pub(crate) fn modulo(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let (a, b) = (ops.finite_input(0)?, ops.finite_input(1)?);
    let float = is_float(ops.dtype(a));
    let (a, b) = if float { (a, b) } else { (ops.widened(a, INT)?, ops.widened(b, INT)?) };
    let (sa, sb) = (&ops.input_type(0)?.shape, &ops.input_type(1)?.shape);
    let [a, b] = broadcast::operands(&mut ops, [(a, sa), (b, sb)], 4)?;
    let y = if node.attrs.int_or("fmod", 0) == 0 {
        // ONNX defines it for integers only, which HTP's own Mod agrees with.
        if float {
            return Err(ops.refuse("of floats needs attribute fmod=1"));
        }
        ops.binary("ElementWiseMod", a, b)
    } else {
        let divisor = node.input(1).and_then(|id| ops.lower.graph.const_scalar(id)).filter(|_| !float);
        let quotient = match divisor {
            Some(divisor) => int_divided(&mut ops, a, f64::from(divisor)),
            None => ops.binary("ElementWiseDivide", a, b),
        };
        // HTP divides int32 towards zero, which is what is wanted.
        let whole = if float { truncated(&mut ops, quotient) } else { quotient };
        let product = ops.binary("ElementWiseMultiply", whole, b);
        ops.binary("ElementWiseSubtract", a, product)
    };
    ops.output(0, y)
}

/// `x` without its fraction.
fn truncated(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    let zero = ops.number(ops.dtype(x), 0.0);
    let negative = ops.compare("ElementWiseLess", x, zero);
    let (up, down) = (ops.unary("ElementWiseCeil", x), ops.unary("ElementWiseFloor", x));
    ops.select(negative, up, down)
}

/// Pow: cheap ops for the exponents that models use, ElementWisePower else.
pub(crate) fn pow(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let base = ops.finite_input(0)?;
    let exponent_id = ops.value(1)?;
    let exponent = ops.lower.graph.const_f32(exponent_id).and_then(|values| {
        let (&first, rest) = values.split_first()?;
        rest.iter().all(|&v| v == first).then_some(first)
    });
    let same_shape = ops.input_type(0)?.shape == ops.output_type(0)?.shape;
    if let Some(exponent) = exponent.filter(|_| same_shape) {
        let shape = broadcast::fold(&ops.shape(base), 4);
        let base = ops.reshape(base, &shape);
        if let Some(y) = fixed_power(&mut ops, base, exponent) {
            return ops.output(0, y);
        }
    }
    if let (Some(exponent), true) = (exponent, ops.dtype(base) == DataType::UFixed16) {
        let y = power_of_integers(&mut ops, base, exponent);
        return ops.output(0, y);
    }
    let exponent = ops.finite_input(1)?;
    if !is_float(ops.dtype(base)) {
        return Err(ops.refuse("of integers needs a constant exponent of 0 to 4"));
    }
    let mut exponent = ops.cast(exponent, ops.dtype(base))?;
    // A power of one number is an exponential, which HTP has right for small exponents only.
    let base_id = ops.value(0)?;
    let number = ops.lower.graph.const_scalar(base_id).filter(|base| *base > 0.0 && *base != 1.0);
    if let Some(base) = number {
        let limit = POWER / f64::from(base).ln().abs();
        if limit < FP16_MAX {
            let shape = broadcast::fold(&ops.shape(exponent), 5);
            let flat = ops.reshape(exponent, &shape);
            exponent = within(&mut ops, flat, -limit, limit);
            let shape = ops.input_type(1)?.shape.clone();
            exponent = ops.reshape(exponent, &shape);
        }
    }
    let (sa, sb) = (&ops.input_type(0)?.shape, &ops.input_type(1)?.shape);
    let [base, exponent] = broadcast::operands(&mut ops, [(base, sa), (exponent, sb)], 4)?;
    let y = ops.binary("ElementWisePower", base, exponent);
    ops.output(0, y)
}

/// 16 bits to any power: products for whole exponents, which take negative numbers, else exp(exponent · log(x)). HTP's own op takes
/// 400 times as long as a product.
fn power_of_integers(ops: &mut Ops<'_, '_, '_>, x: TensorId, exponent: f32) -> TensorId {
    const MOST: f32 = 16.0;
    if exponent.fract() == 0.0 && (1.0..=MOST).contains(&exponent) {
        return (1..exponent as u32).fold(x, |power, _| ops.binary("ElementWiseMultiply", power, x));
    }
    let positive = positive(ops, x);
    let log = ops.unary("ElementWiseLog", positive);
    let scaled = ops.with("ElementWiseMultiply", log, exponent.into());
    ops.unary("ElementWiseExp", scaled)
}

/// `x` to a power that has a cheaper op.
fn fixed_power(ops: &mut Ops<'_, '_, '_>, x: TensorId, exponent: f32) -> Option<TensorId> {
    const MUL: &str = "ElementWiseMultiply";
    if is_float(ops.dtype(x)) {
        if exponent == 0.5 {
            return Some(ops.unary("ElementWiseSquareRoot", x));
        }
        if exponent == -0.5 {
            return Some(ops.unary("ElementWiseRsqrt", x));
        }
        if exponent == -1.0 {
            let one = ops.number(ops.dtype(x), 1.0);
            return Some(ops.binary("ElementWiseDivide", one, x));
        }
    }
    Some(match exponent {
        // Everything to the power of zero is one, also zero, where HTP's own op says 0.
        0.0 => ops.unary_with("ReluMinMax", x, |op| op.f32("min_value", 1.0).f32("max_value", 1.0)),
        1.0 => x,
        2.0 => ops.binary(MUL, x, x),
        3.0 => {
            let square = ops.binary(MUL, x, x);
            ops.binary(MUL, square, x)
        }
        4.0 => {
            let square = ops.binary(MUL, x, x);
            ops.binary(MUL, square, square)
        }
        _ => return None,
    })
}
