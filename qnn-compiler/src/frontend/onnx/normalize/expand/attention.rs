//! Attention of the standard.

use super::super::table::{Draft, Row, Step, row};
use super::bias::{self, NEARLY_BLOCKED, Sight, Start};
use crate::graph::{Attr, DType, ValueId};
use crate::infer::{Answer, infer, invalid};

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
    pub(super) fn write(self, d: &mut Draft<'_, '_>) -> Answer<Stages> {
        let (q, k) = (d.dims(self.q), d.dims(self.k));
        let ([batch, heads, length, width], [_, shared, keys, _]) = (&q[..], &k[..]) else {
            return invalid("queries and keys of attention have four axes");
        };
        let (batch, heads, length, width, shared, keys) = (*batch, *heads, *length, *width, *shared, *keys);
        let group = heads / shared.max(1);
        // The scale goes to the smaller factor: before the product it also keeps the scores in fp16's range.
        let mut q = if self.scale == 1.0 { self.q } else { d.with("Mul", self.q, self.scale)? };
        q = d.reshape(q, &[batch, shared, group * length, width])?;
        let turned = d.transpose(self.k, &[0, 1, 3, 2])?;
        let product = d.op("MatMul", &[q, turned])?;
        let scores = d.reshape(product, &[batch, heads, length, keys])?;
        let mut bent = scores;
        if self.softcap > 0.0 {
            bent = d.with("Mul", bent, 1.0 / self.softcap)?;
            bent = d.op("Tanh", &[bent])?;
            bent = d.with("Mul", bent, self.softcap)?;
        }
        let biased = match self.bias {
            Some(bias) => d.op("Add", &[bent, bias])?,
            None => bent,
        };
        let mut weights = d.op_with("Softmax", &[biased], &[("axis", Attr::Int(3))])?;
        if let Some(seeing) = self.seeing {
            weights = d.op("Mul", &[weights, seeing])?;
        }
        let rows = d.reshape(weights, &[batch, shared, group * length, keys])?;
        let mixed = d.op("MatMul", &[rows, self.v])?;
        let wide = d.dims(self.v)[3];
        let result = d.reshape(mixed, &[batch, heads, length, wide])?;
        Ok(Stages { scores, bent, biased, weights, result })
    }
}

/// The attribute `scale`, or what it is where it is left out.
pub(super) fn scale(d: &Draft<'_, '_>, width: usize) -> f64 {
    match d.node.attrs.float_or("scale", 0.0) {
        0.0 => 1.0 / (width as f64).sqrt(),
        scale => scale.into(),
    }
}

/// An attribute that bounds a window; negative where it does not.
pub(super) fn bound(d: &Draft<'_, '_>, name: &str) -> Option<usize> {
    usize::try_from(d.node.attrs.int_or(name, -1)).ok()
}

fn attention(d: &mut Draft<'_, '_>) -> Answer<Step> {
    infer(&d.builder.graph, d.node, d.outputs.max(1))?;
    let folded = d.site().rank(0)? == 3;
    let mut qkv = [d.site().id(0)?, d.site().id(1)?, d.site().id(2)?];
    if folded {
        for (x, count) in qkv.iter_mut().zip(["q_num_heads", "kv_num_heads", "kv_num_heads"]) {
            let heads = d.site().count(count, 0)?;
            *x = d.split_heads(*x, heads)?;
        }
    }
    let [q, mut k, mut v] = qkv;
    let past = d.node.input(4);
    if let (Some(keys), Some(values)) = (past, d.node.input(5)) {
        k = d.concat(&[keys, k], 2)?;
        v = d.concat(&[values, v], 2)?;
    }
    let (queries, width, keys) = (d.dims(q)[2], d.dims(q)[3], d.dims(k)[2]);
    let dtype = d.dtype(q);
    let start = match (past, d.node.input(6)) {
        (Some(past), _) => Start::At(d.dims(past)[2]),
        (None, Some(lengths)) => Start::Lengths(lengths),
        (None, None) => Start::At(0),
    };
    let causal = d.node.attrs.int_or("is_causal", 0) != 0;
    let ahead = bound(d, "right_window_size");
    let view = Sight {
        queries,
        keys,
        back: bound(d, "left_window_size"),
        ahead: if causal { Some(0) } else { ahead },
    };
    let seen = bias::sight(d, view, start)?;
    let seen = seen.map(|seen| bias::from_truths(d, seen, dtype, bias::BLOCKED)).transpose()?;
    let mask = d.node.input(3).map(|mask| bias::from_mask(d, mask, dtype, keys)).transpose()?;
    let total = bias::both(d, seen, mask)?;
    let seeing = total.map(|total| bias::seeing(d, total, keys)).transpose()?.flatten();
    let scored = Scored {
        q,
        k,
        v,
        scale: scale(d, width),
        softcap: d.node.attrs.float_or("softcap", 0.0).into(),
        bias: total,
        seeing,
    };
    let stages = scored.write(d)?;
    let result = if folded { d.join_heads(stages.result)? } else { stages.result };
    let mut outputs = vec![Some(result), Some(k), Some(v)];
    if d.outputs > 3 {
        outputs.push(Some(match d.node.attrs.int_or("qk_matmul_output_mode", 0) {
            0 => stages.scores,
            1 => stages.bent,
            2 => unbounded(d, stages.biased, total, dtype)?,
            3 => stages.weights,
            mode => return invalid(format!("attribute qk_matmul_output_mode is {mode}")),
        }));
    }
    outputs.truncate(d.outputs);
    Ok(Step::Replaced(outputs))
}

/// The scores with their bias as the model means it: blocked keys have minus infinity.
fn unbounded(d: &mut Draft<'_, '_>, biased: ValueId, bias: Option<ValueId>, dtype: DType) -> Answer<ValueId> {
    let Some(bias) = bias else { return Ok(biased) };
    let values = d.builder.graph.const_f32(bias);
    if values.is_some_and(|values| values.iter().all(|v| f64::from(*v) > NEARLY_BLOCKED)) {
        return Ok(biased);
    }
    let limit = d.floats("limit", dtype, &[], &[NEARLY_BLOCKED]);
    let blocked = d.op("Less", &[bias, limit])?;
    let least = d.floats("least", dtype, &[], &[f64::NEG_INFINITY]);
    d.op("Where", &[blocked, least, biased])
}
