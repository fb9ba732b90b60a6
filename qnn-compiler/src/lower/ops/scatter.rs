//! ScatterElements and ScatterND: elements written by index.

use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::broadcast;
use crate::lower::blocks::indices::{self, GATHERED, counted, counted_const, index_input};
use crate::lower::blocks::slices;
use crate::lower::engine::{Lower, Ops, is_float};
use crate::program::TensorId;

/// What happens where an element is written that is there already.
fn reduction(ops: &Ops<'_, '_, '_>, known: &[(&str, u32)]) -> Result<u32, Diagnostic> {
    let name = ops.node.attrs.str_or("reduction", "none");
    known.iter().find(|(n, _)| *n == name).map(|(_, code)| *code).ok_or_else(|| {
        let known: Vec<&str> = known.iter().map(|(n, _)| *n).collect();
        ops.refuse(format!("reduction {name:?} has no HTP op; {} have", known.join(", ")))
    })
}

const NONE: u32 = 0;

/// Reductions of ScatterNd.
const ND: &[(&str, u32)] = &[("none", NONE), ("add", 1), ("mul", 2)];

/// Reductions of ScatterElements on int32; of floats it has none (refused on SM8650).
const ELEMENTS: &[(&str, u32)] = &[("none", NONE), ("add", 1), ("mul", 2), ("max", 3)];

/// Integers that stand for real numbers in the encoding of the result.
fn same_form(ops: &mut Ops<'_, '_, '_>, x: TensorId, updates: TensorId) -> (TensorId, TensorId) {
    match ops.lower.result.filter(|_| ops.dtype(x).is_quantized()) {
        Some(form) => (ops.in_form(x, form), ops.in_form(updates, form)),
        None => (x, updates),
    }
}

/// ScatterND.
pub(crate) fn scatter_nd(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let code = reduction(&ops, ND)?;
    let shape = ops.input_type(0)?.shape.clone();
    let index_shape = ops.input_type(1)?.shape.clone();
    let Some((&depth, lead)) = index_shape.split_last().filter(|(depth, _)| **depth <= shape.len()) else {
        return Err(ops.refuse("an index has more numbers than the data has axes"));
    };
    let tuples: usize = lead.iter().product();
    let inner: usize = shape[depth..].iter().product();
    let rows: usize = shape[..depth].iter().product();
    let flat = indices::Flat { outer: 1, tuples, extents: &shape[..depth] };
    let indices = match ops.known_ints(1) {
        Some(indices) => {
            let numbers = flat.known(&ops, &indices)?;
            ops.ints(&[tuples, 1], &numbers)
        }
        None => {
            let indices = index_input(&mut ops, 1)?;
            let numbers = flat.computed(&mut ops, indices);
            ops.reshape(numbers, &[tuples, 1])
        }
    };
    let (x, updates) = (ops.input(0)?, ops.input(2)?);
    let (x, updates) = (ops.widened(x, GATHERED)?, ops.widened(updates, GATHERED)?);
    let (x, updates) = same_form(&mut ops, x, updates);
    let x = ops.reshape(x, &[rows, inner]);
    let updates = ops.reshape(updates, &[tuples, inner]);
    let dtype = ops.dtype(x);
    let y =
        ops.step("ScatterNd", &[x, indices, updates], dtype, &[rows, inner], |op| op.u32("reduction", code));
    ops.output(0, y)
}

/// ScatterElements; sums and products of floats are a ScatterNd of single elements.
pub(crate) fn scatter_elements(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    const RANK: usize = 4;
    let mut ops = Ops::new(lower, node);
    let axis = slices::axis(node);
    let (shape, wanted) = (ops.input_type(0)?.shape.clone(), ops.input_type(1)?.shape.clone());
    let (x, updates) = (ops.input(0)?, ops.input(2)?);
    let (x, updates) = (ops.widened(x, GATHERED)?, ops.widened(updates, GATHERED)?);
    let (x, updates) = same_form(&mut ops, x, updates);
    let code = reduction(&ops, if is_float(ops.dtype(x)) { ND } else { ELEMENTS })?;
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
    let dtype = ops.dtype(x);
    if shape.len() <= RANK && (code == NONE || !is_float(dtype)) {
        indices = ops.reshape(indices, &wanted);
        let y = ops.step("ScatterElements", &[x, indices, updates], dtype, &shape, |op| {
            op.u32("axis", axis as u32).u32("reduction", code)
        });
        return ops.output(0, y);
    }
    if code > 2 {
        return Err(ops.refuse(format!("reduction \"max\" needs at most {RANK} axes")));
    }
    // Position of each update in the flat data: its own place with the index instead of the axis' part.
    let (count, total): (usize, usize) = (wanted.iter().product(), shape.iter().product());
    let strides: Vec<usize> = (0..shape.len()).map(|a| shape[a + 1..].iter().product()).collect();
    let bases: Vec<i64> = (0..count)
        .map(|flat| {
            let mut rest = flat;
            let mut base = 0;
            for a in (0..wanted.len()).rev() {
                if a != axis {
                    base += rest % wanted[a] * strides[a];
                }
                rest /= wanted[a];
            }
            base as i64
        })
        .collect();
    let bases = ops.ints(&[count], &bases);
    let flat = ops.reshape(indices, &[count]);
    let scaled = ops.with("ElementWiseMultiply", flat, strides[axis] as f64);
    let places = ops.binary("ElementWiseAdd", scaled, bases);
    let places = ops.reshape(places, &[count, 1]);
    let (x, updates) = (ops.reshape(x, &[total]), ops.reshape(updates, &[count]));
    let y = ops.step("ScatterNd", &[x, places, updates], dtype, &[total], |op| op.u32("reduction", code));
    ops.output(0, y)
}
