//! Constant folding: evaluators of operators that only move elements.

use super::Call;
use super::lane::Lane;
use super::strided::{View, broadcast, strides};
use crate::graph::{Attr, Data};
use crate::infer::{axis, permutation, slice_plan, split_sizes};

/// The same bytes under another shape.
pub(crate) fn keep(call: &Call<'_>) -> Option<Vec<Data>> {
    Some(vec![call.input(0)?.1.clone()])
}

pub(crate) fn shape(call: &Call<'_>) -> Option<Vec<Data>> {
    let shape = &call.site.opt(0)?.shape;
    let rank = shape.len() as i64;
    let start = call.site.node.attrs.int_or("start", 0);
    let start = (if start < 0 { start.saturating_add(rank) } else { start }).clamp(0, rank) as usize;
    let part: Vec<i64> = shape[start..].iter().take(call.out().elements()).map(|d| *d as i64).collect();
    Some(vec![Data::from_i64(&part)])
}

pub(crate) fn size(call: &Call<'_>) -> Option<Vec<Data>> {
    Some(vec![Data::from_i64(&[call.site.opt(0)?.elements() as i64])])
}

pub(crate) fn constant_of_shape(call: &Call<'_>) -> Option<Vec<Data>> {
    let total = call.out().bytes();
    match call.site.node.attrs.get("value") {
        Some(Attr::Tensor(ty, data)) if ty.elements() == 1 => {
            let element = data.bytes();
            if element.iter().all(|b| *b == 0) {
                return Some(vec![Data::new(vec![0; total].into())]);
            }
            Some(vec![Data::new(element.repeat(call.out().elements()).into())])
        }
        Some(_) => None,
        None => Some(vec![Data::new(vec![0; total].into())]),
    }
}

pub(crate) fn expand(call: &Call<'_>) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    Some(vec![broadcast(ty, data, &call.out().shape)?])
}

/// A repeat is an axis of stride 0 before the repeated one.
pub(crate) fn tile(call: &Call<'_>) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    let repeats = call.site.ints(1).ok()?;
    let own = strides(&ty.shape);
    let mut view = View {
        bytes: data.bytes(),
        size: ty.dtype.size(),
        offset: 0,
        shape: Vec::with_capacity(2 * own.len()),
        strides: Vec::with_capacity(2 * own.len()),
    };
    for (i, repeat) in repeats.into_iter().enumerate() {
        view.shape.extend([usize::try_from(repeat).ok()?, *ty.shape.get(i)?]);
        view.strides.extend([0, own[i]]);
    }
    Some(vec![view.dense()?])
}

pub(crate) fn transpose(call: &Call<'_>) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    let own = strides(&ty.shape);
    let view = View {
        bytes: data.bytes(),
        size: ty.dtype.size(),
        offset: 0,
        shape: call.out().shape.clone(),
        strides: permutation(&call.site).ok()?.into_iter().map(|a| own[a]).collect(),
    };
    Some(vec![view.dense()?])
}

pub(crate) fn slice(call: &Call<'_>) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    let own = strides(&ty.shape);
    let plan = slice_plan(&call.site).ok()?;
    let view = View {
        bytes: data.bytes(),
        size: ty.dtype.size(),
        offset: plan.iter().zip(&own).map(|((start, _, _), s)| *start as isize * s).sum(),
        shape: call.out().shape.clone(),
        // A step is read only where there are two elements, which bounds it by the extent.
        strides: plan
            .iter()
            .zip(&own)
            .map(|((_, step, count), s)| if *count > 1 { *step as isize * s } else { 0 })
            .collect(),
    };
    Some(vec![view.dense()?])
}

pub(crate) fn split(call: &Call<'_>) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    let at = axis(call.site.node.attrs.int_or("axis", 0), ty.shape.len()).ok()?;
    let own = strides(&ty.shape);
    let mut start = 0;
    let mut out = Vec::new();
    for part in split_sizes(&call.site, ty.shape[at]).ok()? {
        let mut shape = ty.shape.clone();
        shape[at] = part;
        let offset = start as isize * own[at];
        let view = View { bytes: data.bytes(), size: ty.dtype.size(), offset, shape, strides: own.clone() };
        out.push(view.dense()?);
        start += part;
    }
    Some(out)
}

pub(crate) fn concat(call: &Call<'_>) -> Option<Vec<Data>> {
    let out = call.out();
    let at = axis(call.site.node.attrs.int("axis")?, out.shape.len()).ok()?;
    let outer: usize = out.shape[..at].iter().product();
    let mut bytes = Vec::with_capacity(out.bytes());
    let parts = (0..call.site.node.inputs.len()).map(|i| call.input(i)).collect::<Option<Vec<_>>>()?;
    for row in 0..outer {
        for (ty, data) in &parts {
            let length = ty.bytes() / outer;
            bytes.extend_from_slice(data.bytes().get(row * length..(row + 1) * length)?);
        }
    }
    Some(vec![Data::new(bytes.into())])
}

