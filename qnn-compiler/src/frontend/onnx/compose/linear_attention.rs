//! LinearAttention: a state of keys by values that each token reads and writes.

use super::attention::scale;
use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::ValueId;
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[row(
    "LinearAttention",
    "tokens written out: Exp, Mul and two or three MatMul each; all update rules; up to 1024 tokens",
    linear,
)];

/// The most tokens that are written out.
const MOST_TOKENS: usize = 1024;

fn linear(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (gated, corrected) = match p.node.attrs.str_or("update_rule", "gated_delta") {
        "linear" => (false, false),
        "gated" => (true, false),
        "delta" => (false, true),
        "gated_delta" => (true, true),
        other => return invalid(format!("attribute update_rule is {other}")),
    };
    let (heads, shared) = (p.site().count("q_num_heads", 0)?, p.site().count("kv_num_heads", 0)?);
    let (q, k, v) = (p.input(0)?, p.input(1)?, p.input(2)?);
    let (q, k, v) = (p.split_heads(q, heads)?, p.split_heads(k, shared)?, p.split_heads(v, shared)?);
    let [batch, _, tokens, width] = p.shape(q)[..] else { return invalid("the query has not three axes") };
    let wide = p.shape(v)[3];
    if tokens > MOST_TOKENS {
        return p.refuse(format!("{tokens} tokens; up to {MOST_TOKENS} are written out"));
    }
    let group = heads / shared.max(1);
    let q = p.by(Op::Mul, q, scale(p, width))?;
    let dtype = p.dtype(q);
    // One number a head or one an element of the key: (batch, heads, tokens, 1 or width).
    let decay = match (gated, p.node.input(4)) {
        (false, _) => None,
        (true, Some(decay)) => {
            let decay = p.split_heads(decay, shared)?;
            Some(p.op(Op::Exp, &[decay])?)
        }
        (true, None) => return invalid("the update rule needs a decay"),
    };
    let beta = match (corrected, p.node.input(5)) {
        (false, _) => None,
        (true, Some(beta)) => {
            let own = p.shape(beta).last().copied().unwrap_or(1);
            Some(p.split_heads(beta, own)?)
        }
        (true, None) => return invalid("the update rule needs a beta"),
    };
    let mut state = match p.node.input(3) {
        Some(state) => p.cast(state, dtype).map(Some)?,
        None => None,
    };
    let mut rows = Vec::with_capacity(tokens);
    for t in 0..tokens {
        let at = |p: &mut Parts<'_, '_>, x: ValueId| p.range(x, 2, t, t + 1);
        let (key, mut value) = (at(p, k)?, at(p, v)?);
        if let (Some(decay), Some(old)) = (decay, state) {
            let gate = at(p, decay)?;
            let gate = p.transpose(gate, &[0, 1, 3, 2])?;
            state = Some(p.op(Op::Mul, &[old, gate])?);
        }
        if let Some(beta) = beta {
            if let Some(state) = state {
                let known = p.op(Op::MatMul, &[key, state])?;
                value = p.op(Op::Sub, &[value, known])?;
            }
            let beta = at(p, beta)?;
            value = p.op(Op::Mul, &[value, beta])?;
        }
        let column = p.transpose(key, &[0, 1, 3, 2])?;
        let new = p.op(Op::Mul, &[column, value])?;
        let now = match state {
            Some(old) => p.op(Op::Add, &[old, new])?,
            None => new,
        };
        state = Some(now);
        let query = at(p, q)?;
        let query = p.reshape(query, &[batch, shared, group, width])?;
        let row = p.op(Op::MatMul, &[query, now])?;
        rows.push(p.reshape(row, &[batch, heads, 1, wide])?);
    }
    let all = p.concat(&rows, 2)?;
    let result = p.join_heads(all)?;
    let Some(state) = state else { return invalid("there are no tokens") };
    let state = p.cast(state, p.types.get(1).map_or(dtype, |ty| ty.dtype))?;
    let mut values = vec![result, state];
    values.truncate(p.outputs);
    Ok(Some(values))
}
