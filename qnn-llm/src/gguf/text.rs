//! The tokenizer in GGUF metadata.

use super::{Array, Gguf, Value};
use crate::deployment::Advice;
use crate::problem::{Class, Problem};
use crate::tokenizer::{Kind, Token, Vocabulary, begins_with_bos, byte_level, sentence_piece};
use crate::weights::Text;

/// Keys of tokens that end an answer.
const ENDS: &[&str] =
    &["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];

/// Texts of control tokens that end an answer, whether or not the metadata names them: many files name only one.
const END_TEXTS: &[&str] = &[
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "</s>",
    "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>",
];

/// What the file says of text. `convert`: with the tokenizer, which takes a while for a large vocabulary.
pub(super) fn text(gguf: &Gguf, convert: bool) -> Result<Text, Problem> {
    let id = |key: &str| gguf.get(key).and_then(Value::unsigned).and_then(|id| u32::try_from(id).ok());
    let flag = |key: &str| gguf.get(key).and_then(Value::bool);
    let chat_template = gguf.get("tokenizer.chat_template").and_then(Value::text).map(str::to_owned);
    let model = gguf.get("tokenizer.ggml.model").and_then(Value::text).unwrap_or_default();
    // SentencePiece models have these ids where nothing is said.
    let usual = |id: u32| (model == "llama").then_some(id);
    let bos = id("tokenizer.ggml.bos_token_id").or(usual(1));
    let eos = id("tokenizer.ggml.eos_token_id").or(usual(2));
    let advice = advice(gguf);
    let Some(tokens) = gguf.get("tokenizer.ggml.tokens").and_then(Value::array) else {
        let stop = ENDS.iter().filter_map(|key| id(key)).collect();
        return Ok(Text { chat_template, bos, stop, advice, ..Text::default() });
    };
    let kinds = kinds(gguf, tokens.len())?;
    // Where nothing is said, the kind of tokenizer decides.
    let pre = gguf.get("tokenizer.ggml.pre").and_then(Value::text).unwrap_or("default");
    let usually = model == "llama" || model == "gpt2" && begins_with_bos(pre);
    let add_bos = flag("tokenizer.ggml.add_bos_token").unwrap_or(usually) && bos.is_some();
    let mut stop: Vec<u32> = Vec::new();
    let listed = ENDS.iter().filter_map(|key| id(key)).chain(eos);
    let known = texts(tokens)?.zip(&kinds).enumerate().filter(|(_, (text, kind))| {
        **kind == Kind::Control && END_TEXTS.iter().any(|end| end.as_bytes() == *text)
    });
    for id in listed.chain(known.filter_map(|(id, _)| u32::try_from(id).ok())) {
        if !stop.contains(&id) {
            stop.push(id);
        }
    }
    if let Some(id) = bos.iter().chain(&stop).find(|id| **id as usize >= tokens.len()) {
        let message = format!("token {id} begins or ends texts, and the vocabulary has {}", tokens.len());
        return Err(Problem::config(message));
    }
    let special = [
        ("bos_token", bos),
        ("eos_token", eos),
        ("unk_token", id("tokenizer.ggml.unknown_token_id")),
        ("pad_token", id("tokenizer.ggml.padding_token_id")),
    ];
    let special_tokens = special.into_iter().filter_map(|(name, id)| {
        let text = texts(tokens).ok()?.nth(id? as usize)?;
        Some((name.to_owned(), String::from_utf8_lossy(text).into_owned()))
    });
    let special_tokens = special_tokens.collect();
    let mut text = Text { tokenizer: None, chat_template, bos, add_bos, stop, special_tokens, advice };
    if convert {
        let json = tokenizer(gguf, model, tokens, kinds, add_bos.then_some(bos).flatten())?;
        text.tokenizer = Some(json.to_string());
    }
    Ok(text)
}

/// How the model's makers advise to choose tokens.
fn advice(gguf: &Gguf) -> Advice {
    let number = |key: &str| {
        let value = gguf.get(&format!("general.sampling.{key}")).and_then(Value::number)?;
        value.is_finite().then_some(value as f32)
    };
    Advice {
        temperature: number("temp"),
        top_k: number("top_k").filter(|k| *k >= 0.0).map(|k| k as u32),
        top_p: number("top_p"),
        min_p: number("min_p"),
        repetition_penalty: number("penalty_repeat"),
    }
}

/// One line on the tokenizer; `None` where there is none.
pub(crate) fn describe_tokenizer(gguf: &Gguf) -> Option<String> {
    let tokens = gguf.get("tokenizer.ggml.tokens").and_then(Value::array)?;
    let text = |key: &str| gguf.get(key).and_then(Value::text);
    let kind = match text("tokenizer.ggml.model") {
        Some("gpt2") => format!("byte-level BPE ({})", text("tokenizer.ggml.pre").unwrap_or("default")),
        Some("llama") => "SentencePiece BPE".to_owned(),
        Some(other) => other.to_owned(),
        None => "unknown".to_owned(),
    };
    Some(format!("{kind}, {} tokens", tokens.len()))
}

fn texts(tokens: &Array) -> Result<impl Iterator<Item = &[u8]>, Problem> {
    tokens.texts().ok_or_else(|| broken("`tokenizer.ggml.tokens` is no list of texts"))
}

fn broken(message: impl Into<String>) -> Problem {
    Problem::new(Class::Tokenizer, message)
}

fn kinds(gguf: &Gguf, count: usize) -> Result<Vec<Kind>, Problem> {
    let Some(array) = gguf.get("tokenizer.ggml.token_type").and_then(Value::array) else {
        return Ok(vec![Kind::Normal; count]);
    };
    let kinds: Vec<Kind> = array.values().map(|value| Kind::of_number(value.unsigned())).collect();
    if kinds.len() == count {
        return Ok(kinds);
    }
    Err(broken(format!("the tokenizer has {count} tokens, and types of {}", kinds.len())))
}

fn tokenizer(
    gguf: &Gguf,
    model: &str,
    tokens: &Array,
    kinds: Vec<Kind>,
    bos: Option<u32>,
) -> Result<serde_json::Value, Problem> {
    let text = |key: &str| gguf.get(key).and_then(Value::text);
    let tokens: Option<Vec<Token<'_>>> = texts(tokens)?
        .zip(kinds)
        .map(|(text, kind)| Some(Token { text: std::str::from_utf8(text).ok()?, kind }))
        .collect();
    let tokens = tokens.ok_or_else(|| broken("a token of the tokenizer is no text"))?;
    let vocabulary = Vocabulary::new(tokens, bos)?;
    match model {
        "gpt2" => {
            let merges = gguf.get("tokenizer.ggml.merges").and_then(Value::array);
            let merges: Option<Vec<&str>> = match merges.map(Array::texts) {
                Some(Some(texts)) => texts.map(|text| std::str::from_utf8(text).ok()).collect(),
                _ => None,
            };
            let merges = merges
                .ok_or_else(|| broken("the tokenizer has no list of merges (`tokenizer.ggml.merges`)"))?;
            byte_level(&vocabulary, &merges, text("tokenizer.ggml.pre").unwrap_or("default"))
        }
        "llama" => {
            let scores = gguf.get("tokenizer.ggml.scores").and_then(Value::array);
            let scores: Option<Vec<f32>> = scores
                .map(|array| array.values().map(|value| value.number().map(|score| score as f32)).collect())
                .unwrap_or_default();
            let scores = scores.filter(|scores| scores.len() == vocabulary.tokens.len());
            let scores = scores.ok_or_else(|| {
                broken("the tokenizer has no score for each token (`tokenizer.ggml.scores`)")
            })?;
            let prefix = gguf.get("tokenizer.ggml.add_space_prefix").and_then(Value::bool).unwrap_or(true);
            let unknown = gguf.get("tokenizer.ggml.unknown_token_id").and_then(Value::unsigned);
            sentence_piece(&vocabulary, &scores, prefix, unknown.and_then(|id| usize::try_from(id).ok()))
        }
        other => {
            Err(broken(format!("the tokenizer model `{other}` is not supported")).note("gpt2 and llama are"))
        }
    }
}
