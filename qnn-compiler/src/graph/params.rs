//! What QuantizeLinear and DequantizeLinear nodes say.

use super::{DType, Encoding, Graph, Node, TensorType, ValueId};

/// Bits and sign of the integers that can be stored.
fn storage(dtype: DType) -> Option<(u8, bool)> {
    Some(match dtype {
        DType::U4 => (4, false),
        DType::I4 => (4, true),
        DType::U8 => (8, false),
        DType::I8 => (8, true),
        DType::U16 => (16, false),
        DType::I16 => (16, true),
        DType::I32 => (32, true),
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
    let (bits, signed) = storage(integers.dtype)?;
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
    if let Some(axis) = axis
        && block == 0
        && shape[axis] != scales.len()
    {
        return None;
    }
    // One slice is the whole.
    let axis = axis.filter(|_| scales.len() > 1 || block > 0);
    let encoding = Encoding { bits, signed, axis, block, scales, zero_points, shifts: Vec::new() };
    let whole = encoding.scales_shape(shape).iter().product::<usize>() == encoding.scales.len();
    (block == 0 || whole).then_some(encoding)
}
