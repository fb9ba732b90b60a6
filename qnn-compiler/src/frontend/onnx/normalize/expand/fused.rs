//! What ONNX Runtime's optimizers fuse, taken apart again.

use super::super::table::{Draft, Row, Step, normalize};
use crate::graph::{Attr, DType, Node, ValueId};
use crate::infer::{Answer, Reason, infer, invalid};

const fn row(op: &'static str, note: &'static str, rule: super::super::table::Rule) -> Row {
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

impl Draft<'_, '_> {
    /// Another standard operator in place of this node, with its attributes: brought into its normal form.
    fn standard(&mut self, op: &str, inputs: Vec<Option<ValueId>>, without: &[&str]) -> Answer<ValueId> {
        let mut node = Node {
            domain: String::new(),
            op: op.to_owned(),
            inputs,
            opset: super::super::OPSET,
            ..self.node.clone()
        };
        node.name = format!("{}.{}", self.node.name, op.to_lowercase());
        without.iter().for_each(|name| drop(node.attrs.0.remove(*name)));
        let name = [node.name.clone()];
        match normalize(self.builder, &mut node, &name)? {
            Step::Keep => self.builder.emit_one(node),
            Step::Replaced(values) => match values.first() {
                Some(Some(id)) => Ok(*id),
                _ => invalid("the node has no output"),
            },
        }
    }

    /// The activation that the node names.
    fn activated(&mut self, x: ValueId, parameters: &[f32]) -> Answer<ValueId> {
        let name = self.node.attrs.str_or("activation", "").to_owned();
        let number = |i: usize, default: f32| parameters.get(i).copied().unwrap_or(default);
        match &*name {
            "" => Ok(x),
            "Relu" | "Tanh" | "Sigmoid" | "Softplus" | "Softsign" => self.op(&name, &[x]),
            "LeakyRelu" => self.op_with(&name, &[x], &[("alpha", Attr::Float(number(0, 0.01)))]),
            "HardSigmoid" => {
                let attrs = [("alpha", Attr::Float(number(0, 0.2))), ("beta", Attr::Float(number(1, 0.5)))];
                self.op_with(&name, &[x], &attrs)
            }
            "Clip" => {
                let low = self.with("Max", x, number(0, f32::MIN).into())?;
                self.with("Min", low, number(1, f32::MAX).into())
            }
            other => Err(Reason::Unsupported(format!("activation {other} is not supported"))),
        }
    }
}

fn bias_add(d: &mut Draft<'_, '_>) -> Answer<Step> {
    let (x, bias, skip) = (d.site().id(0)?, d.site().id(1)?, d.site().id(2)?);
    let sum = d.op("Add", &[x, bias])?;
    Ok(Step::alias(d.op("Add", &[sum, skip])?))
}

fn bias_split_gelu(d: &mut Draft<'_, '_>) -> Answer<Step> {
    let (x, bias) = (d.site().id(0)?, d.site().id(1)?);
    let sum = d.op("Add", &[x, bias])?;
    let axis = d.site().rank(0)?.saturating_sub(1);
    let halves = d.parts(sum, axis, 2)?;
    let gate = d.op_with("Gelu", &[halves[1]], &[("approximate", Attr::Str("none".to_owned()))])?;
    Ok(Step::alias(d.op("Mul", &[halves[0], gate])?))
}

fn embed(d: &mut Draft<'_, '_>) -> Answer<Step> {
    infer(&d.builder.graph, d.node, 3)?;
    let rows = [("axis", Attr::Int(0))];
    let (ids, words, places) = (d.site().id(0)?, d.site().id(2)?, d.site().id(3)?);
    let mut sum = d.op_with("Gather", &[words, ids], &rows)?;
    let place = match d.node.input(8) {
        Some(positions) => d.op_with("Gather", &[places, positions], &rows)?,
        None => {
            let length = d.shape(0)?[1];
            d.slice(places, 0, 0, length)?
        }
    };
    sum = d.op("Add", &[sum, place])?;
    if let (Some(segments), Some(table)) = (d.node.input(1), d.node.input(4)) {
        let segment = d.op_with("Gather", &[table, segments], &rows)?;
        sum = d.op("Add", &[sum, segment])?;
    }
    let (scale, bias) = (d.site().id(5)?, d.site().id(6)?);
    let epsilon = d.node.attrs.float_or("epsilon", 1e-12);
    let attrs = [("axis", Attr::Int(2)), ("epsilon", Attr::Float(epsilon))];
    let y = d.op_with("LayerNormalization", &[sum, scale, bias], &attrs)?;
    let counts = match d.node.input(7).filter(|_| d.outputs > 1) {
        Some(mask) => {
            let axes = d.builder.ints(&format!("{}.axes", d.node.name), &[1]);
            Some(d.op_with("ReduceSum", &[mask, axes], &[("keepdims", Attr::Int(0))])?)
        }
        None if d.outputs > 1 => {
            let batch = d.shape(0)?[0];
            Some(d.whole("none", DType::I32, &[batch], &vec![0; batch]))
        }
        None => None,
    };
    let mut outputs = vec![Some(y), counts, Some(sum)];
    outputs.truncate(d.outputs.max(1));
    Ok(Step::Replaced(outputs))
}

fn conv(d: &mut Draft<'_, '_>) -> Answer<Step> {
    let mut inputs = d.node.inputs.clone();
    inputs.truncate(3);
    let mut y = d.standard("Conv", inputs, &["activation", "activation_params"])?;
    if let Some(sum) = d.node.input(3) {
        y = d.op("Add", &[y, sum])?;
    }
    let parameters = match d.node.attrs.get("activation_params") {
        Some(Attr::Floats(values)) => values.clone(),
        _ => Vec::new(),
    };
    Ok(Step::alias(d.activated(y, &parameters)?))
}

fn gemm(d: &mut Draft<'_, '_>) -> Answer<Step> {
    const EXTRA: [&str; 3] = ["activation_alpha", "activation_beta", "activation_gamma"];
    let parameters: Vec<f32> = EXTRA
        .iter()
        .filter_map(|name| match d.node.attrs.get(name) {
            Some(Attr::Float(value)) => Some(*value),
            _ => None,
        })
        .collect();
    let without = [&EXTRA[..], &["activation"]].concat();
    let y = d.standard("Gemm", d.node.inputs.clone(), &without)?;
    Ok(Step::alias(d.activated(y, &parameters)?))
}

fn gemm_fast_gelu(d: &mut Draft<'_, '_>) -> Answer<Step> {
    let (x, w) = (d.site().id(0)?, d.site().id(1)?);
    let mut y = d.op("MatMul", &[x, w])?;
    if let Some(bias) = d.node.input(2) {
        y = d.op("Add", &[y, bias])?;
    }
    Ok(Step::alias(d.op_with("Gelu", &[y], &[("approximate", Attr::Str("tanh".to_owned()))])?))
}

/// Channels come last unless the node says otherwise. SkipGroupNorm normalizes a sum, and gives it too.
fn group_norm(d: &mut Draft<'_, '_>) -> Answer<Step> {
    let mut x = d.site().id(0)?;
    let rank = d.dims(x).len();
    if rank < 3 {
        return invalid("the input has not batch, places and channels");
    }
    let last = d.node.attrs.int_or("channels_last", 1) != 0;
    let channels = d.dims(x)[if last { rank - 1 } else { 1 }];
    let mut per_channel = vec![1; rank];
    per_channel[if last { rank - 1 } else { 1 }] = channels;
    for i in [3, 4] {
        let Some(more) = d.node.input(i) else { continue };
        let shape = d.dims(more);
        let fitting = match shape.len() {
            1 => d.reshape(more, &per_channel)?,
            2 => {
                per_channel[0] = shape[0];
                d.reshape(more, &per_channel)?
            }
            _ => more,
        };
        x = d.op("Add", &[x, fitting])?;
    }
    let sum = x;
    let to_first: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
    let to_last: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
    if last {
        x = d.transpose(x, &to_first)?;
    }
    let (scale, bias) = (d.site().id(1)?, d.site().id(2)?);
    let groups = d.site().count("groups", 0)?;
    let epsilon = d.node.attrs.float_or("epsilon", 1e-5);
    let attrs = [("num_groups", Attr::Int(groups as i64)), ("epsilon", Attr::Float(epsilon))];
    let mut y = d.op_with("GroupNormalization", &[x, scale, bias], &attrs)?;
    if d.node.attrs.int_or("activation", 0) != 0 {
        let gate = d.op("Sigmoid", &[y])?;
        y = d.op("Mul", &[y, gate])?;
    }
    if last {
        y = d.transpose(y, &to_last)?;
    }
    let mut outputs = vec![Some(y), Some(sum)];
    outputs.truncate(d.outputs.max(1));
    Ok(Step::Replaced(outputs))
}
