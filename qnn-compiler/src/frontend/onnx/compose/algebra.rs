//! Arithmetic that HTP has no op for, or only for other types.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, axis, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("CumProd", "Slice, Concat and Mul, as often as the extent can be halved", cum_prod),
    row("Det", "Mul and Sub of minors, up to six rows", det),
    row("Pow", "of integers to computed powers: Mul and Where by the bits of the exponent", pow),
];

/// Products of ever longer runs: after each round every element holds twice as many factors.
fn cum_prod(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let mut y = p.input(0)?;
    let (shape, dtype) = (p.shape(y), p.dtype(y));
    let at = axis(p.site().int(1)?, shape.len())?;
    let extent = shape[at] as i64;
    let exclusive = p.node.attrs.int_or("exclusive", 0) != 0;
    let reverse = p.node.attrs.int_or("reverse", 0) != 0;
    // As many ones take the places of the first elements as the others move.
    let moved = |p: &mut Parts<'_, '_>, x: ValueId, by: i64| {
        let mut ones = shape.clone();
        ones[at] = by as usize;
        let count = ones.iter().product();
        let ones = p.floats(dtype, &ones, &vec![1.0; count]);
        if by == extent {
            return Ok(ones);
        }
        let (range, parts) = if reverse { ([by, extent, 1], [1, 0]) } else { ([0, extent - by, 1], [0, 1]) };
        let rest = p.slice(x, at, range)?;
        p.concat(&parts.map(|i| [ones, rest][i]), at)
    };
    if exclusive {
        y = moved(p, y, 1)?;
    }
    let mut run = 1;
    while run < extent {
        let other = moved(p, y, run)?;
        y = p.op(Op::Mul, &[y, other])?;
        run *= 2;
    }
    Ok(Some(vec![y]))
}

/// The most rows of a determinant: each one more doubles the number of minors.
const ROWS_OF_DET: usize = 6;

/// Determinants of the first rows over every choice of columns, each from those of one row less.
fn det(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let (shape, result) = (p.shape(x), p.types[0].shape.clone());
    let Some(&n) = shape.last() else { return invalid("a scalar has no determinant") };
    if n == 0 || n > ROWS_OF_DET {
        return p.refuse(format!("of {n} rows; up to {ROWS_OF_DET} are written as products of minors"));
    }
    let batch: usize = result.iter().product();
    let flat = p.reshape(x, &[batch, n * n])?;
    let mut cells = Vec::with_capacity(n * n);
    for i in 0..(n * n) as i64 {
        cells.push(p.slice(flat, 1, [i, i + 1, 1])?);
    }
    // By the set of columns as bits.
    let mut minors: Vec<Option<ValueId>> = vec![None; 1 << n];
    for set in 1usize..1 << n {
        let row = set.count_ones() as usize - 1;
        let mut sum = None;
        for (place, column) in (0..n).filter(|c| set >> c & 1 == 1).enumerate() {
            let cell = cells[row * n + column];
            let product = match minors[set & !(1 << column)] {
                Some(minor) => p.op(Op::Mul, &[cell, minor])?,
                None => cell,
            };
            let op = if (row + place).is_multiple_of(2) { Op::Add } else { Op::Sub };
            sum = Some(match sum {
                Some(sum) => p.op(op, &[sum, product])?,
                // The first place of an odd row is taken away.
                None if op == Op::Sub => p.op(Op::Neg, &[product])?,
                None => product,
            });
        }
        minors[set] = sum;
    }
    let Some(y) = minors[(1 << n) - 1] else { return invalid("the matrix has no columns") };
    Ok(Some(vec![p.reshape(y, &result)?]))
}

/// Integers to integer powers by squaring; powers beyond 31 bits are those of 31.
fn pow(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, exponent) = (p.input(0)?, p.input(1)?);
    let dtype = p.dtype(x);
    if dtype.is_float()
        || p.known_floats(exponent)
            .is_some_and(|v| v.iter().all(|e| (0.0..=4.0).contains(e) && e.fract() == 0.0 && *e == v[0]))
    {
        return Ok(None);
    }
    let fraction = p.dtype(exponent).is_float();
    if fraction && p.known_floats(exponent).is_none_or(|v| v.iter().any(|e| e.fract() != 0.0)) {
        return inexact(p, x, exponent);
    }
    let base = p.cast(x, DType::I32)?;
    let exponent = p.cast(exponent, DType::I32)?;
    let y = by_squaring(p, base, exponent)?;
    Ok(Some(vec![p.cast(y, dtype)?]))
}

fn by_squaring(p: &mut Parts<'_, '_>, base: ValueId, exponent: ValueId) -> Answer<ValueId> {
    let one = p.scalar(DType::I32, 1.0);
    let (mut y, mut power, mut rest) = (one, base, exponent);
    for round in 0..5 {
        let odd = p.by(Op::Mod, rest, 2.0)?;
        let odd = p.by(Op::Equal, odd, 1.0)?;
        let factor = p.op(Op::Where, &[odd, power, one])?;
        y = p.op(Op::Mul, &[y, factor])?;
        if round < 4 {
            power = p.op(Op::Mul, &[power, power])?;
            rest = p.by(Op::Div, rest, 2.0)?;
        }
    }
    // Less than one for negative exponents, but for bases of one.
    let negative = p.by(Op::Less, exponent, 0.0)?;
    let size = p.op(Op::Abs, &[base])?;
    let unit = p.by(Op::Equal, size, 1.0)?;
    let zero = p.scalar(DType::I32, 0.0);
    let small = p.op(Op::Where, &[unit, y, zero])?;
    p.op(Op::Where, &[negative, small, y])
}

/// A computed float exponent: exact where it is whole, else by floats.
fn inexact(p: &mut Parts<'_, '_>, x: ValueId, exponent: ValueId) -> Answer<Written> {
    let dtype = p.dtype(x);
    let whole = p.cast(exponent, DType::I32)?;
    let base = p.cast(x, DType::I32)?;
    let exact = by_squaring(p, base, whole)?;
    let floor = p.op(Op::Floor, &[exponent])?;
    let is_whole = p.op(Op::Equal, &[floor, exponent])?;
    let float = p.cast(x, p.dtype(exponent))?;
    let about = p.op(Op::Pow, &[float, exponent])?;
    let about = p.cast(about, DType::I32)?;
    let y = p.op(Op::Where, &[is_whole, exact, about])?;
    Ok(Some(vec![p.cast(y, dtype)?]))
}
