//! Attention of ONNX Runtime: MultiHeadAttention and Attention.

use super::attention::{Scored, scale};
use super::bias::{self, BLOCKED, Sight, Start};
use super::parts::Parts;
use super::table::{Row, Written};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, Reason, dims, invalid};
use crate::op::Op;

const NOTE: &str = "as the standard's Attention; masks of one, two or three axes; no shared cache buffer";

pub(super) const ROWS: &[Row] = &[
    Row { domain: "com.microsoft", op: "Attention", note: NOTE, rule: packed },
    Row { domain: "com.microsoft", op: "MultiHeadAttention", note: NOTE, rule: multi_head },
];

/// What both operators share once query, key and value have four axes.
struct Heads {
    q: ValueId,
    k: ValueId,
    v: ValueId,
    past: Option<[ValueId; 2]>,
    mask: Option<ValueId>,
    bias: Option<ValueId>,
}

/// The result with heads joined, key and value with what came before them.
fn attend(p: &mut Parts<'_, '_>, mut heads: Heads) -> Answer<[ValueId; 3]> {
    let mut start = 0;
    if let Some([keys, values]) = heads.past {
        start = p.shape(keys)[2];
        heads.k = p.concat(&[keys, heads.k], 2)?;
        heads.v = p.concat(&[values, heads.v], 2)?;
    }
    let (queries, keys, width) = (p.shape(heads.q)[2], p.shape(heads.k)[2], p.shape(heads.q)[3]);
    let dtype = p.dtype(heads.q);
    let ahead = (p.node.attrs.int_or("unidirectional", 0) != 0).then_some(0);
    let seen = bias::sight(p, Sight { queries, keys, back: None, ahead }, Start::At(start))?;
    let seen = seen.map(|seen| bias::from_truths(p, seen, dtype, BLOCKED)).transpose()?;
    let padding = heads.mask.map(|mask| padding(p, mask, keys, dtype)).transpose()?;
    let given = heads.bias.map(|given| bias::from_mask(p, given, dtype, keys)).transpose()?;
    let total = bias::both(p, seen, padding)?;
    let total = bias::both(p, total, given)?;
    let scored = Scored {
        q: heads.q,
        k: heads.k,
        v: heads.v,
        scale: scale(p, width),
        softcap: 0.0,
        bias: total,
        seeing: None,
    };
    let result = scored.write(p)?.result;
    Ok([p.join_heads(result)?, heads.k, heads.v])
}

/// A mask of keys: how many a sequence has, or 1 for each that counts, by query too.
fn padding(p: &mut Parts<'_, '_>, mask: ValueId, keys: usize, dtype: DType) -> Answer<ValueId> {
    let blocked = f64::from(p.node.attrs.float_or("mask_filter_value", -10000.0)).max(BLOCKED);
    let shape = p.shape(mask);
    let integer = p.dtype(mask);
    let seen = match shape[..] {
        [batch] => {
            let lengths = p.reshape(mask, &[batch, 1, 1, 1])?;
            let places: Vec<i64> = (0..keys as i64).collect();
            let places = p.ints(integer, &[1, 1, 1, keys], &places);
            p.op(Op::Less, &[places, lengths])?
        }
        [_, k] | [_, _, k] if k == keys => {
            let wide = match shape[..] {
                [batch, length, keys] => vec![batch, 1, length, keys],
                _ => vec![shape[0], 1, 1, keys],
            };
            let mask = p.reshape(mask, &wide)?;
            let none = p.ints(integer, &[], &[0]);
            p.op(Op::Greater, &[mask, none])?
        }
        _ => {
            return Err(Reason::Unsupported(format!("a mask of shape {} for {keys} keys", dims(&shape))));
        }
    };
    bias::from_truths(p, seen, dtype, blocked)
}

fn refuse_inputs(p: &Parts<'_, '_>, list: &[(usize, &str)]) -> Answer<()> {
    match list.iter().find(|(i, _)| p.node.input(*i).is_some()) {
        None => Ok(()),
        Some((i, what)) => Err(Reason::Unsupported(format!("input {i} ({what}) is not supported"))),
    }
}