pub(crate) fn gather(call: &Call<'_>) -> Option<Vec<Data>> {
    let ((ty, data), (index_ty, indices)) = (call.input(0)?, call.input(1)?);
    let at = axis(call.site.node.attrs.int_or("axis", 0), ty.shape.len()).ok()?;
    let extent = ty.shape[at] as i64;
    let outer: usize = ty.shape[..at].iter().product();
    let inner = ty.shape[at + 1..].iter().product::<usize>() * ty.dtype.size();
    let indices = indices.to_i64(index_ty.dtype);
    let mut bytes = Vec::with_capacity(call.out().bytes());
    for row in 0..outer {
        for i in &indices {
            let i = if *i < 0 { i.checked_add(extent)? } else { *i };
            if !(0..extent).contains(&i) {
                return None;
            }
            let from = (row * ty.shape[at] + i as usize) * inner;
            bytes.extend_from_slice(data.bytes().get(from..from + inner)?);
        }
    }
    Some(vec![Data::new(bytes.into())])
}

/// Plain replacement; the reducing variants are left to others.
pub(crate) fn scatter_nd(call: &Call<'_>) -> Option<Vec<Data>> {
    if call.site.node.attrs.str_or("reduction", "none") != "none" {
        return None;
    }
    let ((ty, data), (index_ty, indices), (_, updates)) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let tuple = *index_ty.shape.last()?;
    let own = strides(&ty.shape);
    let block = ty.shape.get(tuple..)?.iter().product::<usize>() * ty.dtype.size();
    let mut bytes = data.bytes().to_vec();
    for (n, index) in indices.to_i64(index_ty.dtype).chunks_exact(tuple.max(1)).enumerate() {
        let mut at = 0;
        for ((i, extent), stride) in index.iter().zip(&ty.shape).zip(&own) {
            let i = if *i < 0 { i.checked_add(*extent as i64)? } else { *i };
            if !(0..*extent as i64).contains(&i) {
                return None;
            }
            at += i as usize * *stride as usize;
        }
        let at = at * ty.dtype.size();
        bytes.get_mut(at..at + block)?.copy_from_slice(updates.bytes().get(n * block..(n + 1) * block)?);
    }
    Some(vec![Data::new(bytes.into())])
}

pub(crate) fn range(call: &Call<'_>) -> Option<Vec<Data>> {
    let dtype = call.out().dtype;
    let count = call.out().elements();
    let (start, step) = (Lane::read(call.input(0)?.1, dtype), Lane::read(call.input(2)?.1, dtype));
    let values = match (start, step) {
        (Lane::Int(start), Lane::Int(step)) => {
            let (start, step) = (*start.first()?, *step.first()?);
            Lane::Int((0..count as i64).map(|i| start.wrapping_add(step.wrapping_mul(i))).collect())
        }
        (Lane::Float(start), Lane::Float(step)) => {
            let (start, step) = (*start.first()?, *step.first()?);
            Lane::Float((0..count).map(|i| start + step * i as f64).collect())
        }
        _ => return None,
    };
    Some(vec![values.write(dtype)])
}

/// Coordinates of the elements that are not zero, one row an axis.
pub(crate) fn non_zero(call: &Call<'_>) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    let positions: Vec<usize> =
        data.to_f64(ty.dtype).iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(i, _)| i).collect();
    if ty.shape.is_empty() {
        return Some(vec![Data::from_i64(&vec![0; positions.len()])]);
    }
    let mut out = Vec::with_capacity(positions.len() * ty.shape.len());
    for (extent, stride) in ty.shape.iter().zip(strides(&ty.shape)) {
        out.extend(positions.iter().map(|p| (p / stride.unsigned_abs() % extent) as i64));
    }
    Some(vec![Data::from_i64(&out)])
}

pub(crate) fn trilu(call: &Call<'_>) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    let k = match call.input(1) {
        Some((ty, data)) => *data.to_i64(ty.dtype).first()?,
        None => 0,
    };
    let upper = call.site.node.attrs.int_or("upper", 1) != 0;
    let [.., rows, columns] = ty.shape[..] else { return None };
    let size = ty.dtype.size();
    let mut bytes = data.bytes().to_vec();
    for (i, element) in bytes.chunks_exact_mut(size).enumerate() {
        let (row, column) = ((i / columns % rows) as i64, (i % columns) as i64);
        let edge = row.saturating_add(k);
        let kept = if upper { column >= edge } else { column <= edge };
        if !kept {
            element.fill(0);
        }
    }
    Some(vec![Data::new(bytes.into())])
}
