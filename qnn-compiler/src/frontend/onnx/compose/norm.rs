//! Normalizations whose statistics are outputs as well.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::ValueId;
use crate::infer::Answer;
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[row(
    "LayerNormalization",
    "mean and deviation, where they are read, by ReduceMean and ReduceL2",
    layer,
)];

fn layer(p: &mut Parts<'_, '_>) -> Answer<Written> {
    if p.outputs < 2 {
        return Ok(None);
    }
    let operands: Vec<ValueId> = p.node.inputs.iter().copied().flatten().collect();
    let y = p.like(Op::LayerNormalization, &operands, p.node.attrs.clone())?;
    let x = p.input(0)?;
    let at = p.site().axis("axis", -1, p.shape(x).len())?;
    let (mean, inverse) = statistics(p, x, at, p.node.attrs.float_or("epsilon", 1e-5).into())?;
    let mut values = vec![y];
    for (value, ty) in [mean, inverse].into_iter().zip(&p.types[1..]) {
        values.push(p.cast(value, ty.dtype)?);
    }
    Ok(Some(values))
}

/// Mean and inverse deviation over the axes from `at` on, which stay with extent 1. The deviation is the length of a vector
/// that has the root of epsilon as one more element: nothing is squared that would leave fp16's range.
fn statistics(p: &mut Parts<'_, '_>, x: ValueId, at: usize, epsilon: f64) -> Answer<(ValueId, ValueId)> {
    let shape = p.shape(x);
    let (outer, inner) = (shape[..at].iter().product(), shape[at..].iter().product::<usize>());
    let mut kept = shape.clone();
    kept[at..].fill(1);
    let rows = p.reshape(x, &[outer, inner])?;
    let mean = p.reduce(Op::ReduceMean, rows, &[1], true)?;
    let centred = p.op(Op::Sub, &[rows, mean])?;
    let shares = p.by(Op::Mul, centred, 1.0 / (inner as f64).sqrt())?;
    let dtype = p.dtype(x);
    let root = p.floats(dtype, &[outer, 1], &vec![epsilon.sqrt(); outer]);
    let vector = p.concat(&[shares, root], 1)?;
    let deviation = p.reduce(Op::ReduceL2, vector, &[1], true)?;
    let inverse = p.op(Op::Reciprocal, &[deviation])?;
    Ok((p.reshape(mean, &kept)?, p.reshape(inverse, &kept)?))
}
