//! Quantization operators.

use super::elementwise::dtype_attr;
use super::site::{Answer, Site, broadcast, invalid, one};
use crate::graph::{DType, TensorType};

/// The result's type is the zero point's, else the attribute's, else uint8.
pub(crate) fn quantize(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let dtype = match site.opt(2) {
        Some(zero) => zero.dtype,
        None if site.node.attrs.int_or("output_dtype", 0) != 0 => dtype_attr(site, "output_dtype")?,
        None => DType::U8,
    };
    one(dtype, x.shape.clone())
}

/// The result's type is the scale's.
pub(crate) fn dequantize(site: &Site<'_>) -> Answer {
    let (x, scale) = (site.ty(0)?, site.ty(1)?);
    let dtype = if site.node.attrs.int_or("output_dtype", 0) != 0 {
        dtype_attr(site, "output_dtype")?
    } else {
        scale.dtype
    };
    one(dtype, x.shape.clone())
}

/// Outputs: quantized values, scale, zero point.
pub(crate) fn dynamic(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    Ok(vec![
        TensorType::new(DType::U8, x.shape.clone()),
        TensorType::new(DType::F32, []),
        TensorType::new(DType::U8, []),
    ])
}

/// Inputs: a, its scale and zero point, b, its scale and zero point, the result's.
pub(crate) fn qlinear_binary(site: &Site<'_>) -> Answer {
    let (a, b) = (site.ty(0)?, site.ty(3)?);
    one(a.dtype, broadcast([&a.shape[..], &b.shape[..]])?)
}

pub(crate) fn qlinear_unary(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    one(x.dtype, x.shape.clone())
}

/// Inputs: the result's scale and zero point, then value, scale and zero point of each part.
pub(crate) fn qlinear_concat(site: &Site<'_>) -> Answer {
    let first = site.ty(2)?;
    let at = site.axis("axis", 0, first.shape.len())?;
    let mut shape = first.shape.clone();
    for i in (5..site.node.inputs.len()).step_by(3) {
        match site.ty(i)?.shape.get(at) {
            Some(d) => shape[at] += d,
            None => return invalid("parts have different ranks"),
        }
    }
    one(first.dtype, shape)
}
