//! Tokens one after another, as text.

use std::fmt;

use super::session::Session;
use super::text::{Detokenizer, StopTexts};
use super::{Sampler, Sampling};
use crate::Result;

/// A generated token and the text that became whole with it: empty within a character of several tokens, and while a stop text may
/// have begun. The last piece has what was held back; where a stop token ends the answer, that is its token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece {
    /// The token.
    pub token: u32,
    /// The text.
    pub text: String,
}

/// Why a completion ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// The model ended its answer with this token.
    StopToken(u32),
    /// One of [`Sampling::stop`] came.
    StopText(String),
    /// [`Sampling::max_tokens`] were generated.
    MaxTokens,
    /// The context is full.
    ContextFull,
}

impl fmt::Display for Finish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finish::StopToken(token) => write!(f, "stop token {token}"),
            Finish::StopText(text) => write!(f, "stop text {text:?}"),
            Finish::MaxTokens => write!(f, "as many tokens as asked for"),
            Finish::ContextFull => write!(f, "the context is full"),
        }
    }
}

/// An iterator over what a model says: one [`Piece`] a token. Ends after an error.
#[derive(Debug)]
pub struct Completion<'s> {
    session: &'s mut Session,
    next: Next,
    /// Tokens that may still come; `None` is no limit.
    left: Option<usize>,
    ignore_stop_tokens: bool,
    detokenizer: Detokenizer,
    stop: StopTexts,
}

#[derive(Debug)]
enum Next {
    /// Feed the prompt first.
    Prompt(Vec<u32>, Sampler),
    /// Feed the last token first.
    Token(Sampler),
    /// Say what was wrong from the beginning.
    Error(crate::Error),
    Done,
}

impl<'s> Completion<'s> {
    pub(super) fn new(
        session: &'s mut Session,
        prompt: Result<Vec<u32>>,
        sampling: &Sampling,
    ) -> Completion<'s> {
        session.finish = None;
        let next = match prompt.and_then(|prompt| Ok((prompt, Sampler::new(sampling)?))) {
            Ok((prompt, sampler)) => Next::Prompt(prompt, sampler),
            Err(error) => Next::Error(error),
        };
        Completion {
            session,
            next,
            left: sampling.max_tokens,
            ignore_stop_tokens: sampling.ignore_stop_tokens,
            detokenizer: Detokenizer::default(),
            stop: StopTexts::new(&sampling.stop),
        }
    }

    /// The text of all that comes.
    ///
    /// # Errors
    /// The first error of the iteration; what came before it is in [`Session::tokens`].
    pub fn text(self) -> Result<String> {
        self.map(|piece| Ok(piece?.text)).collect()
    }

    fn piece(&mut self, mut sampler: Sampler) -> Result<Option<Piece>> {
        let session = &mut *self.session;
        if self.left == Some(0) {
            session.finish = Some(Finish::MaxTokens);
            return Ok(None);
        }
        let token = sampler.sample(session.logits()?, session.tokens())?;
        // Known before the token is taken: whether it can be fed.
        let full = session.room() == 0;
        if !full {
            session.take(token);
        }
        self.left = self.left.map(|left| left - 1);

        let tokenizer = session.llm.shared.tokenizer.as_ref();
        let mut text = match tokenizer {
            Some(tokenizer) => self.detokenizer.push(tokenizer, token)?,
            None => String::new(),
        };
        let (shown, stop_text) = self.stop.push(&text);
        text = shown;
        let stop_token = !self.ignore_stop_tokens && session.llm.deployment().text.stop.contains(&token);
        let finish = match stop_text {
            Some(stop) => Some(Finish::StopText(stop)),
            None if stop_token => Some(Finish::StopToken(token)),
            None if self.left == Some(0) => Some(Finish::MaxTokens),
            None if full => Some(Finish::ContextFull),
            None => None,
        };
        match &finish {
            None => self.next = Next::Token(sampler),
            Some(Finish::StopText(_)) => {}
            Some(_) => {
                if let Some(tokenizer) = tokenizer {
                    let (shown, stop_text) = self.stop.push(&self.detokenizer.finish(tokenizer)?);
                    text += &shown;
                    if stop_text.is_none() {
                        text += &self.stop.finish();
                    }
                }
            }
        }
        session.finish = finish;
        Ok(Some(Piece { token, text }))
    }
}

impl Iterator for Completion<'_> {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Result<Piece>> {
        let fed = match std::mem::replace(&mut self.next, Next::Done) {
            Next::Done => return None,
            Next::Error(error) => Err(error),
            Next::Prompt(prompt, sampler) => {
                let fed = self.session.feed(&prompt);
                self.detokenizer = Detokenizer::after(self.session.tokens());
                fed.map(|()| sampler)
            }
            Next::Token(sampler) => self.session.feed_pending().map(|()| sampler),
        };
        fed.and_then(|sampler| self.piece(sampler)).transpose()
    }
}

impl std::iter::FusedIterator for Completion<'_> {}
