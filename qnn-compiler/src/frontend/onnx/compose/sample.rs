//! Interpolation at computed positions (GridSample, RoiAlign): each neighbour is gathered as a row of a table.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("DeformConv", "Gather of the neighbours, MatMul", deform_conv),
    row("GridSample", "nearest, cubic, and of volumes: Gather of the neighbours", grid_sample),
    row("RoiAlign", "Gather of the neighbours; sampling_ratio above 0", roi_align),
];

/// What lies outside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outside {
    Zeros,
    Border,
    /// With the border between elements, or on the outermost ones.
    Reflection {
        on_elements: bool,
    },
}

/// One axis of places: neighbours as indices, each with the share it has.
struct Neighbour {
    index: ValueId,
    share: Option<ValueId>,
}

/// Rows of a table for a flat list of places.
struct Table {
    /// (rows, channels).
    rows: ValueId,
    /// First row of each place's image, one each.
    base: ValueId,
    extents: Vec<usize>,
    outside: Outside,
}

impl Table {
    /// An index inside its axis, with what is left of the share.
    fn inside(&self, p: &mut Parts<'_, '_>, axis: usize, n: Neighbour) -> Answer<Neighbour> {
        let extent = self.extents[axis] as f64;
        match self.outside {
            Outside::Zeros => {
                let index = clipped(p, n.index, 0.0, extent - 1.0)?;
                let known = p.op(Op::Equal, &[index, n.index])?;
                let dtype = p.dtype(self.rows);
                let known = p.cast(known, dtype)?;
                let share = n.share.map_or(Ok(known), |share| p.op(Op::Mul, &[share, known]))?;
                Ok(Neighbour { index, share: Some(share) })
            }
            Outside::Border => {
                let index = clipped(p, n.index, 0.0, extent - 1.0)?;
                Ok(Neighbour { index, share: n.share })
            }
            Outside::Reflection { on_elements } => {
                let period = if on_elements { (2.0 * (extent - 1.0)).max(1.0) } else { 2.0 * extent };
                let last = if on_elements { period } else { period - 1.0 };
                let index = p.by(Op::Mod, n.index, period)?;
                let last = p.scalar(DType::I32, last);
                let mirrored = p.op(Op::Sub, &[last, index])?;
                let index = p.op(Op::Min, &[index, mirrored])?;
                Ok(Neighbour { index: clipped(p, index, 0.0, extent - 1.0)?, share: n.share })
            }
        }
    }

    /// All combinations of neighbours: rows with their shares, (places, channels).
    fn taken(&self, p: &mut Parts<'_, '_>, axes: Vec<Vec<Neighbour>>) -> Answer<Vec<ValueId>> {
        let mut all = vec![Neighbour { index: self.base, share: None }];
        for (axis, neighbours) in axes.into_iter().enumerate() {
            let stride: usize = self.extents[axis + 1..].iter().product();
            let mut ready = Vec::new();
            for neighbour in neighbours {
                let inside = self.inside(p, axis, neighbour)?;
                let offset = p.by(Op::Mul, inside.index, stride as f64)?;
                ready.push(Neighbour { index: offset, share: inside.share });
            }
            let mut next = Vec::with_capacity(all.len() * ready.len());
            for a in &all {
                for b in &ready {
                    let index = p.op(Op::Add, &[a.index, b.index])?;
                    let share = match (a.share, b.share) {
                        (Some(a), Some(b)) => Some(p.op(Op::Mul, &[a, b])?),
                        (a, b) => a.or(b),
                    };
                    next.push(Neighbour { index, share });
                }
            }
            all = next;
        }
        all.into_iter()
            .map(|Neighbour { index, share }| {
                let taken = p.rows(self.rows, index)?;
                let Some(share) = share else { return Ok(taken) };
                let count = p.shape(share).iter().product();
                let share = p.reshape(share, &[count, 1])?;
                p.op(Op::Mul, &[taken, share])
            })
            .collect()
    }

    /// As [`Table::taken`], added up.
    fn mixed(&self, p: &mut Parts<'_, '_>, axes: Vec<Vec<Neighbour>>) -> Answer<ValueId> {
        let taken = self.taken(p, axes)?;
        combined(p, Op::Add, &taken)
    }
}

fn clipped(p: &mut Parts<'_, '_>, index: ValueId, low: f64, high: f64) -> Answer<ValueId> {
    let index = p.by(Op::Max, index, low)?;
    p.by(Op::Min, index, high)
}

