//! Attention and what transformer exporters put around it.

use super::site::{Answer, Site, dim, dims, invalid, one};
use crate::graph::TensorType;

pub(crate) fn first(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    one(x.dtype, x.shape.clone())
}

/// The result, and the last places of the input before it, one fewer than the kernel is wide.
pub(crate) fn causal(site: &Site<'_>) -> Answer {
    let (x, w) = (site.ty(0)?, site.ty(1)?);
    let (&[batch, channels, _], &[.., width]) = (&x.shape[..], &w.shape[..]) else {
        return invalid(format!("input {} with weight {}", dims(&x.shape), dims(&w.shape)));
    };
    let state = TensorType::new(x.dtype, [batch, channels, width.saturating_sub(1)]);
    Ok(vec![x.clone(), state])
}

/// The result, and the sum that it is of.
pub(crate) fn with_sum(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    Ok(vec![x.clone(), x.clone()])
}

/// Batch, heads, length and width of a query, key or value: four axes, or three with the heads folded into the last.
fn heads(site: &Site<'_>, i: usize, count: &str) -> Answer<[usize; 4]> {
    let ty = site.ty(i)?;
    match ty.shape[..] {
        [b, h, s, d] => Ok([b, h, s, d]),
        [b, s, wide] => match site.count(count, 0)? {
            h if h > 0 && wide % h == 0 => Ok([b, h, s, wide / h]),
            h => invalid(format!("{} split into {h} heads", dims(&ty.shape))),
        },
        _ => invalid(format!("input {i} has shape {}", dims(&ty.shape))),
    }
}

/// Inputs: query, key, value, mask, past key, past value. Outputs: result, present key, present value, scores.
pub(crate) fn attention(site: &Site<'_>) -> Answer {
    let q = site.ty(0)?;
    let [b, hq, s, d] = heads(site, 0, "q_num_heads")?;
    let [_, hk, t, dk] = heads(site, 1, "kv_num_heads")?;
    let [_, _, tv, dv] = heads(site, 2, "kv_num_heads")?;
    if d != dk || t != tv || hk == 0 || hq % hk != 0 {
        return invalid(format!("query {}, key {}", dims(&q.shape), dims(&site.ty(1)?.shape)));
    }
    let past = match site.opt(4) {
        Some(past) => past.shape.get(2).copied().unwrap_or(0),
        None => 0,
    };
    let result = if q.shape.len() == 4 { vec![b, hq, s, dv] } else { vec![b, s, hq * dv] };
    Ok(vec![
        TensorType::new(q.dtype, result),
        TensorType::new(q.dtype, [b, hk, past + t, d]),
        TensorType::new(q.dtype, [b, hk, past + t, dv]),
        TensorType::new(q.dtype, [b, hq, s, past + t]),
    ])
}

/// Inputs: query, key, value, past state. Outputs: result, state.
pub(crate) fn linear(site: &Site<'_>) -> Answer {
    let (q, v) = (site.ty(0)?, site.ty(2)?);
    let (heads, shared) = (site.count("q_num_heads", 0)?, site.count("kv_num_heads", 0)?);
    let (&[b, t, wide], &[_, _, values]) = (&q.shape[..], &v.shape[..]) else {
        return invalid(format!("query {} with value {}", dims(&q.shape), dims(&v.shape)));
    };
    if heads == 0 || shared == 0 || heads % shared != 0 || wide % heads != 0 || values % shared != 0 {
        return invalid(format!("{wide} and {values} elements in {heads} and {shared} heads"));
    }
    let state = site.opt(3).map_or(q.dtype, |state| state.dtype);
    Ok(vec![
        TensorType::new(q.dtype, [b, t, values / shared * heads]),
        TensorType::new(state, [b, shared, wide / heads, values / shared]),
    ])
}

