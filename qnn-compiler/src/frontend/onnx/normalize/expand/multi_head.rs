//! Attention of ONNX Runtime: MultiHeadAttention and Attention.

use super::super::table::{Draft, Row, Step};
use super::attention::{Scored, scale};
use super::bias::{self, BLOCKED, Sight, Start};
use crate::graph::{DType, ValueId};
use crate::infer::{Answer, Reason, dims, infer, invalid};

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
fn attend(d: &mut Draft<'_, '_>, mut heads: Heads) -> Answer<[ValueId; 3]> {
    let mut start = 0;
    if let Some([keys, values]) = heads.past {
        start = d.dims(keys)[2];
        heads.k = d.concat(&[keys, heads.k], 2)?;
        heads.v = d.concat(&[values, heads.v], 2)?;
    }
    let (queries, keys, width) = (d.dims(heads.q)[2], d.dims(heads.k)[2], d.dims(heads.q)[3]);
    let dtype = d.dtype(heads.q);
    let ahead = (d.node.attrs.int_or("unidirectional", 0) != 0).then_some(0);
    let seen = bias::sight(d, Sight { queries, keys, back: None, ahead }, Start::At(start))?;
    let seen = seen.map(|seen| bias::from_truths(d, seen, dtype, BLOCKED)).transpose()?;
    let padding = heads.mask.map(|mask| padding(d, mask, keys, dtype)).transpose()?;
    let given = heads.bias.map(|given| bias::from_mask(d, given, dtype, keys)).transpose()?;
    let total = bias::both(d, seen, padding)?;
    let total = bias::both(d, total, given)?;
    let scored = Scored {
        q: heads.q,
        k: heads.k,
        v: heads.v,
        scale: scale(d, width),
        softcap: 0.0,
        bias: total,
        seeing: None,
    };
    let result = scored.write(d)?.result;
    Ok([d.join_heads(result)?, heads.k, heads.v])
}

/// A mask of keys: how many a sequence has, or 1 for each that counts, by query too.
fn padding(d: &mut Draft<'_, '_>, mask: ValueId, keys: usize, dtype: DType) -> Answer<ValueId> {
    let blocked = f64::from(d.node.attrs.float_or("mask_filter_value", -10000.0)).max(BLOCKED);
    let shape = d.dims(mask);
    let integer = d.dtype(mask);
    let seen = match shape[..] {
        [batch] => {
            let lengths = d.reshape(mask, &[batch, 1, 1, 1])?;
            let places: Vec<i64> = (0..keys as i64).collect();
            let places = d.whole("places", integer, &[1, 1, 1, keys], &places);
            d.op("Less", &[places, lengths])?
        }
        [_, k] | [_, _, k] if k == keys => {
            let wide = match shape[..] {
                [batch, length, keys] => vec![batch, 1, length, keys],
                _ => vec![shape[0], 1, 1, keys],
            };
            let mask = d.reshape(mask, &wide)?;
            let none = d.whole("none", integer, &[], &[0]);
            d.op("Greater", &[mask, none])?
        }
        _ => {
            return Err(Reason::Unsupported(format!("a mask of shape {} for {keys} keys", dims(&shape))));
        }
    };
    bias::from_truths(d, seen, dtype, blocked)
}

fn refuse_inputs(d: &Draft<'_, '_>, list: &[(usize, &str)]) -> Answer<()> {
    match list.iter().find(|(i, _)| d.node.input(*i).is_some()) {
        None => Ok(()),
        Some((i, what)) => Err(Reason::Unsupported(format!("input {i} ({what}) is not supported"))),
    }
}

