//! Operators whose result has the shape of an operand, or of the operands broadcast together.

use super::site::{Answer, Site, broadcast, dims, invalid, one};
use super::table::Row;
use crate::graph::{Attr, DType};

pub(super) const ROWS: &[Row] = &[
    ("", "Abs", same),
    ("", "Acos", same),
    ("", "Acosh", same),
    ("", "Add", arithmetic),
    ("", "And", arithmetic),
    ("", "Asin", same),
    ("", "Asinh", same),
    ("", "Atan", same),
    ("", "Atanh", same),
    ("", "Bernoulli", random_like),
    ("", "BitCast", bit_cast),
    ("", "BitShift", arithmetic),
    ("", "BitwiseAnd", arithmetic),
    ("", "BitwiseNot", same),
    ("", "BitwiseOr", arithmetic),
    ("", "BitwiseXor", arithmetic),
    ("", "Cast", cast),
    ("", "CastLike", cast_like),
    ("", "Ceil", same),
    ("", "Celu", same),
    ("", "Clip", clip),
    ("", "Cos", same),
    ("", "Cosh", same),
    ("", "CumProd", same),
    ("", "CumSum", same),
    ("", "Div", arithmetic),
    ("", "Elu", same),
    ("", "Equal", comparison),
    ("", "Erf", same),
    ("", "Exp", same),
    ("", "Floor", same),
    ("", "Gelu", same),
    ("", "Greater", comparison),
    ("", "GreaterOrEqual", comparison),
    ("", "HardSigmoid", same),
    ("", "HardSwish", same),
    ("", "Hardmax", same),
    ("", "Identity", same),
    ("", "IsInf", test),
    ("", "IsNaN", test),
    ("", "LeakyRelu", same),
    ("", "Less", comparison),
    ("", "LessOrEqual", comparison),
    ("", "Log", same),
    ("", "LogSoftmax", same),
    ("", "Max", arithmetic),
    ("", "Mean", arithmetic),
    ("", "Min", arithmetic),
    ("", "Mish", same),
    ("", "Mod", arithmetic),
    ("", "Mul", arithmetic),
    ("", "Neg", same),
    ("", "Not", same),
    ("", "Or", arithmetic),
    ("", "PRelu", slope),
    ("", "Pow", power),
    ("", "RandomNormalLike", random_like),
    ("", "RandomUniformLike", random_like),
    ("", "Reciprocal", same),
    ("", "Relu", same),
    ("", "Round", same),
    ("", "Selu", same),
    ("", "Shrink", same),
    ("", "Sigmoid", same),
    ("", "Sign", same),
    ("", "Sin", same),
    ("", "Sinh", same),
    ("", "Softmax", same),
    ("", "Softplus", same),
    ("", "Softsign", same),
    ("", "Sqrt", same),
    ("", "Sub", arithmetic),
    ("", "Sum", arithmetic),
    ("", "SwiGLU", same),
    ("", "Swish", same),
    ("", "Tan", same),
    ("", "Tanh", same),
    ("", "ThresholdedRelu", same),
    ("", "Trilu", same),
    ("", "Where", choose),
    ("", "Xor", arithmetic),
    ("com.microsoft", "BiasGelu", arithmetic),
    ("com.microsoft", "FastGelu", same),
    ("com.microsoft", "Gelu", same),
    ("com.microsoft", "QuickGelu", same),
    ("com.microsoft", "Trilu", same),
];

/// As the first input.
fn same(site: &Site<'_>) -> Answer {
    let ty = site.ty(0)?;
    one(ty.dtype, ty.shape.clone())
}

/// The bounds are scalars.
fn clip(site: &Site<'_>) -> Answer {
    for bound in [site.opt(1), site.opt(2)].into_iter().flatten() {
        if bound.elements() != 1 || bound.dtype != site.ty(0)?.dtype {
            return invalid(format!(
                "a bound is {} {}, not one {}",
                bound.dtype,
                dims(&bound.shape),
                site.ty(0)?.dtype
            ));
        }
    }
    same(site)
}

fn broadcast_inputs(site: &Site<'_>) -> Answer<Vec<usize>> {
    let mut shapes = Vec::with_capacity(site.node.inputs.len());
    for i in 0..site.node.inputs.len().max(1) {
        shapes.push(&site.ty(i)?.shape[..]);
    }
    broadcast(shapes)
}

/// All operands of one dtype, which is the result's.
fn arithmetic(site: &Site<'_>) -> Answer {
    let dtype = site.ty(0)?.dtype;
    same_dtypes(site, 0, dtype)?;
    one(dtype, broadcast_inputs(site)?)
}

fn same_dtypes(site: &Site<'_>, from: usize, dtype: DType) -> Answer<()> {
    for i in from..site.node.inputs.len() {
        if let Some(other) = site.opt(i).map(|ty| ty.dtype).filter(|d| *d != dtype) {
            return invalid(format!("operands have different element types, {dtype} and {other}"));
        }
    }
    Ok(())
}

fn comparison(site: &Site<'_>) -> Answer {
    same_dtypes(site, 0, site.ty(0)?.dtype)?;
    one(DType::Bool, broadcast_inputs(site)?)
}

/// The exponent may be of another dtype.
fn power(site: &Site<'_>) -> Answer {
    one(site.ty(0)?.dtype, broadcast_inputs(site)?)
}

fn choose(site: &Site<'_>) -> Answer {
    let dtype = site.ty(1)?.dtype;
    if site.ty(0)?.dtype != DType::Bool {
        return invalid(format!("the condition is {}, not bool", site.ty(0)?.dtype));
    }
    same_dtypes(site, 1, dtype)?;
    one(dtype, broadcast_inputs(site)?)
}

/// The slope broadcasts to the input, never the other way round.
fn slope(site: &Site<'_>) -> Answer {
    let (x, slope) = (site.ty(0)?, site.ty(1)?);
    if broadcast([&x.shape[..], &slope.shape[..]])? != x.shape {
        return invalid("the slope has more elements than the input");
    }
    one(x.dtype, x.shape.clone())
}

fn test(site: &Site<'_>) -> Answer {
    one(DType::Bool, site.ty(0)?.shape.clone())
}

fn cast(site: &Site<'_>) -> Answer {
    one(dtype_attr(site, "to")?, site.ty(0)?.shape.clone())
}

fn cast_like(site: &Site<'_>) -> Answer {
    one(site.ty(1)?.dtype, site.ty(0)?.shape.clone())
}

fn bit_cast(site: &Site<'_>) -> Answer {
    let (x, to) = (site.ty(0)?, dtype_attr(site, "to")?);
    if to.size() != x.dtype.size() {
        return invalid(format!("{} and {to} differ in size", x.dtype));
    }
    one(to, x.shape.clone())
}

fn random_like(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let dtype = if site.node.attrs.get("dtype").is_some() { dtype_attr(site, "dtype")? } else { x.dtype };
    one(dtype, x.shape.clone())
}

/// An attribute that holds the number of an element type.
pub(super) fn dtype_attr(site: &Site<'_>, name: &str) -> Answer<DType> {
    match site.node.attrs.get(name) {
        Some(Attr::Int(number)) => crate::frontend::onnx::element::dtype(*number).or_else(invalid),
        _ => invalid(format!("attribute {name} is missing")),
    }
}
