//! What is added to attention scores: masks, causality, windows and lengths, all in one tensor that HTP can add.

use super::parts::Parts;
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, broadcast, invalid};
use crate::op::Op;

/// Added to the score of a key that is not attended to. HTP has no infinity, and two of these plus any score are still in
/// fp16's range; softmax makes it an exact zero.
pub(super) const BLOCKED: f64 = -30000.0;

/// What lies below this was blocked.
pub(super) const NEARLY_BLOCKED: f64 = -29000.0;

/// Which keys a query may see, beside what a mask says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// Queries.
    pub(super) queries: usize,
    /// Keys.
    pub(super) keys: usize,
    /// How many keys from its own position on backwards; all where absent.
    pub(super) back: Option<usize>,
    /// How many keys after its own position; all where absent.
    pub(super) ahead: Option<usize>,
}

/// The position of the first query among the keys.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// It is known.
    At(usize),
    /// Each batch has this many valid keys, (batch); the queries are the last of them.
    Lengths(ValueId),
}

/// Says for each query which keys it may see, or nothing where it may see all: truths that broadcast to (batch, heads, queries,
/// keys).
pub(super) fn sight(p: &mut Parts<'_, '_>, sight: Sight, start: Start) -> Answer<Option<ValueId>> {
    let (s, t) = (sight.queries as i64, sight.keys as i64);
    let grid = move || (0..s).flat_map(move |i| (0..t).map(move |j| (i, j)));
    let (back, ahead) = (sight.back.map(|v| v as i64), sight.ahead.map(|v| v as i64));
    match start {
        Start::At(start) => {
            let near = |(i, j): (i64, i64)| {
                let at = i + start as i64;
                back.is_none_or(|back| at - j <= back) && ahead.is_none_or(|ahead| j - at <= ahead)
            };
            let seen: Vec<i64> = grid().map(|at| near(at).into()).collect();
            if seen.iter().all(|v| *v == 1) {
                return Ok(None);
            }
            Ok(Some(p.ints(DType::Bool, &[1, 1, sight.queries, sight.keys], &seen)))
        }
        Start::Lengths(lengths) => {
            let (batch, dtype) = (p.shape(lengths).iter().product(), p.dtype(lengths));
            let lengths = p.reshape(lengths, &[batch, 1, 1, 1])?;
            let keys: Vec<i64> = (0..t).collect();
            let keys = p.ints(dtype, &[1, 1, 1, sight.keys], &keys);
            let mut seen = p.op(Op::Less, &[keys, lengths])?;
            let shape = [1, 1, sight.queries, sight.keys];
            if let Some(back) = back {
                let most: Vec<i64> = grid().map(|(i, j)| back + s - i + j).collect();
                let most = p.ints(dtype, &shape, &most);
                let near = p.op(Op::LessOrEqual, &[lengths, most])?;
                seen = p.op(Op::And, &[seen, near])?;
            }
            if let Some(ahead) = ahead {
                let least: Vec<i64> = grid().map(|(i, j)| j - i + s - ahead).collect();
                let least = p.ints(dtype, &shape, &least);
                let near = p.op(Op::GreaterOrEqual, &[lengths, least])?;
                seen = p.op(Op::And, &[seen, near])?;
            }
            Ok(Some(seen))
        }
    }
}

/// Truths as something to add: nothing where true.
pub(super) fn from_truths(
    p: &mut Parts<'_, '_>,
    seen: ValueId,
    dtype: DType,
    blocked: f64,
) -> Answer<ValueId> {
    let zero = p.floats(dtype, &[], &[0.0]);
    let blocked = p.floats(dtype, &[], &[blocked]);
    p.op(Op::Where, &[seen, zero, blocked])
}

/// A mask of the model, truths or numbers to add, in the scores' type, clamped, and blocking the keys that it is too short for.
pub(super) fn from_mask(p: &mut Parts<'_, '_>, mask: ValueId, dtype: DType, keys: usize) -> Answer<ValueId> {
    let mut shape = p.shape(mask);
    let Some(own) = shape.last().copied() else { return invalid("the mask has no axes") };
    let mask = if p.dtype(mask) == DType::Bool {
        from_truths(p, mask, dtype, BLOCKED)?
    } else {
        let mask = p.cast(mask, dtype)?;
        p.by(Op::Max, mask, BLOCKED)?
    };
    if own >= keys || own == 1 {
        return Ok(mask);
    }
    let axis = shape.len() - 1;
    shape[axis] = keys - own;
    let rest = p.floats(dtype, &shape, &vec![BLOCKED; shape.iter().product()]);
    p.concat(&[mask, rest], axis)
}

/// The sum of two biases, neither of which need be there.
pub(super) fn both(p: &mut Parts<'_, '_>, a: Option<ValueId>, b: Option<ValueId>) -> Answer<Option<ValueId>> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let sum = p.op(Op::Add, &[a, b])?;
            p.by(Op::Max, sum, BLOCKED).map(Some)
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// 1 for each query that sees any key, else 0, with one key; nothing where every query does, which of a bias that is computed
/// nobody knows.
pub(super) fn seeing(p: &mut Parts<'_, '_>, bias: ValueId, keys: usize) -> Answer<Option<ValueId>> {
    let shape = p.shape(bias);
    let axis = shape.len() - 1;
    let dtype = p.dtype(bias);
    let Some(values) = p.known_floats(bias) else {
        let best = p.reduce(Op::ReduceMax, bias, &[axis], true)?;
        let limit = p.floats(dtype, &[], &[NEARLY_BLOCKED]);
        let any = p.op(Op::Greater, &[best, limit])?;
        return p.cast(any, dtype).map(Some);
    };
    let width = shape[axis];
    debug_assert!(broadcast([&[width][..], &[keys][..]]).is_ok());
    let rows: Vec<f64> = values
        .chunks(width.max(1))
        .map(|row| f64::from(u8::from(row.iter().any(|v| *v > NEARLY_BLOCKED))))
        .collect();
    if rows.iter().all(|v| *v == 1.0) {
        return Ok(None);
    }
    let mut shape = shape;
    shape[axis] = 1;
    Ok(Some(p.floats(dtype, &shape, &rows)))
}
