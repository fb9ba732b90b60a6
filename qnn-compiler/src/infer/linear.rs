//! Matrix products.

use super::site::{Answer, Site, broadcast, dims, invalid, one};
use crate::graph::{DType, TensorType};

/// Shape of a matrix product with numpy's rules: leading axes broadcast, a vector is a row on the left and a column on the
/// right and loses that axis again.
fn product(a: &[usize], b: &[usize]) -> Answer<Vec<usize>> {
    let refuse = || invalid(format!("a product of {} and {}", dims(a), dims(b)));
    if a.is_empty() || b.is_empty() {
        return refuse();
    }
    let left: Vec<usize> = if a.len() == 1 { vec![1, a[0]] } else { a.to_vec() };
    let right: Vec<usize> = if b.len() == 1 { vec![b[0], 1] } else { b.to_vec() };
    let (l, r) = (left.len(), right.len());
    if left[l - 1] != right[r - 2] {
        return refuse();
    }
    let mut shape = broadcast([&left[..l - 2], &right[..r - 2]])?;
    if a.len() > 1 {
        shape.push(left[l - 2]);
    }
    if b.len() > 1 {
        shape.push(right[r - 1]);
    }
    Ok(shape)
}

pub(crate) fn matmul(site: &Site<'_>) -> Answer {
    let (a, b) = (site.ty(0)?, site.ty(1)?);
    if a.dtype != b.dtype {
        return invalid(format!("operands have different element types, {} and {}", a.dtype, b.dtype));
    }
    one(a.dtype, product(&a.shape, &b.shape)?)
}

pub(crate) fn matmul_integer(site: &Site<'_>) -> Answer {
    one(DType::I32, product(&site.ty(0)?.shape, &site.ty(1)?.shape)?)
}

pub(crate) fn qlinear_matmul(site: &Site<'_>) -> Answer {
    one(site.ty(7)?.dtype, product(&site.ty(0)?.shape, &site.ty(3)?.shape)?)
}

pub(crate) fn dynamic_matmul(site: &Site<'_>) -> Answer {
    one(DType::F32, product(&site.ty(0)?.shape, &site.ty(1)?.shape)?)
}

pub(crate) fn integer_to_float(site: &Site<'_>) -> Answer {
    one(site.ty(2)?.dtype, product(&site.ty(0)?.shape, &site.ty(1)?.shape)?)
}

pub(crate) fn fused_matmul(site: &Site<'_>) -> Answer {
    let swapped = |i: usize, name: &str, batch: &str| -> Answer<Vec<usize>> {
        let mut shape = site.ty(i)?.shape.clone();
        let rank = shape.len();
        if rank >= 2 && site.node.attrs.int_or(batch, 0) != 0 {
            // The first axis goes to where the rows were, the batch axes move up.
            shape[..rank - 1].rotate_left(1);
        }
        if rank >= 2 && site.node.attrs.int_or(name, 0) != 0 {
            shape.swap(rank - 1, rank - 2);
        }
        Ok(shape)
    };
    let (a, b) = (swapped(0, "transA", "transBatchA")?, swapped(1, "transB", "transBatchB")?);
    one(site.ty(0)?.dtype, product(&a, &b)?)
}

pub(crate) fn matmul_nbits(site: &Site<'_>) -> Answer {
    let a = site.ty(0)?;
    let (k, n) = (site.count("K", 0)?, site.count("N", 0)?);
    match a.shape.split_last() {
        Some((depth, rows)) if *depth == k => one(a.dtype, [rows, &[n]].concat()),
        _ => invalid(format!("K is {k} for an input {}", dims(&a.shape))),
    }
}

fn gemm_shape(site: &Site<'_>, a: &TensorType, b: &TensorType) -> Answer<[usize; 2]> {
    let side = |ty: &TensorType, flag: &str| match ty.shape[..] {
        [r, c] if site.node.attrs.int_or(flag, 0) != 0 => Ok((c, r)),
        [r, c] => Ok((r, c)),
        _ => invalid(format!("operand {} is not a matrix", dims(&ty.shape))),
    };
    let ((m, k), (k2, n)) = (side(a, "transA")?, side(b, "transB")?);
    if k != k2 {
        return invalid(format!("a product of {} and {}", dims(&a.shape), dims(&b.shape)));
    }
    Ok([m, n])
}

