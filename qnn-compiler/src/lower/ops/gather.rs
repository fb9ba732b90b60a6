//! Gather, GatherElements, GatherND: elements by index.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::broadcast;
use crate::lower::engine::{Lower, Ops};
use crate::lower::ops::elementwise::is_float;
use crate::lower::ops::slice::{self, Range};
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
        return slice::strided(ops, x, &[[0, outer as i64, 1], range, [0, inner as i64, 1]]);
    }
    let list = ops.ints(&[indices.len()], indices);
    let dtype = ops.dtype(x);
    ops.step("Gather", &[x, list], dtype, &[outer, indices.len(), inner], |op| op.i32("axis", 1))
}

/// As [`pick`], at a vector of computed indices.
///
/// HTP's Gather of floats at computed indices along any axis but the outermost fills only the first of the outer parts (measured on
/// SM8650), so the parts are numbered through and one table is read.
fn look_up(
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

/// A shape as one axis between two.
fn three(shape: &[usize], axis: usize) -> [usize; 3] {
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

/// Gather.
pub(crate) fn gather(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let form = three(&ops.input_type(0)?.shape, slice::axis(node));
    let x = ops.input(0)?;
    let known = ops.known_ints(1).map(|indices| counted_const(&ops, &indices, form[1])).transpose()?;
    if known.as_ref().is_some_and(|indices| indices.iter().copied().eq(0..form[1] as i64)) {
        // Everything in order, as exporters look masks up.
        let same = ops.input_type(0)?.shape == ops.output_type(0)?.shape;
        return if same { ops.pass_on(x) } else { ops.output(0, x) };
    }
    let x = ops.widened(x, GATHERED)?;
    let y = match known {
        Some(indices) => pick(&mut ops, x, form, &indices),
        None => {
            let indices = index_input(&mut ops, 1)?;
            let indices = counted(&mut ops, indices, form[1]);
            look_up(&mut ops, x, form, indices)
        }
    };
    ops.output(0, y)
}

/// GatherElements.
pub(crate) fn gather_elements(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    const RANK: usize = 4;
    let mut ops = Ops::new(lower, node);
    let axis = slice::axis(node);
    let (shape, wanted) = (ops.input_type(0)?.shape.clone(), ops.input_type(1)?.shape.clone());
    let x = ops.input(0)?;
    let mut x = ops.widened(x, GATHERED)?;
    let mut indices = match ops.known_ints(1) {
        Some(indices) => {
            let indices = counted_const(&ops, &indices, shape[axis])?;
            ops.ints(&broadcast::fold(&wanted, RANK), &indices)
        }
        None => {
            let indices = index_input(&mut ops, 1)?;
            counted(&mut ops, indices, shape[axis])
        }
    };
    let mut axis = axis;
    let mut result = wanted.clone();
    if shape.len() > RANK {
        // Away from the axis only the part that indices reach is read.
        let same = (0..shape.len()).all(|a| a == axis || shape[a] == wanted[a]);
        if !same {
            return Err(ops.refuse(format!(
                "with {} axes needs indices of the same shape as the data but for the axis",
                shape.len()
            )));
        }
        let (from, to) = (three(&shape, axis), three(&wanted, axis));
        x = ops.reshape(x, &from);
        result = to.to_vec();
        axis = 1;
    }
    indices = ops.reshape(indices, &result);
    let dtype = ops.dtype(x);
    let y = ops.step("GatherElements", &[x, indices], dtype, &result, |op| op.u32("axis", axis as u32));
    ops.output(0, y)
}

/// GatherND, as a Gather of whole rows: an index tuple counts rows.
pub(crate) fn gather_nd(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let batch = usize::try_from(node.attrs.int_or("batch_dims", 0)).unwrap_or(0);
    let shape = ops.input_type(0)?.shape.clone();
    let index_shape = ops.input_type(1)?.shape.clone();
    let Some((&depth, lead)) = index_shape.split_last() else {
        return Err(ops.refuse("the indices have no axes"));
    };
    if batch + depth > shape.len() || batch > lead.len() {
        return Err(ops.refuse("an index has more numbers than the data has axes"));
    }
    let outer: usize = shape[..batch].iter().product();
    let extents = &shape[batch..batch + depth];
    let inner: usize = shape[batch + depth..].iter().product();
    let tuples: usize = lead[batch..].iter().product();
    let rows: usize = extents.iter().product();
    let x = ops.input(0)?;
    let x = ops.widened(x, GATHERED)?;
    let flat = Flat { outer, tuples, extents };
    let y = match ops.known_ints(1) {
        Some(indices) => {
            let numbers = flat.known(&ops, &indices)?;
            pick(&mut ops, x, [1, outer * rows, inner], &numbers)
        }
        None => {
            let indices = index_input(&mut ops, 1)?;
            let numbers = flat.computed(&mut ops, indices);
            look_up(&mut ops, x, [1, outer * rows, inner], numbers)
        }
    };
    ops.output(0, y)
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
