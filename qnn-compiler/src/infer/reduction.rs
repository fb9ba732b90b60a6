//! Operators that summarize axes: reductions, extrema, normalizations.

use super::site::{Answer, Site, axes, dim, dims, invalid, one};
use crate::graph::{DType, TensorType};

/// Inputs: data, scale, bias, running mean, running variance; in training the last two are outputs too.
pub(crate) fn batch_norm(site: &Site<'_>) -> Answer {
    let mut types = first(site)?;
    if site.node.attrs.int_or("training_mode", 0) != 0 {
        types.extend([site.ty(3)?.clone(), site.ty(4)?.clone()]);
    }
    Ok(types)
}

pub(crate) fn first(site: &Site<'_>) -> Answer {
    let ty = site.ty(0)?;
    one(ty.dtype, ty.shape.clone())
}

fn reduced(shape: &[usize], gone: &[usize], keep: bool) -> Vec<usize> {
    let each = shape.iter().enumerate();
    if keep {
        each.map(|(i, d)| if gone.contains(&i) { 1 } else { *d }).collect()
    } else {
        each.filter(|(i, _)| !gone.contains(i)).map(|(_, d)| *d).collect()
    }
}

pub(crate) fn reduce(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let rank = x.shape.len();
    let list = site.opt_ints(1)?.unwrap_or_default();
    let gone = match (list.is_empty(), site.node.attrs.int_or("noop_with_empty_axes", 0) != 0) {
        (true, true) => Vec::new(),
        (true, false) => (0..rank).collect(),
        (false, _) => axes(&list, rank)?,
    };
    one(x.dtype, reduced(&x.shape, &gone, site.node.attrs.int_or("keepdims", 1) != 0))
}

/// The axes are an attribute.
pub(crate) fn qlinear_reduce(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let rank = x.shape.len();
    let gone = match site.node.attrs.ints("axes") {
        Some(list) if !list.is_empty() => axes(list, rank)?,
        _ => (0..rank).collect(),
    };
    one(x.dtype, reduced(&x.shape, &gone, site.node.attrs.int_or("keepdims", 1) != 0))
}

pub(crate) fn arg(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let at = site.axis("axis", 0, x.shape.len())?;
    one(DType::I64, reduced(&x.shape, &[at], site.node.attrs.int_or("keepdims", 1) != 0))
}

/// Outputs: the result, mean, inverse standard deviation.
pub(crate) fn layer_norm(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let rank = x.shape.len();
    let at = site.axis("axis", -1, rank)?;
    let gone: Vec<usize> = (at..rank).collect();
    let statistics = TensorType::new(DType::F32, reduced(&x.shape, &gone, true));
    Ok(vec![x.clone(), statistics.clone(), statistics])
}

/// Outputs: the result, mean, inverse standard deviation, the sum of input and skip.
pub(crate) fn skip_norm(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let rank = x.shape.len();
    let statistics = TensorType::new(DType::F32, reduced(&x.shape, &[rank.saturating_sub(1)], true));
    Ok(vec![x.clone(), statistics.clone(), statistics, x.clone()])
}

pub(crate) fn top_k(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let at = site.axis("axis", -1, x.shape.len())?;
    let k = dim(site.int(1)?)?;
    if k > x.shape[at] {
        return invalid(format!("the {k} largest along axis {at} of shape {}", dims(&x.shape)));
    }
    let mut shape = x.shape.clone();
    shape[at] = k;
    Ok(vec![TensorType::new(x.dtype, shape.clone()), TensorType::new(DType::I64, shape)])
}
