//! ONNX Runtime's GroupQueryAttention, as language models have it: rotary embeddings and a cache inside.

use super::super::table::{Draft, Row, Step};
use super::attention::{Scored, scale};
use super::bias::{self, BLOCKED, Sight, Start};
use super::cache;
use super::rotary::{Angles, rotate};
use crate::graph::ValueId;
use crate::infer::{Answer, Reason, infer, invalid};

pub(super) const ROWS: &[Row] = &[Row {
    domain: "com.microsoft",
    op: "GroupQueryAttention",
    note: "as the standard's Attention with RotaryEmbedding and TensorScatter: the cache keeps its length, or has that of a constant \
           total_sequence_length; no sinks, no quantized cache",
    rule: grouped,
}];

/// Query, key and value of four axes.
fn unpacked(d: &mut Draft<'_, '_>, heads: usize, shared: usize) -> Answer<[ValueId; 3]> {
    let q = d.site().id(0)?;
    if let (Some(k), Some(v)) = (d.node.input(1), d.node.input(2)) {
        return Ok([d.split_heads(q, heads)?, d.split_heads(k, shared)?, d.split_heads(v, shared)?]);
    }
    let all = d.split_heads(q, heads + 2 * shared)?;
    let (first, second) = (heads + shared, heads + 2 * shared);
    Ok([d.slice(all, 1, 0, heads)?, d.slice(all, 1, heads, first)?, d.slice(all, 1, first, second)?])
}

fn grouped(d: &mut Draft<'_, '_>) -> Answer<Step> {
    let types = infer(&d.builder.graph, d.node, 3)?;
    if d.outputs > 3
        || (11..14).any(|i| d.node.input(i).is_some())
        || d.node.attrs.int_or("smooth_softmax", 0) > 0
    {
        return Err(Reason::Unsupported(
            "sinks, quantized caches and the scores as an output are not supported".to_owned(),
        ));
    }
    let (heads, shared) = (d.site().count("num_heads", 0)?, d.site().count("kv_num_heads", 0)?);
    let [mut q, mut k, v] = unpacked(d, heads, shared)?;
    let (batch, queries, width) = (d.dims(q)[0], d.dims(q)[2], d.dims(q)[3]);
    let past = match (d.node.input(3), d.node.input(4)) {
        (Some(keys), Some(values)) if d.dims(keys).get(2).is_some_and(|length| *length > 0) => {
            Some([keys, values])
        }
        _ => None,
    };
    // Keys of each sequence with the new ones, and how many came before them.
    let (lengths, before) = match past {
        None => (None, None),
        Some(_) => {
            let last = d.site().id(5)?;
            if d.dims(last).iter().product::<usize>() != batch {
                return invalid("seqlens_k has not one number a sequence");
            }
            let last = d.reshape(last, &[batch])?;
            let lengths = d.with("Add", last, 1.0)?;
            (Some(lengths), Some(d.with("Sub", lengths, queries as f64)?))
        }
    };
    if d.node.attrs.int_or("do_rotary", 0) != 0 {
        let positions = match (d.node.input(9), before) {
            (Some(positions), _) => positions,
            (None, None) => {
                let steps: Vec<i64> = (0..batch).flat_map(|_| 0..queries as i64).collect();
                d.whole("positions", crate::graph::DType::I64, &[batch, queries], &steps)
            }
            (None, Some(before)) => {
                let first = d.reshape(before, &[batch, 1])?;
                let steps: Vec<i64> = (0..queries as i64).collect();
                let steps = d.whole("steps", d.dtype(first), &[1, queries], &steps);
                d.op("Add", &[first, steps])?
            }
        };
        let angles = Angles {
            cos: d.site().id(7)?,
            sin: d.site().id(8)?,
            positions: Some(positions),
            interleaved: d.node.attrs.int_or("rotary_interleaved", 0) != 0,
        };
        q = rotate(d, q, &angles)?;
        k = rotate(d, k, &angles)?;
    }
    let (mut keys, mut values) = (k, v);
    if let (Some([old_keys, old_values]), Some(before)) = (past, before) {
        let length = types[1].shape[2];
        keys = grown(d, old_keys, k, before, length)?;
        values = grown(d, old_values, v, before, length)?;
    }
    let dtype = d.dtype(q);
    let count = d.dims(keys)[2];
    let window = d.node.attrs.int_or("local_window_size", -1);
    let view = Sight { queries, keys: count, back: usize::try_from(window - 1).ok(), ahead: Some(0) };
    let seen = bias::sight(d, view, lengths.map_or(Start::At(0), Start::Lengths))?;
    let seen = seen.map(|seen| bias::from_truths(d, seen, dtype, BLOCKED)).transpose()?;
    let given = d.node.input(10).map(|given| bias::from_mask(d, given, dtype, count)).transpose()?;
    let total = bias::both(d, seen, given)?;
    let scored = Scored {
        q,
        k: keys,
        v: values,
        scale: scale(d, width),
        softcap: d.node.attrs.float_or("softcap", 0.0).into(),
        bias: total,
        seeing: None,
    };
    let result = scored.write(d)?.result;
    let outputs = [d.join_heads(result)?, keys, values];
    Ok(Step::Replaced(outputs.into_iter().take(d.outputs.max(1)).map(Some).collect()))
}

/// A cache of `length` places with the new rows after those that are there. Where it is known that the old ones fill it, nothing
/// is looked for.
fn grown(
    d: &mut Draft<'_, '_>,
    old: ValueId,
    new: ValueId,
    before: ValueId,
    length: usize,
) -> Answer<ValueId> {
    let mut shape = d.dims(old);
    let full = shape[2];
    let at = d.builder.graph.const_i64(before);
    if at.is_some_and(|list| list.iter().all(|n| *n == full as i64)) {
        return d.concat(&[old, new], 2);
    }
    let mut cache = old;
    if length > full {
        shape[2] = length - full;
        let dtype = d.dtype(old);
        let rest = d.floats("rest", dtype, &shape, &vec![0.0; shape.iter().product()]);
        cache = d.concat(&[old, rest], 2)?;
    }
    cache::write(d, cache, new, before, false)
}
