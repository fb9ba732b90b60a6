//! Axes in another order.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::lower::engine::Ops;
use crate::program::TensorId;

/// The axes of `x`, whose shape is `shape`, in another order.
pub(in crate::lower) fn transposed(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    shape: &[usize],
    perm: &[usize],
) -> Result<TensorId, Diagnostic> {
    let dtype = ops.dtype(x);
    let limit = match dtype {
        DataType::Float32 | DataType::Float16 | DataType::UFixed8 | DataType::UFixed16 => 5,
        DataType::Int32 | DataType::Uint32 | DataType::Bool => 4,
        _ => {
            let wide = ops.cast(x, DataType::Int32)?;
            let y = transposed(ops, wide, shape, perm)?;
            return ops.cast(y, dtype);
        }
    };
    let result: Vec<usize> = perm.iter().map(|&a| shape[a]).collect();
    if perm.is_sorted() {
        return Ok(x);
    }
    if shape.len() <= limit {
        let x = ops.reshape(x, shape);
        return Ok(transpose_op(ops, x, perm));
    }
    let (dims, perm) = joined(shape, perm);
    let mut y = ops.reshape(x, &dims);
    if perm.len() <= limit {
        if !perm.is_sorted() {
            y = transpose_op(ops, y, &perm);
        }
    } else {
        y = by_swaps(ops, y, &dims, &perm);
    }
    Ok(ops.reshape(y, &result))
}

fn transpose_op(ops: &mut Ops<'_, '_, '_>, x: TensorId, perm: &[usize]) -> TensorId {
    let (dtype, shape) = (ops.dtype(x), ops.shape(x));
    let result: Vec<usize> = perm.iter().map(|&a| shape[a]).collect();
    let order: Vec<u32> = perm.iter().map(|&a| a as u32).collect();
    let rank = order.len() as u32;
    ops.step("Transpose", &[x], dtype, &result, |op| op.u32s("perm", &[rank], &order))
}

/// The same reordering in as few axes as possible: those of size one vanish, those that stay together are one.
fn joined(shape: &[usize], perm: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let moved: Vec<usize> = perm.iter().copied().filter(|&a| shape[a] != 1).collect();
    let solid: Vec<usize> = (0..shape.len()).filter(|&a| shape[a] != 1).collect();
    // Runs of axes that follow each other before and after.
    let place = |a: usize| solid.iter().position(|&s| s == a);
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for &a in &moved {
        match runs.last_mut() {
            Some(run) if run.last().and_then(|&l| place(l)).map(|p| p + 1) == place(a) => run.push(a),
            _ => runs.push(vec![a]),
        }
    }
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|&r| runs[r][0]);
    let dims = order.iter().map(|&r| runs[r].iter().map(|&a| shape[a]).product()).collect();
    let perm = (0..runs.len()).filter_map(|r| order.iter().position(|&o| o == r)).collect();
    (dims, perm)
}

/// A reordering of more axes than HTP takes, as exchanges of two neighbouring blocks of axes: each is a Transpose of four.
fn by_swaps(ops: &mut Ops<'_, '_, '_>, x: TensorId, dims: &[usize], perm: &[usize]) -> TensorId {
    let mut y = x;
    let mut order: Vec<usize> = (0..dims.len()).collect();
    for at in 0..perm.len() {
        let Some(from) = order.iter().position(|&a| a == perm[at]).filter(|&from| from > at) else {
            continue;
        };
        // The block that belongs here is as long as it stays together.
        let mut end = from + 1;
        while end < order.len() && perm.get(at + end - from) == Some(&order[end]) {
            end += 1;
        }
        let size = |axes: &[usize]| axes.iter().map(|&a| dims[a]).product::<usize>();
        let blocks =
            [size(&order[..at]), size(&order[at..from]), size(&order[from..end]), size(&order[end..])];
        y = ops.reshape(y, &blocks);
        y = transpose_op(ops, y, &[0, 2, 1, 3]);
        order[at..end].rotate_left(from - at);
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_stay_together_are_one() {
        assert_eq!(
            joined(&[1, 4, 2, 2, 3, 5], &[0, 1, 4, 2, 5, 3]),
            (vec![4, 2, 2, 3, 5], vec![0, 3, 1, 4, 2])
        );
        assert_eq!(joined(&[2, 3, 4, 5], &[2, 3, 0, 1]), (vec![6, 20], vec![1, 0]));
    }

    #[test]
    fn moving_an_axis_of_size_one_moves_nothing() {
        assert_eq!(joined(&[2, 1, 3], &[1, 0, 2]), (vec![6], vec![0]));
    }
}
