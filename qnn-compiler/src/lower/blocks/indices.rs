//! Elements and rows by index.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::lower::blocks::broadcast;
use crate::lower::blocks::slices::{self, Range};
use crate::lower::engine::{Ops, is_float};
use crate::program::TensorId;

const ADD: &str = "ElementWiseAdd";

const MUL: &str = "ElementWiseMultiply";

/// Types that HTP's gathers and scatters take; others travel as int32.
pub(in crate::lower) const GATHERED: &[DataType] =
    &[DataType::Float32, DataType::Float16, DataType::Int32, DataType::UFixed8, DataType::UFixed16];

/// Computed indices counted from the front: HTP's own ops read zeros, or stop, at negative ones.
pub(in crate::lower) fn counted(ops: &mut Ops<'_, '_, '_>, indices: TensorId, extent: usize) -> TensorId {
    let shape = ops.shape(indices);
    let flat = ops.reshape(indices, &broadcast::fold(&shape, 4));
    // Mod takes the divisor's sign, so -1 becomes the last element.
    let counted = ops.with("ElementWiseMod", flat, extent as f64);
    ops.reshape(counted, &shape)
}

/// Constant indices counted from the front, inside `extent`.
pub(in crate::lower) fn counted_const(
    ops: &Ops<'_, '_, '_>,
    indices: &[i64],
    extent: usize,
) -> Result<Vec<i64>, Diagnostic> {
    let extent = extent as i64;
    indices
        .iter()
        .map(|&i| {
            let from_start = if i < 0 { i + extent } else { i };
            if (0..extent).contains(&from_start) {
                Ok(from_start)
            } else {
                Err(ops.refuse(format!("index {i} is outside an axis of {extent} elements")))
            }
        })
        .collect()
}

/// The `i`-th input as int32 indices.
pub(in crate::lower) fn index_input(ops: &mut Ops<'_, '_, '_>, i: usize) -> Result<TensorId, Diagnostic> {
    let indices = ops.input(i)?;
    if is_float(ops.dtype(indices)) {
        return Err(ops.refuse("the indices are not integers"));
    }
    ops.widened(indices, &[DataType::Int32])
}

/// Constant indices that are evenly spaced are a slice.
fn evenly_spaced(indices: &[i64], extent: usize) -> Option<Range> {
    let (&first, &last) = (indices.first()?, indices.last()?);
    let step = match indices {
        [_] => 1,
        [a, b, ..] => b - a,
        [] => return None,
    };
    let even = step != 0 && indices.windows(2).all(|w| w[1] - w[0] == step);
    let end = (last + step.signum()).clamp(-1, extent as i64);
    even.then_some([first, end, step])
}

/// Elements of `x`, seen as (outer, extent, inner), at constant indices along the middle axis.
pub(in crate::lower) fn pick(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    [outer, extent, inner]: [usize; 3],
    indices: &[i64],
) -> TensorId {
    let x = ops.reshape(x, &[outer, extent, inner]);
    if let Some(range) = evenly_spaced(indices, extent) {
        return slices::strided(ops, x, &[[0, outer as i64, 1], range, [0, inner as i64, 1]]);
    }
    let list = ops.ints(&[indices.len()], indices);
    let dtype = ops.dtype(x);
    ops.step("Gather", &[x, list], dtype, &[outer, indices.len(), inner], |op| op.i32("axis", 1))
}

/// As [`pick`], at a vector of computed indices.
///
/// HTP's Gather of floats at computed indices along any axis but the outermost fills only the first of the outer parts (measured on
/// SM8650), so the parts are numbered through and one table is read.
pub(in crate::lower) fn look_up(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    [outer, extent, inner]: [usize; 3],
    indices: TensorId,
) -> TensorId {
    let count: usize = ops.shape(indices).iter().product();
    let mut indices = ops.reshape(indices, &[count]);
    if outer > 1 {
        let starts: Vec<i64> = (0..outer).map(|o| (o * extent) as i64).collect();
        let starts = ops.ints(&[outer, 1], &starts);
        let row = ops.reshape(indices, &[1, count]);
        let all = ops.binary(ADD, row, starts);
        indices = ops.reshape(all, &[outer * count]);
    }
    let table = ops.reshape(x, &[outer * extent, inner]);
    let dtype = ops.dtype(table);
    ops.step("Gather", &[table, indices], dtype, &[outer * count, inner], |op| op.i32("axis", 0))
}

/// Index tuples that count rows of a table, `tuples` of them for each of `outer` tables.
pub(in crate::lower) struct Flat<'s> {
    /// Number of tables.
    pub(in crate::lower) outer: usize,
    /// Tuples a table.
    pub(in crate::lower) tuples: usize,
    /// Size of each axis that a tuple indexes.
    pub(in crate::lower) extents: &'s [usize],
}

impl Flat<'_> {
    fn strides(&self) -> Vec<i64> {
        (0..self.extents.len()).map(|a| self.extents[a + 1..].iter().product::<usize>() as i64).collect()
    }

    fn rows(&self) -> usize {
        self.extents.iter().product()
    }

    /// Row numbers of constant tuples.
    pub(in crate::lower) fn known(
        &self,
        ops: &Ops<'_, '_, '_>,
        indices: &[i64],
    ) -> Result<Vec<i64>, Diagnostic> {
        let depth = self.extents.len();
        let strides = self.strides();
        let mut numbers = Vec::with_capacity(self.outer * self.tuples);
        for (t, tuple) in indices.chunks(depth.max(1)).enumerate() {
            let mut number = (t / self.tuples.max(1) * self.rows()) as i64;
            for ((&index, &extent), &stride) in tuple.iter().zip(self.extents).zip(&strides) {
                number += counted_const(ops, &[index], extent)?[0] * stride;
            }
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// Row numbers of computed tuples, as a vector.
    pub(in crate::lower) fn computed(&self, ops: &mut Ops<'_, '_, '_>, indices: TensorId) -> TensorId {
        let depth = self.extents.len();
        let all = self.outer * self.tuples;
        let indices = ops.reshape(indices, &[all, depth]);
        let extents: Vec<i64> = self.extents.iter().map(|&e| e as i64).collect();
        let extents = ops.ints(&[1, depth], &extents);
        let mut numbers = ops.binary("ElementWiseMod", indices, extents);
        if depth > 1 {
            let strides = ops.ints(&[1, depth], &self.strides());
            let scaled = ops.binary(MUL, numbers, strides);
            numbers = ops.step("ReduceSum", &[scaled], DataType::Int32, &[all, 1], |op| {
                op.u32s("axes", &[1], &[1]).bool("keep_dims", true)
            });
        }
        if self.outer > 1 {
            let starts: Vec<i64> = (0..self.outer).map(|o| (o * self.rows()) as i64).collect();
            let starts = ops.ints(&[self.outer, 1], &starts);
            let square = ops.reshape(numbers, &[self.outer, self.tuples]);
            numbers = ops.binary(ADD, square, starts);
        }
        ops.reshape(numbers, &[all])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenly_spaced_indices_are_a_slice() {
        assert_eq!(evenly_spaced(&[3], 5), Some([3, 4, 1]));
        assert_eq!(evenly_spaced(&[0, 2, 4], 5), Some([0, 5, 2]));
        assert_eq!(evenly_spaced(&[4, 3, 2, 1, 0], 5), Some([4, -1, -1]));
        assert_eq!(evenly_spaced(&[1, 1], 5), None);
        assert_eq!(evenly_spaced(&[0, 1, 3], 5), None);
        assert_eq!(evenly_spaced(&[], 5), None);
    }
}
