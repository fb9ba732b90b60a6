//! What the plan knows of a language model: sizes, weights by layer, and what belongs to text.

use std::fs;
use std::path::Path;

use qnn_llm::deployment::TextInfo;
use qnn_llm::strategy::{WeightFormat, bits_per_weight, choose};
use qnn_llm::{Config, Format, Role, Strategy};
use qnn_platform::checksum::checksum;
use serde::{Deserialize, Serialize};

use super::facts::{ExternalFile, SourceFacts, hashed};
use crate::memo::Memo;
use qnn_types::io_problem;
use qnn_types::{Diagnostic, LlmPart, LlmPartKind};

/// A language model without its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LlmFacts {
    /// Sizes.
    pub config: Config,
    /// Every weight.
    pub weights: Vec<LlmWeight>,
    /// What belongs to text; its `tokenizer` is not set.
    pub text: TextInfo,
    /// Its tokenizer as a `tokenizer.json`; `None` where the model has none.
    pub tokenizer: Option<FileFacts>,
    /// What a user should know.
    pub notes: Vec<String>,
}

/// A file that is made from a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its length, bytes.
    pub bytes: u64,
    /// Its blake3, hexadecimal.
    pub blake3: String,
    /// Its XXH64, hexadecimal.
    pub checksum: String,
}

/// A weight of a language model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LlmWeight {
    /// Where it is.
    pub place: Place,
    /// How its elements are stored.
    pub format: Format,
    /// Rows; 1 for a vector.
    pub rows: u64,
    /// Elements of a row.
    pub columns: u64,
}

/// Where a weight is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In this layer.
    Layer(u32),
    /// The embedding table.
    Embedding,
    /// The head or the normalization before it.
    Head,
}

impl LlmWeight {
    /// Number of elements.
    pub fn elements(&self) -> u64 {
        self.rows.saturating_mul(self.columns)
    }
}

impl LlmFacts {
    /// The facts of an opened model.
    pub fn of(model: &qnn_llm::Model) -> Self {
        let weight = |((layer, role), weight): (&(Option<usize>, Role), &qnn_llm::Weight)| LlmWeight {
            place: match (layer, role) {
                (Some(layer), _) => Place::Layer(u32::try_from(*layer).unwrap_or(u32::MAX)),
                (None, Role::Embedding) => Place::Embedding,
                (None, _) => Place::Head,
            },
            format: weight.format,
            rows: weight.rows as u64,
            columns: weight.columns as u64,
        };
        let text = &model.text;
        Self {
            config: model.config.clone(),
            weights: model.weights.iter().map(weight).collect(),
            text: TextInfo {
                tokenizer: None,
                chat_template: text.chat_template.clone(),
                bos: text.bos,
                add_bos: text.add_bos,
                stop: text.stop.clone(),
                special_tokens: Some(text.special_tokens.clone()),
                advice: text.advice,
            },
            notes: model.notes.clone(),
            tokenizer: text.tokenizer.as_ref().map(|json| FileFacts {
                bytes: json.len() as u64,
                blake3: blake3::hash(json.as_bytes()).to_hex().to_string(),
                checksum: checksum(json.as_bytes()).to_string(),
            }),
        }
    }

    /// The weights that a part has.
    pub fn weights_of(&self, what: &LlmPartKind) -> impl Iterator<Item = &LlmWeight> {
        let (layers, embedding, head) = match *what {
            LlmPartKind::Layers { first, count, embedding, head } => {
                (first..first.saturating_add(count), embedding, head)
            }
            LlmPartKind::Head => (0..0, false, true),
            LlmPartKind::Embedding => (0..0, true, false),
        };
        let tied = self.config.tied;
        self.weights.iter().flat_map(move |weight| {
            let times = match weight.place {
                Place::Layer(layer) => usize::from(layers.contains(&layer)),
                Place::Head => usize::from(head),
                // A table that is the head as well is stored once for each use.
                Place::Embedding => usize::from(embedding) + usize::from(head && tied),
            };
            std::iter::repeat_n(weight, times)
        })
    }

    /// Number of weights that a part has.
    pub fn elements(&self, what: &LlmPartKind) -> u64 {
        self.weights_of(what).map(LlmWeight::elements).fold(0, u64::saturating_add)
    }

