//! The operator Attention of the ONNX standard.

use super::bias::{self, NEARLY_BLOCKED, Sight, Start};
use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{Attr, DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[row(
    "Attention",
    "MatMul, Softmax, MatMul, with masks, causality, windows and lengths in one Add; heads that share a key are rows of one \
     product; queries that see no key are zero",
    attention,
)];

/// Scaled dot-product attention of (batch, heads, length, width) tensors. Several query heads may share one of the keys'.
pub(super) struct Scored {
    pub(super) q: ValueId,
    pub(super) k: ValueId,
    pub(super) v: ValueId,
    pub(super) scale: f64,
    /// Scores are bent to stay below this; 0 leaves them.
    pub(super) softcap: f64,
    /// Added to the scores.
    pub(super) bias: Option<ValueId>,
    /// A factor of each query's result.
    pub(super) seeing: Option<ValueId>,
}

/// What attention computes on its way.
pub(super) struct Stages {
    pub(super) scores: ValueId,
    pub(super) bent: ValueId,
    pub(super) biased: ValueId,
    pub(super) weights: ValueId,
    pub(super) result: ValueId,
}

impl Scored {
    pub(super) fn write(self, p: &mut Parts<'_, '_>) -> Answer<Stages> {
        let (q, k) = (p.shape(self.q), p.shape(self.k));
        let ([batch, heads, length, width], [_, shared, keys, _]) = (&q[..], &k[..]) else {
            return invalid("queries and keys of attention have four axes");
        };
        let (batch, heads, length, width, shared, keys) = (*batch, *heads, *length, *width, *shared, *keys);
        let group = heads / shared.max(1);
        // The scale goes to the smaller factor: before the product it also keeps the scores in fp16's range.
        let mut q = if self.scale == 1.0 { self.q } else { p.by(Op::Mul, self.q, self.scale)? };
        q = p.reshape(q, &[batch, shared, group * length, width])?;
        let turned = p.transpose(self.k, &[0, 1, 3, 2])?;
        let product = p.op(Op::MatMul, &[q, turned])?;
        let scores = p.reshape(product, &[batch, heads, length, keys])?;
        let mut bent = scores;
        if self.softcap > 0.0 {
            bent = p.by(Op::Mul, bent, 1.0 / self.softcap)?;
            bent = p.op(Op::Tanh, &[bent])?;
            bent = p.by(Op::Mul, bent, self.softcap)?;
        }
        let biased = match self.bias {
            Some(bias) => p.op(Op::Add, &[bent, bias])?,
            None => bent,
        };
        let mut weights = p.with(Op::Softmax, &[biased], [("axis", Attr::Int(3))])?;
        if let Some(seeing) = self.seeing {
            weights = p.op(Op::Mul, &[weights, seeing])?;
        }
        let rows = p.reshape(weights, &[batch, shared, group * length, keys])?;
        let mixed = p.op(Op::MatMul, &[rows, self.v])?;
        let wide = p.shape(self.v)[3];
        let result = p.reshape(mixed, &[batch, heads, length, wide])?;
        Ok(Stages { scores, bent, biased, weights, result })
    }
}

/// The attribute `scale`, or what it is where it is left out.
pub(super) fn scale(p: &Parts<'_, '_>, width: usize) -> f64 {
    match p.node.attrs.float_or("scale", 0.0) {
        0.0 => 1.0 / (width as f64).sqrt(),
        scale => scale.into(),
    }
}

/// An attribute that bounds a window; negative where it does not.
pub(super) fn bound(p: &Parts<'_, '_>, name: &str) -> Option<usize> {
    usize::try_from(p.node.attrs.int_or(name, -1)).ok()
}

fn attention(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let folded = p.site().rank(0)? == 3;
    let mut qkv = [p.site().id(0)?, p.site().id(1)?, p.site().id(2)?];
    if folded {
        for (x, count) in qkv.iter_mut().zip(["q_num_heads", "kv_num_heads", "kv_num_heads"]) {
            let heads = p.site().count(count, 0)?;
            *x = p.split_heads(*x, heads)?;
        }
    }
    let [q, mut k, mut v] = qkv;
    let past = p.node.input(4);
    if let (Some(keys), Some(values)) = (past, p.node.input(5)) {
        k = p.concat(&[keys, k], 2)?;
        v = p.concat(&[values, v], 2)?;
    }
    let (queries, width, keys) = (p.shape(q)[2], p.shape(q)[3], p.shape(k)[2]);
    let dtype = p.dtype(q);
    let start = match (past, p.node.input(6)) {
        (Some(past), _) => Start::At(p.shape(past)[2]),
        (None, Some(lengths)) => Start::Lengths(lengths),
        (None, None) => Start::At(0),
    };
    let causal = p.node.attrs.int_or("is_causal", 0) != 0;
    let ahead = bound(p, "right_window_size");
    let view = Sight {
        queries,
        keys,
        back: bound(p, "left_window_size"),
        ahead: if causal { Some(0) } else { ahead },
    };
    let seen = bias::sight(p, view, start)?;
    let seen = seen.map(|seen| bias::from_truths(p, seen, dtype, bias::BLOCKED)).transpose()?;
    let mask = p.node.input(3).map(|mask| bias::from_mask(p, mask, dtype, keys)).transpose()?;
    let total = bias::both(p, seen, mask)?;
    let seeing = total.map(|total| bias::seeing(p, total, keys)).transpose()?.flatten();
    let scored = Scored {
        q,
        k,
        v,
        scale: scale(p, width),
        softcap: p.node.attrs.float_or("softcap", 0.0).into(),
        bias: total,
        seeing,
    };
    let stages = scored.write(p)?;
    let result = if folded { p.join_heads(stages.result)? } else { stages.result };
    let mut outputs = vec![result, k, v];
    if p.outputs > 3 {
        outputs.push(match p.node.attrs.int_or("qk_matmul_output_mode", 0) {
            0 => stages.scores,
            1 => stages.bent,
            2 => unbounded(p, stages.biased, total, dtype)?,
            3 => stages.weights,
            mode => return invalid(format!("attribute qk_matmul_output_mode is {mode}")),
        });
    }
    outputs.truncate(p.outputs);
    Ok(Some(outputs))
}

/// The scores with their bias as the model means it: blocked keys have minus infinity.
fn unbounded(p: &mut Parts<'_, '_>, biased: ValueId, bias: Option<ValueId>, dtype: DType) -> Answer<ValueId> {
    let Some(bias) = bias else { return Ok(biased) };
    let values = p.known_floats(bias);
    if values.is_some_and(|values| values.iter().all(|v| *v > NEARLY_BLOCKED)) {
        return Ok(biased);
    }
    let limit = p.floats(dtype, &[], &[NEARLY_BLOCKED]);
    let blocked = p.op(Op::Less, &[bias, limit])?;
    let least = p.floats(dtype, &[], &[f64::NEG_INFINITY]);
    p.op(Op::Where, &[blocked, least, biased])
}
