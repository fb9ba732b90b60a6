//! Folders as Hugging Face has them: config.json, safetensors files, tokenizer.json.

mod config;
pub mod safetensors;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;

use crate::assemble::{Found, Stored};
use crate::map::map;
use crate::problem::{Problem, Problems};
use crate::weights::Text;

/// Longest JSON file that is read: a large tokenizer is some tens of megabytes.
const LONGEST_JSON: u64 = 1 << 30;

/// A folder, its tensors not looked at yet.
pub(crate) struct Folder {
    path: PathBuf,
    config: Value,
    pub(crate) found: Found,
    pub(crate) tensors: BTreeMap<String, Stored>,
    pub(crate) files: Vec<PathBuf>,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Self, Problems> {
        let config_path = path.join("config.json");
        if !config_path.is_file() {
            if path.join("adapter_config.json").is_file() {
                let message = format!("{} is a LoRA adapter, and no language model", path.display());
                let help = "merge it into its model (`merge_and_unload` of peft) and compile that";
                return Err(Problem::config(message).help(help).into());
            }
            let message = format!("{} is no folder of a Hugging Face model", path.display());
            return Err(Problem::damaged(message).note("it has no config.json").into());
        }
        let config = json(&config_path)?;
        let found = config::found(&config).map_err(|problems| {
            Problems(problems.into_iter().map(|problem| problem.of_file(&config_path)).collect())
        })?;
        let mut files = vec![config_path];
        let mut tensors = BTreeMap::new();
        for shard in shards(path, &mut files)? {
            let read = safetensors::read(&map(&shard)?).map_err(|problem| problem.of_file(&shard))?;
            for (name, tensor) in read.0 {
                if tensors.insert(name.clone(), tensor).is_some() {
                    let message = format!("tensor `{name}` is in two files");
                    return Err(Problem::damaged(message).of_file(&shard).into());
                }
            }
            files.push(shard);
        }
        let tensors = with_prefix(tensors);
        Ok(Self { path: path.to_owned(), config, found, tensors, files })
    }

    pub(crate) fn text(&mut self) -> Result<Text, Problem> {
        text::text(&self.path, &self.config, self.found.config.vocabulary, &mut self.files)
    }
}

/// The same from bytes.
pub(crate) fn of_bytes(config: &[u8], file: &Bytes) -> Result<(Found, BTreeMap<String, Stored>), Problems> {
    let config = serde_json::from_slice(config)
        .map_err(|error| Problem::damaged("config.json is no JSON").note(error.to_string()))?;
    Ok((config::found(&config).map_err(Problems)?, with_prefix(safetensors::read(file)?.0)))
}

/// Models that were saved without their head have names without this.
const PREFIX: &str = "model.";

/// The tensors by the names that they have in a model with a head.
fn with_prefix(tensors: BTreeMap<String, Stored>) -> BTreeMap<String, Stored> {
    let bare =
        tensors.contains_key("embed_tokens.weight") && !tensors.keys().any(|name| name.starts_with(PREFIX));
    if !bare {
        return tensors;
    }
    let named = |name: String| if name.starts_with("lm_head.") { name } else { format!("{PREFIX}{name}") };
    tensors.into_iter().map(|(name, tensor)| (named(name), tensor)).collect()
}

fn json(path: &Path) -> Result<Value, Problem> {
    let file = map(path)?;
    if file.len() as u64 > LONGEST_JSON {
        return Err(Problem::damaged("the file is too long for a configuration").of_file(path));
    }
    if file.starts_with(crate::problem::LFS) {
        return Err(crate::problem::lfs_pointer().of_file(path));
    }
    // Some editors put a mark of the encoding first.
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file);
    serde_json::from_slice(text)
        .map_err(|error| Problem::damaged("the file is no JSON").note(error.to_string()).of_file(path))
}

/// The files with tensors: one, or those that an index names. Where both are there the one counts, as in Hugging Face transformers:
/// what an index speaks of may be left from before.
fn shards(folder: &Path, files: &mut Vec<PathBuf>) -> Result<BTreeSet<PathBuf>, Problem> {
    let index = folder.join("model.safetensors.index.json");
    let single = folder.join("model.safetensors");
    if single.is_file() {
        return Ok(BTreeSet::from([single]));
    }
    if !index.is_file() {
        let message =
            format!("{} has no model.safetensors and no model.safetensors.index.json", folder.display());
        let problem = Problem::damaged(message);
        return Err(if folder.join("pytorch_model.bin").is_file() {
            problem.help("save the model as safetensors: `model.save_pretrained(FOLDER)`")
        } else {
            problem
        });
    }
    let value = json(&index)?;
    files.push(index.clone());
    let map = value.get("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| Problem::damaged("the index has no `weight_map`").of_file(&index))?;
    let mut shards = BTreeSet::new();
    for (tensor, file) in map {
        let name = file.as_str().unwrap_or_default();
        // A model's files lie beside its index; a path could name any file of the machine.
        let plain = !name.is_empty() && name != ".." && !name.contains(['/', '\\']);
        if !plain {
            return Err(Problem::damaged(format!(
                "the index says that `{tensor}` is in {file}, which is no file beside it"
            ))
            .of_file(&index));
        }
        shards.insert(folder.join(name));
    }
    let missing: Vec<_> = shards.iter().filter(|path| !path.is_file()).map(|path| path.display()).collect();
    if missing.is_empty() {
        return Ok(shards);
    }
    Err(Problem::damaged(format!("{} files that the index names are missing", missing.len()))
        .note(crate::problem::some(&missing, 20))
        .of_file(&index))
}
