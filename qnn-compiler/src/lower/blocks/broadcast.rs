//! Shapes of operands that broadcast, in as few axes as an op takes.

use qnn_types::Diagnostic;

use crate::lower::engine::Ops;
use crate::program::TensorId;

/// The shape that operands broadcast to.
pub(in crate::lower) fn shape(operands: &[&[usize]]) -> Vec<usize> {
    let rank = operands.iter().map(|s| s.len()).max().unwrap_or(1);
    (0..rank).map(|axis| operands.iter().map(|s| dim(s, rank, axis)).find(|&d| d != 1).unwrap_or(1)).collect()
}

/// Size of an operand along an axis of the result, aligned at the right.
fn dim(operand: &[usize], rank: usize, axis: usize) -> usize {
    (axis + operand.len()).checked_sub(rank).map_or(1, |at| operand[at])
}

/// Operand shapes that give the same result with as few axes as possible: neighbours along which each operand either
/// has all elements or one become a single axis.
pub(in crate::lower) fn collapse(operands: &[&[usize]]) -> Vec<Vec<usize>> {
    let result = shape(operands);
    let rank = result.len();
    let mut shapes: Vec<Vec<usize>> = vec![Vec::new(); operands.len()];
    let mut last: Option<Vec<bool>> = None;
    for axis in (0..rank).filter(|&axis| result[axis] != 1) {
        let whole: Vec<bool> = operands.iter().map(|s| dim(s, rank, axis) != 1).collect();
        let joins = last.as_ref() == Some(&whole);
        for (folded, operand) in shapes.iter_mut().zip(operands) {
            let d = dim(operand, rank, axis);
            match folded.last_mut().filter(|_| joins) {
                Some(open) => *open *= d,
                None => folded.push(d),
            }
        }
        last = Some(whole);
    }
    for folded in &mut shapes {
        if folded.is_empty() {
            folded.push(1);
        }
    }
    shapes
}

/// A shape with its leading axes joined so that at most `rank` are left.
pub(in crate::lower) fn fold(shape: &[usize], rank: usize) -> Vec<usize> {
    match shape.len().checked_sub(rank) {
        None | Some(0) => shape.to_vec(),
        Some(extra) => {
            let mut folded = vec![shape[..=extra].iter().product()];
            folded.extend(&shape[extra + 1..]);
            folded
        }
    }
}

/// An operand and its shape in the graph, which the tensor's dims may be a folded form of.
pub(in crate::lower) type Operand<'s> = (TensorId, &'s [usize]);

/// The operands with at most `limit` axes; as they are where they have no more.
pub(in crate::lower) fn operands<const N: usize>(
    ops: &mut Ops<'_, '_, '_>,
    operands: [Operand<'_>; N],
    limit: usize,
) -> Result<[TensorId; N], Diagnostic> {
    let aligned = align(ops, &operands, limit)?;
    let mut tensors = operands.map(|(t, _)| t);
    tensors.copy_from_slice(&aligned);
    Ok(tensors)
}

/// As [`operands`], for any number of them.
pub(in crate::lower) fn align(
    ops: &mut Ops<'_, '_, '_>,
    operands: &[Operand<'_>],
    limit: usize,
) -> Result<Vec<TensorId>, Diagnostic> {
    let shapes: Vec<&[usize]> = operands.iter().map(|(_, s)| *s).collect();
    let result = shape(&shapes);
    if result.len() <= limit {
        let whole = |(t, s): &Operand<'_>| if s.is_empty() { *t } else { ops.reshape(*t, s) };
        return Ok(operands.iter().map(whole).collect());
    }
    let collapsed = collapse(&shapes);
    if collapsed.iter().all(|s| s.len() <= limit) {
        return Ok(operands.iter().zip(&collapsed).map(|((t, _), s)| ops.reshape(*t, s)).collect());
    }
    // No way to say it in fewer axes: spread every operand over the whole result first.
    let folded = fold(&result, limit);
    operands
        .iter()
        .map(|(t, s)| {
            let whole = crate::lower::blocks::repeat::to(ops, *t, s, &result)?;
            Ok(ops.reshape(whole, &folded))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shapes_become_one_axis() {
        assert_eq!(collapse(&[&[2, 3, 4], &[2, 3, 4]]), [vec![24], vec![24]]);
    }

    #[test]
    fn a_channel_vector_keeps_its_axis() {
        assert_eq!(collapse(&[&[2, 3, 4, 5, 6], &[6]]), [vec![120, 6], vec![1, 6]]);
    }

    #[test]
    fn axes_of_size_one_vanish() {
        assert_eq!(collapse(&[&[1, 2, 1, 3], &[1, 1, 1, 3]]), [vec![2, 3], vec![1, 3]]);
    }

    #[test]
    fn operands_that_spread_each_other_keep_apart() {
        assert_eq!(collapse(&[&[2, 1, 4, 1], &[1, 3, 4, 5]]), [vec![2, 1, 4, 1], vec![1, 3, 4, 5]]);
    }

    #[test]
    fn folding_joins_the_outermost_axes() {
        assert_eq!(fold(&[2, 3, 4, 5, 6], 4), [6, 4, 5, 6]);
        assert_eq!(fold(&[2, 3], 4), [2, 3]);
    }
}
