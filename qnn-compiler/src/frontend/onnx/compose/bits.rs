//! Operators on bits, of which HTP has none: arithmetic on int32.
//!
//! HTP's int32 is exact, saturates instead of wrapping around, and its Mod has the divisor's sign (measured on SM8650); a cast between
//! int32 and uint32 keeps the bits. So nothing here exceeds 31 bits and a sign.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{DType, ValueId};
use crate::infer::Answer;
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("BitCast", "Cast between types of one size, not to or from floats", bit_cast),
    row("BitShift", "Gather of powers of two, Mul, Mod, Div on int32", shift),
    row("BitwiseAnd", BITWISE, bitwise),
    row("BitwiseNot", "Sub", not),
    row("BitwiseOr", BITWISE, bitwise),
    row("BitwiseXor", BITWISE, bitwise),
];

const BITWISE: &str = "Mod, Sub, Div to bits on int32, Mul, ReduceSum back";

/// How many bits count, and whether the highest is a sign. 64-bit numbers are 32-bit ones on HTP.
fn width(dtype: DType) -> (u32, bool) {
    let bits = 8 * dtype.size().min(4) as u32;
    (bits, matches!(dtype, DType::I8 | DType::I16 | DType::I32 | DType::I64) || bits == 32)
}

fn bit_cast(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let (from, to) = (p.dtype(x), p.types[0].dtype);
    if from.is_float() || to.is_float() {
        return p.refuse(format!(
            "the bits of a {from} as a {to}: HTP computes floats in 16 bits and keeps no others"
        ));
    }
    Ok(Some(vec![p.cast(x, to)?]))
}

fn not(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let dtype = p.dtype(x);
    let (bits, signed) = width(dtype);
    let x = p.cast(x, DType::I32)?;
    let ones = p.scalar(DType::I32, if signed { -1.0 } else { f64::from((1u32 << bits) - 1) });
    let y = p.op(Op::Sub, &[ones, x])?;
    Ok(Some(vec![p.cast(y, dtype)?]))
}

fn powers(p: &mut Parts<'_, '_>, count: u32) -> ValueId {
    let values: Vec<i64> = (0..count).map(|k| 1 << k).collect();
    p.ints(DType::I32, &[1, count as usize], &values)
}

/// The operands as int32 of one shape, flat: (elements, 1).
fn columns(p: &mut Parts<'_, '_>) -> Answer<[ValueId; 2]> {
    let shape = p.types[0].shape.clone();
    let count = shape.iter().product();
    let mut column = |i: usize| {
        let x = p.input(i)?;
        let x = p.cast(x, DType::I32)?;
        let list: Vec<i64> = shape.iter().map(|d| *d as i64).collect();
        let list = p.ints(DType::I64, &[list.len()], &list);
        let wide = if p.shape(x) == shape { x } else { p.op(Op::Expand, &[x, list])? };
        p.reshape(wide, &[count, 1])
    };
    Ok([column(0)?, column(1)?])
}

/// The `count` low bits of a column, as zeros and ones.
fn bits_of(p: &mut Parts<'_, '_>, x: ValueId, count: u32) -> Answer<ValueId> {
    let powers = powers(p, count);
    let below = p.op(Op::Mod, &[x, powers])?;
    // What is below the bit is taken away first, so that the division is exact.
    let rest = p.op(Op::Sub, &[x, below])?;
    let shifted = p.op(Op::Div, &[rest, powers])?;
    p.by(Op::Mod, shifted, 2.0)
}

/// Sums of int32 are made in float32 on HTP: exact to 24 bits, so that no more than this many go into one.
const HALF: u32 = 16;

/// The number that the bits from `start` to `end` of a row are.
fn sum_of_bits(p: &mut Parts<'_, '_>, bits: ValueId, start: u32, end: u32) -> Answer<ValueId> {
    let part = p.slice(bits, 1, [start.into(), end.into(), 1])?;
    let powers = powers(p, end - start);
    let scaled = p.op(Op::Mul, &[part, powers])?;
    let sum = p.reduce(Op::ReduceSum, scaled, &[1], true)?;
    p.by(Op::Mul, sum, f64::from(1u32 << start))
}

fn sign_of(p: &mut Parts<'_, '_>, x: ValueId) -> Answer<ValueId> {
    let negative = p.by(Op::Less, x, 0.0)?;
    p.cast(negative, DType::I32)
}

fn combined(p: &mut Parts<'_, '_>, a: ValueId, b: ValueId) -> Answer<ValueId> {
    match p.node.op {
        Op::BitwiseAnd => p.op(Op::Mul, &[a, b]),
        Op::BitwiseOr => p.op(Op::Max, &[a, b]),
        _ => {
            let difference = p.op(Op::Sub, &[a, b])?;
            p.op(Op::Mul, &[difference, difference])
        }
    }
}

fn bitwise(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let dtype = p.types[0].dtype;
    let shape = p.types[0].shape.clone();
    let (bits, signed) = width(dtype);
    let count = bits - u32::from(signed);
    let [a, b] = columns(p)?;
    let (low_a, low_b) = (bits_of(p, a, count)?, bits_of(p, b, count)?);
    let low = combined(p, low_a, low_b)?;
    let mut y = sum_of_bits(p, low, 0, count.min(HALF))?;
    if count > HALF {
        let high = sum_of_bits(p, low, HALF, count)?;
        y = p.op(Op::Add, &[y, high])?;
    }
    if signed {
        let (sign_a, sign_b) = (sign_of(p, a)?, sign_of(p, b)?);
        let sign = combined(p, sign_a, sign_b)?;
        let sign = p.by(Op::Mul, sign, -f64::from(2u32).powi(count as i32))?;
        y = p.op(Op::Add, &[y, sign])?;
    }
    let y = p.reshape(y, &shape)?;
    Ok(Some(vec![p.cast(y, dtype)?]))
}

