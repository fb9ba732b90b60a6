//! The description of a compiled model: what the compiler writes beside the context binaries and the runtime reads.
//!
//! # The graphs
//!
//! A model is a chain of parts, each a context binary: some layers each, the head last or within the last. Every part has the
//! same graphs, named by [`graph_name`]: one for each number of tokens per execution (prefill), and one for a single
//! token (decode). All tensors are float16 but `tokens`:
//!
//! | tensor | shape | |
//! |---|---|---|
//! | `tokens` | int32 (S) | in: token ids, where the embedding is in the graph |
//! | `hidden` | (S, hidden) | in: rows of the embedding table, or what the part before gave |
//! | `mask` | (1, 1, S, context) | in: 0 where a token sees a position, -10000 where not: `context - S` past positions, then the S new ones |
//! | `cos`, `sin` | (1, S, head_dim / 2) | in: of the new positions' angles |
//! | `cos.bias`, `sin.bias` | (1, S, head_dim / 2) | in: the same without their mean over the context; where [keys' biases are large](KEY_BIAS_ANGLES) |
//! | `k.L`, `v.L` | (1, kv_heads, context - S, head_dim) | in: layer L's past; heads fused |
//! | `k.L.H`, `v.L.H` | (1, 1, context - S, head_dim) | in: the same, heads split |
//! | the same with `.new` | (1, kv_heads or 1, S, head_dim) | out: rows to append to the past |
//! | `hidden.out` | (S, hidden) | out: for the next part |
//! | `logits` | (S, vocabulary) | out: of a part with the head |
//!
//! A head that is a part of its own has one graph, [`HEAD_GRAPH`], of one token: `hidden` (1, hidden) to `logits` (1, vocabulary).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use qnn_types::{Heads, KvType, Strategy};

use crate::Config;

/// Version of the description's format.
pub const VERSION: u32 = 1;

/// Name of the only graph of a head that is a part of its own.
pub const HEAD_GRAPH: &str = "head";

/// What a position that is not seen adds to its score. Far enough for fp16's softmax to give zero, near enough not to
/// overflow when a score is added.
pub const MASKED: f32 = -10000.0;

/// Inputs of parts whose layers have large biases of keys (Qwen2's are up to hundreds). Such a bias, turned to its position, is most of
/// a key, and fp16 has no digits left for the rest; but what is the same for all keys changes no softmax. So these parts compute
/// `R(p)(W x) + (R(p) b - c)`, with `c` the mean of `R(p) b` over the context: the second term is the bias turned by these angles, and the
/// cached keys are without `c`. Any angles less a constant give the same answers.
pub const KEY_BIAS_ANGLES: [&str; 2] = ["cos.bias", "sin.bias"];

/// Name of the graph for a number of tokens per execution.
pub fn graph_name(tokens: usize) -> String {
    if tokens == 1 { "decode".to_owned() } else { format!("prefill_{tokens}") }
}

/// A compiled model for one SoC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Deployment {
    /// [`VERSION`].
    pub version: u32,
    /// Name of the model in the manifest.
    pub model: String,
    /// SoC it is compiled for.
    pub soc: String,
    /// The model file.
    pub source: Source,
    /// How weights were brought onto the device.
    pub strategy: Strategy,
    /// Sizes.
    pub config: Config,
    /// Positions the graphs see, new ones included.
    pub context: usize,
    /// Tokens per execution of each graph of the layers' parts, largest first; the last is 1.
    pub tokens: Vec<usize>,
    /// Whether heads have tensors of their own.
    pub heads: Heads,
    /// Element type of keys and values.
    pub kv: KvType,
    /// Where token ids become vectors.
    pub embedding: Embedding,
    /// Context binaries in the order of execution.
    pub parts: Vec<Part>,
    /// What belongs to text.
    pub text: TextInfo,
    /// What the bytes of its files are, by name: parts of another build are refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileInfo>,
    /// QNN build that compiled it.
    pub build_id: String,
}

/// What tells the bytes of a file from others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileInfo {
    /// Their number.
    pub bytes: u64,
    /// Their XXH64, 16 hexadecimal digits.
    pub checksum: String,
}

/// Where a model came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Source {
    /// Name of the file or folder.
    pub file: String,
    /// blake3 of its bytes, hexadecimal.
    pub blake3: String,
    /// Their number.
    pub bytes: u64,
}

/// Where token ids become vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Embedding {
    /// On the host: float16 rows of a file, (vocabulary, hidden).
    Host {
        /// Name of the file.
        file: String,
    },
    /// In the first part's graphs.
    Graph,
}

/// A context binary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part {
    /// File name of the context binary.
    pub file: String,
    /// First layer.
    pub first_layer: usize,
    /// Number of layers; 0 for a head by itself.
    pub layers: usize,
    /// Whether it computes logits.
    pub head: bool,
    /// Length of the context binary, bytes.
    pub bytes: u64,
    /// Ops of each graph, by op type of the HTP.
    #[serde(default)]
    pub ops: Vec<(String, u64)>,
    /// Wall time of its compilation, milliseconds.
    #[serde(default)]
    pub compile_ms: f64,
    /// Peak memory of its compilation, bytes.
    #[serde(default)]
    pub peak_rss: u64,
}

/// The tokenizer's file and special tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TextInfo {
    /// Name of the `tokenizer.json` file; `None` where the model file has no tokenizer.
    pub tokenizer: Option<String>,
    /// Chat template (Jinja).
    pub chat_template: Option<String>,
    /// Token that begins a text.
    pub bos: Option<u32>,
    /// Whether the tokenizer puts `bos` before a text.
    pub add_bos: bool,
    /// Tokens that end an answer.
    pub stop: Vec<u32>,
    /// What chat templates know the tokenizer's special tokens by (`bos_token`, `eos_token`, …), and their texts; `None` in
    /// descriptions of releases that did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special_tokens: Option<BTreeMap<String, String>>,
    /// How the model's makers advise to choose tokens.
    #[serde(default, skip_serializing_if = "Advice::is_empty")]
    pub advice: Advice,
}

/// How the model's makers advise to choose tokens (generation_config.json); `None` where they say nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Advice {
    /// What logits are divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// Draw only from this number of likeliest tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// Only the likeliest tokens that together have this probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
    /// Only tokens at least this part as likely as the likeliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f32>,
    /// What the logits of tokens that occurred are divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f32>,
}

impl Advice {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
