//! The decode loop: tokens in, logits out, part by part.

use std::sync::Arc;

use qnn_llm::deployment::{Deployment, Embedding, HEAD_GRAPH, KEY_BIAS_ANGLES, graph_name};

use super::cache::Cache;
use super::chunks::{self, Chunk};
use super::embedding::Table;
use super::tables::{Mask, Rope};
use crate::{F16, Result, Tensor, TensorMut};

/// What executes graphs: the loaded parts of a model. Tests have another, that computes what it should.
pub(super) trait Execute {
    /// Executes a graph of a part.
    fn execute(
        &self,
        part: usize,
        graph: &str,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<()>;

    /// Whether the graphs of a part ask for the angles of biases of keys.
    fn turns_key_biases(&self, _part: usize) -> bool {
        false
    }
}

/// Called with the position of a token and the logits after it.
pub(super) type Each<'a> = &'a mut dyn FnMut(usize, &[F16]);

/// What does not change from session to session.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) deployment: Deployment,
    pub(super) rope: Rope,
    /// `None` where the graphs have the embedding.
    pub(super) table: Option<Table>,
}

impl Fixed {
    /// Whether the head is a part of its own.
    fn separate_head(&self) -> bool {
        self.deployment.parts.last().is_some_and(|part| part.layers == 0)
    }
}

/// The buffers of one sequence. Everything is allocated here, once.
#[derive(Debug)]
pub(super) struct Decoder<E> {
    execute: E,
    fixed: Arc<Fixed>,
    graphs: Vec<String>,
    masks: Vec<Mask>,
    cache: Cache,
    /// Input of the first part where it has the embedding.
    tokens: Vec<i32>,
    /// What a part reads, and what it writes for the next.
    hidden: [Vec<F16>; 2],
    /// Rows of logits: of one token where the head is a part of its own, else of all of a step.
    logits: Vec<F16>,
    /// Which row of `logits` is of the last token.
    last: usize,
}

impl<E: Execute> Decoder<E> {
    pub(super) fn new(execute: E, fixed: Arc<Fixed>) -> Decoder<E> {
        let deployment = &fixed.deployment;
        let largest = deployment.tokens.iter().copied().max().unwrap_or(1);
        let (hidden, vocabulary) = (deployment.config.hidden, deployment.config.vocabulary);
        let logit_rows = if fixed.separate_head() { 1 } else { largest };
        Decoder {
            graphs: deployment.tokens.iter().map(|size| graph_name(*size)).collect(),
            masks: deployment.tokens.iter().map(|size| Mask::new(deployment.context, *size)).collect(),
            cache: Cache::new(deployment, largest),
            tokens: vec![0; if deployment.embedding == Embedding::Graph { largest } else { 0 }],
            hidden: [0; 2].map(|_| vec![F16::default(); largest * hidden]),
            logits: vec![F16::default(); logit_rows * vocabulary],
            last: 0,
            execute,
            fixed,
        }
    }

    /// Tokens that were fed.
    pub(super) fn past(&self) -> usize {
        self.cache.past()
    }

    /// Bytes of the key and value cache.
    pub(super) fn cache_bytes(&self) -> usize {
        self.cache.bytes()
    }

    /// Forgets all but the first `past` tokens.
    pub(super) fn truncate(&mut self, past: usize) {
        self.cache.truncate(past);
    }

