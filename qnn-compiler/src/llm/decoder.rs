//! The graph of some layers of a decoder, for a number of tokens per execution. `qnn_llm::deployment` lists its tensors.

use std::ops::Range;

use qnn_llm::deployment::KEY_BIAS_ANGLES;
use qnn_llm::{Config, Heads, Role};

use super::ops::Ops;
use super::weights::{Target, Weights};
use crate::graph::{DType, Graph, ValueId};
use crate::op::Op;
use crate::problem::Result;

/// What a part of a model holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first layer.
    pub first: usize,
    /// How many layers; 0 for a head by itself.
    pub layers: usize,
    /// Whether token ids come in.
    pub embedding: bool,
    /// Whether the last normalization and the head follow.
    pub head: bool,
}

/// The sizes of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Tokens per execution.
    pub tokens: usize,
    /// Positions that are seen, the new ones included.
    pub context: usize,
    /// Whether heads are computed one by one.
    pub heads: Heads,
    /// Whether every layer's hidden state is an output, named by [`layer_output`].
    pub layers: bool,
}

/// Name of the output that is a layer's hidden state.
pub fn layer_output(layer: usize) -> String {
    format!("layers.{layer}.out")
}

/// Writes the graph of a part. `progress` is told how many layers are done.
///
/// # Errors
/// A weight that cannot be read, by tensor.
pub fn build(
    name: &str,
    span: &Span,
    shape: &Shape,
    weights: &Weights<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Graph> {
    let target = weights.target();
    let (float, rotary) = match target {
        Target::Htp { .. } => (DType::F16, Op::HtpRotaryEmbedding),
        Target::Onnx => (DType::F32, Op::RotaryEmbedding),
    };
    let mut decoder = Decoder {
        ops: Ops { graph: Graph::new(name), float, rotary },
        weights,
        config: &weights.model().config,
        shape: *shape,
    };
    decoder.part(span, progress)?;
    Ok(decoder.ops.graph)
}

struct Decoder<'a> {
    ops: Ops,
    weights: &'a Weights<'a>,
    config: &'a Config,
    shape: Shape,
}

/// What every layer sees of the positions.
struct Positions {
    mask: ValueId,
    angles: [ValueId; 2],
    /// Those of biases of keys, where they are added after the rotation.
    bias: Option<[ValueId; 2]>,
}

