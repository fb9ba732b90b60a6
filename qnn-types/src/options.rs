//! Options of a model that are the same in Cargo.toml and in a job: precision, graph inputs, HTP.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::jobs::SourceFormat;

/// Numeric precision of a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Half-precision arithmetic and weights; inputs and outputs keep the model's dtype (fp32 unless told otherwise).
    #[default]
    Fp16,
}

/// How much accuracy activations may cost. HTP can join GELU, SiLU, sigmoid and tanh with the convolution or matrix product before them:
/// then they take no time of their own, and their results are off by up to 0.4 % (0.7 % for tanh) of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accuracy {
    /// All are joined.
    Fast,
    /// Those that save most are joined, as long as the error that they are expected to add stays 40 dB below the result.
    #[default]
    Balanced,
    /// None is joined.
    Exact,
}

/// One graph of a context.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GraphSpec {
    /// Name in the context binary.
    pub name: String,
    /// Overrides per model input, by the model's input name.
    pub inputs: BTreeMap<String, InputSpec>,
    /// Tokens per execution, of a language model's graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
}

/// What the app wants of one graph input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InputSpec {
    /// Fixes every dimension (in the model's own layout).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<u64>>,
    /// dtype of the graph input as the app sees it: `float32`, `float16`, `uint8`, `int32`, …; the model's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    /// Layout of the graph input as the app sees it: `nchw` or `nhwc`; the model's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// What the app's numbers are multiplied by, before anything else; see [`InputSpec::normalization`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// What is subtracted from the scaled numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<PerChannel>,
    /// What the difference is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<PerChannel>,
}

/// One number for all channels, or one a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PerChannel {
    /// The same everywhere.
    One(f64),
    /// In the order of the channels.
    Each(Vec<f64>),
}

/// HTP graph and context options; what is `None` is left to the backend's default for the SoC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HtpOptions {
    /// VTCM to plan for, MiB; the SoC's full amount by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vtcm_mb: Option<u32>,
    /// Finalization optimization level, 1 to 3; 3 by default, 2 for language models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimization: Option<u8>,
    /// HVX threads to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hvx_threads: Option<u32>,
    /// Deep learning bandwidth compression of activations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dlbc: Option<bool>,
    /// Share weights between the graphs of one context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_sharing: Option<bool>,
}

impl HtpOptions {
    /// The finalization level that is meant for a model of this kind. Level 3 makes faster graphs. On language models it takes minutes
    /// and gains nothing that was measured.
    pub fn optimization(&self, format: SourceFormat) -> u8 {
        let default = match format {
            SourceFormat::Gguf | SourceFormat::Safetensors => 2,
            SourceFormat::Onnx | SourceFormat::Dlc | SourceFormat::ContextBinary => 3,
        };
        self.optimization.unwrap_or(default)
    }

    /// Whether a context of so many graphs shares their weights.
    pub fn weight_sharing(&self, graphs: usize) -> bool {
        self.weight_sharing.unwrap_or(graphs > 1)
    }
}
