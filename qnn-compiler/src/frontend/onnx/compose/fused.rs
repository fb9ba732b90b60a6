//! Operators that ONNX Runtime's optimizers fused, decomposed again.

use super::parts::Parts;
use super::table::{Row, Written};
use crate::graph::{Attr, DType, ValueId};
use crate::infer::{Answer, Reason, invalid};
use crate::op::Op;

const fn row(op: &'static str, note: &'static str, rule: super::table::Rule) -> Row {
    Row { domain: "com.microsoft", op, note, rule }
}

pub(super) const ROWS: &[Row] = &[
    row("BiasAdd", "Add", bias_add),
    row("BiasSplitGelu", "Add, Gelu of one half, Mul", bias_split_gelu),
    row("EmbedLayerNormalization", "Gather, Add, LayerNormalization", embed),
    row("FusedConv", "Conv, Add, the activation", conv),
    row("FusedGemm", "Gemm, the activation", gemm),
    row("GemmFastGelu", "MatMul, FastGelu", gemm_fast_gelu),
    row("GroupNorm", "GroupNormalization, Swish", group_norm),
    row("SkipGroupNorm", "Add, GroupNormalization, Swish", group_norm),
];

impl Parts<'_, '_> {
    /// Another standard operator in place of this node, with its attributes.
    fn standard(&mut self, op: Op, inputs: usize, without: &[&str]) -> Answer<ValueId> {
        let operands: Vec<ValueId> = self.node.inputs.iter().take(inputs).copied().flatten().collect();
        let mut attrs = self.node.attrs.clone();
        without.iter().for_each(|name| drop(attrs.0.remove(*name)));
        self.like(op, &operands, attrs)
    }

    /// The activation that the node names.
    fn activated(&mut self, x: ValueId, parameters: &[f32]) -> Answer<ValueId> {
        let name = self.node.attrs.str_or("activation", "").to_owned();
        let number = |i: usize, default: f32| parameters.get(i).copied().unwrap_or(default);
        match &*name {
            "" => Ok(x),
            "Relu" | "Tanh" | "Sigmoid" | "Softplus" | "Softsign" => self.op(Op::of("", &name), &[x]),
            "LeakyRelu" => self.with(Op::LeakyRelu, &[x], [("alpha", Attr::Float(number(0, 0.01)))]),
            "HardSigmoid" => {
                let attrs = [("alpha", Attr::Float(number(0, 0.2))), ("beta", Attr::Float(number(1, 0.5)))];
                self.with(Op::HardSigmoid, &[x], attrs)
            }
            "Clip" => {
                let low = self.by(Op::Max, x, number(0, f32::MIN).into())?;
                self.by(Op::Min, low, number(1, f32::MAX).into())
            }
            other => Err(Reason::Unsupported(format!("activation {other} is not supported"))),
        }
    }
}

fn bias_add(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, bias, skip) = (p.site().id(0)?, p.site().id(1)?, p.site().id(2)?);
    let sum = p.op(Op::Add, &[x, bias])?;
    Ok(Some(vec![p.op(Op::Add, &[sum, skip])?]))
}

fn bias_split_gelu(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, bias) = (p.site().id(0)?, p.site().id(1)?);
    let sum = p.op(Op::Add, &[x, bias])?;
    let axis = p.site().rank(0)?.saturating_sub(1);
    let halves = p.pieces(sum, axis, 2)?;
    let gate = p.with(Op::Gelu, &[halves[1]], [("approximate", Attr::Str("none".to_owned()))])?;
    Ok(Some(vec![p.op(Op::Mul, &[halves[0], gate])?]))
}