impl Decoder<'_> {
    fn part(&mut self, span: &Span, progress: &mut dyn FnMut(usize, usize)) -> Result<()> {
        let (tokens, context, hidden) = (self.shape.tokens, self.shape.context, self.config.hidden);
        let float = self.ops.float;
        let mut x = if span.embedding {
            let ids = self.ops.input("tokens", DType::I32, &[tokens]);
            let table = self.weights.embedding(&mut self.ops.graph, float)?;
            self.ops.node(Op::Gather, "embedding", &[table, ids], &[tokens, hidden], &[])
        } else {
            self.ops.input("hidden", float, &[tokens, hidden])
        };
        if span.layers > 0 {
            let mask = self.ops.input("mask", float, &[1, 1, tokens, context]);
            let angle = [1, tokens, self.config.head_dim / 2];
            let angles = ["cos", "sin"].map(|name| self.ops.input(name, float, &angle));
            let mut turns = false;
            for layer in span.first..span.first + span.layers {
                turns |= self.weights.turns_key_bias(layer)?;
            }
            let bias = turns.then(|| KEY_BIAS_ANGLES.map(|name| self.ops.input(name, float, &angle)));
            let positions = Positions { mask, angles, bias };
            for i in 0..span.layers {
                x = self.layer(span.first + i, x, &positions)?;
                if self.shape.layers {
                    self.ops.output(x, layer_output(span.first + i));
                }
                progress(i + 1, span.layers);
            }
        }
        if span.head {
            let gains = self.vector(None, Role::OutputNorm)?;
            x = self.ops.rms_norm("output_norm", x, gains, self.config.rms_epsilon);
            let head = self.weights.head(&mut self.ops.graph)?;
            x = self.ops.linear("head", x, head, None);
            self.ops.output(x, "logits");
        } else {
            self.ops.output(x, "hidden.out");
        }
        Ok(())
    }

    fn layer(&mut self, layer: usize, x: ValueId, positions: &Positions) -> Result<ValueId> {
        let (name, epsilon) = (format!("layers.{layer}"), self.config.rms_epsilon);
        let gains = self.vector(Some(layer), Role::AttentionNorm)?;
        let normal = self.ops.rms_norm(&format!("{name}.attention_norm"), x, gains, epsilon);
        let heads = match self.shape.heads {
            Heads::Split => self.split_attention(layer, normal, positions)?,
            Heads::Fused => self.fused_attention(layer, normal, positions)?,
        };
        let attention = self.linear(layer, Role::Output, "output", heads)?;
        let x = self.ops.binary(Op::Add, &format!("{name}.attention.add"), x, attention);

        let gains = self.vector(Some(layer), Role::FeedForwardNorm)?;
        let normal = self.ops.rms_norm(&format!("{name}.feed_forward_norm"), x, gains, epsilon);
        let gate = self.linear(layer, Role::Gate, "gate", normal)?;
        let up = self.linear(layer, Role::Up, "up", normal)?;
        let shape = self.ops.shape(gate);
        let sigmoid = self.ops.node(Op::Sigmoid, &format!("{name}.gate.sigmoid"), &[gate], &shape, &[]);
        let gate = self.ops.binary(Op::Mul, &format!("{name}.gate.silu"), gate, sigmoid);
        let product = self.ops.binary(Op::Mul, &format!("{name}.gate.up"), gate, up);
        let down = self.linear(layer, Role::Down, "down", product)?;
        Ok(self.ops.binary(Op::Add, &format!("{name}.feed_forward.add"), x, down))
    }

    /// Each head by itself: projections of a head's rows only, so that nothing has to be cut or turned. Returns (tokens, heads *
    /// size).
    fn split_attention(&mut self, layer: usize, x: ValueId, positions: &Positions) -> Result<ValueId> {
        let config = self.config;
        let (size, group) = (config.head_dim, config.heads / config.kv_heads);
        let name = format!("layers.{layer}");
        let mut outputs = Vec::with_capacity(config.heads);
        for kv in 0..config.kv_heads {
            let past = |ops: &mut Ops, which: &str| {
                let shape = [1, 1, self.shape.context - self.shape.tokens, size];
                ops.input(format!("{which}.{layer}.{kv}"), ops.float, &shape)
            };
            let (past_k, past_v) = (past(&mut self.ops, "k"), past(&mut self.ops, "v"));
            let k = self.head(layer, Role::Key, kv, x, positions)?;
            let v = self.head(layer, Role::Value, kv, x, positions)?;
            let keys = self.ops.concat(&format!("{name}.k.{kv}.all"), &[past_k, k], 2);
            let values = self.ops.concat(&format!("{name}.v.{kv}.all"), &[past_v, v], 2);
            self.ops.output(k, format!("k.{layer}.{kv}.new"));
            self.ops.output(v, format!("v.{layer}.{kv}.new"));
            let keys = self.ops.transpose(&format!("{name}.k.{kv}.columns"), keys, &[0, 1, 3, 2]);
            for h in kv * group..(kv + 1) * group {
                let head = format!("{name}.heads.{h}");
                let q = self.head(layer, Role::Query, h, x, positions)?;
                let scores = self.ops.product(&format!("{head}.scores"), q, keys);
                let scores = self.ops.binary(Op::Add, &format!("{head}.masked"), scores, positions.mask);
                let weights = self.ops.softmax(&format!("{head}.softmax"), scores);
                let y = self.ops.product(&format!("{head}.values"), weights, values);
                outputs.push(self.ops.reshape(&format!("{head}.rows"), y, &[self.shape.tokens, size]));
            }
        }
        Ok(self.ops.concat(&format!("{name}.heads"), &outputs, 1))
    }

    /// A head's queries, keys or values, (1, 1, tokens, size), rotated where they are no values.
    fn head(
        &mut self,
        layer: usize,
        role: Role,
        head: usize,
        x: ValueId,
        positions: &Positions,
    ) -> Result<ValueId> {
        let size = self.config.head_dim;
        let name = format!("layers.{layer}.{}.{head}", letter(role));
        let rows = head * size..(head + 1) * size;
        let y = self.projection(layer, role, &name, rows.clone(), x)?;
        let y = self.ops.reshape(&format!("{name}.head"), y, &[1, 1, self.shape.tokens, size]);
        let y = self.positioned(layer, role, &name, y, positions)?;
        self.with_turned_bias(layer, role, &name, rows, y, positions)
    }

    /// Some rows of a projection, and of its bias where that is not added later.
    fn projection(
        &mut self,
        layer: usize,
        role: Role,
        name: &str,
        rows: Range<usize>,
        x: ValueId,
    ) -> Result<ValueId> {
        let weight = self.weights.matrix(&mut self.ops.graph, layer, role, rows.clone(), name)?;
        let later = role == Role::Key && self.weights.turns_key_bias(layer)?;
        let bias = match later {
            true => None,
            false => self.weights.bias(&mut self.ops.graph, layer, role, rows, self.ops.float, name)?,
        };
        Ok(self.ops.linear(name, x, weight, bias))
    }

    /// Keys with their bias, turned and without what is the same at every position, where it is large.
    fn with_turned_bias(
        &mut self,
        layer: usize,
        role: Role,
        name: &str,
        rows: Range<usize>,
        keys: ValueId,
        positions: &Positions,
    ) -> Result<ValueId> {
        let Some(angles) = positions.bias.filter(|_| role == Role::Key) else { return Ok(keys) };
        if !self.weights.turns_key_bias(layer)? {
            return Ok(keys);
        }
        let tokens = self.shape.tokens;
        let bias = self.weights.key_bias(&mut self.ops.graph, layer, rows, tokens, name)?;
        let turned = self.ops.rotate(&format!("{name}.bias.turned"), bias, angles);
        Ok(self.ops.binary(Op::Add, &format!("{name}.biased"), keys, turned))
    }

    /// All heads together. Returns (tokens, heads * size).
    fn fused_attention(&mut self, layer: usize, x: ValueId, positions: &Positions) -> Result<ValueId> {
        let config = self.config;
        let (size, kv_heads, heads) = (config.head_dim, config.kv_heads, config.heads);
        let (tokens, context) = (self.shape.tokens, self.shape.context);
        let group = heads / kv_heads;
        let name = format!("layers.{layer}");
        let past = [1, kv_heads, context - tokens, size];
        let float = self.ops.float;
        let [past_k, past_v] =
            ["k", "v"].map(|which| self.ops.input(format!("{which}.{layer}"), float, &past));
        let q = self.heads(layer, Role::Query, heads, x, positions)?;
        let k = self.heads(layer, Role::Key, kv_heads, x, positions)?;
        let v = self.heads(layer, Role::Value, kv_heads, x, positions)?;
        let keys = self.ops.concat(&format!("{name}.k.all"), &[past_k, k], 2);
        let values = self.ops.concat(&format!("{name}.v.all"), &[past_v, v], 2);
        self.ops.output(k, format!("k.{layer}.new"));
        self.ops.output(v, format!("v.{layer}.new"));
        let keys = self.ops.transpose(&format!("{name}.k.columns"), keys, &[0, 1, 3, 2]);
        // The queries that share keys are rows of one matrix.
        let q = self.ops.reshape(&format!("{name}.q.grouped"), q, &[1, kv_heads, group * tokens, size]);
        let scores = self.ops.product(&format!("{name}.scores"), q, keys);
        let each = [1, heads, tokens, context];
        let scores = self.ops.reshape(&format!("{name}.scores.heads"), scores, &each);
        let scores = self.ops.binary(Op::Add, &format!("{name}.masked"), scores, positions.mask);
        let weights = self.ops.softmax(&format!("{name}.softmax"), scores);
        let grouped = [1, kv_heads, group * tokens, context];
        let weights = self.ops.reshape(&format!("{name}.softmax.grouped"), weights, &grouped);
        let y = self.ops.product(&format!("{name}.values"), weights, values);
        let y = self.ops.reshape(&format!("{name}.values.heads"), y, &[1, heads, tokens, size]);
        let y = self.ops.transpose(&format!("{name}.values.turned"), y, &[0, 2, 1, 3]);
        Ok(self.ops.reshape(&format!("{name}.heads"), y, &[tokens, heads * size]))
    }

    /// Queries, keys or values of all heads, (1, heads, tokens, size).
    fn heads(
        &mut self,
        layer: usize,
        role: Role,
        heads: usize,
        x: ValueId,
        positions: &Positions,
    ) -> Result<ValueId> {
        let (size, tokens) = (self.config.head_dim, self.shape.tokens);
        let name = format!("layers.{layer}.{}", letter(role));
        let y = self.linear(layer, role, letter(role), x)?;
        let y = self.ops.reshape(&format!("{name}.heads"), y, &[1, tokens, heads, size]);
        let y = self.ops.transpose(&format!("{name}.turned"), y, &[0, 2, 1, 3]);
        let y = self.positioned(layer, role, &name, y, positions)?;
        self.with_turned_bias(layer, role, &name, 0..heads * size, y, positions)
    }

    /// Queries and keys normalized where the architecture does that, and turned to their positions. Queries are divided by the
    /// root of a head's size here where that is not in their weights already.
    fn positioned(
        &mut self,
        layer: usize,
        role: Role,
        name: &str,
        x: ValueId,
        positions: &Positions,
    ) -> Result<ValueId> {
        let norm = match role {
            Role::Query => Role::QueryNorm,
            Role::Key => Role::KeyNorm,
            _ => return Ok(x),
        };
        let mut x = x;
        if self.config.qk_norm {
            let gains = self.vector(Some(layer), norm)?;
            x = self.ops.rms_norm(&format!("{name}.norm"), x, gains, self.config.rms_epsilon);
        }
        x = self.ops.rotate(&format!("{name}.rotated"), x, positions.angles);
        if role == Role::Query && !self.weights.scales_queries() {
            let factor = 1.0 / (self.config.head_dim as f64).sqrt();
            let factor = self.ops.number(&format!("{name}.factor"), factor);
            x = self.ops.binary(Op::Mul, &format!("{name}.scaled"), x, factor);
        }
        Ok(x)
    }

    fn linear(&mut self, layer: usize, role: Role, what: &str, x: ValueId) -> Result<ValueId> {
        let name = format!("layers.{layer}.{what}");
        let rows = 0..self.weights.rows(layer, role)?;
        self.projection(layer, role, &name, rows, x)
    }

    fn vector(&mut self, layer: Option<usize>, role: Role) -> Result<ValueId> {
        self.weights.vector(&mut self.ops.graph, layer, role, self.ops.float)
    }
}

fn letter(role: Role) -> &'static str {
    match role {
        Role::Query => "q",
        Role::Key => "k",
        _ => "v",
    }
}
