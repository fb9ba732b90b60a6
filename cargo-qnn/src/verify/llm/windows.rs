//! A text as windows of token ids.

use std::path::Path;

use qnn::llm::Tokenizer;
use qnn_llm::deployment::TextInfo;

use super::{Ready, Request};
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// What makes tokens of a text.
pub(super) struct Source {
    tokenizer: Tokenizer,
    /// Token that begins texts.
    first: Option<u32>,
}

impl Source {
    /// With the `tokenizer.json` in a file.
    pub(super) fn of(tokenizer: Option<&Path>, text: &TextInfo) -> Result<Self> {
        let read =
            |path: &Path| std::fs::read(path).map_err(|error| Failure::io("cannot read", path, &error));
        Self::new(tokenizer.map(read).transpose()?.as_deref(), text)
    }

    /// With the text of a `tokenizer.json`.
    pub(super) fn new(tokenizer: Option<&[u8]>, text: &TextInfo) -> Result<Self> {
        let json = tokenizer.ok_or_else(no_tokenizer)?;
        let tokenizer = Tokenizer::new(json).map_err(unusable)?;
        Ok(Self { tokenizer, first: text.bos.or(text.stop.first().copied()) })
    }
}

fn no_tokenizer() -> Failure {
    Failure::user("the model has no tokenizer, so that its text cannot be read")
        .help("use a file with a tokenizer, or put tokenizer.json beside the weights")
}

fn unusable(error: qnn::Error) -> Failure {
    Failure::user("the tokenizer cannot be used").note(error.to_string())
}

/// The text, held against what the model has to read it with.
pub(super) fn text(request: &Request) -> Result<String> {
    let path = &request.text;
    let bytes = std::fs::read(path).map_err(|error| Failure::io("cannot read", path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(Exit::User, codes::INPUT_FILE, format!("{} is no UTF-8 text", path.display()))
            .note(format!("byte {at} belongs to no character"))
    })?;
    if request.model.facts.llm.as_ref().is_some_and(|facts| facts.tokenizer.is_none()) {
        return Err(no_tokenizer());
    }
    match text.trim().is_empty() {
        true => Err(empty(path)),
        false => Ok(text),
    }
}

fn empty(path: &Path) -> Failure {
    Failure::new(Exit::User, codes::INPUT_FILE, format!("{} holds no text", path.display()))
}

/// The text as token ids, after the token that begins texts where the model has one, cut into windows of the context's length: each
/// is evaluated by itself, and its first token is not predicted.
pub(super) fn cut(text: &str, ready: &Ready, request: &Request) -> Result<Vec<Vec<u32>>> {
    let Source { tokenizer, first } = &ready.source;
    let ids = tokenizer.encode(text).map_err(unusable)?;
    // A text may begin with the token's own name.
    let first = first.filter(|first| ids.first() != Some(first));
    let ids: Vec<u32> = first.into_iter().chain(ids).collect();
    let vocabulary = request.model.facts.llm.as_ref().map_or(usize::MAX, |facts| facts.config.vocabulary);
    if let Some(unknown) = ids.iter().find(|id| **id as usize >= vocabulary) {
        let name = tokenizer.token(*unknown).unwrap_or_default();
        let message =
            format!("the tokenizer gives token {unknown} ({name:?}), and the model has {vocabulary}");
        return Err(Failure::user(message).help("it is the tokenizer of another model"));
    }
    let windows = ids.chunks(ready.context).take(request.windows.unwrap_or(usize::MAX));
    let windows: Vec<Vec<u32>> = windows.map(<[u32]>::to_vec).collect();
    match windows.iter().all(|window| window.len() < 2) {
        true => {
            Err(empty(&request.text).note("two tokens at least are wanted, of which the second is predicted"))
        }
        false => Ok(windows),
    }
}
