//! What a `tokenizer.json` may ask for: it comes with a model, from strangers, and the library that reads it believes it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::problem::{Class, Problem};

/// Longest file, bytes: those of the largest vocabularies have some tens of megabytes.
const LONGEST: usize = 256 << 20;

/// Most steps of a part, and how deeply sequences may lie in each other; real ones have a handful, in one sequence.
const STEPS: usize = 64;
const DEEPEST: usize = 4;

/// How much longer all replacements together may make a text.
const GROWTH: usize = 64;

/// Steps of normalizers that models of this family have. `Precompiled` tables, which others have, are read without a look at their bounds.
const NORMALIZERS: &[&str] = &[
    "BertNormalizer",
    "ByteLevel",
    "Lowercase",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Prepend",
    "Replace",
    "Sequence",
    "Strip",
    "StripAccents",
];

/// The parts that say what is done to a text; vocabulary and merges are passed over.
#[derive(Deserialize)]
struct Outline {
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    decoder: Value,
    #[serde(rename = "model")]
    _model: IgnoredAny,
}

/// Whether a `tokenizer.json` asks for nothing that would end or stop who reads it.
///
/// # Errors
/// What it asks for, as a problem of [`Class::Tokenizer`].
pub fn check(json: &[u8]) -> Result<(), Problem> {
    if json.len() > LONGEST {
        return Err(refused(format!("tokenizer.json has {} bytes; {LONGEST} are the most", json.len())));
    }
    let outline: Outline = serde_json::from_slice(json)
        .map_err(|error| refused("tokenizer.json is no JSON of a tokenizer").note(error.to_string()))?;
    for (what, part, known) in [
        ("normalizer", &outline.normalizer, Some(NORMALIZERS)),
        ("pre_tokenizer", &outline.pre_tokenizer, None),
        ("decoder", &outline.decoder, None),
    ] {
        let mut walk = Walk { what, known, steps: 0, growth: 1 };
        walk.step(part, 0)?;
    }
    Ok(())
}

fn refused(message: impl Into<String>) -> Problem {
    Problem::new(Class::Tokenizer, message)
}

struct Walk {
    what: &'static str,
    /// `None`: the library refuses what it does not know.
    known: Option<&'static [&'static str]>,
    steps: usize,
    growth: usize,
}

impl Walk {
    fn step(&mut self, step: &Value, depth: usize) -> Result<(), Problem> {
        let what = self.what;
        self.steps += 1;
        if self.steps > STEPS || depth > DEEPEST {
            return Err(refused(format!(
                "the {what} of tokenizer.json has more steps than any tokenizer needs"
            )));
        }
        let Some(kind) = step.get("type").and_then(Value::as_str) else { return Ok(()) };
        if self.known.is_some_and(|known| !known.contains(&kind)) {
            return Err(refused(format!(
                "the {what} of tokenizer.json has a step `{kind}`, which is not supported"
            ))
            .note("no model of the supported architectures has it"));
        }
        if let Some(pattern) = step.get("pattern") {
            self.pattern(kind, pattern, step)?;
        }
        let long = |key: &str| step.get(key).and_then(Value::as_str).is_some_and(|text| text.len() > GROWTH);
        if long("prepend") {
            return Err(self.grows());
        }
        for list in ["normalizers", "pretokenizers", "decoders"] {
            let steps = step.get(list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            steps.iter().try_for_each(|step| self.step(step, depth + 1))?;
        }
        Ok(())
    }

    fn pattern(&mut self, kind: &str, pattern: &Value, step: &Value) -> Result<(), Problem> {
        let text = |key: &str| pattern.get(key).and_then(Value::as_str);
        let (string, regex) = (text("String").or(pattern.as_str()), text("Regex"));
        if string.or(regex).is_some_and(str::is_empty) {
            let message = format!("the {} of tokenizer.json has a `{kind}` of the empty text", self.what);
            return Err(refused(message));
        }
        if kind == "Replace" {
            let content = step.get("content").and_then(Value::as_str).map_or(0, str::len);
            // An expression may match a single byte.
            let least = string.map_or(1, str::len);
            self.growth = self.growth.saturating_mul(content.div_ceil(least).max(1));
            if self.growth > GROWTH {
                return Err(self.grows());
            }
        }
        Ok(())
    }

    fn grows(&self) -> Problem {
        let message =
            format!("the {} of tokenizer.json makes texts more than {GROWTH} times as long", self.what);
        refused(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalizer(json: &str) -> Result<(), Problem> {
        check(format!(r#"{{"model":{{"type":"BPE"}},"normalizer":{json}}}"#).as_bytes())
    }

    #[test]
    fn what_models_have_is_taken_and_what_would_stop_a_reader_is_not() {
        let replace = |pattern: &str, content: &str| {
            format!(r#"{{"type":"Replace","pattern":{{"String":"{pattern}"}},"content":"{content}"}}"#)
        };
        let sequence =
            |steps: &[String]| format!(r#"{{"type":"Sequence","normalizers":[{}]}}"#, steps.join(","));
        let llama = sequence(&[r#"{"type":"Prepend","prepend":"▁"}"#.to_owned(), replace(" ", "▁")]);
        for fine in ["null", r#"{"type":"NFC"}"#, &llama] {
            assert_eq!(normalizer(fine), Ok(()), "{fine}");
        }
        let nested = (0..9).fold(r#"{"type":"NFC"}"#.to_owned(), |inner, _| sequence(&[inner]));
        let refused = [
            (replace("", "a"), "empty text"),
            (sequence(&vec![replace("a", "aa"); 40]), "64 times as long"),
            (r#"{"type":"Precompiled","precompiled_charsmap":"AAAA"}"#.to_owned(), "Precompiled"),
            (nested, "more steps"),
            (sequence(&vec![r#"{"type":"NFC"}"#.to_owned(); 100]), "more steps"),
        ];
        for (json, word) in refused {
            let problem = normalizer(&json).unwrap_err();
            assert!(problem.message.contains(word) && problem.class == Class::Tokenizer, "{problem}");
        }
        assert!(check(b"[]").is_err() && check(b"").is_err());
    }
}
