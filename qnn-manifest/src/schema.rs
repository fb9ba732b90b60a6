//! The merged manifest as types. [`super::options`] is the same as a table, with documentation.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use qnn_types::{Accuracy, Embed, Heads, HtpOptions, InputSpec, KvType, Precision, Strategy};

use crate::op_package::Spec;

/// `[package.metadata.qnn]`, merged and validated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// SoCs to compile for, as the user wrote them.
    pub soc: Vec<String>,
    /// Models by name.
    pub models: BTreeMap<String, Model>,
    /// Op packages by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub op_packages: BTreeMap<String, Spec>,
}

/// `[package.metadata.qnn.models.NAME]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// The model file; absolute in a loaded manifest.
    pub source: PathBuf,
    /// Numeric precision.
    #[serde(default)]
    pub precision: Precision,
    /// How much accuracy activations may cost.
    #[serde(default)]
    pub accuracy: Accuracy,
    /// SoCs of this model; the package's when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soc: Option<Vec<String>>,
    /// Features of the package that it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// How the context binary gets into the app.
    #[serde(default)]
    pub embed: Embed,
    /// Overrides by input name.
    #[serde(default)]
    pub inputs: BTreeMap<String, InputSpec>,
    /// Sizes of free dimensions, by the model's names for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dims: BTreeMap<String, u64>,
    /// Outputs to keep; all when empty.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// Graphs by name; one named after the model when empty.
    #[serde(default)]
    pub graphs: BTreeMap<String, Graph>,
    /// Samples of a calibration run: a file, absolute in a loaded manifest, or `generated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<String>,
    /// Quantization that does not come in the model file.
    #[serde(default, skip_serializing_if = "Quantize::is_empty")]
    pub quantize: Quantize,
    /// Op packages it uses, by name; what its domains say when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_packages: Option<Vec<String>>,
    /// How a language model is compiled; `None` where nothing is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub llm: Option<Llm>,
    /// Backend options.
    #[serde(default)]
    pub htp: HtpOptions,
}

/// `models.NAME.llm`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Llm {
    /// Positions that the graphs see; the model's own, at most 1024, when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// Tokens per execution of the prefill graphs; 128, or what fits the context, when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Vec<u32>>,
    /// Whether heads are computed one by one.
    pub heads: Heads,
    /// Context binaries of the layers.
    pub shards: Shards,
    /// Where the head goes.
    pub lm_head: LmHead,
    /// Where token ids become vectors.
    pub embedding: EmbeddingPlace,
    /// Element type of the key and value cache.
    pub kv: KvType,
    /// What is done with quantized weights.
    pub strategy: Strategy,
}

/// How many context binaries the layers of a language model are divided into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WordOrCount", into = "WordOrCount")]
pub enum Shards {
    /// As their size asks for.
    #[default]
    Auto,
    /// So many.
    Count(u32),
}

impl std::str::FromStr for Shards {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(count) if count > 0 => Ok(Self::Count(count)),
            _ if text == "auto" => Ok(Self::Auto),
            _ => Err(format!("`{text}` is neither \"auto\" nor a number of context binaries")),
        }
    }
}

/// How [`Shards`] is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WordOrCount {
    Word(String),
    Count(u32),
}

impl TryFrom<WordOrCount> for Shards {
    type Error = String;

    fn try_from(written: WordOrCount) -> Result<Self, String> {
        match written {
            WordOrCount::Word(word) => word.parse(),
            WordOrCount::Count(count) => Ok(Self::Count(count)),
        }
    }
}

impl From<Shards> for WordOrCount {
    fn from(shards: Shards) -> Self {
        match shards {
            Shards::Auto => Self::Word("auto".to_owned()),
            Shards::Count(count) => Self::Count(count),
        }
    }
}

/// Where the head of a language model goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LmHead {
    /// Into a context binary of its own.
    #[default]
    Separate,
    /// Into the context binary of the last layers.
    Inside,
}

/// Where token ids become vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingPlace {
    /// On the host, in a table that is a file.
    #[default]
    Host,
    /// In the first graph.
    Graph,
}

/// `models.NAME.quantize`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quantize {
    /// An encodings file; absolute in a loaded manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encodings: Option<PathBuf>,
}

impl Quantize {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `models.NAME.graphs.NAME`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Graph {
    /// Overrides by input name, on top of the model's.
    pub inputs: BTreeMap<String, InputSpec>,
    /// Sizes of free dimensions, on top of the model's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dims: BTreeMap<String, u64>,
}
