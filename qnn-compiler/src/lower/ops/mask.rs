//! Tensors that are made of places: OneHot, Trilu, EyeLike.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::indices::GATHERED;
use crate::lower::blocks::slices;
use crate::lower::engine::{Lower, Ops};
use crate::program::TensorId;

/// OneHot: where the depth's numbers equal the index.
pub(crate) fn one_hot(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let axis = slices::axis(node);
    let result = ops.output_type(0)?.shape.clone();
    let depth = result[axis];
    let [outer, _, inner] =
        [result[..axis].iter().product::<usize>(), depth, result[axis + 1..].iter().product::<usize>()];
    let mut indices = ops.input(0)?;
    indices = ops.cast(indices, DataType::Int32)?;
    indices = ops.reshape(indices, &[outer, 1, inner]);
    // Indices from the end are allowed; those outside the depth give no hot element, so they must not wrap around.
    let zero = ops.number(DataType::Int32, 0.0);
    let below = ops.compare("ElementWiseLess", indices, zero);
    let raised = ops.with("ElementWiseAdd", indices, depth as f64);
    indices = ops.select(below, raised, indices);
    let numbers: Vec<i64> = (0..depth as i64).collect();
    let numbers = ops.ints(&[1, depth, 1], &numbers);
    let hot = ops.compare("ElementWiseEqual", indices, numbers);
    let y = match values(&mut ops)? {
        Values::Choice { off, on } => ops.select(hot, on, off),
        Values::Truth(true) => hot,
        Values::Truth(false) => ops.unary("ElementWiseNot", hot),
    };
    ops.output(0, y)
}

/// What OneHot writes.
enum Values {
    /// Off and on as tensors of one element.
    Choice { off: TensorId, on: TensorId },
    /// Bool: whether on is true.
    Truth(bool),
}

fn values(ops: &mut Ops<'_, '_, '_>) -> Result<Values, Diagnostic> {
    let pair = ops.input(2)?;
    if ops.dtype(pair) == DataType::Bool {
        return match ops.known_ints(2).as_deref() {
            Some([0, on]) if *on != 0 => Ok(Values::Truth(true)),
            Some([_, 0]) => Ok(Values::Truth(false)),
            _ => Err(ops.refuse("of bool needs different constant values")),
        };
    }
    let pair = ops.widened(pair, GATHERED)?;
    Ok(Values::Choice { off: slices::part(ops, pair, 0, 0, 1), on: slices::part(ops, pair, 0, 1, 2) })
}

/// Trilu: zero above or below a diagonal.
pub(crate) fn trilu(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let k = match node.input(1) {
        None => 0,
        Some(_) => ops.constant_ints(1, "the diagonal")?.first().copied().unwrap_or(0),
    };
    let upper = node.attrs.int_or("upper", 1) != 0;
    let shape = &ops.input_type(0)?.shape;
    let &[.., rows, columns] = &shape[..] else { return Err(ops.refuse("needs a matrix")) };
    let mask: Vec<f64> = (0..rows as i64)
        .flat_map(|r| (0..columns as i64).map(move |c| (r, c)))
        .map(|(r, c)| {
            let diagonal = r.saturating_add(k);
            f64::from(u8::from(if upper { c >= diagonal } else { c <= diagonal }))
        })
        .collect();
    let x = ops.input(0)?;
    let outer: usize = shape[..shape.len() - 2].iter().product();
    let dims = if shape.len() > 4 { vec![outer, rows, columns] } else { shape.clone() };
    if ops.dtype(x) == DataType::Bool {
        let x = ops.reshape(x, &dims);
        let mask = ops.constant(DataType::Bool, &[rows, columns], &mask);
        let y = ops.binary("ElementWiseAnd", x, mask);
        return ops.output(0, y);
    }
    let x = ops.widened(x, GATHERED)?;
    let x = ops.reshape(x, &dims);
    let mask = ops.constant(DataType::Bool, &[rows, columns], &mask);
    let zero = ops.number(ops.dtype(x), 0.0);
    let y = ops.select(mask, x, zero);
    ops.output(0, y)
}

/// EyeLike: ones on a diagonal. Nothing of the input is read but its shape.
pub(crate) fn eye_like(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let ty = ops.output_type(0)?;
    let k = node.attrs.int_or("k", 0);
    let &[rows, columns] = &ty.shape[..] else { return Err(ops.refuse("needs a matrix")) };
    let dtype = ops.lower.data_type(ty.dtype).ok_or_else(|| ops.refuse("HTP has no such dtype"))?;
    let eye: Vec<f64> = (0..rows as i64)
        .flat_map(|r| (0..columns as i64).map(move |c| (r, c)))
        .map(|(r, c)| f64::from(u8::from(c == r.saturating_add(k))))
        .collect();
    let eye = ops.constant(dtype, &[rows, columns], &eye);
    ops.pass_on(eye)
}
