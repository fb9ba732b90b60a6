//! Slice, Split and Concat: elements taken apart and put together along axes.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::slices::{JOINED, Range, SLICED, around, axis, count, joined, strided};
use crate::lower::engine::{Lower, Ops, max_rank};
use crate::program::TensorId;

/// Types that Split takes.
const SPLIT: &[DataType] = &[
    DataType::Float32,
    DataType::Float16,
    DataType::Int32,
    DataType::Bool,
    DataType::UFixed8,
    DataType::UFixed16,
];

/// Slice; attributes `starts`, `ends`, `steps`, one entry an axis.
pub(crate) fn slice(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let list = |name: &str| node.attrs.ints(name).unwrap_or_default().to_vec();
    let (starts, ends, steps) = (list("starts"), list("ends"), list("steps"));
    let shape = &ops.input_type(0)?.shape;
    let ranges: Vec<Range> = shape
        .iter()
        .enumerate()
        .filter_map(|(a, _)| Some([*starts.get(a)?, *ends.get(a)?, *steps.get(a)?]))
        .collect();
    if ranges.len() != shape.len() {
        return Err(ops.refuse("starts, ends and steps do not fit the tensor"));
    }
    let x = ops.input(0)?;
    let x = ops.widened(x, SLICED)?;
    let limit = max_rank(ops.dtype(x));
    let (dims, ranges) = unsliced_joined(shape, &ranges, limit);
    if ranges.iter().zip(&dims).all(|(&r, &d)| r == [0, d as i64, 1]) {
        return ops.pass_on(x);
    }
    if dims.len() <= limit {
        let x = ops.reshape(x, &dims);
        let y = strided(&mut ops, x, &ranges);
        return ops.output(0, y);
    }
    let y = one_by_one(&mut ops, x, dims, &ranges);
    ops.output(0, y)
}

/// Slices one axis after the other.
fn one_by_one(ops: &mut Ops<'_, '_, '_>, x: TensorId, mut dims: Vec<usize>, ranges: &[Range]) -> TensorId {
    let mut y = x;
    for (axis, &range) in ranges.iter().enumerate() {
        if range == [0, dims[axis] as i64, 1] {
            continue;
        }
        let (outer, inner) = (dims[..axis].iter().product(), dims[axis + 1..].iter().product());
        y = ops.reshape(y, &[outer, dims[axis], inner]);
        y = strided(ops, y, &[[0, outer as i64, 1], range, [0, inner as i64, 1]]);
        dims[axis] = count(range);
    }
    y
}

/// More axes than HTP takes: neighbours that are taken whole become one.
fn unsliced_joined(shape: &[usize], ranges: &[Range], limit: usize) -> (Vec<usize>, Vec<Range>) {
    if shape.len() <= limit {
        let one = shape.is_empty();
        return if one { (vec![1], vec![[0, 1, 1]]) } else { (shape.to_vec(), ranges.to_vec()) };
    }
    let whole = |a: usize| ranges[a] == [0, shape[a] as i64, 1];
    let (mut dims, mut kept): (Vec<usize>, Vec<Range>) = (Vec::new(), Vec::new());
    for a in 0..shape.len() {
        match dims.last_mut().filter(|_| a > 0 && whole(a) && whole(a - 1)) {
            Some(open) => {
                *open *= shape[a];
                if let Some(range) = kept.last_mut() {
                    range[1] = *open as i64;
                }
            }
            None => {
                dims.push(shape[a]);
                kept.push(ranges[a]);
            }
        }
    }
    (dims, kept)
}

/// Split; the sizes are those of the outputs.
pub(crate) fn split(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let axis = axis(node);
    let shape = &ops.input_type(0)?.shape;
    let sizes = split_sizes(&ops, axis, shape[axis])?;
    let x = ops.input(0)?;
    let wanted: Vec<usize> = (0..sizes.len()).filter(|&i| sizes[i] > 0).collect();
    if let &[only] = &wanted[..] {
        return ops.output(only, x);
    }
    let x = ops.widened(x, SPLIT)?;
    let (dims, at) = around(shape, axis, max_rank(ops.dtype(x)));
    let x = ops.reshape(x, &dims);
    let dtype = ops.dtype(x);
    let mut starts = Vec::new();
    let mut end = 0u32;
    let mut parts = Vec::new();
    for &i in &wanted {
        if end > 0 {
            starts.push(end);
        }
        end += sizes[i] as u32;
        let mut part = dims.clone();
        part[at] = sizes[i];
        parts.push(ops.temp_like(x, dtype, &part));
    }
    ops.lower
        .op(node, "Split")
        .inputs([x])
        .outputs(parts.iter().copied())
        .u32("axis", at as u32)
        .u32s("split_index", &[starts.len() as u32], &starts)
        .emit();
    for (&i, part) in wanted.iter().zip(parts) {
        ops.output(i, part)?;
    }
    Ok(())
}

fn split_sizes(ops: &Ops<'_, '_, '_>, axis: usize, whole: usize) -> Result<Vec<usize>, Diagnostic> {
    if let Some(sizes) = ops.known_ints(1) {
        return Ok(sizes.into_iter().map(|s| usize::try_from(s).unwrap_or(0)).collect());
    }
    let sizes = (0..ops.node.outputs.len())
        .map(|i| ops.output_type(i).map(|ty| ty.shape[axis]))
        .collect::<Result<Vec<_>, _>>()?;
    if sizes.iter().sum::<usize>() == whole { Ok(sizes) } else { Err(ops.refuse("the sizes are not known")) }
}

/// Concat; parts without elements are left out.
pub(crate) fn concat(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let axis = axis(node);
    let mut parts = Vec::new();
    for i in 0..node.inputs.len() {
        let shape = &ops.input_type(i)?.shape;
        if shape.contains(&0) {
            continue;
        }
        let x = ops.finite_input(i)?;
        let x = ops.widened(x, JOINED)?;
        let limit = max_rank(ops.dtype(x));
        parts.push(ops.reshape(x, &around(shape, axis, limit).0));
    }
    let Some(&first) = parts.first() else { return Err(ops.refuse("no part has elements")) };
    if parts.len() == 1 {
        return ops.pass_on(first);
    }
    let at = around(&ops.output_type(0)?.shape, axis, max_rank(ops.dtype(first))).1;
    let y = joined(&mut ops, &parts, at);
    ops.output(0, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_axes_join_until_htp_takes_them() {
        let (dims, ranges) = unsliced_joined(
            &[2, 3, 4, 5, 6, 7],
            &[[0, 2, 1], [0, 3, 1], [1, 3, 1], [0, 5, 1], [0, 6, 1], [0, 7, 1]],
            5,
        );
        assert_eq!(dims, [6, 4, 210]);
        assert_eq!(ranges, [[0, 6, 1], [1, 3, 1], [0, 210, 1]]);
    }
}