/// All values joined pairwise by an operator.
fn combined(p: &mut Parts<'_, '_>, op: Op, values: &[ValueId]) -> Answer<ValueId> {
    let Some((&first, rest)) = values.split_first() else { return invalid("nothing to combine") };
    rest.iter().try_fold(first, |sum, &next| p.op(op, &[sum, next]))
}

/// The two elements around a place.
fn linear(p: &mut Parts<'_, '_>, place: ValueId) -> Answer<Vec<Neighbour>> {
    let floor = p.op(Op::Floor, &[place])?;
    let after = p.op(Op::Sub, &[place, floor])?;
    let one = p.scalar(p.dtype(place), 1.0);
    let before = p.op(Op::Sub, &[one, after])?;
    let low = p.cast(floor, DType::I32)?;
    let high = p.by(Op::Add, low, 1.0)?;
    Ok(vec![Neighbour { index: low, share: Some(before) }, Neighbour { index: high, share: Some(after) }])
}

/// The element nearest to a place; of two the even one.
fn nearest(p: &mut Parts<'_, '_>, place: ValueId) -> Answer<Vec<Neighbour>> {
    let rounded = p.op(Op::Round, &[place])?;
    Ok(vec![Neighbour { index: p.cast(rounded, DType::I32)?, share: None }])
}

/// The four elements around a place, by the cubic kernel with coefficient -0.75.
fn cubic(p: &mut Parts<'_, '_>, place: ValueId) -> Answer<Vec<Neighbour>> {
    const A: f64 = -0.75;
    let floor = p.op(Op::Floor, &[place])?;
    let t = p.op(Op::Sub, &[place, floor])?;
    let low = p.cast(floor, DType::I32)?;
    // Coefficients of powers of t, from the third down, of each neighbour's share.
    let shares = [
        [A, -2.0 * A, A, 0.0],
        [A + 2.0, -(A + 3.0), 0.0, 1.0],
        [-(A + 2.0), 2.0 * A + 3.0, -A, 0.0],
        [-A, A, 0.0, 0.0],
    ];
    let mut neighbours = Vec::with_capacity(4);
    for (offset, [third, second, first, constant]) in (-1..).zip(shares) {
        let mut share = p.by(Op::Mul, t, third)?;
        for coefficient in [second, first] {
            share = p.by(Op::Add, share, coefficient)?;
            share = p.op(Op::Mul, &[share, t])?;
        }
        let share = p.by(Op::Add, share, constant)?;
        neighbours.push(Neighbour { index: p.by(Op::Add, low, f64::from(offset))?, share: Some(share) });
    }
    Ok(neighbours)
}

/// An image (batch, channels, …) as a table of its places.
fn table_of(p: &mut Parts<'_, '_>, x: ValueId) -> Answer<ValueId> {
    let shape = p.shape(x);
    let perm: Vec<usize> = [0].into_iter().chain(2..shape.len()).chain([1]).collect();
    let last = p.transpose(x, &perm)?;
    p.reshape(last, &[shape.iter().product::<usize>() / shape[1].max(1), shape[1]])
}

fn grid_sample(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, grid) = (p.input(0)?, p.input(1)?);
    let (shape, result) = (p.shape(x), p.types[0].shape.clone());
    let mode = p.node.attrs.str_or("mode", "linear").to_owned();
    // HTP's own op rounds halves up, and has neither volumes nor cubic interpolation.
    if mode == "linear" && shape.len() == 4 {
        return Ok(None);
    }
    let align = p.node.attrs.int_or("align_corners", 0) != 0;
    let outside = match p.node.attrs.str_or("padding_mode", "zeros") {
        "zeros" => Outside::Zeros,
        "border" => Outside::Border,
        "reflection" => Outside::Reflection { on_elements: align },
        other => return invalid(format!("attribute padding_mode is '{other}'")),
    };
    let (n, channels, extents) = (shape[0], shape[1], shape[2..].to_vec());
    let points: usize = result[2..].iter().product();
    let size: usize = extents.iter().product();
    let base: Vec<i64> = (0..n * points).map(|i| (i / points * size) as i64).collect();
    let base = p.ints(DType::I32, &[base.len()], &base);
    let table = Table { rows: table_of(p, x)?, base, extents: extents.clone(), outside };
    let flat = p.reshape(grid, &[n * points, extents.len()])?;
    let mut axes = Vec::new();
    for (axis, &extent) in extents.iter().enumerate() {
        // The first coordinate is the innermost axis'.
        let at = (extents.len() - 1 - axis) as i64;
        let place = p.slice(flat, 1, [at, at + 1, 1])?;
        let place = p.reshape(place, &[n * points])?;
        let scale = if align { extent as f64 - 1.0 } else { extent as f64 } / 2.0;
        let place = p.by(Op::Mul, place, scale)?;
        let place = p.by(Op::Add, place, (extent as f64 - 1.0) / 2.0)?;
        axes.push(match &*mode {
            "nearest" => nearest(p, place)?,
            "linear" => linear(p, place)?,
            "cubic" => cubic(p, place)?,
            other => return invalid(format!("attribute mode is '{other}'")),
        });
    }
    let y = table.mixed(p, axes)?;
    let y = p.reshape(y, &[&[n], &result[2..], &[channels]].concat())?;
    let rank = result.len();
    let perm: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
    Ok(Some(vec![p.transpose(y, &perm)?]))
}

