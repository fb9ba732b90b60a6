//! Language models: which part a context binary has, and how it is laid out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether attention heads are computed one by one or together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heads {
    /// Each head by itself: more ops, no spill buffer in prefill.
    #[default]
    Split,
    /// All heads in one product: a third of the ops.
    Fused,
}

/// Element type of the key and value cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KvType {
    /// 16-bit floats.
    #[default]
    Fp16,
}

/// What is done with a file's quantized weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// `native` where the SoC has the weight's encoding, else the nearest that it has.
    #[default]
    Auto,
    /// The file's own blocks, unchanged.
    Native,
    /// fp16 weights.
    FloatFallback,
    /// 8 bits, a scale per row, from the dequantized weights.
    RequantizeInt8,
    /// 4 bits, a scale per row, from the dequantized weights.
    RequantizeInt4,
}

/// A part of a language model: what one context binary has of it. The deployment (`qnn_llm::deployment`) lists its graphs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LlmPart {
    /// What the part is.
    pub what: LlmPartKind,
    /// Positions the graphs see, new ones included.
    pub context: u32,
    /// Whether heads are computed one by one.
    pub heads: Heads,
    /// Element type of the key and value cache.
    pub kv: KvType,
    /// What is done with quantized weights.
    pub strategy: Strategy,
    /// Whether every layer's hidden state is an output too, for comparisons.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub layers: bool,
}

/// What a part of a language model is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum LlmPartKind {
    /// Some layers.
    #[serde(rename_all = "kebab-case")]
    Layers {
        /// The first.
        first: u32,
        /// How many.
        count: u32,
        /// Whether token ids come in and become vectors in the graph.
        embedding: bool,
        /// Whether the last normalization and the head follow.
        head: bool,
    },
    /// The last normalization and the head by themselves.
    Head,
    /// The embedding table as float16 rows: no context binary, the job's output is the table.
    Embedding,
}

/// As words for messages: `layers 0-6`, `layers 7-13 and head`, `head`, `embedding`.
impl fmt::Display for LlmPartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layers { first, count, head, .. } => {
                match count {
                    1 => write!(f, "layer {first}")?,
                    _ => write!(f, "layers {first}-{}", first.saturating_add(*count).saturating_sub(1))?,
                }
                f.write_str(if *head { " and head" } else { "" })
            }
            Self::Head => f.write_str("head"),
            Self::Embedding => f.write_str("embedding"),
        }
    }
}
