//! Elements repeated along axes.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::lower::engine::Ops;
use crate::program::TensorId;

/// How many axes Tile takes; types that are not here are refused.
fn limit(dtype: DataType) -> Option<usize> {
    match dtype {
        DataType::Float32 | DataType::Float16 => Some(5),
        DataType::UFixed8 | DataType::UFixed16 => Some(4),
        DataType::Int32 | DataType::Bool => Some(4),
        _ => None,
    }
}

/// `x` of this shape, repeated along each axis; the result may have its axes joined.
pub(in crate::lower) fn tile(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    shape: &[usize],
    repeats: &[usize],
) -> Result<TensorId, Diagnostic> {
    if repeats.iter().all(|&r| r == 1) {
        return Ok(x);
    }
    let dtype = ops.dtype(x);
    let Some(limit) = limit(dtype) else {
        let wide = ops.cast(x, DataType::Int32)?;
        let tiled = tile(ops, wide, shape, repeats)?;
        return ops.cast(tiled, dtype);
    };
    // An axis that is not repeated is one with the axis before it.
    let (mut dims, mut times): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for (&d, &r) in shape.iter().zip(repeats) {
        match dims.last_mut().filter(|_| r == 1 && shape.len() > limit) {
            Some(open) => *open *= d,
            None => {
                dims.push(d);
                times.push(r);
            }
        }
    }
    if dims.len() > limit {
        return Err(ops.refuse(format!("repeats {} axes; HTP repeats at most {limit}", dims.len())));
    }
    let result: Vec<usize> = dims.iter().zip(&times).map(|(d, r)| d * r).collect();
    let x = ops.reshape(x, &dims);
    let multiples: Vec<u32> = times.iter().map(|&r| r as u32).collect();
    let rank = multiples.len() as u32;
    Ok(ops.step("Tile", &[x], dtype, &result, |op| op.u32s("multiples", &[rank], &multiples)))
}

/// `x` of shape `from` broadcast to a shape.
pub(in crate::lower) fn to(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    from: &[usize],
    to: &[usize],
) -> Result<TensorId, Diagnostic> {
    let (shape, repeats) = plan(from, to);
    tile(ops, x, &shape, &repeats)
}

/// The shape with ones in front, and how often each axis is to be repeated.
pub(in crate::lower) fn plan(from: &[usize], to: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut shape = vec![1; to.len().saturating_sub(from.len())];
    shape.extend(from);
    let repeats = to.iter().zip(&shape).map(|(t, d)| t / (*d).max(1)).collect();
    (shape, repeats)
}
