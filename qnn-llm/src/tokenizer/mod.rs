//! Tokenizers of GGUF files in the form that the `tokenizers` library reads (`tokenizer.json`).

mod byte_level;
mod check;
mod pre;
mod sentence_piece;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::problem::{Class, Problem};
pub(crate) use byte_level::byte_level;
pub use check::check;

/// Whether texts of a byte-level tokenizer begin with `bos` where the file does not say, by the name of its pre-tokenizer.
pub(crate) fn begins_with_bos(pre: &str) -> bool {
    pre::find(pre).is_some_and(|row| row.add_bos)
}
pub(crate) use sentence_piece::sentence_piece;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

impl Kind {
    /// By its number in GGUF files.
    pub(crate) fn of_number(number: Option<u64>) -> Self {
        match number {
            Some(2) => Self::Unknown,
            Some(3) => Self::Control,
            Some(4) => Self::UserDefined,
            Some(5) => Self::Unused,
            Some(6) => Self::Byte,
            _ => Self::Normal,
        }
    }
}

/// A token of the vocabulary; its id is its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: Kind,
}

/// All tokens.
pub(crate) struct Vocabulary<'a> {
    pub(crate) tokens: Vec<Token<'a>>,
    /// Put before every text.
    bos: Option<&'a str>,
    /// Ids by text. Of equal texts the first counts.
    ids: HashMap<&'a str, usize>,
}

impl<'a> Vocabulary<'a> {
    pub(crate) fn new(tokens: Vec<Token<'a>>, bos: Option<u32>) -> Result<Self, Problem> {
        let bos = bos.and_then(|bos| tokens.get(bos as usize)).map(|token| token.text);
        let mut ids = HashMap::with_capacity(tokens.len());
        for (id, token) in tokens.iter().enumerate() {
            ids.entry(token.text).or_insert(id);
        }
        if tokens.is_empty() {
            return Err(Problem::new(Class::Tokenizer, "the tokenizer has no tokens"));
        }
        Ok(Self { tokens, bos, ids })
    }

    fn id(&self, text: &str) -> Option<usize> {
        self.ids.get(text).copied()
    }

    fn vocab(&self) -> Map<String, Value> {
        self.ids.iter().map(|(text, id)| ((*text).to_owned(), json!(id))).collect()
    }

    /// Tokens that are looked for in a text before anything else.
    fn added(&self) -> Vec<Value> {
        let special = |kind: Kind| match kind {
            Kind::Control | Kind::Unknown => Some(true),
            Kind::UserDefined => Some(false),
            Kind::Normal | Kind::Unused | Kind::Byte => None,
        };
        let tokens = self.tokens.iter().enumerate().filter(|(_, token)| !token.text.is_empty());
        let added = tokens.filter_map(|(id, token)| {
            Some(json!({
                "id": id, "content": token.text, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": special(token.kind)?,
            }))
        });
        added.collect()
    }

    /// The step that puts `bos` before a text.
    fn template(&self) -> Option<Value> {
        let bos = self.bos?;
        let id = self.id(bos)?;
        let token = json!({ "SpecialToken": { "id": bos, "type_id": 0 } });
        let sequence = |name: &str, kind: u32| json!({ "Sequence": { "id": name, "type_id": kind } });
        Some(json!({
            "type": "TemplateProcessing",
            "single": [token, sequence("A", 0)],
            "pair": [token, sequence("A", 0), token, sequence("B", 1)],
            "special_tokens": { bos: { "id": bos, "ids": [id], "tokens": [bos] } },
        }))
    }

    fn file(&self, parts: Parts) -> Value {
        let processors: Vec<Value> = parts.processor.into_iter().chain(self.template()).collect();
        let processor = match processors.len() {
            0 => Value::Null,
            _ => json!({ "type": "Sequence", "processors": processors }),
        };
        json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": self.added(),
            "normalizer": parts.normalizer,
            "pre_tokenizer": parts.pre_tokenizer,
            "post_processor": processor,
            "decoder": parts.decoder,
            "model": parts.model,
        })
    }
}

/// What differs between kinds of tokenizers.
struct Parts {
    normalizer: Value,
    pre_tokenizer: Value,
    processor: Option<Value>,
    decoder: Value,
    model: Value,
}
