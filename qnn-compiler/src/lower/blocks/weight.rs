//! Other forms of convolution weights (H, W, in, out).

use qnn_types::Diagnostic;

use crate::graph::Data;
use crate::lower::engine::Ops;
use crate::problem::node_problem;
use crate::program::{Quant, Role, TensorId};

/// A constant weight: its bytes and dims.
fn constant(ops: &Ops<'_, '_, '_>, weight: TensorId) -> Option<(Data, [usize; 4])> {
    let tensor = ops.lower.get(weight);
    let dims = <[usize; 4]>::try_from(&ops.shape(weight)[..]).ok()?;
    match &tensor.role {
        Role::Static(data) => Some((data.clone(), dims)),
        _ => None,
    }
}

/// The encoding of a weight whose last axis has another extent: scales repeat group by group.
fn for_filters(quant: &Quant, filters: usize) -> Quant {
    let repeated = |list: &[(f32, i32)]| list.iter().copied().cycle().take(filters).collect();
    match quant {
        Quant::PerAxis { axis, scale_offsets } => {
            Quant::PerAxis { axis: *axis, scale_offsets: repeated(scale_offsets) }
        }
        Quant::BitWidthPerAxis { bits, axis, scale_offsets } => {
            Quant::BitWidthPerAxis { bits: *bits, axis: *axis, scale_offsets: repeated(scale_offsets) }
        }
        other => other.clone(),
    }
}

/// A weight of these dims whose elements come from `source`, which maps positions of the new weight to those of the old one;
/// zero where it says nothing.
fn gathered(
    ops: &mut Ops<'_, '_, '_>,
    weight: TensorId,
    data: &Data,
    from: [usize; 4],
    to: [usize; 4],
    source: impl Fn([usize; 4]) -> Option<[usize; 4]>,
) -> TensorId {
    let dtype = ops.dtype(weight);
    let size = dtype.size();
    let quant = for_filters(&ops.lower.get(weight).quant, to[3]);
    // The integer that stands for zero.
    let zero = match quant {
        Quant::PerTensor { offset, .. } => offset.wrapping_neg().to_le_bytes(),
        _ => [0; 4],
    };
    let mut bytes = zero[..size.min(4)].repeat(to.iter().product::<usize>());
    let mut chunks = bytes.chunks_exact_mut(size);
    for a in 0..to[0] {
        for b in 0..to[1] {
            for c in 0..to[2] {
                for (d, chunk) in (0..to[3]).zip(&mut chunks) {
                    if let Some([i, j, k, l]) = source([a, b, c, d]) {
                        let at = (((i * from[1] + j) * from[2] + k) * from[3] + l) * size;
                        chunk.copy_from_slice(&data.bytes()[at..at + size]);
                    }
                }
            }
        }
    }
    ops.lower.quantized_constant(ops.node, dtype, quant, &to, Data::new(bytes.into()))
}

/// The weight of a convolution whose every `join` neighbouring groups are one; `None` where it is not constant.
pub(in crate::lower) fn merge_groups(
    ops: &mut Ops<'_, '_, '_>,
    weight: TensorId,
    group: usize,
    join: usize,
) -> Option<TensorId> {
    let (data, from) = constant(ops, weight)?;
    let [h, w, depth, filters] = from;
    let per_group = filters / group.max(1);
    let to = [h, w, depth * join, filters];
    Some(gathered(ops, weight, &data, from, to, |[i, j, k, l]| {
        let own = (l / per_group.max(1)) % join;
        (k / depth == own).then(|| [i, j, k % depth, l])
    }))
}

/// The weight (H, W, in, out / group) of a transposed convolution in groups as that of one without; `None` where it is
/// not constant.
pub(in crate::lower) fn merge_transposed(
    ops: &mut Ops<'_, '_, '_>,
    weight: TensorId,
    group: usize,
) -> Option<TensorId> {
    let (data, from) = constant(ops, weight)?;
    let [h, w, depth, filters] = from;
    let per_group = depth / group;
    let to = [h, w, depth, filters * group];
    Some(gathered(ops, weight, &data, from, to, |[i, j, k, l]| {
        (k / per_group.max(1) == l / filters).then(|| [i, j, k, l % filters])
    }))
}

/// The weight in a kernel of other extents and dilations, with zeros where the old one has no element; `None` where it is
/// not constant or an element has no place.
pub(in crate::lower) fn lengthen(
    ops: &mut Ops<'_, '_, '_>,
    weight: TensorId,
    old: [usize; 2],
    kernel: [usize; 2],
    new: [usize; 2],
) -> Option<TensorId> {
    let (data, from) = constant(ops, weight)?;
    let element = |axis: usize, at: usize| {
        let at = at * new[axis];
        (at.is_multiple_of(old[axis]) && at / old[axis] < from[axis]).then(|| at / old[axis])
    };
    let fits = |axis: usize| (0..kernel[axis]).filter_map(|at| element(axis, at)).count() == from[axis];
    if !fits(0) || !fits(1) {
        return None;
    }
    let to = [kernel[0], kernel[1], from[2], from[3]];
    Some(gathered(ops, weight, &data, from, to, |[i, j, k, l]| Some([element(0, i)?, element(1, j)?, k, l])))
}

/// A constant matrix with its axes swapped; its encoding is one for all elements.
pub(in crate::lower) fn turned(ops: &mut Ops<'_, '_, '_>, matrix: TensorId) -> TensorId {
    let shape = ops.shape(matrix);
    let tensor = ops.lower.get(matrix);
    let (dtype, quant) = (tensor.dtype, tensor.quant.clone());
    let (&[rows, columns], Role::Static(data)) = (&shape[..], &tensor.role) else { return matrix };
    let data = data.transposed(dtype.size(), &shape, &[1, 0]);
    ops.lower.quantized_constant(ops.node, dtype, quant, &[columns, rows], data)
}

/// The weight with zeros between its elements.
///
/// # Errors
/// It is not constant.
pub(in crate::lower) fn dilate(
    ops: &mut Ops<'_, '_, '_>,
    weight: TensorId,
    dilations: [usize; 2],
) -> Result<TensorId, Diagnostic> {
    let Some((data, from)) = constant(ops, weight) else {
        let mut p = node_problem("E0307", ops.node, "a dilated ConvTranspose needs a constant weight");
        p.help = Some("HTP has no dilation here; it is built into the weight while compiling".to_owned());
        return Err(p);
    };
    let reach = |axis: usize| (from[axis] - 1) * dilations[axis] + 1;
    let to = [reach(0), reach(1), from[2], from[3]];
    Ok(gathered(ops, weight, &data, from, to, |[i, j, k, l]| {
        let on = i.is_multiple_of(dilations[0]) && j.is_multiple_of(dilations[1]);
        on.then(|| [i / dilations[0], j / dilations[1], k, l])
    }))
}