fn multi_head(d: &mut Draft<'_, '_>) -> Answer<Step> {
    infer(&d.builder.graph, d.node, d.outputs.clamp(1, 3))?;
    refuse_inputs(d, &[(9, "cache indirection")])?;
    if d.outputs > 3 {
        return Err(Reason::Unsupported("the scores as an output are not supported".to_owned()));
    }
    let count = d.site().count("num_heads", 0)?;
    let q = d.site().id(0)?;
    let mut parts = match (d.dims(q).len(), d.node.input(1)) {
        // Query, key and value in one: (batch, length, heads, 3, width).
        (5, _) => unpacked(d, q, 3)?,
        (_, None) => return invalid("there is no key"),
        (_, Some(k)) if d.dims(k).len() == 5 => {
            let mut parts = vec![d.split_heads(q, count)?];
            parts.extend(unpacked(d, k, 2)?);
            parts
        }
        (_, Some(k)) => {
            let v = d.site().id(2)?;
            let mut parts = Vec::new();
            for x in [q, k, v] {
                parts.push(if d.dims(x).len() == 4 { x } else { d.split_heads(x, count)? });
            }
            parts
        }
    };
    if let Some(all) = d.node.input(3) {
        let mut from = 0;
        for x in &mut parts {
            let [_, heads, _, width] = d.dims(*x)[..] else { return invalid("a key has not four axes") };
            let own = d.slice(all, 0, from, from + heads * width)?;
            from += heads * width;
            let own = d.reshape(own, &[1, heads, 1, width])?;
            *x = d.op("Add", &[*x, own])?;
        }
    }
    let past = match (d.node.input(6), d.node.input(7)) {
        (Some(k), Some(v)) => Some([k, v]),
        _ => None,
    };
    let heads =
        Heads { q: parts[0], k: parts[1], v: parts[2], past, mask: d.node.input(4), bias: d.node.input(5) };
    let results = attend(d, heads)?;
    Ok(Step::Replaced(results.into_iter().take(d.outputs.max(1)).map(Some).collect()))
}

/// (batch, length, heads, count, width) as `count` of (batch, heads, length, width).
fn unpacked(d: &mut Draft<'_, '_>, x: ValueId, count: usize) -> Answer<Vec<ValueId>> {
    let [batch, length, heads, parts, width] = d.dims(x)[..] else {
        return invalid("a packed tensor has not five axes");
    };
    if parts != count {
        return invalid(format!("a packed tensor of {parts} parts, {count} are needed"));
    }
    (0..count)
        .map(|i| {
            let part = d.slice(x, 3, i, i + 1)?;
            let part = d.reshape(part, &[batch, length, heads, width])?;
            d.transpose(part, &[0, 2, 1, 3])
        })
        .collect()
}

/// One input that weights turn into query, key and value.
fn packed(d: &mut Draft<'_, '_>) -> Answer<Step> {
    infer(&d.builder.graph, d.node, d.outputs.clamp(1, 2))?;
    refuse_inputs(d, &[(6, "a cache of another length")])?;
    if d.node.attrs.int_or("do_rotary", 0) != 0 {
        return Err(Reason::Unsupported("rotary embeddings inside of it are not supported".to_owned()));
    }
    let count = d.site().count("num_heads", 0)?;
    let (x, weights) = (d.site().id(0)?, d.site().id(1)?);
    let mut all = d.op("MatMul", &[x, weights])?;
    if let Some(bias) = d.node.input(2) {
        all = d.op("Add", &[all, bias])?;
    }
    let wide = d.dims(all)[2];
    let sizes: Vec<usize> = match d.node.attrs.ints("qkv_hidden_sizes") {
        Some(list) if list.len() == 3 => list.iter().map(|s| *s as usize).collect(),
        _ => vec![wide / 3; 3],
    };
    if sizes.iter().try_fold(0usize, |sum, size| sum.checked_add(*size)) != Some(wide) {
        return invalid(format!("{wide} columns of weights for query, key and value of {sizes:?}"));
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for size in sizes {
        let part = d.slice(all, 2, from, from + size)?;
        parts.push(d.split_heads(part, count)?);
        from += size;
    }
    let past = match d.node.input(4) {
        Some(past) => {
            let shape = d.dims(past);
            let halves = d.parts(past, 0, 2)?;
            let [keys, values] = [d.reshape(halves[0], &shape[1..])?, d.reshape(halves[1], &shape[1..])?];
            Some([keys, values])
        }
        None => None,
    };
    let heads =
        Heads { q: parts[0], k: parts[1], v: parts[2], past, mask: d.node.input(3), bias: d.node.input(5) };
    let [result, k, v] = attend(d, heads)?;
    let mut outputs = vec![Some(result)];
    if d.outputs > 1 {
        let mut both = Vec::new();
        for x in [k, v] {
            let shape: Vec<usize> = [1].into_iter().chain(d.dims(x)).collect();
            both.push(d.reshape(x, &shape)?);
        }
        outputs.push(Some(d.concat(&both, 0)?));
    }
    Ok(Step::Replaced(outputs))
}
