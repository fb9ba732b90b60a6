//! What a job reports: the graphs of a binary, times, weights, an evaluation.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::protocol::Stage;
use crate::quant::Encoding;
use crate::ranges::Observed;

/// What a successful job reports.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The vendor library's build id.
    pub build_id: String,
    /// Size of the context binary, bytes.
    pub binary_bytes: u64,
    /// Graphs of the binary, as its metadata tells.
    pub graphs: Vec<GraphInfo>,
    /// QNN ops handed to the library, all graphs together.
    pub ops: u64,
    /// Wall time of each stage, milliseconds, in order.
    pub stage_ms: Vec<(Stage, f64)>,
    /// Part of the time spent inside vendor calls, milliseconds.
    pub vendor_ms: f64,
    /// Peak resident memory of the worker, bytes.
    pub peak_rss: u64,
    /// Model files read besides the source itself (external data).
    pub files: Vec<PathBuf>,
    /// What became of a language model's weights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<WeightReport>,
    /// What an evaluation found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Evaluation>,
    /// What the values of each graph reach on the samples.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Observed>,
    /// Values of the model's main graph that a compile computes, in the order of its nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub computed: Vec<ComputedValue>,
    /// What became of activations that HTP can join with the layer before them; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activations: Option<Activations>,
    /// What an execution of each graph costs in the library's simulation; empty for SoCs of which it has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub estimates: Vec<Estimate>,
    /// QNN ops of each type, all graphs together.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub op_types: BTreeMap<String, u64>,
}

/// A value inside a model, and the node that computes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputedValue {
    /// Its name.
    pub value: String,
    /// The node's name.
    pub node: String,
    /// The node's operator.
    pub op: String,
}

/// Activations that HTP can join with the layer before them, all graphs together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Activations {
    /// Joined: they take no time, and cost accuracy.
    pub joined: u64,
    /// Kept apart.
    pub apart: u64,
}

/// A language model in the emulator against its dequantized weights in float32.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Evaluation {
    /// Tokens that were predicted.
    pub predicted: u64,
    /// Perplexity in the emulator: e to the mean of the negative log likelihoods.
    pub perplexity: f64,
    /// Perplexity of the reference.
    pub reference_perplexity: f64,
    /// Signal to noise of all logits, dB.
    pub sqnr_db: f64,
    /// Part of the positions at which both think the same token most likely.
    pub same_top: f64,
    /// Signal to noise of each layer's hidden state over the first execution, dB, where the graphs give them.
    pub layers: Vec<(String, f64)>,
    /// Signal to noise of the logits of single tokens against those of the prefill graph, dB; absent where none were run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decode_db: Option<f64>,
    /// Names of the files that were run: what an app loads, or what was compiled for a look at each layer.
    pub artifacts: Vec<String>,
    /// What was not run though an app may load it, and why; a sentence each.
    pub not_run: Vec<String>,
}

/// What became of a tensor of a language model's file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct WeightReport {
    /// Name in the file.
    pub tensor: String,
    /// How the file stores it, for example `Q4_0`.
    pub source: String,
    /// How the context binary has it.
    pub encoding: String,
    /// Whether it means the same numbers, up to the rounding of scales to fp16.
    pub exact: bool,
    /// Why it has this encoding.
    pub why: String,
    /// How many numbers.
    pub weights: u64,
    /// Their quality against the file's numbers, dB, where rounding to rows changed them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqnr_db: Option<f64>,
}

/// A graph of a context binary.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GraphInfo {
    /// Name.
    pub name: String,
    /// Inputs in order.
    pub inputs: Vec<TensorInfo>,
    /// Outputs in order.
    pub outputs: Vec<TensorInfo>,
}

/// A graph input or output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TensorInfo {
    /// Name as in the binary.
    pub name: String,
    /// `float32`, `float16`, `uint8`, `int8`, `uint16`, `int16`, `int32`, `uint32`, `bool`.
    pub dtype: String,
    /// Dimensions, outermost first.
    pub shape: Vec<u64>,
    /// Per-tensor scale and offset (`real = (q + offset) * scale`), where the tensor is quantized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quant: Option<(f32, i32)>,
    /// How the stored integers stand for real numbers, where the tensor is quantized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
}
