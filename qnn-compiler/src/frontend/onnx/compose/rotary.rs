//! Rotary embeddings of the standard and of ONNX Runtime.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, dims, invalid};
use crate::op::Op;

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

fn standard(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let angles = Angles {
        cos: p.site().id(1)?,
        sin: p.site().id(2)?,
        positions: p.node.input(3),
        interleaved: p.node.attrs.int_or("interleaved", 0) != 0,
    };
    rotated(p, angles)
}

/// The positions come second, and may be one number: that of the first token.
fn microsoft(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let shape = p.input_shape(0)?;
    let length = match shape[..] {
        [_, length, _] | [_, _, length, _] => length,
        _ => return invalid(format!("input {}", dims(&shape))),
    };
    let mut positions = p.site().id(1)?;
    if p.shape(positions).iter().product::<usize>() == 1 {
        let first = p.reshape(positions, &[1, 1])?;
        let steps: Vec<i64> = (0..length as i64).collect();
        let steps = p.ints(p.dtype(first), &[1, length], &steps);
        positions = p.op(Op::Add, &[first, steps])?;
    }
    let angles = Angles {
        cos: p.site().id(2)?,
        sin: p.site().id(3)?,
        positions: Some(positions),
        interleaved: p.node.attrs.int_or("interleaved", 0) != 0,
    };
    rotated(p, angles)
}

fn rotated(p: &mut Parts<'_, '_>, angles: Angles) -> Answer<Written> {
    let (x, folded) = (p.site().id(0)?, p.site().rank(0)? == 3);
    let heads = match (folded, p.site().count("num_heads", 0)?) {
        (false, _) => 0,
        // ONNX Runtime's operator tells the number of heads by the width of the tables.
        (true, 0) => p.input_shape(0)?[2] / (2 * p.shape(angles.cos).last().copied().unwrap_or(1)).max(1),
        (true, heads) => heads,
    };
    let x = if folded { p.split_heads(x, heads)? } else { x };
    let y = rotate(p, x, &angles)?;
    let y = if folded { p.join_heads(y)? } else { y };
    Ok(Some(vec![y]))
}

/// Rotates the first elements of each head of a (batch, heads, length, width) tensor: twice as many as there are angles.
pub(super) fn rotate(p: &mut Parts<'_, '_>, x: ValueId, angles: &Angles) -> Answer<ValueId> {
    let [_, _, length, width] = p.shape(x)[..] else {
        return invalid("a tensor of heads has not four axes");
    };
    let pairs = p.shape(angles.cos).last().copied().unwrap_or(0);
    if p.shape(angles.sin) != p.shape(angles.cos) || pairs == 0 || 2 * pairs > width {
        let (cos, sin) = (dims(&p.shape(angles.cos)), dims(&p.shape(angles.sin)));
        return invalid(format!("tables of {cos} and {sin} for heads of {width} elements"));
    }
    let turned = 2 * pairs;
    let dtype = p.dtype(x);
    let [cos, sin] = [angles.cos, angles.sin].map(|table| {
        let wide = both_parts(p, table, pairs, angles.interleaved)?;
        let rows = match angles.positions {
            Some(positions) => {
                p.with(Op::Gather, &[wide, positions], [("axis", crate::graph::Attr::Int(0))])?
            }
            None => wide,
        };
        let shape = p.shape(rows);
        let batch = shape.iter().product::<usize>() / (length * turned).max(1);
        let rows = p.reshape(rows, &[batch, 1, length, turned])?;
        p.cast(rows, dtype)
    });
    let (cos, sin) = (cos?, sin?);
    let first = p.range(x, 3, 0, turned)?;
    let matrix = swap(p, pairs, angles.interleaved, dtype);
    let swapped = p.op(Op::MatMul, &[first, matrix])?;
    let (straight, across) = (p.op(Op::Mul, &[first, cos])?, p.op(Op::Mul, &[swapped, sin])?);
    let result = p.op(Op::Add, &[straight, across])?;
    if turned == width {
        return Ok(result);
    }
    let rest = p.range(x, 3, turned, width)?;
    p.concat(&[result, rest], 3)
}

/// Where the two parts of pair `i` are.
fn pair(i: usize, pairs: usize, interleaved: bool) -> [usize; 2] {
    if interleaved { [2 * i, 2 * i + 1] } else { [i, pairs + i] }
}

/// A table with the angle of each pair at both of its parts.
fn both_parts(p: &mut Parts<'_, '_>, table: ValueId, pairs: usize, interleaved: bool) -> Answer<ValueId> {
    let (mut shape, dtype) = (p.shape(table), p.dtype(table));
    let axis = shape.len() - 1;
    if let Some(values) = p.known_floats(table) {
        let mut wide = vec![0.0; 2 * values.len()];
        for (row, out) in values.chunks(pairs).zip(wide.chunks_mut(2 * pairs)) {
            for (i, value) in row.iter().enumerate() {
                pair(i, pairs, interleaved).into_iter().for_each(|at| out[at] = *value);
            }
        }
        shape[axis] = 2 * pairs;
        return Ok(p.floats(dtype, &shape, &wide));
    }
    if !interleaved {
        return p.concat(&[table, table], axis);
    }
    let mut matrix = vec![0.0; 2 * pairs * pairs];
    for i in 0..pairs {
        pair(i, pairs, true).into_iter().for_each(|at| matrix[i * 2 * pairs + at] = 1.0);
    }
    let matrix = p.floats(dtype, &[pairs, 2 * pairs], &matrix);
    p.op(Op::MatMul, &[table, matrix])
}

/// The matrix that makes (−second, first) of each pair (first, second).
fn swap(p: &mut Parts<'_, '_>, pairs: usize, interleaved: bool, dtype: DType) -> ValueId {
    let size = 2 * pairs;
    let mut matrix = vec![0.0; size * size];
    for i in 0..pairs {
        let [first, second] = pair(i, pairs, interleaved);
        matrix[second * size + first] = -1.0;
        matrix[first * size + second] = 1.0;
    }
    p.floats(dtype, &[size, size], &matrix)
}
