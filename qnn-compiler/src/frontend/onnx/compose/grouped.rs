//! ONNX Runtime's GroupQueryAttention, as language models have it: rotary embeddings and a cache inside.

use super::attention::{Scored, scale};
use super::bias::{self, BLOCKED, Sight, Start};
use super::cache;
use super::parts::Parts;
use super::rotary::{Angles, rotate};
use super::table::{Row, Written};
use crate::graph::ValueId;
use crate::infer::{Answer, Reason, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[Row {
    domain: "com.microsoft",
    op: "GroupQueryAttention",
    note: "as the standard's Attention with RotaryEmbedding and TensorScatter: the cache keeps its length, or has that of a constant \
           total_sequence_length; no sinks, no quantized cache",
    rule: grouped,
}];

/// Query, key and value of four axes.
fn unpacked(p: &mut Parts<'_, '_>, heads: usize, shared: usize) -> Answer<[ValueId; 3]> {
    let q = p.site().id(0)?;
    if let (Some(k), Some(v)) = (p.node.input(1), p.node.input(2)) {
        return Ok([p.split_heads(q, heads)?, p.split_heads(k, shared)?, p.split_heads(v, shared)?]);
    }
    let all = p.split_heads(q, heads + 2 * shared)?;
    let (first, second) = (heads + shared, heads + 2 * shared);
    Ok([p.range(all, 1, 0, heads)?, p.range(all, 1, heads, first)?, p.range(all, 1, first, second)?])
}

fn grouped(p: &mut Parts<'_, '_>) -> Answer<Written> {
    if p.outputs > 3
        || (11..14).any(|i| p.node.input(i).is_some())
        || p.node.attrs.int_or("smooth_softmax", 0) > 0
    {
        return Err(Reason::Unsupported(
            "sinks, quantized caches and the scores as an output are not supported".to_owned(),
        ));
    }
    let (heads, shared) = (p.site().count("num_heads", 0)?, p.site().count("kv_num_heads", 0)?);
    let [mut q, mut k, v] = unpacked(p, heads, shared)?;
    let (batch, queries, width) = (p.shape(q)[0], p.shape(q)[2], p.shape(q)[3]);
    let past = match (p.node.input(3), p.node.input(4)) {
        (Some(keys), Some(values)) if p.shape(keys).get(2).is_some_and(|length| *length > 0) => {
            Some([keys, values])
        }
        _ => None,
    };
    // Keys of each sequence with the new ones, and how many came before them.
    let (lengths, before) = match past {
        None => (None, None),
        Some(_) => {
            let last = p.site().id(5)?;
            if p.shape(last).iter().product::<usize>() != batch {
                return invalid("seqlens_k has not one number a sequence");
            }
            let last = p.reshape(last, &[batch])?;
            let lengths = p.by(Op::Add, last, 1.0)?;
            (Some(lengths), Some(p.by(Op::Sub, lengths, queries as f64)?))
        }
    };
    if p.node.attrs.int_or("do_rotary", 0) != 0 {
        let positions = match (p.node.input(9), before) {
            (Some(positions), _) => positions,
            (None, None) => {
                let steps: Vec<i64> = (0..batch).flat_map(|_| 0..queries as i64).collect();
                p.ints(crate::graph::DType::I64, &[batch, queries], &steps)
            }
            (None, Some(before)) => {
                let first = p.reshape(before, &[batch, 1])?;
                let steps: Vec<i64> = (0..queries as i64).collect();
                let steps = p.ints(p.dtype(first), &[1, queries], &steps);
                p.op(Op::Add, &[first, steps])?
            }
        };
        let angles = Angles {
            cos: p.site().id(7)?,
            sin: p.site().id(8)?,
            positions: Some(positions),
            interleaved: p.node.attrs.int_or("rotary_interleaved", 0) != 0,
        };
        q = rotate(p, q, &angles)?;
        k = rotate(p, k, &angles)?;
    }
    let (mut keys, mut values) = (k, v);
    if let (Some([old_keys, old_values]), Some(before)) = (past, before) {
        let length = p.types[1].shape[2];
        keys = grown(p, old_keys, k, before, length)?;
        values = grown(p, old_values, v, before, length)?;
    }
    let dtype = p.dtype(q);
    let count = p.shape(keys)[2];
    let window = p.node.attrs.int_or("local_window_size", -1);
    let view = Sight { queries, keys: count, back: usize::try_from(window - 1).ok(), ahead: Some(0) };
    let seen = bias::sight(p, view, lengths.map_or(Start::At(0), Start::Lengths))?;
    let seen = seen.map(|seen| bias::from_truths(p, seen, dtype, BLOCKED)).transpose()?;
    let given = p.node.input(10).map(|given| bias::from_mask(p, given, dtype, count)).transpose()?;
    let total = bias::both(p, seen, given)?;
    let scored = Scored {
        q,
        k: keys,
        v: values,
        scale: scale(p, width),
        softcap: p.node.attrs.float_or("softcap", 0.0).into(),
        bias: total,
        seeing: None,
    };
    let result = scored.write(p)?.result;
    let outputs = [p.join_heads(result)?, keys, values];
    Ok(Some(outputs.into_iter().take(p.outputs.max(1)).collect()))
}

/// A cache of `length` places with the new rows after those that are there. Where it is known that the old ones fill it, nothing
/// is looked for.
fn grown(
    p: &mut Parts<'_, '_>,
    old: ValueId,
    new: ValueId,
    before: ValueId,
    length: usize,
) -> Answer<ValueId> {
    let mut shape = p.shape(old);
    let full = shape[2];
    let at = p.known_ints(before);
    if at.is_some_and(|list| list.iter().all(|n| *n == full as i64)) {
        return p.concat(&[old, new], 2);
    }
    let mut cache = old;
    if length > full {
        shape[2] = length - full;
        let dtype = p.dtype(old);
        let rest = p.floats(dtype, &shape, &vec![0.0; shape.iter().product()]);
        cache = p.concat(&[old, rest], 2)?;
    }
    cache::write(p, cache, new, before, false)
}
