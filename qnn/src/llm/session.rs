//! One sequence of tokens and what follows from it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::completion::{Completion, Finish};
use super::decoder::{Decoder, Each};
use super::parts::Parts;
use super::{Chat, Llm, Sampling, error};
use crate::{F16, Result};

/// A sequence: its tokens, their keys and values, and the logits after the last one. Made by [`Llm::session`].
///
/// ```no_run
/// # fn main() -> qnn::Result<()> {
/// use qnn::llm::{Llm, Sampling};
///
/// # let backend = qnn::Backend::htp()?;
/// let llm = Llm::load(&backend, std::path::Path::new("model"))?;
/// let mut session = llm.session();
/// for piece in session.complete("In the beginning", &Sampling::default()) {
///     print!("{}", piece?.text);
/// }
/// println!("\n{}", session.statistics());
/// # Ok(())
/// # }
/// ```
///
/// `Send`, and its memory is allocated once: [`Session::reset`] is cheaper than a new session.
pub struct Session {
    pub(super) llm: Llm,
    decoder: Decoder<Arc<Parts>>,
    /// Tokens whose keys and values are in the cache, and perhaps one more: the last generated, which is fed when one follows.
    tokens: Vec<u32>,
    /// Logits after the last fed token; empty when there are none.
    logits: Vec<f32>,
    statistics: Statistics,
    pub(super) finish: Option<Finish>,
}

/// Counts and times of a session. Times are of executing graphs and what belongs to it, without sampling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Tokens that were fed as prompts.
    pub prompt_tokens: usize,
    /// Time for them.
    pub prompt_time: Duration,
    /// Generated tokens that were fed.
    pub generated_tokens: usize,
    /// Time for them.
    pub generation_time: Duration,
}

impl Statistics {
    /// Prompt tokens a second; `None` before the first.
    pub fn prompt_rate(&self) -> Option<f64> {
        rate(self.prompt_tokens, self.prompt_time)
    }

    /// Generated tokens a second; `None` before the first.
    pub fn generation_rate(&self) -> Option<f64> {
        rate(self.generated_tokens, self.generation_time)
    }
}

fn rate(tokens: usize, time: Duration) -> Option<f64> {
    (tokens > 0 && !time.is_zero()).then(|| tokens as f64 / time.as_secs_f64())
}

/// One line, for example `prompt 14 tokens in 0.52 s (26.9 tokens/s), generated 48 in 4.30 s (11.2 tokens/s)`.
impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut part = |what: &str, time: Duration, rate: Option<f64>| {
            write!(f, "{what} in {:.2} s", time.as_secs_f64())?;
            rate.map_or(Ok(()), |rate| write!(f, " ({rate:.1} tokens/s)"))
        };
        part(&format!("prompt {} tokens", self.prompt_tokens), self.prompt_time, self.prompt_rate())?;
        let generated = format!(", generated {}", self.generated_tokens);
        part(&generated, self.generation_time, self.generation_rate())
    }
}

/// What tokens are counted as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Prompt,
    Generation,
}

impl Session {
    pub(super) fn new(llm: &Llm) -> Session {
        Session {
            decoder: Decoder::new(llm.shared.parts.clone(), llm.shared.fixed.clone()),
            llm: llm.clone(),
            tokens: Vec::with_capacity(llm.context()),
            logits: Vec::with_capacity(llm.config().vocabulary),
            statistics: Statistics::default(),
            finish: None,
        }
    }