fn embed(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let rows = [("axis", Attr::Int(0))];
    let (ids, words, places) = (p.site().id(0)?, p.site().id(2)?, p.site().id(3)?);
    let mut sum = p.with(Op::Gather, &[words, ids], rows.clone())?;
    let place = match p.node.input(8) {
        Some(positions) => p.with(Op::Gather, &[places, positions], rows.clone())?,
        None => {
            let length = p.input_shape(0)?[1];
            p.range(places, 0, 0, length)?
        }
    };
    sum = p.op(Op::Add, &[sum, place])?;
    if let (Some(segments), Some(table)) = (p.node.input(1), p.node.input(4)) {
        let segment = p.with(Op::Gather, &[table, segments], rows.clone())?;
        sum = p.op(Op::Add, &[sum, segment])?;
    }
    let (scale, bias) = (p.site().id(5)?, p.site().id(6)?);
    let epsilon = p.node.attrs.float_or("epsilon", 1e-12);
    let attrs = [("axis", Attr::Int(2)), ("epsilon", Attr::Float(epsilon))];
    let y = p.with(Op::LayerNormalization, &[sum, scale, bias], attrs)?;
    let mut values = vec![y];
    if p.outputs > 1 {
        let counts = match p.node.input(7) {
            Some(mask) => p.reduce(Op::ReduceSum, mask, &[1], false)?,
            None => {
                let batch = p.input_shape(0)?[0];
                p.ints(DType::I32, &[batch], &vec![0; batch])
            }
        };
        values.push(p.cast(counts, p.types[1].dtype)?);
    }
    if p.outputs > 2 {
        values.push(sum);
    }
    Ok(Some(values))
}

fn conv(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let mut y = p.standard(Op::Conv, 3, &["activation", "activation_params"])?;
    if let Some(sum) = p.node.input(3) {
        y = p.op(Op::Add, &[y, sum])?;
    }
    let parameters = match p.node.attrs.get("activation_params") {
        Some(Attr::Floats(values)) => values.clone(),
        _ => Vec::new(),
    };
    Ok(Some(vec![p.activated(y, &parameters)?]))
}

fn gemm(p: &mut Parts<'_, '_>) -> Answer<Written> {
    const EXTRA: [&str; 3] = ["activation_alpha", "activation_beta", "activation_gamma"];
    let parameters: Vec<f32> = EXTRA
        .iter()
        .filter_map(|name| match p.node.attrs.get(name) {
            Some(Attr::Float(value)) => Some(*value),
            _ => None,
        })
        .collect();
    let without = [&EXTRA[..], &["activation"]].concat();
    let y = p.standard(Op::Gemm, 3, &without)?;
    Ok(Some(vec![p.activated(y, &parameters)?]))
}

fn gemm_fast_gelu(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, w) = (p.site().id(0)?, p.site().id(1)?);
    let mut y = p.op(Op::MatMul, &[x, w])?;
    if let Some(bias) = p.node.input(2) {
        y = p.op(Op::Add, &[y, bias])?;
    }
    Ok(Some(vec![p.with(Op::Gelu, &[y], [("approximate", Attr::Str("tanh".to_owned()))])?]))
}

/// Channels come last unless the node says otherwise. SkipGroupNorm normalizes a sum, and gives it too.
fn group_norm(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let mut x = p.site().id(0)?;
    let rank = p.shape(x).len();
    if rank < 3 {
        return invalid("the input has not batch, places and channels");
    }
    let last = p.node.attrs.int_or("channels_last", 1) != 0;
    let channels = p.shape(x)[if last { rank - 1 } else { 1 }];
    let mut per_channel = vec![1; rank];
    per_channel[if last { rank - 1 } else { 1 }] = channels;
    for i in [3, 4] {
        let Some(more) = p.node.input(i) else { continue };
        let shape = p.shape(more);
        per_channel[0] = if shape.len() == 2 { shape[0] } else { 1 };
        let fitting = if shape.len() <= 2 { p.reshape(more, &per_channel)? } else { more };
        x = p.op(Op::Add, &[x, fitting])?;
    }
    let sum = x;
    let to_first: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
    let to_last: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
    if last {
        x = p.transpose(x, &to_first)?;
    }
    let (scale, bias) = (p.site().id(1)?, p.site().id(2)?);
    let groups = p.site().count("groups", 0)?;
    let epsilon = p.node.attrs.float_or("epsilon", 1e-5);
    let attrs = [("num_groups", Attr::Int(groups as i64)), ("epsilon", Attr::Float(epsilon))];
    let mut y = p.with(Op::GroupNormalization, &[x, scale, bias], attrs)?;
    if p.node.attrs.int_or("activation", 0) != 0 {
        let gate = p.op(Op::Sigmoid, &[y])?;
        y = p.op(Op::Mul, &[y, gate])?;
    }
    if last {
        y = p.transpose(y, &to_last)?;
    }
    let mut values = vec![y, sum];
    values.truncate(p.outputs.max(1));
    Ok(Some(values))
}
