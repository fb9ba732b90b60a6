//! The decode loop: tokens in, logits out, part by part.

use std::fmt::Debug;
use std::sync::Arc;

use qnn_llm::deployment::{Deployment, Embedding, HEAD_GRAPH, KEY_BIAS_ANGLES, graph_name};

use super::cache::Cache;
use super::chunks::{self, Chunk};
use super::embedding::Table;
use super::tables::{Mask, Rope};
#[cfg(feature = "compose")]
use super::{error, load};
use crate::{Element, F16, Result, Tensor, TensorMut};

/// What floats are on their way through a model: hidden states, keys and values, masks, angles, logits.
pub trait Float: Element + Default + Debug + From<f32> + Into<f32> {}

impl Float for F16 {}
impl Float for f32 {}

/// What executes the graphs of a model's parts: an NPU or its emulator with what was compiled ([`Session`](super::Session) has
/// these), or another engine to compare with.
pub trait Execute {
    /// Element type of all tensors but the token ids.
    type Float: Float;
    /// What can go wrong.
    type Error;

    /// Executes a graph of a part, by the names of its tensors ([`Deployment`]'s documentation lists them).
    ///
    /// # Errors
    /// The engine's.
    fn execute(
        &self,
        part: usize,
        graph: &str,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<(), Self::Error>;

    /// Whether the graphs of a part ask for the angles of biases of keys.
    fn turns_key_biases(&self, _part: usize) -> bool {
        false
    }
}

/// Called with the position of a token and the logits after it.
pub(super) type Each<'a, F> = &'a mut dyn FnMut(usize, &[F]);

/// What does not change from session to session.
#[derive(Debug)]
pub(super) struct Fixed<F> {
    pub(super) deployment: Deployment,
    pub(super) rope: Rope<F>,
    /// `None` where the graphs have the embedding.
    pub(super) table: Option<Table<F>>,
}

impl<F> Fixed<F> {
    /// Whether the head is a part of its own.
    fn separate_head(&self) -> bool {
        self.deployment.parts.last().is_some_and(|part| part.layers == 0)
    }
}

/// The decode loop of one sequence, over any engine: chunks of tokens, mask, angles, key and value cache.
/// [`Session`](super::Session) runs on it.
///
/// Everything is allocated here, once.
#[derive(Debug)]
pub struct Decoder<E: Execute> {
    execute: E,
    fixed: Arc<Fixed<E::Float>>,
    graphs: Vec<String>,
    masks: Vec<Mask<E::Float>>,
    cache: Cache<E::Float>,
    /// Input of the first part where it has the embedding.
    tokens: Vec<i32>,
    /// What a part reads, and what it writes for the next.
    hidden: [Vec<E::Float>; 2],
    /// Rows of logits: of one token where the head is a part of its own, else of all of a step.
    logits: Vec<E::Float>,
    /// Which row of `logits` is of the last token.
    last: usize,
}

/// What the compiler compares with another engine by.
#[cfg(feature = "compose")]
impl<E: Execute> Decoder<E> {
    /// An empty sequence on an engine that has every part of `deployment`, the embedding in the graphs of the first.
    ///
    /// # Errors
    /// [`LlmDescription`](crate::ErrorKind::LlmDescription) where the description contradicts itself, or has the embedding on the host.
    pub fn over(execute: E, deployment: Deployment) -> Result<Decoder<E>> {
        let wrong =
            |why: String| error::description(&format!("the description of {}", deployment.model), why);
        load::check(&deployment).map_err(wrong)?;
        if deployment.embedding != Embedding::Graph {
            return Err(wrong("the embedding is not in the graphs".to_owned()));
        }
        let angles = (0..deployment.parts.len()).any(|part| execute.turns_key_biases(part));
        let rope = Rope::new(&deployment.config, deployment.context, angles);
        Ok(Decoder::new(execute, Arc::new(Fixed { deployment, rope, table: None })))
    }

    /// Feeds tokens and calls `each` with the position of each and the logits after it. Tells how many were fed: fewer than all when the
    /// context is full.
    ///
    /// # Errors
    /// The engine's.
    pub fn feed_each(
        &mut self,
        tokens: &[u32],
        mut each: impl FnMut(usize, &[E::Float]),
    ) -> Result<usize, E::Error> {
        let mut fed = 0;
        while fed < tokens.len() {
            match self.step(&tokens[fed..], Some(&mut each))? {
                0 => break,
                count => fed += count,
            }
        }
        Ok(fed)
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.truncate(0);
    }