/// Inputs: image, weight, offsets (batch, groups · kernel · 2, height, width), bias, mask.
fn deform_conv(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, weight, offset) = (p.input(0)?, p.input(1)?, p.input(2)?);
    let (&[n, c, h, w], &[_, filters, oh, ow]) = (&p.shape(x)[..], &p.types[0].shape[..]) else {
        return p.refuse("it is over other than two axes");
    };
    let &[_, depth, kh, kw] = &p.shape(weight)[..] else { return invalid("the weight has not four axes") };
    let dtype = p.dtype(x);
    let window = crate::infer::Window::read(&p.site(), &[h, w], Some(&[kh, kw]))?;
    let groups = p.site().count("group", 1)?.max(1);
    let parts = p.site().count("offset_group", 1)?.max(1);
    let (cells, points) = (kh * kw, oh * ow);
    if p.shape(offset) != [n, parts * cells * 2, oh, ow] || c % parts != 0 {
        return invalid("the offsets do not fit the input and the weight");
    }
    let places = n * parts * cells * points;
    let offsets = p.reshape(offset, &[n * parts * cells, 2, points])?;
    let mut axes = Vec::new();
    for axis in 0..2 {
        // Where the kernel's elements lie without offset.
        let at = |cell: usize, point: usize| {
            let (k, o) = if axis == 0 { (cell / kw, point / ow) } else { (cell % kw, point % ow) };
            o as i64 * window.strides[axis] + k as i64 * window.dilations[axis] - window.begins[axis]
        };
        let base: Vec<f64> =
            (0..cells).flat_map(|cell| (0..points).map(move |point| at(cell, point) as f64)).collect();
        let base = p.floats(dtype, &[1, cells, points], &base);
        let own = p.slice(offsets, 1, [axis as i64, axis as i64 + 1, 1])?;
        let own = p.reshape(own, &[n * parts, cells, points])?;
        let place = p.op(Op::Add, &[own, base])?;
        let place = p.reshape(place, &[places])?;
        axes.push(linear(p, place)?);
    }
    // One image for each batch and group of offsets.
    let images = p.reshape(x, &[n * parts, c / parts, h, w])?;
    let base: Vec<i64> = (0..places).map(|i| (i / (cells * points) * h * w) as i64).collect();
    let base = p.ints(DType::I32, &[places], &base);
    let table = Table { rows: table_of(p, images)?, base, extents: vec![h, w], outside: Outside::Zeros };
    let mut sampled = table.mixed(p, axes)?;
    if let Some(mask) = p.node.input(4) {
        let mask = p.reshape(mask, &[places, 1])?;
        sampled = p.op(Op::Mul, &[sampled, mask])?;
    }
    let sampled = p.reshape(sampled, &[n * parts, cells, points, c / parts])?;
    let sampled = p.transpose(sampled, &[0, 3, 1, 2])?;
    let sampled = p.reshape(sampled, &[n, groups, c / groups * cells, points])?;
    let weight = p.reshape(weight, &[1, groups, filters / groups, depth * cells])?;
    let mut y = p.op(Op::MatMul, &[weight, sampled])?;
    y = p.reshape(y, &[n, filters, oh, ow])?;
    if let Some(bias) = p.node.input(3) {
        let bias = p.reshape(bias, &[1, filters, 1, 1])?;
        y = p.op(Op::Add, &[y, bias])?;
    }
    Ok(Some(vec![y]))
}

