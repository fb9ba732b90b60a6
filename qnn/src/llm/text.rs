//! Text to tokens and back.

use std::panic::AssertUnwindSafe;

use super::error;
use crate::{Error, Result};

/// A model's tokenizer.
#[derive(Debug)]
pub struct Tokenizer(tokenizers::Tokenizer);

/// The mark that stands for bytes that are no character, or not yet.
const BROKEN: char = char::REPLACEMENT_CHARACTER;

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Tokenizer`](crate::ErrorKind::Tokenizer) when the library does not understand it.
    pub fn new(json: &[u8]) -> Result<Tokenizer> {
        qnn_llm::tokenizer::check(json).map_err(error::tokenizer)?;
        let mut tokenizer = guarded(|| tokenizers::Tokenizer::from_bytes(json).map_err(failed))?;
        // A prompt is never shortened in silence, or filled up.
        tokenizer.with_truncation(None).map_err(failed)?;
        tokenizer.with_padding(None);
        Ok(Tokenizer(tokenizer))
    }

    /// The tokens of a text. Names of special tokens in it, such as `<|im_start|>`, become these tokens; none is added.
    ///
    /// # Errors
    /// [`Tokenizer`](crate::ErrorKind::Tokenizer) when the text has what the tokenizer cannot express.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        guarded(|| Ok(self.0.encode_fast(text, false).map_err(failed)?.get_ids().to_vec()))
    }

    /// The text of some tokens, without special tokens. Bytes that are no character become `U+FFFD`.
    ///
    /// # Errors
    /// [`Tokenizer`](crate::ErrorKind::Tokenizer) when the tokenizer's decoder fails.
    pub fn decode(&self, tokens: &[u32]) -> Result<String> {
        guarded(|| self.0.decode(tokens, true).map_err(failed))
    }

    /// Name of a token, as the vocabulary has it.
    pub fn token(&self, token: u32) -> Option<String> {
        self.0.id_to_token(token)
    }

    /// The token of a name.
    pub fn id(&self, name: &str) -> Option<u32> {
        self.0.token_to_id(name)
    }
}

/// Runs code of the library, which a file can bring to panic; nothing of what it worked on is used after that but what it only reads.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(error::tokenizer("the `tokenizers` library failed on it")))
}

fn failed(error: tokenizers::Error) -> Error {
    error::tokenizer(error)
}

/// Text of tokens that come one by one. A character of several tokens is held back until it is whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Detokenizer {
    /// Tokens that decide how the next is written: those whose text came out last, and those whose text is held back.
    window: Vec<u32>,
    /// How many of the window are of the first kind.
    shown: usize,
}

/// Tokens before the first one that can decide how it is written, for example with a space before it.
const LOOK_BACK: usize = 8;

impl Detokenizer {
    /// A stream that goes on after these tokens.
    pub(super) fn after(tokens: &[u32]) -> Detokenizer {
        let window = tokens[tokens.len().saturating_sub(LOOK_BACK)..].to_vec();
        Detokenizer { shown: window.len(), window }
    }

    /// The text that a token completes; empty while a character is not whole.
    pub(super) fn push(&mut self, tokenizer: &Tokenizer, token: u32) -> Result<String> {
        self.window.push(token);
        let text = self.hidden(tokenizer)?;
        if text.is_empty() || text.ends_with(BROKEN) {
            return Ok(String::new());
        }
        // Not into a character: its rest alone would be written as broken.
        if !tokenizer.decode(&self.window[self.shown..])?.starts_with(BROKEN) {
            self.window.drain(..self.shown);
        }
        self.shown = self.window.len();
        Ok(text)
    }

    /// What was held back, at the end.
    pub(super) fn finish(&mut self, tokenizer: &Tokenizer) -> Result<String> {
        let text = self.hidden(tokenizer)?;
        self.shown = self.window.len();
        Ok(text)
    }

    fn hidden(&self, tokenizer: &Tokenizer) -> Result<String> {
        let shown = tokenizer.decode(&self.window[..self.shown])?;
        let all = tokenizer.decode(&self.window)?;
        // Shown text ends with a broken character only when a prompt does; that one is part of what is hidden.
        let shown = shown.trim_end_matches(BROKEN);
        let same = shown.char_indices().zip(all.chars()).take_while(|((_, a), b)| a == b).last();
        let common = same.map_or(0, |((index, c), _)| index + c.len_utf8());
        Ok(all[common..].to_owned())
    }
}

/// Looks for stop texts in a stream, and holds back what may be the beginning of one.
#[derive(Clone, Debug)]
pub(super) struct StopTexts {
    stop: Vec<String>,
    held: String,
}

impl StopTexts {
    pub(super) fn new(stop: &[String]) -> StopTexts {
        StopTexts {
            stop: stop.iter().filter(|text| !text.is_empty()).cloned().collect(),
            held: String::new(),
        }
    }

    /// What can be shown after more text, and the stop text that was found.
    pub(super) fn push(&mut self, text: &str) -> (String, Option<String>) {
        self.held.push_str(text);
        let first = self.stop.iter().filter_map(|stop| Some((self.held.find(stop.as_str())?, stop))).min();
        if let Some((at, stop)) = first {
            let stop = stop.clone();
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), Some(stop));
        }
        let begun = |at: &usize| self.stop.iter().any(|stop| stop.starts_with(&self.held[*at..]));
        let keep = self.held.char_indices().map(|(at, _)| at).find(begun).unwrap_or(self.held.len());
        let held = self.held.split_off(keep);
        (std::mem::replace(&mut self.held, held), None)
    }

    /// What was held back, at the end.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokenizer of the tiny models: bytes, pairs of them, 1024 tokens.
    pub(crate) fn tokenizer() -> Tokenizer {
        Tokenizer::new(include_bytes!("../../tests/llm/tokenizer.json")).unwrap()
    }

    #[test]
    fn text_becomes_the_tokens_that_transformers_makes_of_it() {
        #[derive(serde::Deserialize)]
        struct Case {
            text: String,
            tokens: Vec<u32>,
        }
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/llm/tokens.json")).unwrap();
        assert!(cases.len() >= 8);
        for case in cases {
            assert_eq!(tokenizer().encode(&case.text).unwrap(), case.tokens, "{:?}", case.text);
        }
    }

    #[test]
    fn a_stream_of_tokens_is_their_text_without_broken_characters() {
        let tokenizer = tokenizer();
        for text in
            ["In the beginning", "naïve ☃ and 🦀🦀 end", "🦀", "  two spaces\n\nλόγος", "a<|im_end|>b"]
        {
            let tokens = tokenizer.encode(text).unwrap();
            let mut stream = Detokenizer::default();
            let mut pieces = Vec::new();
            for token in &tokens {
                pieces.push(stream.push(&tokenizer, *token).unwrap());
            }
            assert!(pieces.iter().all(|piece| !piece.contains(BROKEN)), "{pieces:?}");
            pieces.push(stream.finish(&tokenizer).unwrap());
            assert_eq!(pieces.last().unwrap(), "", "all was shown");
            assert_eq!(pieces.concat(), tokenizer.decode(&tokens).unwrap());
        }
    }

    #[test]
    fn a_character_cut_by_the_prompts_end_is_completed_and_one_cut_by_the_end_is_marked() {
        let tokenizer = tokenizer();
        let tokens = tokenizer.encode("x🦀y").unwrap();
        assert_eq!(tokens.len(), 6, "the crab is four tokens");
        let mut stream = Detokenizer::after(&tokens[..3]);
        let pieces: Vec<String> =
            tokens[3..].iter().map(|token| stream.push(&tokenizer, *token).unwrap()).collect();
        assert_eq!(pieces, ["", "🦀", "y"]);

        let mut stream = Detokenizer::after(&tokens[..1]);
        assert_eq!(stream.push(&tokenizer, tokens[1]).unwrap(), "");
        assert!(stream.finish(&tokenizer).unwrap().ends_with(BROKEN));
        // Bytes that never become a character do not hold up what follows.
        assert!(stream.push(&tokenizer, tokens[5]).unwrap().ends_with('y'));
    }

    #[test]
    fn stop_texts_are_found_across_pieces_and_their_beginnings_held_back() {
        let run = |stop: &[&str], pieces: &[&str]| {
            let stop: Vec<String> = stop.iter().map(|text| (*text).to_owned()).collect();
            let mut texts = StopTexts::new(&stop);
            let mut shown = Vec::new();
            for piece in pieces {
                let (text, found) = texts.push(piece);
                shown.push(text);
                if found.is_some() {
                    return (shown, found);
                }
            }
            shown.push(texts.finish());
            (shown, None)
        };
        let shown = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            run(&["\nUser:"], &["yes", "\nUs", "er: no"]),
            (shown(&["yes", "", ""]), Some("\nUser:".into()))
        );
        assert_eq!(run(&["\nUser:"], &["yes\nU", "nder"]), (shown(&["yes", "\nUnder", ""]), None));
        assert_eq!(run(&["ab"], &["xa"]), (shown(&["x", "a"]), None));
        assert_eq!(run(&["b", "ab"], &["xab"]), (shown(&["x"]), Some("ab".into())), "the first place wins");
        assert_eq!(run(&["äö"], &["ä", "ö"]), (shown(&["", ""]), Some("äö".into())));
        assert_eq!(run(&["aab"], &["aa", "ab"]), (shown(&["", "a"]), Some("aab".into())));
        assert_eq!(run(&[""], &["a"]), (shown(&["a", ""]), None), "an empty stop text stops nothing");
    }

    #[test]
    fn a_file_cannot_end_the_app() {
        let tokenizer: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/llm/tokenizer.json")).unwrap();
        let replace = |pattern: &str, content: &str| serde_json::json!({ "type": "Replace", "pattern": { "Regex": pattern }, "content": content });
        let normalizers = [
            replace("", "x"),
            replace("x*", "é"),
            serde_json::json!({ "type": "Sequence", "normalizers": vec![replace("a", "aa"); 31] }),
            serde_json::json!({ "type": "Precompiled", "precompiled_charsmap": "/////wAAAAAA" }),
        ];
        for normalizer in normalizers {
            let mut tokenizer = tokenizer.clone();
            tokenizer["normalizer"] = normalizer.clone();
            let made = Tokenizer::new(tokenizer.to_string().as_bytes());
            // Whatever it says, it comes back.
            let _ = made.and_then(|made| made.encode("naïve a ☃").map(|tokens| made.decode(&tokens)));
        }
    }

    #[test]
    fn what_is_no_tokenizer_is_refused() {
        let error = Tokenizer::new(b"{}").unwrap_err().to_string();
        assert!(error.contains("help: check that tokenizer.json"), "{error}");
    }
}
