//! Rotary embeddings of the standard and of ONNX Runtime.

use super::super::table::{Draft, Row, Step, row};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, dims, infer, invalid};

const NOTE: &str = "x · cos + (x · R) · sin, where R is a constant matrix that swaps the two parts of each pair and negates one";

pub(super) const ROWS: &[Row] = &[
    row("RotaryEmbedding", NOTE, standard),
    Row { domain: "com.microsoft", op: "RotaryEmbedding", note: NOTE, rule: microsoft },
];

/// The angles of one rotation.
pub(super) struct Angles {
    /// One row a position, (positions, pairs), or one a token, (batch, length, pairs).
    pub(super) cos: ValueId,
    pub(super) sin: ValueId,
    /// (batch, length) rows of the tables; the tables are of tokens where absent.
    pub(super) positions: Option<ValueId>,
    /// The pairs are neighbours, not the halves.
    pub(super) interleaved: bool,
}

fn standard(d: &mut Draft<'_, '_>) -> Answer<Step> {
    infer(&d.builder.graph, d.node, 1)?;
    let angles = Angles {
        cos: d.site().id(1)?,
        sin: d.site().id(2)?,
        positions: d.node.input(3),
        interleaved: d.node.attrs.int_or("interleaved", 0) != 0,
    };
    rotated(d, angles)
}

/// The positions come second, and may be one number: that of the first token.
fn microsoft(d: &mut Draft<'_, '_>) -> Answer<Step> {
    infer(&d.builder.graph, d.node, 1)?;
    let shape = d.shape(0)?;
    let length = match shape[..] {
        [_, length, _] | [_, _, length, _] => length,
        _ => return invalid(format!("input {}", dims(&shape))),
    };
    let mut positions = d.site().id(1)?;
    if d.dims(positions).iter().product::<usize>() == 1 {
        let first = d.reshape(positions, &[1, 1])?;
        let steps: Vec<i64> = (0..length as i64).collect();
        let steps = d.whole("steps", d.dtype(first), &[1, length], &steps);
        positions = d.op("Add", &[first, steps])?;
    }
    let angles = Angles {
        cos: d.site().id(2)?,
        sin: d.site().id(3)?,
        positions: Some(positions),
        interleaved: d.node.attrs.int_or("interleaved", 0) != 0,
    };
    rotated(d, angles)
}

fn rotated(d: &mut Draft<'_, '_>, angles: Angles) -> Answer<Step> {
    let (x, folded) = (d.site().id(0)?, d.site().rank(0)? == 3);
    let heads = match (folded, d.site().count("num_heads", 0)?) {
        (false, _) => 0,
        // ONNX Runtime's operator tells the number of heads by the width of the tables.
        (true, 0) => d.shape(0)?[2] / (2 * d.dims(angles.cos).last().copied().unwrap_or(1)).max(1),
        (true, heads) => heads,
    };
    let x = if folded { d.split_heads(x, heads)? } else { x };
    let y = rotate(d, x, &angles)?;
    let y = if folded { d.join_heads(y)? } else { y };
    Ok(Step::alias(y))
}

/// Rotates the first elements of each head of a (batch, heads, length, width) tensor: twice as many as there are angles.
pub(super) fn rotate(d: &mut Draft<'_, '_>, x: ValueId, angles: &Angles) -> Answer<ValueId> {
    let [_, _, length, width] = d.dims(x)[..] else {
        return invalid("a tensor of heads has not four axes");
    };
    let pairs = d.dims(angles.cos).last().copied().unwrap_or(0);
    if d.dims(angles.sin) != d.dims(angles.cos) || pairs == 0 || 2 * pairs > width {
        let (cos, sin) = (dims(&d.dims(angles.cos)), dims(&d.dims(angles.sin)));
        return invalid(format!("tables of {cos} and {sin} for heads of {width} elements"));
    }
    let turned = 2 * pairs;
    let dtype = d.dtype(x);
    let [cos, sin] = [angles.cos, angles.sin].map(|table| {
        let wide = both_parts(d, table, pairs, angles.interleaved)?;
        let rows = match angles.positions {
            Some(positions) => {
                d.op_with("Gather", &[wide, positions], &[("axis", crate::graph::Attr::Int(0))])?
            }
            None => wide,
        };
        let shape = d.dims(rows);
        let batch = shape.iter().product::<usize>() / (length * turned).max(1);
        let rows = d.reshape(rows, &[batch, 1, length, turned])?;
        d.cast(rows, dtype)
    });
    let (cos, sin) = (cos?, sin?);
    let first = d.slice(x, 3, 0, turned)?;
    let matrix = swap(d, pairs, angles.interleaved, dtype);
    let swapped = d.op("MatMul", &[first, matrix])?;
    let (straight, across) = (d.op("Mul", &[first, cos])?, d.op("Mul", &[swapped, sin])?);
    let result = d.op("Add", &[straight, across])?;
    if turned == width {
        return Ok(result);
    }
    let rest = d.slice(x, 3, turned, width)?;
    d.concat(&[result, rest], 3)
}

/// Where the two parts of pair `i` are.
fn pair(i: usize, pairs: usize, interleaved: bool) -> [usize; 2] {
    if interleaved { [2 * i, 2 * i + 1] } else { [i, pairs + i] }
}

/// A table with the angle of each pair at both of its parts.
fn both_parts(d: &mut Draft<'_, '_>, table: ValueId, pairs: usize, interleaved: bool) -> Answer<ValueId> {
    let (mut shape, dtype) = (d.dims(table), d.dtype(table));
    let axis = shape.len() - 1;
    if let Some(values) = d.builder.graph.value(table).data.as_ref().map(|data| data.to_f64(dtype)) {
        let mut wide = vec![0.0; 2 * values.len()];
        for (row, out) in values.chunks(pairs).zip(wide.chunks_mut(2 * pairs)) {
            for (i, value) in row.iter().enumerate() {
                pair(i, pairs, interleaved).into_iter().for_each(|at| out[at] = *value);
            }
        }
        shape[axis] = 2 * pairs;
        return Ok(d.floats("angles", dtype, &shape, &wide));
    }
    if !interleaved {
        return d.concat(&[table, table], axis);
    }
    let mut matrix = vec![0.0; 2 * pairs * pairs];
    for i in 0..pairs {
        pair(i, pairs, true).into_iter().for_each(|at| matrix[i * 2 * pairs + at] = 1.0);
    }
    let matrix = d.floats("twice", dtype, &[pairs, 2 * pairs], &matrix);
    d.op("MatMul", &[table, matrix])
}

/// The matrix that makes (−second, first) of each pair (first, second).
fn swap(d: &mut Draft<'_, '_>, pairs: usize, interleaved: bool, dtype: DType) -> ValueId {
    let size = 2 * pairs;
    let mut matrix = vec![0.0; size * size];
    for i in 0..pairs {
        let [first, second] = pair(i, pairs, interleaved);
        matrix[second * size + first] = -1.0;
        matrix[first * size + second] = 1.0;
    }
    d.floats("swap", dtype, &[size, size], &matrix)
}