pub(crate) fn gemm(site: &Site<'_>) -> Answer {
    let (a, b) = (site.ty(0)?, site.ty(1)?);
    let shape = gemm_shape(site, a, b)?;
    if let Some(c) = site.opt(2)
        && broadcast([&shape[..], &c.shape[..]])? != shape
    {
        return invalid(format!("bias {} does not broadcast to {}", dims(&c.shape), dims(&shape)));
    }
    one(a.dtype, shape)
}

pub(crate) fn qgemm(site: &Site<'_>) -> Answer {
    let dtype = site.opt(8).map_or(DType::F32, |ty| ty.dtype);
    one(dtype, gemm_shape(site, site.ty(0)?, site.ty(3)?)?)
}

pub(crate) fn det(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    match &x.shape[..] {
        [outer @ .., r, c] if r == c => one(x.dtype, outer.to_vec()),
        other => invalid(format!("input {} is not a square matrix", dims(other))),
    }
}

/// Equation `ab,bc->ac`; `...` stands for axes that broadcast.
pub(crate) fn einsum(site: &Site<'_>) -> Answer {
    let equation: String =
        site.node.attrs.str_or("equation", "").chars().filter(|c| !c.is_whitespace()).collect();
    let refuse = |why: String| invalid(format!("equation '{equation}': {why}"));
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (&equation[..], None),
    };
    let terms: Vec<&str> = left.split(',').collect();
    if terms.len() != site.node.inputs.len() {
        return refuse(format!("{} terms for {} inputs", terms.len(), site.node.inputs.len()));
    }
    // Label, extent, how often it appears; a handful of labels, so a list serves.
    let mut labels: Vec<(char, usize, usize)> = Vec::new();
    let mut ellipsis: Vec<usize> = Vec::new();
    for (i, term) in terms.iter().enumerate() {
        let shape = &site.ty(i)?.shape;
        let (head, tail) = term.split_once("...").unwrap_or((term, ""));
        let named = head.chars().count() + tail.chars().count();
        let dotted = term.contains("...");
        if named > shape.len() || (!dotted && named != shape.len()) {
            return refuse(format!("term '{term}' for a shape {}", dims(shape)));
        }
        let dots = shape.len() - named;
        let start = head.chars().count();
        ellipsis = broadcast([&ellipsis[..], &shape[start..start + dots]])?;
        let extents = shape[..start].iter().chain(&shape[start + dots..]);
        for (label, extent) in head.chars().chain(tail.chars()).zip(extents) {
            match labels.iter_mut().find(|l| l.0 == label) {
                Some(l) if l.1 == *extent || *extent == 1 => l.2 += 1,
                Some(l) if l.1 == 1 => (l.1, l.2) = (*extent, l.2 + 1),
                Some(l) => return refuse(format!("label '{label}' is {} and {extent}", l.1)),
                None => labels.push((label, *extent, 1)),
            }
        }
    }
    let mut shape = Vec::new();
    match right {
        Some(right) => {
            let (head, tail) = right.split_once("...").unwrap_or((right, ""));
            for (part, then) in [(head, right.contains("...")), (tail, false)] {
                for label in part.chars() {
                    match labels.iter().find(|l| l.0 == label) {
                        Some(l) => shape.push(l.1),
                        None => return refuse(format!("label '{label}' of the result is in no term")),
                    }
                }
                if then {
                    shape.extend(&ellipsis);
                }
            }
        }
        None => {
            shape.extend(&ellipsis);
            labels.sort_unstable();
            shape.extend(labels.iter().filter(|l| l.2 == 1).map(|l| l.1));
        }
    }
    one(site.ty(0)?.dtype, shape)
}
