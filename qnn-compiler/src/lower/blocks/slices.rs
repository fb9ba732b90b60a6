//! Parts of tensors, and tensors put together.

use qnn::DataType;

use crate::graph::Node;
use crate::lower::engine::Ops;
use crate::op::Op;
use crate::program::TensorId;

/// Types that StridedSlice takes.
pub(in crate::lower) const SLICED: &[DataType] = &[
    DataType::Float32,
    DataType::Float16,
    DataType::Int32,
    DataType::Uint8,
    DataType::UFixed8,
    DataType::UFixed16,
];

/// Types that Concat takes.
pub(in crate::lower) const JOINED: &[DataType] = &[
    DataType::Float32,
    DataType::Float16,
    DataType::Int32,
    DataType::Uint32,
    DataType::Bool,
    DataType::UFixed8,
    DataType::UFixed16,
];

/// Start, end (-1 where a negative step runs through element 0) and step of one axis.
pub(in crate::lower) type Range = [i64; 3];

/// How many elements a range takes.
pub(in crate::lower) fn count([start, end, step]: Range) -> usize {
    let span = if step > 0 { end - start } else { start - end };
    usize::try_from(span).unwrap_or(0).div_ceil(step.unsigned_abs().max(1) as usize)
}

/// The elements of ranges, one an axis. The type must be one of [`SLICED`] and the axes at most five.
pub(in crate::lower) fn strided(ops: &mut Ops<'_, '_, '_>, x: TensorId, ranges: &[Range]) -> TensorId {
    let dtype = ops.dtype(x);
    let shape: Vec<usize> = ranges.iter().map(|&r| count(r)).collect();
    let flat: Vec<i32> = ranges.iter().flatten().map(|&v| v as i32).collect();
    let rank = ranges.len() as u32;
    ops.step("StridedSlice", &[x], dtype, &shape, |op| op.i32s("ranges", &[rank, 3], &flat))
}

/// Elements `from..to` along an axis.
pub(in crate::lower) fn part(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    axis: usize,
    from: usize,
    to: usize,
) -> TensorId {
    let mut ranges: Vec<Range> = ops.shape(x).iter().map(|&d| [0, d as i64, 1]).collect();
    ranges[axis] = [from as i64, to as i64, 1];
    strided(ops, x, &ranges)
}

/// The elements along an axis in reverse.
pub(in crate::lower) fn flipped(ops: &mut Ops<'_, '_, '_>, x: TensorId, axis: usize) -> TensorId {
    let mut ranges: Vec<Range> = ops.shape(x).iter().map(|&d| [0, d as i64, 1]).collect();
    ranges[axis] = [ranges[axis][1] - 1, -1, -1];
    strided(ops, x, &ranges)
}

/// Tensors of one type put together along an axis. The type must be one of [`JOINED`] and the axes at most five.
pub(in crate::lower) fn joined(ops: &mut Ops<'_, '_, '_>, parts: &[TensorId], axis: usize) -> TensorId {
    if let &[only] = parts {
        return only;
    }
    let dtype = ops.dtype(parts[0]);
    let mut shape = ops.shape(parts[0]);
    shape[axis] = parts.iter().map(|&p| ops.shape(p)[axis]).sum();
    let node = ops.node;
    // What a Concat node joins has the result's encoding; what is added to an operand of another op has the operand's.
    let out = match node.op {
        Op::Concat => ops.lower.temp(node, dtype, &shape),
        _ => ops.temp_like(parts[0], dtype, &shape),
    };
    ops.lower.op(node, "Concat").inputs(parts.iter().copied()).outputs([out]).u32("axis", axis as u32).emit();
    out
}

/// The axis of a node and its input's shape, as one axis between two where there are more than HTP takes.
pub(in crate::lower) fn around(shape: &[usize], axis: usize, limit: usize) -> (Vec<usize>, usize) {
    if shape.len() <= limit {
        return (shape.to_vec(), axis);
    }
    (vec![shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()], 1)
}

/// Attribute `axis`.
pub(in crate::lower) fn axis(node: &Node) -> usize {
    usize::try_from(node.attrs.int_or("axis", 0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_counts_what_it_takes() {
        assert_eq!(count([1, 7, 2]), 3);
        assert_eq!(count([4, -1, -1]), 5);
        assert_eq!(count([4, 0, -3]), 2);
        assert_eq!(count([3, 3, 1]), 0);
    }
}
