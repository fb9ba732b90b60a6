//! The tokenizer of a Hugging Face folder.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::json;
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
    let tokenizer = optional("tokenizer.json")?;
    let ids = tokenizer.as_ref().map(Ids::of).unwrap_or_default();
    if let Some(largest) = ids.largest.filter(|largest| *largest >= vocabulary as u64) {
        let message =
            format!("the tokenizer has a token {largest}, and the embedding table has {vocabulary} rows");
        let note = "the tokenizer and the weights belong to different models, or one was changed";
        return Err(Problem::config(message).note(note));
    }
    let named = |key: &str| {
        // A token is its text, or an object with it.
        let token = settings.get(key)?;
        ids.get(token.as_str().or_else(|| token.get("content")?.as_str())?)
    };
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
    let add_bos = settings.get("add_bos_token").and_then(Value::as_bool).unwrap_or(template) && bos.is_some();
    let path = folder.join("tokenizer.json");
    let tokenizer = match tokenizer {
        Some(_) => Some(std::fs::read_to_string(&path).map_err(|error| Problem::unreadable(&path, &error))?),
        None => None,
    };
    Ok(Text { tokenizer, chat_template: chat_template(folder, &settings, files)?, bos, add_bos, stop })
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