/// Inputs: image, regions (count, 4), the batch of each.
fn roi_align(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, rois, batches) = (p.input(0)?, p.input(1)?, p.input(2)?);
    let (&[_, _, h, w], &[count, channels, ph, pw]) = (&p.shape(x)[..], &p.types[0].shape[..]) else {
        return invalid("the input has not four axes");
    };
    let samples = p.site().count("sampling_ratio", 0)?;
    if samples == 0 {
        return p.refuse("with sampling_ratio 0 the number of samples depends on the regions; give a number");
    }
    let dtype = p.dtype(x);
    let scale = f64::from(p.node.attrs.float_or("spatial_scale", 1.0));
    let half = p.node.attrs.str_or("coordinate_transformation_mode", "half_pixel") == "half_pixel";
    let points = ph * samples * pw * samples;
    let mut sides = Vec::new();
    for (axis, (extent, bins)) in [(h, ph), (w, pw)].into_iter().enumerate() {
        let bound = |p: &mut Parts<'_, '_>, at: i64| {
            let side = p.slice(rois, 1, [at, at + 1, 1])?;
            let side = p.by(Op::Mul, side, scale)?;
            p.by(Op::Sub, side, if half { 0.5 } else { 0.0 })
        };
        // Regions are (left, top, right, bottom).
        let (start, end) = (bound(p, 1 - axis as i64)?, bound(p, 3 - axis as i64)?);
        let mut size = p.op(Op::Sub, &[end, start])?;
        if !half {
            size = p.by(Op::Max, size, 1.0)?;
        }
        let steps = bins * samples;
        let ramp: Vec<f64> = (0..steps).map(|i| (i as f64 + 0.5) / steps as f64).collect();
        let ramp = p.floats(dtype, &[1, steps], &ramp);
        let place = p.op(Op::Mul, &[size, ramp])?;
        let place = p.op(Op::Add, &[place, start])?;
        sides.push((place, extent, steps));
    }
    let mut axes = Vec::new();
    let mut seen = None;
    for (axis, (place, extent, steps)) in sides.into_iter().enumerate() {
        let shape = if axis == 0 { [count, steps, 1] } else { [count, 1, steps] };
        let place = p.reshape(place, &shape)?;
        let full = [count, ph * samples, pw * samples].map(|d| d as i64);
        let full = p.ints(DType::I64, &[3], &full);
        let place = p.op(Op::Expand, &[place, full])?;
        let place = p.reshape(place, &[count * points])?;
        // Up to one element outside the border counts, all else is zero.
        let limited = clipped(p, place, -1.0, extent as f64)?;
        let own = p.op(Op::Equal, &[limited, place])?;
        seen = Some(match seen {
            Some(other) => p.op(Op::And, &[other, own])?,
            None => own,
        });
        let place = clipped(p, place, 0.0, extent as f64 - 1.0)?;
        axes.push(linear(p, place)?);
    }
    let batches = p.cast(batches, DType::I32)?;
    let batches = p.reshape(batches, &[count, 1])?;
    let base = p.by(Op::Mul, batches, (h * w) as f64)?;
    let list = p.ints(DType::I64, &[2], &[count as i64, points as i64]);
    let base = p.op(Op::Expand, &[base, list])?;
    let base = p.reshape(base, &[count * points])?;
    let table = Table { rows: table_of(p, x)?, base, extents: vec![h, w], outside: Outside::Border };
    let taken = table.taken(p, axes)?;
    let largest = p.node.attrs.str_or("mode", "avg") == "max";
    // The maximum is of the neighbours' shares, as ONNX Runtime and the standard's reference have it.
    let mut y = combined(p, if largest { Op::Max } else { Op::Add }, &taken)?;
    if let Some(seen) = seen {
        let seen = p.reshape(seen, &[count * points, 1])?;
        let zero = p.scalar(dtype, 0.0);
        y = p.op(Op::Where, &[seen, y, zero])?;
    }
    let reduce = if largest { Op::ReduceMax } else { Op::ReduceMean };
    let y = p.reshape(y, &[count * ph, samples, pw, samples * channels])?;
    let y = p.reduce(reduce, y, &[1], false)?;
    let y = p.reshape(y, &[count, ph * pw, samples, channels])?;
    let y = p.reduce(reduce, y, &[2], false)?;
    let y = p.reshape(y, &[count, ph, pw, channels])?;
    Ok(Some(vec![p.transpose(y, &[0, 3, 1, 2])?]))
}
