//! A model's weights, whatever file they are in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;

use crate::Config;
use crate::deployment::Advice;

/// What a weight is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Embedding table (vocabulary, hidden).
    Embedding,
    /// Gains of the last normalization (hidden).
    OutputNorm,
    /// Head (vocabulary, hidden); absent where it is the embedding table.
    Head,
    /// Gains of the normalization before attention (hidden).
    AttentionNorm,
    /// Query projection (heads * head_dim, hidden), rows in halves order: pair `i` of a head is rows `i` and `i + head_dim / 2`.
    Query,
    /// Key projection (kv_heads * head_dim, hidden), rows in halves order.
    Key,
    /// Value projection (kv_heads * head_dim, hidden).
    Value,
    /// Bias of the query projection.
    QueryBias,
    /// Bias of the key projection.
    KeyBias,
    /// Bias of the value projection.
    ValueBias,
    /// Gains of the normalization of each query head (head_dim).
    QueryNorm,
    /// Gains of the normalization of each key head (head_dim).
    KeyNorm,
    /// Output projection (hidden, heads * head_dim).
    Output,
    /// Bias of the output projection.
    OutputBias,
    /// Gains of the normalization before the feed-forward layer (hidden).
    FeedForwardNorm,
    /// Gate projection (intermediate, hidden).
    Gate,
    /// Up projection (intermediate, hidden).
    Up,
    /// Down projection (hidden, intermediate).
    Down,
    /// Bias of the gate projection.
    GateBias,
    /// Bias of the up projection.
    UpBias,
    /// Bias of the down projection.
    DownBias,
}

/// How a weight's elements are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[allow(non_camel_case_types, reason = "the names that users know")]
pub enum Format {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// Brain floats.
    BF16,
    /// 8 bits, a scale per 32.
    Q8_0,
    /// 4 bits, a scale per 32.
    Q4_0,
    /// 4 bits, a scale and a minimum per 32.
    Q4_1,
    /// 5 bits, a scale per 32.
    Q5_0,
    /// 5 bits, a scale and a minimum per 32.
    Q5_1,
    /// 4 bits, 6-bit scales and minima per 32 in blocks of 256.
    Q4_K,
    /// 5 bits, 6-bit scales and minima per 32 in blocks of 256.
    Q5_K,
    /// 6 bits, 8-bit scales per 16 in blocks of 256.
    Q6_K,
}

/// A weight: rows of elements, each row `columns` long.
#[derive(Clone, Debug)]
pub struct Weight {
    /// Name in the file.
    pub name: String,
    /// Number of rows; 1 for a vector.
    pub rows: usize,
    /// Elements of a row. Blocks run along rows.
    pub columns: usize,
    /// How elements are stored.
    pub format: Format,
    /// The stored bytes, rows one after another, little-endian: a slice of the mapped file where nothing had to be moved.
    pub data: Bytes,
}

/// An opened model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Sizes.
    pub config: Config,
    /// Weights by role and layer; `None` for what belongs to no layer. All that the architecture needs are there.
    pub weights: BTreeMap<(Option<usize>, Role), Weight>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// What the file says of text.
    pub text: Text,
    /// What a user should know.
    pub notes: Vec<String>,
}

/// The tokenizer and what belongs to it.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// A `tokenizer.json` of the `tokenizers` library; `None` where the file has no tokenizer.
    pub tokenizer: Option<String>,
    /// Chat template (Jinja).
    pub chat_template: Option<String>,
    /// Token that begins a text.
    pub bos: Option<u32>,
    /// Whether the tokenizer puts `bos` before a text.
    pub add_bos: bool,
    /// Tokens that end an answer.
    pub stop: Vec<u32>,
    /// What chat templates know the tokenizer's special tokens by (`bos_token`, `eos_token`, …), and their texts.
    pub special_tokens: BTreeMap<String, String>,
    /// How the model's makers advise to choose tokens.
    pub advice: Advice,
}

impl Role {
    /// The bias that belongs to a projection.
    pub fn bias(self) -> Option<Role> {
        match self {
            Self::Query => Some(Self::QueryBias),
            Self::Key => Some(Self::KeyBias),
            Self::Value => Some(Self::ValueBias),
            Self::Output => Some(Self::OutputBias),
            Self::Gate => Some(Self::GateBias),
            Self::Up => Some(Self::UpBias),
            Self::Down => Some(Self::DownBias),
            _ => None,
        }
    }
}

impl Model {
    /// A weight of a layer, or of none.
    pub fn weight(&self, layer: Option<usize>, role: Role) -> Option<&Weight> {
        self.weights.get(&(layer, role))
    }

    /// The head: a weight of its own, or the embedding table.
    pub fn head(&self) -> Option<&Weight> {
        self.weight(None, Role::Head).or_else(|| self.weight(None, Role::Embedding))
    }
}