/// Two to the power of each element, of 31 zero.
fn two_to(p: &mut Parts<'_, '_>, exponents: ValueId) -> Answer<ValueId> {
    let table: Vec<i64> = (0..32).map(|k| if k < 31 { 1 << k } else { 0 }).collect();
    let table = p.ints(DType::I32, &[32], &table);
    p.rows(table, exponents)
}

fn shift(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, amount) = (p.input(0)?, p.input(1)?);
    let dtype = p.dtype(x);
    let (bits, _) = width(dtype);
    let signed = matches!(dtype, DType::I8 | DType::I16 | DType::I32 | DType::I64);
    let left = p.node.attrs.str_or("direction", "") == "LEFT";
    let x = p.cast(x, DType::I32)?;
    let amount = p.cast(amount, DType::I32)?;
    let (none, last) = (p.scalar(DType::I32, 0.0), p.scalar(DType::I32, f64::from(bits - 1)));
    let counted = p.op(Op::Max, &[amount, none])?;
    let counted = p.op(Op::Min, &[counted, last])?;
    let within = p.op(Op::Equal, &[amount, counted])?;
    let shifted = match (bits, left) {
        (_, false) if signed => signed_right(p, x, counted)?,
        (32, true) => wide_left(p, x, counted)?,
        (32, false) => wide_right(p, x, counted)?,
        (_, true) => {
            let power = two_to(p, counted)?;
            let y = p.op(Op::Mul, &[x, power])?;
            p.by(Op::Mod, y, f64::from(1u32 << bits))?
        }
        (_, false) => {
            let power = two_to(p, counted)?;
            p.op(Op::Div, &[x, power])?
        }
    };
    // What is shifted out altogether leaves copies of the sign, or zeros.
    let gone = if signed && !left {
        let sign = sign_of(p, x)?;
        p.op(Op::Sub, &[none, sign])?
    } else {
        none
    };
    let y = p.op(Op::Where, &[within, shifted, gone])?;
    Ok(Some(vec![p.cast(y, dtype)?]))
}

/// Division that rounds down, in two steps, since 2 to the 31st is no int32.
fn signed_right(p: &mut Parts<'_, '_>, x: ValueId, amount: ValueId) -> Answer<ValueId> {
    let first = p.by(Op::Div, amount, 2.0)?;
    let second = p.op(Op::Sub, &[amount, first])?;
    let mut y = x;
    for part in [first, second] {
        let power = two_to(p, part)?;
        let below = p.op(Op::Mod, &[y, power])?;
        let rest = p.op(Op::Sub, &[y, below])?;
        y = p.op(Op::Div, &[rest, power])?;
    }
    Ok(y)
}

/// `x` where nothing is shifted, else the shifted value.
fn unless_zero(p: &mut Parts<'_, '_>, x: ValueId, amount: ValueId, shifted: ValueId) -> Answer<ValueId> {
    let none = p.by(Op::Equal, amount, 0.0)?;
    p.op(Op::Where, &[none, x, shifted])
}

/// The lower bits move up; the bit that becomes the highest is the sign.
fn wide_left(p: &mut Parts<'_, '_>, x: ValueId, amount: ValueId) -> Answer<ValueId> {
    let power = two_to(p, amount)?;
    let top = p.scalar(DType::I32, 31.0);
    let place = p.op(Op::Sub, &[top, amount])?;
    let one = p.scalar(DType::I32, 1.0);
    // Of an amount of zero it would be 2 to the 31st, which the table has not; that result is not used.
    let unit = two_to(p, place)?;
    let unit = p.op(Op::Max, &[unit, one])?;
    let low = p.op(Op::Mod, &[x, unit])?;
    let rest = p.op(Op::Sub, &[x, low])?;
    let above = p.op(Op::Div, &[rest, unit])?;
    let sign = p.by(Op::Mod, above, 2.0)?;
    let sign = p.by(Op::Mul, sign, -f64::from(2u32).powi(31))?;
    let moved = p.op(Op::Mul, &[low, power])?;
    let y = p.op(Op::Add, &[moved, sign])?;
    unless_zero(p, x, amount, y)
}

/// The lower 31 bits are divided; the highest one comes back as a power of two.
fn wide_right(p: &mut Parts<'_, '_>, x: ValueId, amount: ValueId) -> Answer<ValueId> {
    let negative = p.by(Op::Less, x, 0.0)?;
    let half = f64::from(2u32).powi(30);
    let lifted = p.by(Op::Add, x, half)?;
    let lifted = p.by(Op::Add, lifted, half)?;
    let low = p.op(Op::Where, &[negative, lifted, x])?;
    // In two steps, since 2 to the 31st is no int32.
    let first = p.by(Op::Div, amount, 2.0)?;
    let second = p.op(Op::Sub, &[amount, first])?;
    let (first, second) = (two_to(p, first)?, two_to(p, second)?);
    let low = p.op(Op::Div, &[low, first])?;
    let low = p.op(Op::Div, &[low, second])?;
    let top = p.scalar(DType::I32, 31.0);
    let place = p.op(Op::Sub, &[top, amount])?;
    let high = two_to(p, place)?;
    let with_high = p.op(Op::Add, &[low, high])?;
    let y = p.op(Op::Where, &[negative, with_high, low])?;
    unless_zero(p, x, amount, y)
}