fn multi_head(p: &mut Parts<'_, '_>) -> Answer<Written> {
    refuse_inputs(p, &[(9, "cache indirection")])?;
    if p.outputs > 3 {
        return Err(Reason::Unsupported("the scores as an output are not supported".to_owned()));
    }
    let count = p.site().count("num_heads", 0)?;
    let q = p.site().id(0)?;
    let mut parts = match (p.shape(q).len(), p.node.input(1)) {
        // Query, key and value in one: (batch, length, heads, 3, width).
        (5, _) => unpacked(p, q, 3)?,
        (_, None) => return invalid("there is no key"),
        (_, Some(k)) if p.shape(k).len() == 5 => {
            let mut parts = vec![p.split_heads(q, count)?];
            parts.extend(unpacked(p, k, 2)?);
            parts
        }
        (_, Some(k)) => {
            let v = p.site().id(2)?;
            let mut parts = Vec::new();
            for x in [q, k, v] {
                parts.push(if p.shape(x).len() == 4 { x } else { p.split_heads(x, count)? });
            }
            parts
        }
    };
    if let Some(all) = p.node.input(3) {
        let mut from = 0;
        for x in &mut parts {
            let [_, heads, _, width] = p.shape(*x)[..] else { return invalid("a key has not four axes") };
            let own = p.range(all, 0, from, from + heads * width)?;
            from += heads * width;
            let own = p.reshape(own, &[1, heads, 1, width])?;
            *x = p.op(Op::Add, &[*x, own])?;
        }
    }
    let past = match (p.node.input(6), p.node.input(7)) {
        (Some(k), Some(v)) => Some([k, v]),
        _ => None,
    };
    let heads =
        Heads { q: parts[0], k: parts[1], v: parts[2], past, mask: p.node.input(4), bias: p.node.input(5) };
    let results = attend(p, heads)?;
    Ok(Some(results.into_iter().take(p.outputs.max(1)).collect()))
}

/// (batch, length, heads, count, width) as `count` of (batch, heads, length, width).
fn unpacked(p: &mut Parts<'_, '_>, x: ValueId, count: usize) -> Answer<Vec<ValueId>> {
    let [batch, length, heads, parts, width] = p.shape(x)[..] else {
        return invalid("a packed tensor has not five axes");
    };
    if parts != count {
        return invalid(format!("a packed tensor of {parts} parts, {count} are needed"));
    }
    (0..count)
        .map(|i| {
            let part = p.range(x, 3, i, i + 1)?;
            let part = p.reshape(part, &[batch, length, heads, width])?;
            p.transpose(part, &[0, 2, 1, 3])
        })
        .collect()
}

/// One input that weights turn into query, key and value.
fn packed(p: &mut Parts<'_, '_>) -> Answer<Written> {
    refuse_inputs(p, &[(6, "a cache of another length")])?;
    if p.node.attrs.int_or("do_rotary", 0) != 0 {
        return Err(Reason::Unsupported("rotary embeddings inside of it are not supported".to_owned()));
    }
    let count = p.site().count("num_heads", 0)?;
    let (x, weights) = (p.site().id(0)?, p.site().id(1)?);
    let mut all = p.op(Op::MatMul, &[x, weights])?;
    if let Some(bias) = p.node.input(2) {
        all = p.op(Op::Add, &[all, bias])?;
    }
    let wide = p.shape(all)[2];
    let sizes: Vec<usize> = match p.node.attrs.ints("qkv_hidden_sizes") {
        Some(list) if list.len() == 3 => list.iter().map(|s| *s as usize).collect(),
        _ => vec![wide / 3; 3],
    };
    if sizes.iter().try_fold(0usize, |sum, size| sum.checked_add(*size)) != Some(wide) {
        return invalid(format!("{wide} columns of weights for query, key and value of {sizes:?}"));
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for size in sizes {
        let part = p.range(all, 2, from, from + size)?;
        parts.push(p.split_heads(part, count)?);
        from += size;
    }
    let past = match p.node.input(4) {
        Some(past) => {
            let shape = p.shape(past);
            let halves = p.pieces(past, 0, 2)?;
            let [keys, values] = [p.reshape(halves[0], &shape[1..])?, p.reshape(halves[1], &shape[1..])?];
            Some([keys, values])
        }
        None => None,
    };
    let heads =
        Heads { q: parts[0], k: parts[1], v: parts[2], past, mask: p.node.input(3), bias: p.node.input(5) };
    let [result, k, v] = attend(p, heads)?;
    let mut outputs = vec![result];
    if p.outputs > 1 {
        let mut both = Vec::new();
        for x in [k, v] {
            let shape: Vec<usize> = [1].into_iter().chain(p.shape(x)).collect();
            both.push(p.reshape(x, &shape)?);
        }
        outputs.push(p.concat(&both, 0)?);
    }
    Ok(Some(outputs))
}
