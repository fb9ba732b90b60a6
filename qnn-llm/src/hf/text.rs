//! The tokenizer of a Hugging Face folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::json;
use crate::deployment::Advice;
use crate::problem::{Class, Problem};
use crate::weights::Text;

/// Reads what the folder has of text. The files that were read are added to `files`.
pub(super) fn text(
    folder: &Path,
    config: &Value,
    vocabulary: usize,
    files: &mut Vec<PathBuf>,
) -> Result<Text, Problem> {
    let mut optional = |name: &str| -> Result<Option<Value>, Problem> {
        let path = folder.join(name);
        if !path.is_file() {
            return Ok(None);
        }
        let value = json(&path)?;
        files.push(path);
        Ok(Some(value))
    };
    let generation = optional("generation_config.json")?.unwrap_or_default();
    let settings = optional("tokenizer_config.json")?.unwrap_or_default();
    let legacy = optional("special_tokens_map.json")?.unwrap_or_default();
    let tokenizer = optional("tokenizer.json")?;
    let ids = tokenizer.as_ref().map(Ids::of).unwrap_or_default();
    if let Some(largest) = ids.largest.filter(|largest| *largest >= vocabulary as u64) {
        let message =
            format!("the tokenizer has a token {largest}, and the embedding table has {vocabulary} rows");
        let note = "the tokenizer and the weights belong to different models, or one was changed";
        return Err(Problem::config(message).note(note));
    }
    let special_tokens = special_tokens(&settings, &legacy);
    let named = |key: &str| ids.get(special_tokens.get(key)?);
    let first_of = |key: &str| {
        [&generation, config].into_iter().map(|json| numbers(json, key)).find(|list| !list.is_empty())
    };
    let bos = named("bos_token").or_else(|| first_of("bos_token_id")?.first().copied());
    let mut stop: Vec<u32> =
        first_of("eos_token_id").into_iter().flatten().chain(named("eos_token")).collect();
    let mut seen = Vec::new();
    stop.retain(|id| {
        !seen.contains(id) && {
            seen.push(*id);
            true
        }
    });
    if let Some(id) = bos.iter().chain(&stop).find(|id| **id as usize >= vocabulary) {
        return Err(Problem::config(format!(
            "token {id} begins or ends texts, and the vocabulary has {vocabulary}"
        )));
    }
    let template = tokenizer.as_ref().is_some_and(|tokenizer| begins_with(tokenizer, bos, &ids));
    let usually = template || class(&settings).is_some_and(|row| row.add_bos);
    let add_bos = settings.get("add_bos_token").and_then(Value::as_bool).unwrap_or(usually) && bos.is_some();
    let path = folder.join("tokenizer.json");
    let tokenizer = match tokenizer {
        Some(_) => {
            let text = std::fs::read_to_string(&path).map_err(|error| Problem::unreadable(&path, &error))?;
            // A mark of the encoding that some editors put first.
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            crate::tokenizer::check(text.as_bytes()).map_err(|problem| problem.of_file(&path))?;
            Some(text)
        }
        None => None,
    };
    Ok(Text {
        tokenizer,
        chat_template: chat_template(folder, &settings, files)?,
        bos,
        add_bos,
        stop,
        special_tokens,
        advice: advice(&generation),
    })
}

/// What a class of tokenizers of Hugging Face transformers has where its settings do not say.
struct Kind {
    /// Its name without `Fast`.
    name: &'static str,
    /// Whether texts begin with `bos`.
    add_bos: bool,
    special: &'static [(&'static str, &'static str)],
}

const LLAMA: &[(&str, &str)] = &[("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")];
const QWEN2: &[(&str, &str)] =
    &[("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>"), ("pad_token", "<|endoftext|>")];
const GPT2: &[(&str, &str)] =
    &[("bos_token", "<|endoftext|>"), ("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>")];

const CLASSES: &[Kind] = &[
    Kind { name: "LlamaTokenizer", add_bos: true, special: LLAMA },
    Kind { name: "CodeLlamaTokenizer", add_bos: true, special: LLAMA },
    Kind { name: "Qwen2Tokenizer", add_bos: false, special: QWEN2 },
    Kind { name: "GPT2Tokenizer", add_bos: false, special: GPT2 },
];

fn class(settings: &Value) -> Option<&'static Kind> {
    let name = settings.get("tokenizer_class").and_then(Value::as_str)?;
    CLASSES.iter().find(|row| row.name == name.strip_suffix("Fast").unwrap_or(name))
}

