//! Operators with spatial axes: convolutions, poolings, resizing.

use super::site::{Answer, Site, dim, dims, invalid, one};
use super::window::{Window, transposed_padding};
use crate::graph::{DType, TensorType};

/// Channels and spatial extents of an N x C x spatial… input.
fn spatial(shape: &[usize]) -> Answer<(usize, usize, &[usize])> {
    match shape {
        [n, c, rest @ ..] => Ok((*n, *c, rest)),
        _ => invalid(format!("the input has shape {}, batch and channels are needed", dims(shape))),
    }
}

/// Output shape of a convolution of `x` with `weights` (out x in/group x kernel…).
fn convolved(site: &Site<'_>, x: &TensorType, weights: &TensorType) -> Answer<Vec<usize>> {
    let (n, channels, extents) = spatial(&x.shape)?;
    let (filters, depth, kernel) = spatial(&weights.shape)?;
    let group = site.count("group", 1)?.max(1);
    if kernel.len() != extents.len() {
        return invalid(format!(
            "the input {} and the weights {} have different ranks",
            dims(&x.shape),
            dims(&weights.shape)
        ));
    }
    if depth.checked_mul(group) != Some(channels) || filters % group != 0 {
        return invalid(format!(
            "weights {} with group {group} do not fit an input with {channels} channels",
            dims(&weights.shape)
        ));
    }
    let window = Window::read(site, extents, Some(kernel))?;
    let mut shape = vec![n, filters];
    for (i, extent) in extents.iter().enumerate() {
        shape.push(window.out(i, *extent, false)?);
    }
    Ok(shape)
}

pub(crate) fn conv(site: &Site<'_>) -> Answer {
    let (x, w) = (site.ty(0)?, site.ty(1)?);
    one(x.dtype, convolved(site, x, w)?)
}

pub(crate) fn conv_integer(site: &Site<'_>) -> Answer {
    one(DType::I32, convolved(site, site.ty(0)?, site.ty(1)?)?)
}

pub(crate) fn qlinear_conv(site: &Site<'_>) -> Answer {
    one(site.ty(7)?.dtype, convolved(site, site.ty(0)?, site.ty(3)?)?)
}

pub(crate) fn conv_transpose(site: &Site<'_>) -> Answer {
    let (x, w) = (site.ty(0)?, site.ty(1)?);
    let (n, channels, extents) = spatial(&x.shape)?;
    let (depth, filters, kernel) = spatial(&w.shape)?;
    let group = site.count("group", 1)?.max(1);
    if kernel.len() != extents.len() || depth != channels || depth % group != 0 {
        return invalid(format!(
            "weights {} with group {group} do not fit the input {}",
            dims(&w.shape),
            dims(&x.shape)
        ));
    }
    let window = Window::read(site, extents, Some(kernel))?;
    let [begins, ends, extra] = transposed_padding(site, extents, &window)?;
    let mut shape = vec![n, dim(filters as i64 * group as i64)?];
    for (i, extent) in extents.iter().enumerate() {
        let full = (*extent as i64 - 1) * window.strides[i] + window.reach(i) + extra[i];
        shape.push(dim(full - begins[i] - ends[i])?);
    }
    one(x.dtype, shape)
}

/// Max pooling may have a second output: where the maxima are.
pub(crate) fn pool(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let (n, c, extents) = spatial(&x.shape)?;
    let ceil = site.node.attrs.int_or("ceil_mode", 0) != 0;
    let window = Window::read(site, extents, None)?;
    let mut shape = vec![n, c];
    for (i, extent) in extents.iter().enumerate() {
        shape.push(window.out(i, *extent, ceil)?);
    }
    Ok(vec![TensorType::new(x.dtype, shape.clone()), TensorType::new(DType::I64, shape)])
}

pub(crate) fn global_pool(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let (n, c, extents) = spatial(&x.shape)?;
    let mut shape = vec![n, c];
    shape.resize(2 + extents.len(), 1);
    one(x.dtype, shape)
}