    /// What executes.
    pub fn engine(&self) -> &E {
        &self.execute
    }
}

impl<E: Execute> Decoder<E> {
    pub(super) fn new(execute: E, fixed: Arc<Fixed<E::Float>>) -> Decoder<E> {
        let deployment = &fixed.deployment;
        let largest = deployment.tokens.iter().copied().max().unwrap_or(1);
        let (hidden, vocabulary) = (deployment.config.hidden, deployment.config.vocabulary);
        let logit_rows = if fixed.separate_head() { 1 } else { largest };
        Decoder {
            graphs: deployment.tokens.iter().map(|size| graph_name(*size)).collect(),
            masks: deployment.tokens.iter().map(|size| Mask::new(deployment.context, *size)).collect(),
            cache: Cache::new(deployment, largest),
            tokens: vec![0; if deployment.embedding == Embedding::Graph { largest } else { 0 }],
            hidden: [0; 2].map(|_| vec![E::Float::default(); largest * hidden]),
            logits: vec![E::Float::default(); logit_rows * vocabulary],
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
    pub(super) fn step(
        &mut self,
        tokens: &[u32],
        mut each: Option<Each<'_, E::Float>>,
    ) -> Result<usize, E::Error> {
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
    pub(super) fn logits(&self) -> &[E::Float] {
        let vocabulary = self.fixed.deployment.config.vocabulary;
        &self.logits[self.last * vocabulary..][..vocabulary]
    }

    /// Writes the first part's input. Padding is token 0 or zeros: nothing sees it, but it must be finite.
    fn embed(&mut self, tokens: &[u32], chunk: Chunk) {
        match &self.fixed.table {
            Some(table) => {
                let width = self.fixed.deployment.config.hidden;
                table.look_up(tokens, &mut self.hidden[0]);
                self.hidden[0][chunk.used * width..chunk.size * width].fill(E::Float::default());
            }
            None => {
                self.tokens[..chunk.size].fill(0);
                for (to, token) in self.tokens.iter_mut().zip(tokens) {
                    *to = *token as i32;
                }
            }
        }
    }

    fn layers(&mut self, part: usize, chunk: Chunk) -> Result<(), E::Error> {
        let Decoder { execute, fixed, graphs, masks, cache, tokens, hidden, logits, .. } = self;
        let (deployment, size) = (&fixed.deployment, chunk.size);
        let (width, vocabulary) = (deployment.config.hidden, deployment.config.vocabulary);
        let described = &deployment.parts[part];
        let past = cache.past();

        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let [given, made] = hidden;
        inputs.push(match part == 0 && fixed.table.is_none() {
            true => ("tokens", Tensor::of(&tokens[..size])),
            false => ("hidden", Tensor::of(&given[..size * width])),
        });
        inputs.push(("mask", Tensor::of(masks[chunk.graph].with_past(past))));
        inputs.push(("cos", Tensor::of(fixed.rope.cos(past, size))));
        inputs.push(("sin", Tensor::of(fixed.rope.sin(past, size))));
        if execute.turns_key_biases(part) {
            let angles = fixed.rope.bias(past, size);
            inputs.extend(KEY_BIAS_ANGLES.into_iter().zip(angles.map(Tensor::of)));
        }
        outputs.push(match described.head {
            true => ("logits", TensorMut::of(&mut logits[..size * vocabulary])),
            false => ("hidden.out", TensorMut::of(&mut made[..size * width])),
        });
        let layers = described.first_layer..described.first_layer + described.layers;
        cache.bind(layers, size, &mut inputs, &mut outputs);
        execute.execute(part, &graphs[chunk.graph], &inputs, &mut outputs)
    }

    /// The head of its own on one row of the last layers' output.
    fn head(&mut self, row: usize) -> Result<(), E::Error> {
        let width = self.fixed.deployment.config.hidden;
        let inputs = [("hidden", Tensor::of(&self.hidden[0][row * width..][..width]))];
        let mut outputs = [("logits", TensorMut::of(&mut self.logits))];
        self.execute.execute(self.fixed.deployment.parts.len() - 1, HEAD_GRAPH, &inputs, &mut outputs)
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
