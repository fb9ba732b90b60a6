//! Operators whose result has the shape of an operand, or of the operands broadcast together.

use super::site::{Answer, Site, broadcast, dims, invalid, one};
use super::table::Row;
use crate::graph::{Attr, DType};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    (Op::Abs, same),
    (Op::Acos, same),
    (Op::Acosh, same),
    (Op::Add, arithmetic),
    (Op::And, arithmetic),
    (Op::Asin, same),
    (Op::Asinh, same),
    (Op::Atan, same),
    (Op::Atanh, same),
    (Op::Bernoulli, random_like),
    (Op::BitCast, bit_cast),
    (Op::BitShift, arithmetic),
    (Op::BitwiseAnd, arithmetic),
    (Op::BitwiseNot, same),
    (Op::BitwiseOr, arithmetic),
    (Op::BitwiseXor, arithmetic),
    (Op::Cast, cast),
    (Op::CastLike, cast_like),
    (Op::Ceil, same),
    (Op::Celu, same),
    (Op::Clip, clip),
    (Op::Cos, same),
    (Op::Cosh, same),
    (Op::CumProd, same),
    (Op::CumSum, same),
    (Op::Div, arithmetic),
    (Op::Elu, same),
    (Op::Equal, comparison),
    (Op::Erf, same),
    (Op::Exp, same),
    (Op::Floor, same),
    (Op::Gelu, same),
    (Op::Greater, comparison),
    (Op::GreaterOrEqual, comparison),
    (Op::HardSigmoid, same),
    (Op::HardSwish, same),
    (Op::Hardmax, same),
    (Op::Identity, same),
    (Op::IsInf, test),
    (Op::IsNaN, test),
    (Op::LeakyRelu, same),
    (Op::Less, comparison),
    (Op::LessOrEqual, comparison),
    (Op::Log, same),
    (Op::LogSoftmax, same),
    (Op::Max, arithmetic),
    (Op::Mean, arithmetic),
    (Op::Min, arithmetic),
    (Op::Mish, same),
    (Op::Mod, arithmetic),
    (Op::Mul, arithmetic),
    (Op::Neg, same),
    (Op::Not, same),
    (Op::Or, arithmetic),
    (Op::PRelu, slope),
    (Op::Pow, power),
    (Op::RandomNormalLike, random_like),
    (Op::RandomUniformLike, random_like),
    (Op::Reciprocal, same),
    (Op::Relu, same),
    (Op::Round, same),
    (Op::Selu, same),
    (Op::Shrink, same),
    (Op::Sigmoid, same),
    (Op::Sign, same),
    (Op::Sin, same),
    (Op::Sinh, same),
    (Op::Softmax, same),
    (Op::Softplus, same),
    (Op::Softsign, same),
    (Op::Sqrt, same),
    (Op::Sub, arithmetic),
    (Op::Sum, arithmetic),
    (Op::SwiGLU, same),
    (Op::Swish, same),
    (Op::Tan, same),
    (Op::Tanh, same),
    (Op::ThresholdedRelu, same),
    (Op::Trilu, same),
    (Op::Where, choose),
    (Op::Xor, arithmetic),
    (Op::MsBiasGelu, arithmetic),
    (Op::MsFastGelu, same),
    (Op::MsGelu, same),
    (Op::MsQuickGelu, same),
    (Op::MsTrilu, same),
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