    /// Feeds the next of `tokens`, as many as one graph takes, and tells how many these were: fewer than all when the context is
    /// full. `each` is called for every token; without it logits are computed when all of `tokens` are fed, for the last.
    pub(super) fn step(&mut self, tokens: &[u32], mut each: Option<Each<'_>>) -> Result<usize> {
        let deployment = &self.fixed.deployment;
        let past = self.past();
        let Some(chunk) = chunks::next(&deployment.tokens, deployment.context, past, tokens.len()) else {
            return Ok(0);
        };
        self.cache.lay_out(chunk.size);
        self.embed(&tokens[..chunk.used], chunk);
        for part in 0..self.fixed.deployment.parts.len() {
            if self.fixed.deployment.parts[part].layers > 0 {
                self.layers(part, chunk)?;
                self.hidden.swap(0, 1);
            }
        }
        self.cache.append(chunk.size, chunk.used);

        let vocabulary = self.fixed.deployment.config.vocabulary;
        let rows = match (&each, chunk.used == tokens.len()) {
            (Some(_), _) => 0..chunk.used,
            (None, true) => chunk.used - 1..chunk.used,
            (None, false) => 0..0,
        };
        for row in rows {
            self.last = row;
            if self.fixed.separate_head() {
                self.head(row)?;
                self.last = 0;
            }
            if let Some(each) = &mut each {
                each(past + row, &self.logits[self.last * vocabulary..][..vocabulary]);
            }
        }
        Ok(chunk.used)
    }

    /// Logits after the last token of the last [`Decoder::step`] that computed them.
    pub(super) fn logits(&self) -> &[F16] {
        let vocabulary = self.fixed.deployment.config.vocabulary;
        &self.logits[self.last * vocabulary..][..vocabulary]
    }

    /// Writes the first part's input. Padding is token 0 or zeros: nothing sees it, but it must be finite.
    fn embed(&mut self, tokens: &[u32], chunk: Chunk) {
        match &self.fixed.table {
            Some(table) => {
                let width = self.fixed.deployment.config.hidden;
                table.look_up(tokens, &mut self.hidden[0]);
                self.hidden[0][chunk.used * width..chunk.size * width].fill(F16::default());
            }
            None => {
                self.tokens[..chunk.size].fill(0);
                for (to, token) in self.tokens.iter_mut().zip(tokens) {
                    *to = *token as i32;
                }
            }
        }
    }

    fn layers(&mut self, part: usize, chunk: Chunk) -> Result<()> {
        let Decoder { execute, fixed, graphs, masks, cache, tokens, hidden, logits, .. } = self;
        let (deployment, size) = (&fixed.deployment, chunk.size);
        let (width, vocabulary) = (deployment.config.hidden, deployment.config.vocabulary);
        let described = &deployment.parts[part];
        let past = cache.past();

        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let [given, made] = hidden;
        inputs.push(match part == 0 && fixed.table.is_none() {
            true => ("tokens", Tensor::i32(&tokens[..size])),
            false => ("hidden", Tensor::f16(&given[..size * width])),
        });
        inputs.push(("mask", Tensor::f16(masks[chunk.graph].with_past(past))));
        inputs.push(("cos", Tensor::f16(fixed.rope.cos(past, size))));
        inputs.push(("sin", Tensor::f16(fixed.rope.sin(past, size))));
        if execute.turns_key_biases(part) {
            let angles = fixed.rope.bias(past, size);
            inputs.extend(KEY_BIAS_ANGLES.into_iter().zip(angles.map(Tensor::f16)));
        }
        outputs.push(match described.head {
            true => ("logits", TensorMut::f16(&mut logits[..size * vocabulary])),
            false => ("hidden.out", TensorMut::f16(&mut made[..size * width])),
        });
        let layers = described.first_layer..described.first_layer + described.layers;
        cache.bind(layers, size, &mut inputs, &mut outputs);
        execute.execute(part, &graphs[chunk.graph], &inputs, &mut outputs)
    }

    /// The head of its own on one row of the last layers' output.
    fn head(&mut self, row: usize) -> Result<()> {
        let width = self.fixed.deployment.config.hidden;
        let inputs = [("hidden", Tensor::f16(&self.hidden[0][row * width..][..width]))];
        let mut outputs = [("logits", TensorMut::f16(&mut self.logits))];
        self.execute.execute(self.fixed.deployment.parts.len() - 1, HEAD_GRAPH, &inputs, &mut outputs)
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
