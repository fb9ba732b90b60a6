//! Normalizations whose statistics are read.

use super::super::table::{Draft, Row, Step, row};
use crate::graph::{Attr, ValueId};
use crate::infer::{Answer, axis, infer};

pub(super) const ROWS: &[Row] = &[row(
    "LayerNormalization",
    "`axis` explicit and not negative; mean and deviation, where they are read, by ReduceMean and ReduceL2",
    layer,
)];

fn layer(d: &mut Draft<'_, '_>) -> Answer<Step> {
    let shape = d.shape(0)?;
    let at = axis(d.node.attrs.int_or("axis", -1), shape.len())?;
    d.node.attrs.set("axis", Attr::Int(at as i64));
    if d.outputs < 2 {
        return Ok(Step::Keep);
    }
    infer(&d.builder.graph, d.node, d.outputs)?;
    let mut node = d.node.clone();
    node.name = format!("{}.norm", node.name);
    let y = d.builder.emit_one(node)?;
    let x = d.site().id(0)?;
    let (mean, inverse) = statistics(d, x, at, d.node.attrs.float_or("epsilon", 1e-5).into())?;
    let mut outputs = vec![Some(y), Some(mean), Some(inverse)];
    outputs.truncate(d.outputs);
    Ok(Step::Replaced(outputs))
}

/// Mean and inverse deviation over the axes from `at` on, which stay with extent 1. The deviation is the length of a vector
/// that has the root of epsilon as one more element: nothing is squared that would leave fp16's range.
fn statistics(d: &mut Draft<'_, '_>, x: ValueId, at: usize, epsilon: f64) -> Answer<(ValueId, ValueId)> {
    let shape = d.dims(x);
    let (outer, inner) = (shape[..at].iter().product(), shape[at..].iter().product::<usize>());
    let mut kept = shape.clone();
    kept[at..].fill(1);
    let rows = d.reshape(x, &[outer, inner])?;
    let mean = d.reduce("ReduceMean", rows, 1)?;
    let centred = d.op("Sub", &[rows, mean])?;
    let shares = d.with("Mul", centred, 1.0 / (inner as f64).sqrt())?;
    let dtype = d.dtype(x);
    let root = d.floats("root", dtype, &[outer, 1], &vec![epsilon.sqrt(); outer]);
    let vector = d.concat(&[shares, root], 1)?;
    let deviation = d.reduce("ReduceL2", vector, 1)?;
    let inverse = d.op("Reciprocal", &[deviation])?;
    Ok((d.reshape(mean, &kept)?, d.reshape(inverse, &kept)?))
}