/// Names of special tokens in templates.
const SPECIAL: &[&str] =
    &["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// The texts of the tokenizer's special tokens: of its settings, of the older file beside these, or those of its class. `null` in the
/// settings is a token that there is not.
fn special_tokens(settings: &Value, legacy: &Value) -> BTreeMap<String, String> {
    // A token is its text, or an object with it.
    let text = |token: &Value| token.as_str().or_else(|| token.get("content")?.as_str()).map(str::to_owned);
    let usual = |name: &str| {
        let row = class(settings)?.special.iter().find(|(known, _)| *known == name)?;
        Some(row.1.to_owned())
    };
    let find = |name: &&str| {
        let found = match settings.get(*name).or_else(|| legacy.get(*name)) {
            Some(token) => text(token),
            None => usual(name),
        };
        Some(((*name).to_owned(), found?))
    };
    SPECIAL.iter().filter_map(find).collect()
}

fn advice(generation: &Value) -> Advice {
    // Advice for another way of choosing says nothing of this one.
    if generation.get("do_sample") == Some(&Value::Bool(false)) {
        return Advice::default();
    }
    let number = |key: &str| generation.get(key).and_then(Value::as_f64).map(|value| value as f32);
    Advice {
        temperature: number("temperature"),
        top_k: generation.get("top_k").and_then(Value::as_u64).and_then(|k| u32::try_from(k).ok()),
        top_p: number("top_p"),
        min_p: number("min_p"),
        repetition_penalty: number("repetition_penalty"),
    }
}

/// A number or a list of numbers.
fn numbers(json: &Value, key: &str) -> Vec<u32> {
    let list = match json.get(key) {
        Some(Value::Array(list)) => list.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    list.iter().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok()).collect()
}

/// Token ids by text.
#[derive(Default)]
struct Ids<'a> {
    added: Vec<(&'a str, u64)>,
    vocabulary: Option<&'a serde_json::Map<String, Value>>,
    largest: Option<u64>,
}

impl<'a> Ids<'a> {
    fn of(tokenizer: &'a Value) -> Self {
        let added = tokenizer.get("added_tokens").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let added: Vec<(&str, u64)> = added
            .iter()
            .filter_map(|token| Some((token.get("content")?.as_str()?, token.get("id")?.as_u64()?)))
            .collect();
        let model = tokenizer.get("model").and_then(|model| model.get("vocab"));
        let vocabulary = model.and_then(Value::as_object);
        // A Unigram model's vocabulary is a list.
        let listed = model
            .and_then(Value::as_array)
            .and_then(|list| list.len().checked_sub(1))
            .map(|last| last as u64);
        let largest = vocabulary.into_iter().flat_map(|map| map.values()).filter_map(Value::as_u64);
        let largest = largest.chain(added.iter().map(|(_, id)| *id)).chain(listed).max();
        Self { added, vocabulary, largest }
    }

    fn get(&self, text: &str) -> Option<u32> {
        let added = self.added.iter().find(|(token, _)| *token == text).map(|(_, id)| *id);
        let id = added.or_else(|| self.vocabulary?.get(text)?.as_u64())?;
        u32::try_from(id).ok()
    }
}

/// Whether the tokenizer's post-processor puts the token first.
fn begins_with(tokenizer: &Value, bos: Option<u32>, ids: &Ids<'_>) -> bool {
    let Some(processor) = tokenizer.get("post_processor") else { return false };
    let several = processor.get("processors").and_then(Value::as_array).map(Vec::as_slice);
    several.unwrap_or(std::slice::from_ref(processor)).iter().any(|processor| {
        let first = processor.get("single").and_then(|single| single.get(0));
        let id = first.and_then(|first| first.get("SpecialToken")?.get("id")?.as_str());
        id.and_then(|text| ids.get(text)).is_some_and(|id| Some(id) == bos)
    })
}

/// In the tokenizer's settings (one, or several by name), or in a file of its own.
fn chat_template(
    folder: &Path,
    settings: &Value,
    files: &mut Vec<PathBuf>,
) -> Result<Option<String>, Problem> {
    let path = folder.join("chat_template.jinja");
    if path.is_file() {
        let text = std::fs::read_to_string(&path).map_err(|error| Problem::unreadable(&path, &error))?;
        if text.as_bytes().starts_with(crate::problem::LFS) {
            return Err(crate::problem::lfs_pointer().of_file(&path));
        }
        files.push(path);
        return Ok(Some(text));
    }
    let template = settings.get("chat_template");
    let default = template.and_then(Value::as_array).and_then(|list| {
        let default = list.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some("default"));
        default?.get("template")
    });
    match default.or(template) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => {
            Err(Problem::new(Class::Tokenizer, "the chat template of tokenizer_config.json is no text"))
        }
    }
}