    /// Goes on from a text, piece by piece. In an empty session the text begins with the model's `bos` token where its tokenizer
    /// wants one; in another it follows what is there.
    ///
    /// Work is done when a piece is asked for; dropping the iterator stops. Afterwards [`Session::finish`] says why it ended.
    pub fn complete(&mut self, text: &str, sampling: &Sampling) -> Completion<'_> {
        let prompt = self.prompt(text);
        Completion::new(self, prompt, sampling)
    }

    /// Lets the model say what comes next in a conversation. What of it the session knows already, usually all but the last
    /// message, is not computed again; the rest of the session is dropped.
    ///
    /// Add what was said to the conversation afterwards ([`Chat::assistant`]).
    pub fn answer(&mut self, chat: &Chat, sampling: &Sampling) -> Completion<'_> {
        let prompt = self.continued(chat);
        Completion::new(self, prompt, sampling)
    }

    /// Goes on from tokens: as [`Session::complete`], without a tokenizer for the prompt. Where the model has none, pieces have no text.
    pub fn generate(&mut self, tokens: &[u32], sampling: &Sampling) -> Completion<'_> {
        Completion::new(self, Ok(tokens.to_vec()), sampling)
    }

    /// Feeds tokens: computes their keys and values, and the logits after the last.
    ///
    /// # Errors
    /// [`ContextFull`](crate::ErrorKind::ContextFull) and [`UnknownToken`](crate::ErrorKind::UnknownToken) before anything is computed, else as [`crate::Graph::execute`]; after such a
    /// failure [`Session::tokens`] are those that were fed.
    pub fn feed(&mut self, tokens: &[u32]) -> Result<()> {
        self.run(tokens, Phase::Prompt, None)
    }

    /// Feeds tokens as [`Session::feed`] does and calls `each` with the position of each and the logits after it: what perplexity is
    /// computed from.
    ///
    /// # Errors
    /// As [`Session::feed`].
    pub fn feed_each(&mut self, tokens: &[u32], mut each: impl FnMut(usize, &[f32])) -> Result<()> {
        let mut floats = Vec::new();
        self.run(
            tokens,
            Phase::Prompt,
            Some(&mut |position, logits| {
                widen(logits, &mut floats);
                each(position, &floats);
            }),
        )
    }

    /// Logits after the last fed token, one for each token of the vocabulary.
    ///
    /// # Errors
    /// [`NoLogits`](crate::ErrorKind::NoLogits) when nothing was fed, or nothing since [`Session::reset`] or [`Session::truncate`].
    pub fn logits(&self) -> Result<&[f32]> {
        if self.logits.is_empty() { Err(error::no_logits()) } else { Ok(&self.logits) }
    }

    /// All tokens, prompts and generated ones.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Tokens that still fit the context.
    pub fn room(&self) -> usize {
        self.llm.context() - self.tokens.len().min(self.llm.context())
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.truncate(0);
    }

    /// Rolls back to the first `length` tokens; nothing happens when there are no more.
    pub fn truncate(&mut self, length: usize) {
        if length < self.tokens.len() {
            self.tokens.truncate(length);
        }
        if length < self.decoder.past() {
            self.decoder.truncate(length);
            self.logits.clear();
        }
    }

    /// Why the last completion ended; `None` before, and when it was dropped or failed.
    pub fn finish(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// Counts and times since the session was made.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Bytes of the key and value cache.
    pub fn cache_bytes(&self) -> usize {
        self.decoder.cache_bytes()
    }

    /// The model.
    pub fn llm(&self) -> &Llm {
        &self.llm
    }

    /// Tokens that are not fed: the last generated one, or none.
    pub(super) fn pending(&self) -> bool {
        self.tokens.len() > self.decoder.past()
    }

    /// Takes a generated token, to be fed when another is wanted.
    pub(super) fn take(&mut self, token: u32) {
        self.tokens.push(token);
    }

    /// Feeds the last generated token.
    pub(super) fn feed_pending(&mut self) -> Result<()> {
        self.run(&[], Phase::Generation, None)
    }

    fn run(&mut self, tokens: &[u32], phase: Phase, mut each: Option<Each<'_, F16>>) -> Result<()> {
        let (context, fed) = (self.llm.context(), self.decoder.past());
        let vocabulary = self.llm.config().vocabulary;
        if let Some(token) = tokens.iter().find(|token| **token as usize >= vocabulary) {
            return Err(error::unknown_token(*token, vocabulary));
        }
        if self.tokens.len() + tokens.len() > context {
            let (used, given) = (self.tokens.len().min(context), tokens.len().max(1));
            return Err(error::context_full(context, used, given));
        }
        let started = Instant::now();
        self.tokens.extend_from_slice(tokens);
        let mut result = Ok(());
        while self.pending() {
            self.logits.clear();
            let left = &self.tokens[self.decoder.past()..];
            match self.decoder.step(left, each.as_mut().map(|each| &mut **each as Each<'_, F16>)) {
                Ok(_) => {}
                Err(error) => {
                    self.tokens.truncate(self.decoder.past());
                    result = Err(error);
                }
            }
        }
        let count = self.decoder.past() - fed;
        if result.is_ok() && count > 0 {
            widen(self.decoder.logits(), &mut self.logits);
        }
        let (counted, time) = match phase {
            Phase::Prompt => (&mut self.statistics.prompt_tokens, &mut self.statistics.prompt_time),
            Phase::Generation => {
                (&mut self.statistics.generated_tokens, &mut self.statistics.generation_time)
            }
        };
        *counted += count;
        *time += started.elapsed();
        result
    }

    fn prompt(&self, text: &str) -> Result<Vec<u32>> {
        let tokens = self.llm.tokenizer()?.encode(text)?;
        Ok(if self.tokens.is_empty() { self.begun(tokens) } else { tokens })
    }

    /// Puts `bos` before tokens that begin a sequence: where the tokenizer does it, and where there would be nothing else.
    fn begun(&self, mut tokens: Vec<u32>) -> Vec<u32> {
        let text = &self.llm.deployment().text;
        if let Some(bos) = text.bos
            && (text.add_bos || tokens.is_empty())
            && tokens.first() != Some(&bos)
        {
            tokens.insert(0, bos);
        }
        tokens
    }

    /// Drops what of the session is not the beginning of the conversation, and gives what of the conversation is missing.
    fn continued(&mut self, chat: &Chat) -> Result<Vec<u32>> {
        let mut tokens = self.begun(self.llm.tokenizer()?.encode(&chat.prompt()?)?);
        let known = tokens.iter().zip(&self.tokens).take_while(|(a, b)| a == b).count();
        // The last one is computed again where all are known: its logits may be gone.
        let known = known.min(tokens.len().saturating_sub(1));
        self.truncate(known);
        Ok(tokens.split_off(known))
    }
}

fn widen(logits: &[F16], floats: &mut Vec<f32>) {
    floats.clear();
    floats.extend(logits.iter().map(|logit| f32::from(*logit)));
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?}, {} tokens)", self.llm, self.tokens.len())
    }
}
