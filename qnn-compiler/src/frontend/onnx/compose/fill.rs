//! Padding by values that are computed, where HTP takes only constants.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{Attr, DType};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row(
        "ConvTranspose",
        "over three axes: as Conv, with zeros between the planes; of a computed weight with dilations: Pad of the weight",
        conv_transpose,
    ),
    row("Pad", "with a computed value: Where by a constant mask", pad),
];

/// The value takes the place of zeros, where a constant mask says that there was nothing.
fn pad(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let Some(value) = p.node.input(2).filter(|id| p.known_floats(*id).is_none()) else { return Ok(None) };
    if p.node.attrs.str_or("mode", "constant") != "constant" {
        return Ok(None);
    }
    let (x, pads) = (p.input(0)?, p.input(1)?);
    let (shape, result) = (p.shape(x), p.types[0].shape.clone());
    let list = p.site().ints(1)?;
    let rank = shape.len();
    if list.len() != 2 * rank {
        return invalid(format!("{} pads for {rank} axes", list.len()));
    }
    let padded = p.op(Op::Pad, &[x, pads])?;
    let count: usize = result.iter().product();
    let old = |flat: usize| {
        let mut rest = flat;
        let inside = (0..rank).rev().all(|a| {
            let at = (rest % result[a]) as i64 - list[a];
            rest /= result[a];
            (0..shape[a] as i64).contains(&at)
        });
        i64::from(inside)
    };
    let mask: Vec<i64> = (0..count).map(old).collect();
    let mask = p.ints(DType::Bool, &result, &mask);
    let value = p.reshape(value, &vec![1; rank])?;
    Ok(Some(vec![p.op(Op::Where, &[mask, padded, value])?]))
}

fn conv_transpose(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let weight = p.input(1)?;
    let shape = p.shape(weight);
    if shape.len() == 5 {
        return super::volume::conv_transpose(p);
    }
    let dilations = p.node.attrs.ints("dilations").unwrap_or_default().to_vec();
    if p.known_floats(weight).is_some() || dilations.iter().all(|d| *d == 1) {
        return Ok(None);
    }
    // Each element is followed by zeros, of which the last are cut off.
    let mut wide = weight;
    let mut now = shape.clone();
    for (axis, &dilation) in (2..shape.len()).zip(&dilations).filter(|(_, d)| **d > 1) {
        let (outer, inner): (usize, usize) = (now[..axis].iter().product(), now[axis + 1..].iter().product());
        let extent = now[axis] as i64;
        let apart = p.reshape(wide, &[outer * now[axis], 1, inner])?;
        let pads = p.ints(DType::I64, &[6], &[0, 0, 0, 0, dilation - 1, 0]);
        let apart = p.op(Op::Pad, &[apart, pads])?;
        let joined = p.reshape(apart, &[outer, now[axis] * dilation as usize, inner])?;
        let cut = p.slice(joined, 1, [0, (extent - 1) * dilation + 1, 1])?;
        now[axis] = ((extent - 1) * dilation + 1) as usize;
        wide = p.reshape(cut, &now)?;
    }
    let mut attrs = p.node.attrs.clone();
    attrs.set("dilations", Attr::Ints(vec![1; dilations.len()]));
    attrs.set("kernel_shape", Attr::Ints(now[2..].iter().map(|d| *d as i64).collect()));
    let inputs: Vec<_> = [p.input(0)?, wide].into_iter().chain(p.node.input(2)).collect();
    Ok(Some(vec![p.like(Op::ConvTranspose, &inputs, attrs)?]))
}
