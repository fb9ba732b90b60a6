//! The KV cache.

use std::ops::Range;

use qnn_llm::deployment::{Deployment, Heads};

use super::decoder::Float;
use crate::{Tensor, TensorMut};

/// Keys and values of all layers, allocated once. Past rows are contiguous from row 0 of each head, so one buffer is the input of
/// every graph: with `tokens` new ones a graph reads `context - tokens` rows of it.
///
/// With fused heads a tensor has all heads, and where a head begins depends on the graph: rows are moved when the graph
/// changes. Rows beyond the past are not seen, but multiplied by zero: they must be finite, so they are never uninitialized.
#[derive(Debug)]
pub(super) struct Cache<F> {
    context: usize,
    head_dim: usize,
    /// Heads in a tensor.
    heads: usize,
    /// Tensors of a layer, keys and values.
    per_layer: usize,
    tensors: Vec<Kv<F>>,
    /// Rows of a head in the present layout.
    rows: usize,
    /// Tokens in the past. The last one of a full context has no rows: nothing can follow that would see them.
    past: usize,
}

#[derive(Debug)]
struct Kv<F> {
    input: String,
    output: String,
    past: Vec<F>,
    new: Vec<F>,
}

impl<F: Float> Cache<F> {
    /// An empty past for graphs of up to `tokens` tokens.
    pub(super) fn new(deployment: &Deployment, tokens: usize) -> Cache<F> {
        let config = &deployment.config;
        let (heads, per_layer) = match deployment.heads {
            Heads::Split => (1, 2 * config.kv_heads),
            Heads::Fused => (config.kv_heads, 2),
        };
        let row = heads * config.head_dim;
        let rows = deployment.context - 1;
        let tensors = (0..config.layers)
            .flat_map(|layer| names(deployment, layer))
            .map(|input| Kv {
                output: format!("{input}.new"),
                input,
                past: vec![F::default(); row * rows],
                new: vec![F::default(); row * tokens],
            })
            .collect();
        Cache {
            context: deployment.context,
            head_dim: config.head_dim,
            heads,
            per_layer,
            tensors,
            rows,
            past: 0,
        }
    }

    /// Tokens in the past.
    pub(super) fn past(&self) -> usize {
        self.past
    }

    /// Bytes of keys and values.
    pub(super) fn bytes(&self) -> usize {
        self.tensors.iter().map(|kv| size_of_val(&kv.past[..])).sum()
    }

    /// Brings the rows into the layout of a graph of so many tokens. The past must fit it.
    pub(super) fn lay_out(&mut self, tokens: usize) {
        let (from, to) = (self.rows, self.context - tokens);
        let (kept, dim) = (self.past.min(from).min(to), self.head_dim);
        if self.heads > 1 && from != to && kept > 0 {
            for kv in &mut self.tensors {
                let mut move_head = |head: usize| {
                    let source = head * from * dim;
                    kv.past.copy_within(source..source + kept * dim, head * to * dim);
                };
                // Each head moves into room that the one before has left.
                if to > from {
                    (1..self.heads).rev().for_each(&mut move_head);
                } else {
                    (1..self.heads).for_each(&mut move_head);
                }
            }
        }
        self.rows = to;
    }

    /// Inputs and outputs of some layers for a graph of so many tokens, in whose layout the rows are.
    pub(super) fn bind<'a>(
        &'a mut self,
        layers: Range<usize>,
        tokens: usize,
        inputs: &mut Vec<(&'a str, Tensor<'a>)>,
        outputs: &mut Vec<(&'a str, TensorMut<'a>)>,
    ) {
        let row = self.heads * self.head_dim;
        let (past, new) = (row * self.rows, row * tokens);
        for kv in &mut self.tensors[layers.start * self.per_layer..layers.end * self.per_layer] {
            inputs.push((&kv.input, Tensor::of(&kv.past[..past])));
            outputs.push((&kv.output, TensorMut::of(&mut kv.new[..new])));
        }
    }

    /// Appends the first `used` of the `tokens` new rows that the graphs have written.
    pub(super) fn append(&mut self, tokens: usize, used: usize) {
        if self.past + used > self.rows {
            self.lay_out(1);
        }
        let (dim, rows) = (self.head_dim, self.rows);
        let fitting = used.min(rows - self.past.min(rows));
        for kv in &mut self.tensors {
            for head in 0..self.heads {
                let to = (head * rows + self.past) * dim;
                let from = head * tokens * dim;
                kv.past[to..to + fitting * dim].copy_from_slice(&kv.new[from..from + fitting * dim]);
            }
        }
        self.past += used;
    }

    /// Forgets all but the first `past` tokens. What is forgotten becomes zero: it might not have been finite.
    pub(super) fn truncate(&mut self, past: usize) {
        let kept = past.min(self.past);
        if kept == 0 {
            self.tensors.iter_mut().for_each(|kv| kv.past.fill(F::default()));
        }
        let (dim, rows, last) = (self.head_dim, self.rows, self.past.min(self.rows));
        for kv in &mut self.tensors {
            for head in 0..self.heads {
                let head = head * rows;
                kv.past[(head + kept.min(last)) * dim..(head + last) * dim].fill(F::default());
            }
        }
        self.past = kept;
    }
}

/// Names of a layer's past tensors, in the order of the cache.
pub(super) fn names(deployment: &Deployment, layer: usize) -> Vec<String> {
    match deployment.heads {
        Heads::Fused => vec![format!("k.{layer}"), format!("v.{layer}")],
        Heads::Split => (0..deployment.config.kv_heads)
            .flat_map(|head| [format!("k.{layer}.{head}"), format!("v.{layer}.{head}")])
            .collect(),
    }
}
