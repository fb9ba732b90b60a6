//! Operators whose result has the shape of an operand, or of the operands broadcast together.

use super::site::{Answer, Site, broadcast, dims, invalid, one};
use crate::graph::{Attr, DType};

/// As the first input.
pub(crate) fn same(site: &Site<'_>) -> Answer {
    let ty = site.ty(0)?;
    one(ty.dtype, ty.shape.clone())
}

/// The bounds are scalars.
pub(crate) fn clip(site: &Site<'_>) -> Answer {
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
pub(crate) fn arithmetic(site: &Site<'_>) -> Answer {
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

pub(crate) fn comparison(site: &Site<'_>) -> Answer {
    same_dtypes(site, 0, site.ty(0)?.dtype)?;
    one(DType::Bool, broadcast_inputs(site)?)
}

/// The exponent may be of another dtype.
pub(crate) fn power(site: &Site<'_>) -> Answer {
    one(site.ty(0)?.dtype, broadcast_inputs(site)?)
}

pub(crate) fn choose(site: &Site<'_>) -> Answer {
    let dtype = site.ty(1)?.dtype;
    if site.ty(0)?.dtype != DType::Bool {
        return invalid(format!("the condition is {}, not bool", site.ty(0)?.dtype));
    }
    same_dtypes(site, 1, dtype)?;
    one(dtype, broadcast_inputs(site)?)
}

/// The slope broadcasts to the input, never the other way round.
pub(crate) fn slope(site: &Site<'_>) -> Answer {
    let (x, slope) = (site.ty(0)?, site.ty(1)?);
    if broadcast([&x.shape[..], &slope.shape[..]])? != x.shape {
        return invalid("the slope has more elements than the input");
    }
    one(x.dtype, x.shape.clone())
}

pub(crate) fn test(site: &Site<'_>) -> Answer {
    one(DType::Bool, site.ty(0)?.shape.clone())
}

pub(crate) fn cast(site: &Site<'_>) -> Answer {
    one(dtype_attr(site, "to")?, site.ty(0)?.shape.clone())
}

pub(crate) fn cast_like(site: &Site<'_>) -> Answer {
    one(site.ty(1)?.dtype, site.ty(0)?.shape.clone())
}

pub(crate) fn bit_cast(site: &Site<'_>) -> Answer {
    let (x, to) = (site.ty(0)?, dtype_attr(site, "to")?);
    if to.size() != x.dtype.size() {
        return invalid(format!("{} and {to} differ in size", x.dtype));
    }
    one(to, x.shape.clone())
}

pub(crate) fn random_like(site: &Site<'_>) -> Answer {
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