    /// About how long the output of a part is, bytes: the weights in their encoding for an architecture. Ops add little.
    pub fn estimated_bytes(&self, what: &LlmPartKind, strategy: Strategy, arch: u32) -> u64 {
        let bits = self.weights_of(what).map(|weight| match what {
            LlmPartKind::Embedding => weight.elements().saturating_mul(16),
            _ => (weight.elements() as f64 * bits(weight, strategy, arch)) as u64,
        });
        bits.fold(0, u64::saturating_add) / 8
    }

    /// About how much memory the compilation of a part takes at its peak, bytes, with so many graphs. The library keeps a few
    /// bytes of its own for every weight, whatever its encoding, and the binary several times at the end (measured with QNN
    /// 2.51: 6 bytes a weight of 4 bits and 11 of fp16, two graphs).
    pub fn estimated_memory(&self, part: &LlmPart, arch: u32, graphs: usize) -> u64 {
        const BASE: u64 = 200 << 20;
        let bytes = self.estimated_bytes(&part.what, part.strategy, arch);
        if part.what == LlmPartKind::Embedding {
            return BASE + bytes;
        }
        let own = self.elements(&part.what) as f64 * (1.5 + 1.5 * graphs.max(1) as f64);
        BASE.saturating_add(own as u64).saturating_add(bytes.saturating_mul(7) / 2)
    }
}

/// Bits that an element takes in a context binary, with its share of the scales.
fn bits(weight: &LlmWeight, strategy: Strategy, arch: u32) -> f64 {
    // Vectors stay floats.
    let format = match weight.rows {
        0 | 1 => WeightFormat::Fp16,
        _ => choose(strategy, weight.format, arch).format,
    };
    bits_per_weight(format)
}

/// Facts of a Hugging Face folder: `config.json` is the model file, the weights and what belongs to text are external files.
pub(super) fn folder(path: &Path, memo: &Memo) -> Result<SourceFacts, Vec<Diagnostic>> {
    let config = path.join("config.json");
    let read = |file: &Path, error| vec![io_problem("E0214", "cannot read the model file", file, &error)];
    let (bytes, blake3) = match hashed(&config, memo) {
        Ok(hashed) => hashed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = "the folder has no config.json, so it is no model in Hugging Face's form";
            return Err(vec![Diagnostic::new("E0230", message).at(path.display().to_string())]);
        }
        Err(error) => return Err(read(&config, error)),
    };
    let mut external = Vec::new();
    let mut names: Vec<String> = fs::read_dir(path)
        .map_err(|error| read(path, error))?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| belongs(name))
        .collect();
    names.sort_unstable();
    for location in names {
        let path = path.join(&location);
        let (bytes, blake3) = hashed(&path, memo).map_err(|error| read(&path, error))?;
        external.push(ExternalFile { location, path, bytes, blake3 });
    }
    let known = SourceFacts { bytes, blake3, external, ..SourceFacts::default() };
    let llm = facts(path, &config, &known.digest(), memo)?;
    Ok(SourceFacts { llm: Some(llm), ..known })
}

/// The other files of a model that is split into several GGUF files.
pub(super) fn split(path: &Path, memo: &Memo) -> Result<Vec<ExternalFile>, Vec<Diagnostic>> {
    let file = |other: std::path::PathBuf| {
        let failed = |error| vec![io_problem("E0214", "cannot read the model file", &other, &error)];
        let (bytes, blake3) = hashed(&other, memo).map_err(failed)?;
        let location = other.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(ExternalFile { location, path: other, bytes, blake3 })
    };
    qnn_llm::gguf::siblings(path).into_iter().map(file).collect()
}

/// Whether a file of a Hugging Face folder has a part of the model.
fn belongs(name: &str) -> bool {
    const TEXT: &[&str] = &[
        "chat_template.jinja",
        "generation_config.json",
        "model.safetensors.index.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    name.ends_with(".safetensors") || TEXT.contains(&name)
}

/// What the model at `path` is, remembered for as long as `file` stays and `others`, a digest of further files, is the same.
pub(super) fn facts(
    path: &Path,
    file: &Path,
    others: &str,
    memo: &Memo,
) -> Result<LlmFacts, Vec<Diagnostic>> {
    memo.fact(&format!("llm-{others}"), file, || Ok(LlmFacts::of(&read_llm(path)?)))
}

/// Opens the model at `path`.
///
/// # Errors
/// Everything that is wrong with its files.
pub fn read_llm(path: &Path) -> Result<qnn_llm::Model, Vec<Diagnostic>> {
    qnn_llm::open(path).map_err(|problems| problems.0.into_iter().map(Diagnostic::from).collect())
}
