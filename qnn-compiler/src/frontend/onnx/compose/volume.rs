//! Operators over three spatial axes. HTP's are for planes: a volume is a stack of them.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{Attr, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("AveragePool", POOL, pool),
    row("Conv", "over three axes: the planes of a depth as channels of one Conv", conv),
    row("LpPool", POOL, pool),
    row(
        "MaxPool",
        "over three axes: one over planes, then one over the depth; with indices: Slice, Greater, Where",
        max_pool,
    ),
];

const POOL: &str = "over three axes: one over planes, then one over the depth";

fn list(p: &Parts<'_, '_>, name: &str) -> Vec<i64> {
    p.node.attrs.ints(name).unwrap_or_default().to_vec()
}

fn max_pool(p: &mut Parts<'_, '_>) -> Answer<Written> {
    if p.outputs > 1 { super::extremes::max_pool(p) } else { pool(p) }
}

/// A pool over a box is a pool over its depth of pools over its planes: the number of elements that an average divides by is a product
/// of one number for each axis.
fn pool(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let (shape, result) = (p.shape(x), p.types[0].shape.clone());
    let (&[n, c, d, h, w], &[_, _, od, oh, ow]) = (&shape[..], &result[..]) else { return Ok(None) };
    let [kernel, strides, dilations, pads] =
        ["kernel_shape", "strides", "dilations", "pads"].map(|name| list(p, name));
    let (&[kd, ..], &[sd, ..], &[ld, ..], &[top, t, l, bottom, b, r]) =
        (&kernel[..], &strides[..], &dilations[..], &pads[..])
    else {
        return invalid("the window has not three axes");
    };
    let part = |p: &mut Parts<'_, '_>,
                x: ValueId,
                kernel: &[i64],
                strides: &[i64],
                dilations: &[i64],
                pads: &[i64]| {
        let window =
            [("kernel_shape", kernel), ("strides", strides), ("dilations", dilations), ("pads", pads)];
        let mut attrs = p.node.attrs.clone();
        for (name, values) in window {
            attrs.set(name, Attr::Ints(values.to_vec()));
        }
        p.like(p.node.op, &[x], attrs)
    };
    let planes = p.reshape(x, &[n, c * d, h, w])?;
    let planes = part(p, planes, &kernel[1..], &strides[1..], &dilations[1..], &[t, l, b, r])?;
    let columns = p.reshape(planes, &[n, c, d, oh * ow])?;
    let columns = part(p, columns, &[kd, 1], &[sd, 1], &[ld, 1], &[top, 0, bottom, 0])?;
    Ok(Some(vec![p.reshape(columns, &[n, c, od, oh, ow])?]))
}

/// The planes that each depth of the result sees, as channels (batch · depth, groups · kernel · channels of a group, h, w). `x` is
/// (batch, channels, depth, h, w), already padded along its depth.
fn stacked(
    p: &mut Parts<'_, '_>,
    x: ValueId,
    groups: usize,
    kernel: usize,
    [step, apart]: [i64; 2],
    depth: usize,
) -> Answer<ValueId> {
    let &[n, c, _, h, w] = &p.shape(x)[..] else { return invalid("the input has not three spatial axes") };
    // (batch, depth, groups, channels of a group, plane), the depth where slices are cheap.
    let first = p.transpose(x, &[0, 2, 1, 3, 4])?;
    let mut seen = Vec::with_capacity(kernel);
    for k in 0..kernel as i64 {
        let end = k * apart + step * (depth as i64 - 1) + 1;
        let planes = p.slice(first, 1, [k * apart, end, step])?;
        seen.push(p.reshape(planes, &[n * depth, groups, c / groups, h * w])?);
    }
    let all = if seen.len() == 1 { seen[0] } else { p.concat(&seen, 2)? };
    p.reshape(all, &[n * depth, kernel * c, h, w])
}

/// Zeros before and after the depth.
fn deepened(p: &mut Parts<'_, '_>, x: ValueId, before: i64, after: i64) -> Answer<ValueId> {
    let pads = [0, 0, before, 0, 0, 0, 0, after, 0, 0];
    let pads = p.ints(crate::graph::DType::I64, &[10], &pads);
    p.op(Op::Pad, &[x, pads])
}

