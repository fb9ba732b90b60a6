//! What a worker process is asked to do: one type a kind of work.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::llm::{Heads, LlmPart, Strategy};
use crate::options::{Accuracy, GraphSpec, HtpOptions, Precision};
use crate::ranges::Observed;
use crate::target::Target;

/// Writes one graph of a whole language model, from token ids to logits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportJob {
    /// The model file or folder.
    pub source: PathBuf,
    /// Tokens per execution.
    pub tokens: u32,
    /// Positions the graph sees, new ones included.
    pub context: u32,
    /// Whether heads are computed one by one.
    pub heads: Heads,
    /// ONNX file to write, with dequantized float32 weights in a `.data` file beside it.
    pub onnx: Option<PathBuf>,
    /// File to write with the encodings of the file's quantized weights, in AIMET's format 2.0.0.
    pub encodings: Option<PathBuf>,
    /// DLC to write, with weights encoded for this SoC.
    pub dlc: Option<(PathBuf, Target, Strategy)>,
    /// The libraries to write a DLC with.
    pub toolchain: Toolchain,
}

/// Runs a language model over token ids, in the emulator and on the reference engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvaluateJob {
    /// The model file or folder, of which the reference is made.
    pub source: PathBuf,
    /// What runs in the emulator.
    pub what: Evaluated,
    /// The SoC that is emulated.
    pub soc: Target,
    /// Token ids, window by window: each is evaluated by itself.
    pub windows: Vec<Vec<u32>>,
    /// Tokens of the first window that are run one by one as well.
    pub decode: u32,
    /// A folder for the reference's files.
    pub folder: PathBuf,
    /// The libraries.
    pub toolchain: Toolchain,
}

/// What of a language model is evaluated.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Evaluated {
    /// What an app loads.
    Deployment {
        /// The description, with the files that it names beside it.
        description: PathBuf,
    },
    /// A context binary with all layers, the embedding and the head, and the hidden state behind each layer as an output.
    Layers {
        /// The context binary, with graphs of `tokens` and of one token.
        binary: PathBuf,
        /// Tokens per execution.
        tokens: u32,
        /// Positions the graphs see.
        context: u32,
        /// Whether heads have tensors of their own.
        heads: Heads,
    },
}

/// Everything that decides the bytes of one context binary, plus where to put them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompileJob {
    /// Name of the model in the manifest, or the file's stem: for diagnostics and the graph's default name.
    pub model: String,
    /// The model file.
    pub source: PathBuf,
    /// What kind of file `source` is.
    pub format: SourceFormat,
    /// The SoC to compile for.
    pub soc: Target,
    /// Numeric precision of the graph.
    pub precision: Precision,
    /// How much accuracy activations may cost.
    #[serde(default)]
    pub accuracy: Accuracy,
    /// Graphs of the context; one named after the model when the manifest names none.
    pub graphs: Vec<GraphSpec>,
    /// Keep only these outputs (model names), in this order; all when empty.
    pub outputs: Vec<String>,
    /// What to run the model on to find values beyond fp16; no calibration run without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
    /// What an earlier run on the samples found; a graph that is not among them is run on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Observed>,
    /// A file with encodings of the model's tensors.
    #[serde(default)]
    pub encodings: Option<PathBuf>,
    /// Op packages that the model uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub op_packages: Vec<OpPackage>,
    /// Which part of a language model this is; `None` for other models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub llm: Option<LlmPart>,
    /// Backend options.
    pub htp: HtpOptions,
    /// Folder for the simulation's trace of each graph, `GRAPH.trace.json`, and the library's `GRAPH_schematic.bin`: for SoCs of which
    /// it has a simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<PathBuf>,
    /// The libraries to compile with.
    pub toolchain: Toolchain,
    /// Where the context binary goes; `None` for [`crate::Job::Check`].
    pub output: Option<PathBuf>,
}

/// An op package, built for this machine: what a worker registers, and what it lowers a model's operators by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpPackage {
    /// What the manifest calls it.
    pub name: String,
    /// The package's own name.
    pub package: String,
    /// Domain of its operators.
    pub domain: String,
    /// The library.
    pub library: PathBuf,
    /// The function of it that hands out its interface.
    pub provider: String,
    /// The file with its op definitions.
    pub definition: PathBuf,
    /// Shapes of outputs, by op.
    #[serde(default)]
    pub shapes: BTreeMap<String, Vec<String>>,
    /// Operators of the standard that become ops of it.
    #[serde(default)]
    pub replace: BTreeMap<String, String>,
}

/// Inputs of a calibration run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Samples {
    /// Made by the engine, the same every time.
    Generated,
    /// An `.npz` file: one array per input of the model file, in its dtype and layout, or batches of them.
    File(PathBuf),
}

impl Samples {
    /// `generated`, or a path.
    pub fn from_text(text: &str) -> Self {
        if text == "generated" { Self::Generated } else { Self::File(text.into()) }
    }
}

/// Kind of model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceFormat {
    /// ONNX protobuf.
    Onnx,
    /// Qualcomm deep learning container.
    Dlc,
    /// A ready context binary: checked and passed on.
    ContextBinary,
    /// Weights of a language model in llama.cpp's format.
    Gguf,
    /// A Hugging Face folder with `config.json` and safetensors files.
    Safetensors,
}

/// The libraries a job uses, resolved by the driver.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Toolchain {
    /// Folder that holds `libQnnHtp.so` and `libQnnSystem.so`.
    pub qnn_lib_dir: PathBuf,
    /// The ONNX Runtime library, where one is installed.
    pub onnxruntime: Option<PathBuf>,
}

/// Runs one graph of a context binary on inputs from an `.npz` file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExecuteJob {
    /// The context binary.
    pub binary: PathBuf,
    /// Which graph; the only one when `None`.
    pub graph: Option<String>,
    /// SoC to emulate; the binary's own when `None`.
    pub soc: Option<Target>,
    /// `.npz` with one array per graph input, or `[N, …]` batches of them.
    pub inputs: PathBuf,
    /// `.npz` to write, one array per graph output.
    pub outputs: PathBuf,
    /// Op packages that the binary uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub op_packages: Vec<OpPackage>,
    /// The libraries to execute with.
    pub toolchain: Toolchain,
}

/// Runs an ONNX model on ONNX Runtime's CPU provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReferenceJob {
    /// The model file.
    pub source: PathBuf,
    /// `.npz` with one array per model input.
    pub inputs: PathBuf,
    /// `.npz` to write.
    pub outputs: PathBuf,
    /// Values to report; the model's outputs when empty. Names of intermediate values are allowed.
    pub values: Vec<String>,
    /// The libraries to execute with.
    pub toolchain: Toolchain,
}
