//! Operators that move elements about without computing on them.

use super::elementwise::dtype_attr;
use super::site::{Answer, Reason, Site, axes, axis, broadcast, dim, dims, invalid, one, volume};
use crate::graph::{Attr, DType, TensorType};

pub(crate) fn first(site: &Site<'_>) -> Answer {
    let ty = site.ty(0)?;
    one(ty.dtype, ty.shape.clone())
}

pub(crate) fn concat(site: &Site<'_>) -> Answer {
    let first = site.ty(0)?;
    let Some(Attr::Int(at)) = site.node.attrs.get("axis") else {
        return invalid("attribute axis is missing");
    };
    let at = axis(*at, first.shape.len())?;
    let mut shape = first.shape.clone();
    for i in 1..site.node.inputs.len() {
        let ty = site.ty(i)?;
        let fits = ty.shape.len() == shape.len()
            && ty.shape.iter().zip(&first.shape).enumerate().all(|(i, (a, b))| i == at || a == b);
        if !fits || ty.dtype != first.dtype {
            return invalid(format!(
                "{} {} cannot be joined to {} {} along axis {at}",
                ty.dtype,
                dims(&ty.shape),
                first.dtype,
                dims(&first.shape)
            ));
        }
        shape[at] = dim(shape[at] as i64 + ty.shape[at] as i64)?;
    }
    one(first.dtype, shape)
}

/// A constant shape input as dimensions.
fn shape_input(site: &Site<'_>, i: usize) -> Answer<Vec<usize>> {
    site.ints(i)?.into_iter().map(dim).collect()
}

pub(crate) fn constant_of_shape(site: &Site<'_>) -> Answer {
    let dtype = match site.node.attrs.get("value") {
        Some(Attr::Tensor(ty, _)) => ty.dtype,
        _ => DType::F32,
    };
    one(dtype, shape_input(site, 0)?)
}

pub(crate) fn expand(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let target = shape_input(site, 1)?;
    one(x.dtype, broadcast([&x.shape[..], &target[..]])?)
}

pub(crate) fn eye_like(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let dtype = if site.node.attrs.get("dtype").is_some() { dtype_attr(site, "dtype")? } else { x.dtype };
    one(dtype, x.shape.clone())
}

pub(crate) fn flatten(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let rank = x.shape.len();
    let at = match site.node.attrs.int_or("axis", 1) {
        at if at == rank as i64 => rank,
        at => axis(at, rank)?,
    };
    one(x.dtype, [volume(&x.shape[..at])?, volume(&x.shape[at..])?])
}

pub(crate) fn gather(site: &Site<'_>) -> Answer {
    let (x, indices) = (site.ty(0)?, site.ty(1)?);
    let at = site.axis("axis", 0, x.shape.len())?;
    let mut shape = x.shape[..at].to_vec();
    shape.extend(&indices.shape);
    shape.extend(&x.shape[at + 1..]);
    one(x.dtype, shape)
}

pub(crate) fn gather_elements(site: &Site<'_>) -> Answer {
    let (x, indices) = (site.ty(0)?, site.ty(1)?);
    site.axis("axis", 0, x.shape.len())?;
    if indices.shape.len() != x.shape.len() {
        return invalid(format!("indices {} of an input {}", dims(&indices.shape), dims(&x.shape)));
    }
    one(x.dtype, indices.shape.clone())
}

pub(crate) fn gather_nd(site: &Site<'_>) -> Answer {
    let (x, indices) = (site.ty(0)?, site.ty(1)?);
    let batch = site.count("batch_dims", 0)?;
    match indices.shape.split_last() {
        Some((tuple, outer)) if batch <= outer.len() && batch + tuple <= x.shape.len() => {
            let mut shape = outer.to_vec();
            shape.extend(&x.shape[batch + tuple..]);
            one(x.dtype, shape)
        }
        _ => invalid(format!("indices {} of an input {}", dims(&indices.shape), dims(&x.shape))),
    }
}

fn data_dependent(site: &Site<'_>) -> Reason {
    Reason::DataDependent(format!("how many elements {} gives depends on its input's values", site.node.op))
}

pub(crate) fn compress(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let Some(picked) = site.graph.const_i64(site.id(1)?) else { return Err(data_dependent(site)) };
    let count = |extent: usize| picked.iter().take(extent).filter(|v| **v != 0).count();
    match site.node.attrs.int("axis") {
        None => one(x.dtype, [count(volume(&x.shape)?)]),
        Some(at) => {
            let at = axis(at, x.shape.len())?;
            let mut shape = x.shape.clone();
            shape[at] = count(shape[at]);
            one(x.dtype, shape)
        }
    }
}

pub(crate) fn non_zero(site: &Site<'_>) -> Answer {
    let id = site.id(0)?;
    let ty = site.ty(0)?;
    let Some(data) = &site.graph.value(id).data else { return Err(data_dependent(site)) };
    let count = data.to_f64(ty.dtype).iter().filter(|v| **v != 0.0).count();
    one(DType::I64, [ty.shape.len().max(1), count])
}

