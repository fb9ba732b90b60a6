//! Signals, grids and random numbers.

use super::elementwise::dtype_attr;
use super::site::{Answer, Reason, Site, axis, dim, dims, invalid, one};
use crate::graph::{DType, TensorType};

pub(crate) fn first(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    one(x.dtype, x.shape.clone())
}

pub(crate) fn data_dependent(site: &Site<'_>) -> Answer {
    Err(Reason::DataDependent(format!("how much {} gives depends on its input's values", site.node.op)))
}

pub(crate) fn text(_: &Site<'_>) -> Answer {
    Err(Reason::Unsupported("it works on text, which the device does not know".to_owned()))
}

/// The dtype that an attribute names by number, float32 without it.
fn output_dtype(site: &Site<'_>, name: &str) -> Answer<DType> {
    if site.node.attrs.get(name).is_some() { dtype_attr(site, name) } else { Ok(DType::F32) }
}

pub(crate) fn window(site: &Site<'_>) -> Answer {
    one(output_dtype(site, "output_datatype")?, [dim(site.int(0)?)?])
}

pub(crate) fn mel_weights(site: &Site<'_>) -> Answer {
    let (bins, length) = (dim(site.int(0)?)?, dim(site.int(1)?)?);
    one(output_dtype(site, "output_datatype")?, [length / 2 + 1, bins])
}

pub(crate) fn random(site: &Site<'_>) -> Answer {
    let Some(shape) = site.node.attrs.ints("shape") else { return invalid("attribute shape is missing") };
    one(output_dtype(site, "dtype")?, shape.iter().map(|d| dim(*d)).collect::<Answer<Vec<_>>>()?)
}

pub(crate) fn multinomial(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let dtype = if site.node.attrs.get("dtype").is_some() { dtype_attr(site, "dtype")? } else { DType::I32 };
    match x.shape[..] {
        [batch, _] => one(dtype, [batch, site.count("sample_size", 1)?]),
        _ => invalid(format!("input {}", dims(&x.shape))),
    }
}

/// Inputs: transformations (N x 2 x 3 or N x 3 x 4), the image's shape.
pub(crate) fn affine_grid(site: &Site<'_>) -> Answer {
    let theta = site.ty(0)?;
    let size = site.ints(1)?.into_iter().map(dim).collect::<Answer<Vec<_>>>()?;
    match &size[..] {
        [n, _, extents @ ..] if extents.len() == 2 || extents.len() == 3 => {
            one(theta.dtype, [&[*n], extents, &[extents.len()]].concat())
        }
        _ => invalid(format!("size {size:?}")),
    }
}

pub(crate) fn col2im(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let (image, block) = (site.ints(1)?, site.ints(2)?);
    let block = block.into_iter().map(dim).collect::<Answer<Vec<_>>>()?;
    let size = super::volume(&block)?;
    match x.shape[..] {
        [n, wide, _] if size > 0 && wide % size == 0 && image.len() == block.len() => {
            let extents = image.into_iter().map(dim).collect::<Answer<Vec<_>>>()?;
            one(x.dtype, [&[n, wide / size], &extents[..]].concat())
        }
        _ => invalid(format!("input {} with blocks {block:?}", dims(&x.shape))),
    }
}

/// Inputs: signal (…, length, …, 1 or 2), length, axis.
pub(crate) fn dft(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let rank = x.shape.len();
    let at = match site.opt_ints(2)?.as_deref() {
        Some([at]) => axis(*at, rank)?,
        Some(_) => return invalid("the axis must be one number"),
        None => axis(site.node.attrs.int_or("axis", -2), rank)?,
    };
    if at + 1 == rank {
        return invalid("the last axis holds real and imaginary part");
    }
    let (onesided, inverse) =
        (site.node.attrs.int_or("onesided", 0) != 0, site.node.attrs.int_or("inverse", 0) != 0);
    let length = match site.opt_ints(1)?.as_deref() {
        Some([n]) => dim(*n)?,
        Some(_) => return invalid("the length must be one number"),
        None if onesided && inverse => 2 * x.shape[at].saturating_sub(1),
        None => x.shape[at],
    };
    let mut shape = x.shape.clone();
    (shape[at], shape[rank - 1]) = match (onesided, inverse) {
        (true, false) => (length / 2 + 1, 2),
        (true, true) => (length, 1),
        (false, _) => (length, 2),
    };
    one(x.dtype, shape)
}

/// Inputs: signal (batch x length, and a last axis of 1 or 2), step, window, frame length.
pub(crate) fn stft(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let (Some(batch), Some(length)) = (x.shape.first(), x.shape.get(1)) else {
        return invalid(format!("signal {}", dims(&x.shape)));
    };
    let step = dim(site.int(1)?)?;
    let frame = match (site.node.input(3), site.opt(2)) {
        (Some(_), _) => dim(site.int(3)?)?,
        (None, Some(window)) => window.elements(),
        (None, None) => return invalid("neither a window nor a frame length is given"),
    };
    if step == 0 || frame > *length {
        return invalid(format!("frames of {frame} by {step} in a signal of {length}"));
    }
    let bins = if site.node.attrs.int_or("onesided", 1) != 0 { frame / 2 + 1 } else { frame };
    Ok(vec![TensorType::new(x.dtype, [*batch, (length - frame) / step + 1, bins, 2])])
}
