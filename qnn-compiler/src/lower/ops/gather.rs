//! Gather, GatherElements, GatherND: elements by index.

use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::broadcast;
use crate::lower::blocks::indices::{Flat, GATHERED, counted, counted_const, index_input, look_up, pick};
use crate::lower::blocks::slices;
use crate::lower::engine::{Lower, Ops};

/// A shape as one axis between two.
fn three(shape: &[usize], axis: usize) -> [usize; 3] {
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

/// Gather.
pub(crate) fn gather(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let form = three(&ops.input_type(0)?.shape, slices::axis(node));
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
    let axis = slices::axis(node);
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
