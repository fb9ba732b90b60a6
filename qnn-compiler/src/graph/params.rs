//! What QuantizeLinear and DequantizeLinear nodes say.

use super::{DType, Encoding, Graph, Node, Storage, TensorType, ValueId};

/// The integers that a type stores.
fn storage(dtype: DType) -> Option<Storage> {
    Some(match dtype {
        DType::U4 => Storage::U4,
        DType::I4 => Storage::I4,
        DType::U8 => Storage::U8,
        DType::I8 => Storage::I8,
        DType::U16 => Storage::U16,
        DType::I16 => Storage::I16,
        DType::I32 => Storage::I32,
        _ => return None,
    })
}

/// The encoding that a QuantizeLinear or DequantizeLinear node says of its integers `integers`.
pub(crate) fn encoding_of(graph: &Graph, node: &Node, integers: ValueId) -> Option<Encoding> {
    read(graph, node, &graph.value(integers).ty)
}

/// As [`encoding_of`], of integers that are no value yet: scales by tensor, axis or block; `None` where they are computed, or of
/// a kind that no encoding has.
pub(crate) fn read(graph: &Graph, node: &Node, integers: &TensorType) -> Option<Encoding> {
    let scale = node.input(1)?;
    let scales = graph.const_f32(scale)?;
    let storage = storage(integers.dtype)?;
    let zero_points = match node.input(2) {
        None => vec![0; scales.len()],
        Some(id) => graph.const_i64(id)?.into_iter().map(|z| i32::try_from(z).ok()).collect::<Option<_>>()?,
    };
    if zero_points.len() != scales.len() || scales.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
        return None;
    }
    let shape = &integers.shape;
    let block = usize::try_from(node.attrs.int_or("block_size", 0)).ok()?;
    let axis = if scales.len() == 1 && graph.shape(scale).len() <= 1 && block == 0 {
        None
    } else {
        let axis = node.attrs.int_or("axis", 1);
        let axis = if axis < 0 { axis + shape.len() as i64 } else { axis };
        Some(usize::try_from(axis).ok().filter(|&a| a < shape.len())?)
    };
    let encoding = match (axis, &scales[..], &zero_points[..]) {
        (Some(axis), ..) if block > 0 => {
            Encoding::new_per_block(storage, (axis, block), scales, zero_points, Vec::new())
        }
        // One slice is the whole.
        (Some(axis), &[scale], &[zero]) if shape[axis] == 1 => Encoding::new_per_tensor(storage, scale, zero),
        (Some(axis), ..) => Encoding::new_per_axis(storage, axis, scales, zero_points),
        (None, &[scale], &[zero]) => Encoding::new_per_tensor(storage, scale, zero),
        (None, ..) => return None,
    };
    encoding.ok().filter(|encoding| encoding.fits(shape).is_ok())
}