pub(crate) fn max_unpool(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    if site.node.input(2).is_some() {
        let shape = site.ints(2)?.into_iter().map(dim).collect::<Answer<Vec<_>>>()?;
        return one(x.dtype, shape);
    }
    let (n, c, extents) = spatial(&x.shape)?;
    let window = Window::read(site, extents, None)?;
    let mut shape = vec![n, c];
    for (i, extent) in extents.iter().enumerate() {
        let full = (*extent as i64 - 1) * window.strides[i] + window.kernel[i];
        shape.push(dim(full - window.begins[i] - window.ends[i])?);
    }
    one(x.dtype, shape)
}

pub(crate) fn max_roi_pool(site: &Site<'_>) -> Answer {
    let (x, rois) = (site.ty(0)?, site.ty(1)?);
    let (_, c, _) = spatial(&x.shape)?;
    let [h, w] = site.window("pooled_shape", 2, 0)?[..] else {
        return invalid("attribute pooled_shape is wrong");
    };
    let count = rois.shape.first().copied().unwrap_or(1);
    one(x.dtype, [count, c, dim(h)?, dim(w)?])
}

pub(crate) fn roi_align(site: &Site<'_>) -> Answer {
    let (x, rois) = (site.ty(0)?, site.ty(1)?);
    let (_, c, _) = spatial(&x.shape)?;
    let count = rois.shape.first().copied().unwrap_or(1);
    one(x.dtype, [count, c, site.count("output_height", 1)?, site.count("output_width", 1)?])
}

pub(crate) fn grid_sample(site: &Site<'_>) -> Answer {
    let (x, grid) = (site.ty(0)?, site.ty(1)?);
    let (n, c, extents) = spatial(&x.shape)?;
    match &grid.shape[..] {
        [gn, out @ .., coordinates]
            if *gn == n && out.len() == extents.len() && *coordinates == extents.len() =>
        {
            let mut shape = vec![n, c];
            shape.extend(out);
            one(x.dtype, shape)
        }
        other => invalid(format!("a grid {} does not fit the input {}", dims(other), dims(&x.shape))),
    }
}

fn block(site: &Site<'_>) -> Answer<(usize, [usize; 4])> {
    let x = site.ty(0)?;
    let block = site.count("blocksize", 0)?;
    match x.shape[..] {
        [n, c, h, w] if (1..=1 << 10).contains(&block) => Ok((block, [n, c, h, w])),
        _ => invalid(format!("blocksize {block} with an input {}", dims(&x.shape))),
    }
}

pub(crate) fn depth_to_space(site: &Site<'_>) -> Answer {
    let (b, [n, c, h, w]) = block(site)?;
    if c % (b * b) != 0 {
        return invalid(format!("{c} channels cannot be divided by blocksize {b} squared"));
    }
    one(site.ty(0)?.dtype, [n, c / (b * b), h * b, w * b])
}

pub(crate) fn space_to_depth(site: &Site<'_>) -> Answer {
    let (b, [n, c, h, w]) = block(site)?;
    if h % b != 0 || w % b != 0 {
        return invalid(format!("extents {h}x{w} cannot be divided by blocksize {b}"));
    }
    one(site.ty(0)?.dtype, [n, c * b * b, h / b, w / b])
}

/// Inputs: the image, the region of interest, scales, sizes; exactly one of the last two.
pub(crate) fn resize(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let rank = x.shape.len();
    let given = |i: usize| site.opt(i).is_some_and(|ty| ty.elements() > 0);
    if given(3) {
        let sizes = site.ints(3)?;
        if sizes.len() != rank {
            return invalid(format!("{} sizes for an input {}", sizes.len(), dims(&x.shape)));
        }
        return one(x.dtype, sizes.into_iter().map(dim).collect::<Answer<Vec<_>>>()?);
    }
    if !given(2) {
        return invalid("neither scales nor sizes are given");
    }
    let id = site.id(2)?;
    let Some(scales) = site.graph.const_f32(id) else {
        // The values are not constant: the message is the one of every such input.
        return site.ints(2).and(invalid("scales are not constant"));
    };
    if scales.len() != rank || scales.iter().any(|s| !s.is_finite() || *s <= 0.0) {
        return invalid(format!("scales {scales:?} for an input {}", dims(&x.shape)));
    }
    let shape = x
        .shape
        .iter()
        .zip(&scales)
        .map(|(d, s)| dim((*d as f32 * s).floor() as i64))
        .collect::<Answer<Vec<_>>>()?;
    one(x.dtype, shape)
}