pub(crate) fn one_hot(site: &Site<'_>) -> Answer {
    let (indices, values) = (site.ty(0)?, site.ty(2)?);
    let depth = dim(site.int(1)?)?;
    let at = site.axis("axis", -1, indices.shape.len() + 1)?;
    let mut shape = indices.shape.clone();
    shape.insert(at, depth);
    one(values.dtype, shape)
}

/// Pads for every axis: begins, then ends. An `axes` input says which axes the pads are of.
pub(crate) fn pad(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let rank = x.shape.len();
    let pads = site.ints(1)?;
    let at = match site.opt_ints(3)? {
        Some(list) => list.iter().map(|a| axis(*a, rank)).collect::<Answer<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * at.len() {
        return invalid(format!("{} pads for {} axes", pads.len(), at.len()));
    }
    let mut shape = x.shape.clone();
    for (i, a) in at.iter().enumerate() {
        shape[*a] = dim((shape[*a] as i64).saturating_add(pads[i]).saturating_add(pads[at.len() + i]))?;
    }
    one(x.dtype, shape)
}

pub(crate) fn range(site: &Site<'_>) -> Answer {
    let mut ends = [0.0; 3];
    let dtype = site.ty(0)?.dtype;
    for (i, end) in ends.iter_mut().enumerate() {
        let id = site.id(i)?;
        match site.graph.value(id).data.as_ref().map(|d| d.to_f64(dtype)).as_deref() {
            Some([v]) if site.ty(i)?.dtype == dtype => *end = *v,
            Some(_) => return invalid("start, limit and step must be scalars of one element type"),
            None => site.ints(i).map(drop)?,
        }
    }
    let [start, limit, step] = ends;
    let count = ((limit - start) / step).ceil();
    if !count.is_finite() || count > super::LIMIT as f64 {
        return invalid(format!("a range from {start} to {limit} by {step}"));
    }
    one(dtype, [count.max(0.0) as usize])
}

pub(crate) fn reshape(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let target = site.ints(1)?;
    let zero_is_zero = site.node.attrs.int_or("allowzero", 0) != 0;
    let total = volume(&x.shape)?;
    let refuse = || {
        invalid(format!(
            "shape {} cannot become {target:?}: where that is written into the model, its export fixed the batch or a length; export it \
             with dynamic axes, or keep the shapes that it was exported with",
            dims(&x.shape)
        ))
    };
    let mut out = Vec::with_capacity(target.len());
    let mut free = None;
    for (i, d) in target.iter().enumerate() {
        out.push(match d {
            0 if !zero_is_zero => match x.shape.get(i) {
                Some(d) => *d,
                None => return refuse(),
            },
            -1 if free.is_none() => {
                free = Some(i);
                1
            }
            d => match usize::try_from(*d) {
                Ok(d) => d,
                Err(_) => return refuse(),
            },
        });
    }
    let known = volume(&out)?;
    if let Some(free) = free {
        out[free] = match total.checked_div(known) {
            Some(d) => d,
            None => return refuse(),
        };
    }
    if volume(&out)? != total {
        return refuse();
    }
    one(x.dtype, out)
}

pub(crate) fn shape(site: &Site<'_>) -> Answer {
    let rank = site.rank(0)? as i64;
    let bound = |name: &str, default: i64| {
        let v = site.node.attrs.int_or(name, default);
        (if v < 0 { v.saturating_add(rank) } else { v }).clamp(0, rank)
    };
    one(DType::I64, [(bound("end", rank) - bound("start", 0)).max(0) as usize])
}

pub(crate) fn size(site: &Site<'_>) -> Answer {
    site.ty(0)?;
    one(DType::I64, [])
}

/// One axis of a slice: first index, step, count.
pub(crate) fn slice_axis(start: i64, end: i64, step: i64, extent: usize) -> Answer<(i64, i64, usize)> {
    let n = extent as i64;
    if step == 0 {
        return invalid("a slice with step 0");
    }
    let wrap = |v: i64| if v < 0 { v.saturating_add(n) } else { v };
    let (start, end) = if step > 0 {
        (wrap(start).clamp(0, n), wrap(end).clamp(0, n))
    } else {
        (wrap(start).clamp(0, (n - 1).max(0)), wrap(end).clamp(-1, n - 1))
    };
    let distance = if step > 0 { end - start } else { start - end };
    let stride = step.unsigned_abs().min(super::LIMIT) as i64;
    let count = if extent == 0 || distance <= 0 { 0 } else { (distance - 1) / stride + 1 };
    Ok((start, step, count as usize))
}

/// What a slice takes of each axis of its input: first index, step, count.
pub(crate) fn slice_plan(site: &Site<'_>) -> Answer<Vec<(i64, i64, usize)>> {
    let x = site.ty(0)?;
    let rank = x.shape.len();
    let (starts, ends) = (site.ints(1)?, site.ints(2)?);
    let at = match site.opt_ints(3)? {
        Some(list) => list.iter().map(|a| axis(*a, rank)).collect::<Answer<Vec<_>>>()?,
        None => (0..starts.len()).collect(),
    };
    let steps = site.opt_ints(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if starts.len() != ends.len() || starts.len() != at.len() || starts.len() != steps.len() {
        return invalid("starts, ends, axes and steps have different lengths");
    }
    let mut plan: Vec<_> = x.shape.iter().map(|d| (0, 1, *d)).collect();
    for (i, a) in at.into_iter().enumerate() {
        match plan.get_mut(a) {
            Some(entry) => *entry = slice_axis(starts[i], ends[i], steps[i], x.shape[a])?,
            None => return invalid(format!("axis {a} of a tensor with {rank} axes")),
        }
    }
    Ok(plan)
}

pub(crate) fn slice(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    one(x.dtype, slice_plan(site)?.into_iter().map(|(_, _, count)| count).collect::<Vec<_>>())
}

/// Sizes of a split's parts along its axis.
pub(crate) fn split_sizes(site: &Site<'_>, extent: usize) -> Answer<Vec<usize>> {
    if let Some(sizes) = site.opt_ints(1)? {
        let sizes = sizes.into_iter().map(dim).collect::<Answer<Vec<_>>>()?;
        if sizes.iter().sum::<usize>() != extent {
            return invalid(format!("parts {sizes:?} of an axis of {extent}"));
        }
        return Ok(sizes);
    }
    let parts = site.count("num_outputs", site.outputs as i64)?;
    if parts == 0 || parts > 1 << 20 {
        return invalid(format!("a split into {parts} parts"));
    }
    let each = extent.div_ceil(parts);
    Ok((0..parts).map(|i| each.min(extent.saturating_sub(i * each))).collect())
}

pub(crate) fn split(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let at = site.axis("axis", 0, x.shape.len())?;
    let with = |part| {
        let mut shape = x.shape.clone();
        shape[at] = part;
        TensorType::new(x.dtype, shape)
    };
    Ok(split_sizes(site, x.shape[at])?.into_iter().map(with).collect())
}

pub(crate) fn squeeze(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let gone = match site.opt_ints(1)? {
        Some(list) => axes(&list, x.shape.len())?,
        None => (0..x.shape.len()).filter(|i| x.shape[*i] == 1).collect(),
    };
    if let Some(a) = gone.iter().find(|a| x.shape[**a] != 1) {
        return invalid(format!("axis {a} of shape {} is not 1", dims(&x.shape)));
    }
    let kept = x.shape.iter().enumerate().filter(|(i, _)| !gone.contains(i)).map(|(_, d)| *d);
    one(x.dtype, kept.collect::<Vec<_>>())
}

pub(crate) fn unsqueeze(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let list = site.ints(1)?;
    let new = axes(&list, x.shape.len() + list.len())?;
    let mut shape = x.shape.clone();
    for a in new {
        shape.insert(a, 1);
    }
    one(x.dtype, shape)
}

/// As Unsqueeze, with the axis in a scalar.
pub(crate) fn expand_dims(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let at = axis(site.int(1)?, x.shape.len() + 1)?;
    let mut shape = x.shape.clone();
    shape.insert(at, 1);
    one(x.dtype, shape)
}

pub(crate) fn tile(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let repeats = site.ints(1)?;
    if repeats.len() != x.shape.len() {
        return invalid(format!("{} repeats of a shape {}", repeats.len(), dims(&x.shape)));
    }
    let shape = x.shape.iter().zip(repeats).map(|(d, r)| dim((*d as i64).saturating_mul(r)));
    one(x.dtype, shape.collect::<Answer<Vec<_>>>()?)
}

/// The permutation of a transpose; all axes in reverse where the node has none.
pub(crate) fn permutation(site: &Site<'_>) -> Answer<Vec<usize>> {
    let rank = site.rank(0)?;
    let Some(perm) = site.node.attrs.ints("perm") else { return Ok((0..rank).rev().collect()) };
    let out = perm.iter().map(|a| axis(*a, rank)).collect::<Answer<Vec<_>>>()?;
    if axes(perm, rank)?.len() != rank {
        return invalid(format!("permutation {perm:?} of {rank} axes"));
    }
    Ok(out)
}

pub(crate) fn transpose(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    one(x.dtype, permutation(site)?.into_iter().map(|a| x.shape[a]).collect::<Vec<_>>())
}

pub(crate) fn center_crop_pad(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    let target = shape_input(site, 1)?;
    let rank = x.shape.len();
    let at = match site.node.attrs.ints("axes") {
        Some(list) => list.iter().map(|a| axis(*a, rank)).collect::<Answer<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    if at.len() != target.len() {
        return invalid(format!("{} extents for {} axes", target.len(), at.len()));
    }
    let mut shape = x.shape.clone();
    for (a, d) in at.into_iter().zip(target) {
        shape[a] = d;
    }
    one(x.dtype, shape)
}
