//! Operators that place elements: crops, Col2Im, grids, MaxUnpool.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{Attr, DType};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("AffineGrid", "MatMul with a constant grid", affine_grid),
    row("CenterCropPad", "Slice, Pad", center_crop_pad),
    row("Col2Im", "ConvTranspose with a constant weight", col2im),
    row("MaxUnpool", "ScatterElements, Pad", max_unpool),
];

/// Inputs: transformations (batch, n, n + 1), the image's shape.
fn affine_grid(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let theta = p.input(0)?;
    let (result, dtype) = (p.types[0].shape.clone(), p.dtype(theta));
    let [n, extents @ .., dims] = &result[..] else { return invalid("the result has no axes") };
    let align = p.node.attrs.int_or("align_corners", 0) != 0;
    let place = |i: usize, extent: usize| match (align, extent) {
        (true, 1) => 0.0,
        (true, _) => 2.0 * i as f64 / (extent - 1) as f64 - 1.0,
        (false, _) => (2 * i + 1) as f64 / extent as f64 - 1.0,
    };
    let points: usize = extents.iter().product();
    let mut grid = Vec::with_capacity(points * (dims + 1));
    for flat in 0..points {
        let mut rest = flat;
        // The innermost axis is the first coordinate.
        for &extent in extents.iter().rev() {
            grid.push(place(rest % extent, extent));
            rest /= extent;
        }
        grid.push(1.0);
    }
    let grid = p.floats(dtype, &[1, points, dims + 1], &grid);
    let turned = p.transpose(theta, &[0, 2, 1])?;
    let grid = if *n == 1 { grid } else { broadcast(p, grid, &[*n, points, dims + 1])? };
    let y = p.op(Op::MatMul, &[grid, turned])?;
    Ok(Some(vec![p.reshape(y, &result)?]))
}

fn broadcast(
    p: &mut Parts<'_, '_>,
    x: crate::graph::ValueId,
    shape: &[usize],
) -> Answer<crate::graph::ValueId> {
    let list: Vec<i64> = shape.iter().map(|d| *d as i64).collect();
    let list = p.ints(DType::I64, &[list.len()], &list);
    p.op(Op::Expand, &[x, list])
}

fn center_crop_pad(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let mut x = p.input(0)?;
    let (shape, result) = (p.shape(x), p.types[0].shape.clone());
    let mut pads = vec![0; 2 * shape.len()];
    for (a, (&from, &to)) in shape.iter().zip(&result).enumerate() {
        if from > to {
            let start = ((from - to) / 2) as i64;
            x = p.slice(x, a, [start, start + to as i64, 1])?;
        } else {
            let before = (to - from) / 2;
            pads[a] = before as i64;
            pads[shape.len() + a] = (to - from - before) as i64;
        }
    }
    let pads = p.ints(DType::I64, &[pads.len()], &pads);
    Ok(Some(vec![p.op(Op::Pad, &[x, pads])?]))
}

/// Each column is a block whose elements are added where the block lies: what a transposed convolution with one filter for each
/// element of the block does.
fn col2im(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let (result, dtype) = (p.types[0].shape.clone(), p.dtype(x));
    let (image, block) = (p.site().ints(1)?, p.site().ints(2)?);
    let axes = block.len();
    let list = |name: &str, fill: i64, len: usize| -> Vec<i64> {
        p.node.attrs.ints(name).filter(|v| v.len() == len).map_or_else(|| vec![fill; len], <[i64]>::to_vec)
    };
    let (strides, dilations, pads) =
        (list("strides", 1, axes), list("dilations", 1, axes), list("pads", 0, 2 * axes));
    let mut counts = Vec::new();
    let mut rest = Vec::new();
    for i in 0..axes {
        let room = image[i] + pads[i] + pads[axes + i] - (dilations[i] * (block[i] - 1) + 1);
        if strides[i] < 1 || room < 0 {
            return invalid(format!("blocks {block:?} by {strides:?} in an image {image:?}"));
        }
        counts.push((room / strides[i] + 1) as usize);
        rest.push(room % strides[i]);
    }
    let cells = block.iter().product::<i64>() as usize;
    let planes = result[0] * result[1];
    let columns = p.reshape(x, &[&[planes, cells], &counts[..]].concat())?;
    let eye: Vec<f64> = (0..cells * cells).map(|i| f64::from(u8::from(i / cells == i % cells))).collect();
    let kernel: Vec<usize> = block.iter().map(|b| *b as usize).collect();
    let weight = p.floats(dtype, &[&[cells, 1], &kernel[..]].concat(), &eye);
    let attrs = [
        ("strides", Attr::Ints(strides)),
        ("dilations", Attr::Ints(dilations)),
        ("pads", Attr::Ints(pads)),
        ("output_padding", Attr::Ints(rest)),
    ];
    let y = p.with(Op::ConvTranspose, &[columns, weight], attrs)?;
    Ok(Some(vec![p.reshape(y, &result)?]))
}

/// Indices count the elements of the whole unpooled tensor; a larger `output_shape` adds zeros after it.
fn max_unpool(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, places) = (p.input(0)?, p.input(1)?);
    let (shape, dtype, result) = (p.shape(x), p.dtype(x), p.types[0].shape.clone());
    let window = crate::infer::Window::read(&p.site(), &shape[2..], None)?;
    let mut whole = shape[..2].to_vec();
    for (i, extent) in shape[2..].iter().enumerate() {
        let full =
            (*extent as i64 - 1) * window.strides[i] + window.kernel[i] - window.begins[i] - window.ends[i];
        whole.push(crate::infer::dim(full)?);
    }
    if whole.len() != result.len() || whole.iter().zip(&result).any(|(w, r)| w > r) {
        return p.refuse(format!("output_shape {result:?} is smaller than the unpooled {whole:?}"));
    }
    let count: usize = shape.iter().product();
    let total: usize = whole.iter().product();
    let zeros = p.floats(dtype, &[total], &vec![0.0; total]);
    let (places, values) = (p.reshape(places, &[count])?, p.reshape(x, &[count])?);
    let y = p.with(Op::ScatterElements, &[zeros, places, values], [("axis", Attr::Int(0))])?;
    let y = p.reshape(y, &whole)?;
    let after: Vec<i64> = whole.iter().zip(&result).map(|(w, r)| (r - w) as i64).collect();
    let pads = p.ints(DType::I64, &[2 * whole.len()], &[vec![0; whole.len()], after].concat());
    Ok(Some(vec![p.op(Op::Pad, &[y, pads])?]))
}