/// The planes of a result back in a volume.
fn volume(p: &mut Parts<'_, '_>, planes: ValueId) -> Answer<Written> {
    let result = p.types[0].shape.clone();
    let &[n, c, d, h, w] = &result[..] else { return invalid("the result has not three spatial axes") };
    let y = p.reshape(planes, &[n, d, c, h, w])?;
    Ok(Some(vec![p.transpose(y, &[0, 2, 1, 3, 4])?]))
}

fn conv(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, weight) = (p.input(0)?, p.input(1)?);
    let shape = p.shape(weight);
    let &[out, depth_in, kd, kh, kw] = &shape[..] else { return Ok(None) };
    let groups = p.site().count("group", 1)?.max(1);
    let [strides, dilations, pads] = ["strides", "dilations", "pads"].map(|name| list(p, name));
    let &[before, t, l, after, b, r] = &pads[..] else { return invalid("the padding has not three axes") };
    let x = deepened(p, x, before, after)?;
    let depth = p.types[0].shape[2];
    let planes = stacked(p, x, groups, kd, [strides[0], dilations[0]], depth)?;
    let weight = p.transpose(weight, &[0, 2, 1, 3, 4])?;
    let weight = p.reshape(weight, &[out, kd * depth_in, kh, kw])?;
    let mut attrs = p.node.attrs.clone();
    attrs.set("kernel_shape", Attr::Ints(vec![kh as i64, kw as i64]));
    attrs.set("strides", Attr::Ints(strides[1..].to_vec()));
    attrs.set("dilations", Attr::Ints(dilations[1..].to_vec()));
    attrs.set("pads", Attr::Ints(vec![t, l, b, r]));
    let inputs: Vec<ValueId> = [planes, weight].into_iter().chain(p.node.input(2)).collect();
    let y = p.like(Op::Conv, &inputs, attrs)?;
    volume(p, y)
}

/// The depth is a convolution with the kernel reversed, over planes with zeros between them.
pub(super) fn conv_transpose(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, weight) = (p.input(0)?, p.input(1)?);
    let shape = p.shape(weight);
    let &[channels, out, kd, kh, kw] = &shape[..] else { return Ok(None) };
    let groups = p.site().count("group", 1)?.max(1);
    let [strides, dilations, pads, extra] =
        ["strides", "dilations", "pads", "output_padding"].map(|name| list(p, name));
    let (&[before, t, l, _, b, r], &[_, eh, ew]) = (&pads[..], &extra[..]) else {
        return invalid("the padding has not three axes");
    };
    let &[n, _, d, h, w] = &p.shape(x)[..] else { return invalid("the input has not three spatial axes") };
    let stride = strides[0] as usize;
    let mut spread = x;
    let mut length = d as i64;
    if stride > 1 {
        let apart = p.reshape(x, &[n * channels, d, 1, h * w])?;
        let pads = p.ints(crate::graph::DType::I64, &[8], &[0, 0, 0, 0, 0, 0, stride as i64 - 1, 0]);
        let apart = p.op(Op::Pad, &[apart, pads])?;
        spread = p.reshape(apart, &[n, channels, d * stride, h, w])?;
        length = (d * stride) as i64;
    }
    let depth = p.types[0].shape[2] as i64;
    let reach = (kd as i64 - 1) * dilations[0];
    // The first result sees the last plane of its window at place `-before`.
    let front = reach - before;
    let back = depth + reach - front - length;
    let deep = deepened(p, spread, front, back)?;
    let planes = stacked(p, deep, groups, kd, [1, dilations[0]], depth as usize)?;
    let weight = p.slice(weight, 2, [kd as i64 - 1, -1, -1])?;
    let weight = p.reshape(weight, &[groups, channels / groups, out, kd, kh * kw])?;
    let weight = p.transpose(weight, &[0, 3, 1, 2, 4])?;
    let weight = p.reshape(weight, &[kd * channels, out, kh, kw])?;
    let mut attrs = p.node.attrs.clone();
    attrs.set("kernel_shape", Attr::Ints(vec![kh as i64, kw as i64]));
    attrs.set("strides", Attr::Ints(strides[1..].to_vec()));
    attrs.set("dilations", Attr::Ints(dilations[1..].to_vec()));
    attrs.set("pads", Attr::Ints(vec![t, l, b, r]));
    attrs.set("output_padding", Attr::Ints(vec![eh, ew]));
    let inputs: Vec<ValueId> = [planes, weight].into_iter().chain(p.node.input(2)).collect();
    let y = p.like(Op::ConvTranspose, &inputs, attrs)?;
    volume(p, y)
}