/// One input that weights turn into query, key and value: batch x length x width. Outputs: result, present.
pub(crate) fn packed(site: &Site<'_>) -> Answer {
    let (x, weights) = (site.ty(0)?, site.ty(1)?);
    let (&[b, s, _], &[_, wide]) = (&x.shape[..], &weights.shape[..]) else {
        return invalid(format!("input {} with weights {}", dims(&x.shape), dims(&weights.shape)));
    };
    let width = match site.node.attrs.ints("qkv_hidden_sizes") {
        Some([_, _, v]) => dim(*v)?,
        _ => wide / 3,
    };
    let h = site.count("num_heads", 1)?.max(1);
    let past = site.opt(4).and_then(|p| p.shape.get(3).copied()).unwrap_or(0);
    Ok(vec![
        TensorType::new(x.dtype, [b, s, width]),
        TensorType::new(x.dtype, [2, b, h, past + s, width / h]),
    ])
}

/// Inputs: query (or all three in one tensor), key, value. Outputs: result, present key, present value.
pub(crate) fn multi_head(site: &Site<'_>) -> Answer {
    let q = site.ty(0)?;
    let h = site.count("num_heads", 1)?.max(1);
    let [b, s, width] = match q.shape[..] {
        [b, s, width] => [b, s, width],
        [b, s, h, 3, d] => [b, s, h * d],
        _ => return invalid(format!("query {}", dims(&q.shape))),
    };
    // A value of four axes comes from another attention: batch x heads x length x width of a head.
    // A key of five axes has the value in it: batch x length x heads x 2 x width of a head.
    let (length, value_width) = match (site.opt(2).map(|v| &v.shape[..]), site.opt(1).map(|k| &k.shape[..])) {
        (Some([_, t, w]), _) => (*t, *w),
        (Some([_, heads, t, w]), _) => (*t, heads * w),
        (_, Some([_, t, ..])) => (*t, width),
        _ => (s, width),
    };
    let past = site.opt(6).and_then(|p| p.shape.get(2).copied()).unwrap_or(0);
    Ok(vec![
        TensorType::new(q.dtype, [b, s, value_width]),
        TensorType::new(q.dtype, [b, h, past + length, width / h]),
        TensorType::new(q.dtype, [b, h, past + length, value_width / h]),
    ])
}

/// Inputs: query (or all three in one tensor), key, value, past key, past value. Outputs: result, present key, present value.
pub(crate) fn grouped(site: &Site<'_>) -> Answer {
    let q = site.ty(0)?;
    let (h, kv) = (site.count("num_heads", 0)?, site.count("kv_num_heads", 0)?);
    let [b, s, wide] = q.shape[..] else { return invalid(format!("query {}", dims(&q.shape))) };
    if h == 0 || kv == 0 {
        return invalid("attributes num_heads and kv_num_heads must be positive");
    }
    let size = if site.opt(1).is_some() { wide / h } else { wide / (h + 2 * kv) };
    let result = TensorType::new(q.dtype, [b, s, size * h]);
    // The cache keeps its length where it is given; its own length counts the new entries.
    let present = match site.opt(3) {
        Some(past) if past.shape.len() == 4 => {
            let total = site.opt_ints(6).ok().flatten().and_then(|v| v.first().copied());
            let length = past.shape[2].max(total.map_or(Ok(0), dim)?);
            TensorType::new(past.dtype, [b, kv, length, size])
        }
        _ => TensorType::new(q.dtype, [b, kv, s, size]),
    };
    Ok(vec![result, present.clone(), present])
}

/// Half of the last axis gates the other half.
pub(crate) fn split_gelu(site: &Site<'_>) -> Answer {
    let x = site.ty(0)?;
    match x.shape.split_last() {
        Some((last, outer)) => one(x.dtype, [outer, &[last / 2]].concat()),
        None => invalid("the input has no axes"),
    }
}

/// Inputs: ids, segments, then tables. Outputs: embedding, mask index, sum.
pub(crate) fn embed(site: &Site<'_>) -> Answer {
    let (ids, table) = (site.ty(0)?, site.ty(2)?);
    let (&[b, s], &[_, width]) = (&ids.shape[..], &table.shape[..]) else {
        return invalid(format!("ids {} with a table {}", dims(&ids.shape), dims(&table.shape)));
    };
    let embedded = TensorType::new(table.dtype, [b, s, width]);
    Ok(vec![embedded.clone(), TensorType::new(ids.dtype, [b]), embedded])
}
