//! What travels between the driver and a worker process: one [`Job`] in, [`Event`] lines out, both as JSON.
//!
//! The life of a worker, as the driver (`qnn_build::driver`) expects it:
//!
//! 1. `cargo-qnn worker --handshake` prints one line, a [`Handshake`] as JSON, and exits with 0. The driver asks once per
//!    executable file and remembers the answer.
//! 2. `cargo-qnn worker` reads **one line** from standard input: a [`Job`] as JSON. It does not wait for the end of the
//!    input: the driver keeps the pipe open for as long as it lives.
//! 3. The worker writes [`Event`] lines to the pipe that was its standard output, each flushed at once, and moves
//!    descriptor 1 to descriptor 2 before it loads the vendor library, whose prints would break the protocol. Standard error
//!    is free text: it goes to the log, and its last lines into the diagnostic of a crash.
//! 4. Once the job is read, a thread of the worker that does nothing else reads standard input; at its end it
//!    ends the process at once (`_exit`, no destructors). So no worker outlives a driver that was killed, on any system.
//! 5. The last line is [`Event::Done`] or [`Event::Failed`], sent when everything the job writes is written: the driver
//!    ends the process at once then, without waiting for the vendor library to take itself down. A worker that is left
//!    alone exits with 0 and 1 respectively; a panic exits with 101, Rust's own code. A line that is no event is taken as text
//!    for the log.
//! 6. The context binary is written to the job's `output`, a path that does not exist yet in a folder of this job alone.
//!    The driver hashes it and moves it into the store; whatever a killed worker leaves there is thrown away.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Version of this protocol; driver and worker refuse each other when it differs.
pub const PROTOCOL: u32 = 3;

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// [`PROTOCOL`] of the worker.
    pub protocol: u32,
    /// Identity of the worker's engine: a hash over its sources and what they are built with. It is part of the store's key, so
    /// what another engine made is never taken for what this one would make.
    pub engine: String,
    /// Version of `cargo-qnn`, for messages.
    pub version: String,
}

impl Handshake {
    /// What a worker with this engine says: `cargo-qnn` prints it as one line of JSON.
    pub fn current(engine: &str) -> Self {
        Self { protocol: PROTOCOL, engine: engine.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// A unit of work for one worker process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub enum Job {
    /// Compile a model for one SoC and write the context binary.
    Compile(CompileJob),
    /// Everything a compile does except finalizing: collects every problem of the model.
    Check(CompileJob),
    /// Execute a context binary (in the HTP emulator on a development machine).
    Execute(ExecuteJob),
    /// Run the source model on the reference engine (ONNX Runtime on the CPU).
    Reference(ReferenceJob),
    /// Write a language model as ONNX or DLC.
    Export(ExportJob),
    /// Compare a language model in the emulator with its dequantized weights on the reference engine, over a text.
    Evaluate(EvaluateJob),
}

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
    pub heads: qnn_llm::Heads,
    /// Whether every layer's hidden state is an output.
    #[serde(default)]
    pub layers: bool,
    /// ONNX file to write, with dequantized float32 weights in a `.data` file beside it.
    pub onnx: Option<PathBuf>,
    /// File to write with the encodings of the file's quantized weights, in AIMET's format 2.0.0.
    pub encodings: Option<PathBuf>,
    /// DLC to write, with weights encoded for this SoC.
    pub dlc: Option<(PathBuf, Target, qnn_llm::Strategy)>,
    /// The libraries to write a DLC with.
    pub toolchain: Toolchain,
}

/// Runs a language model over token ids, in the emulator and on the reference engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvaluateJob {
    /// The model file or folder.
    pub source: PathBuf,
    /// A context binary with all layers, the embedding and the head, and graphs of `tokens` and of one token.
    pub binary: PathBuf,
    /// The SoC it is for.
    pub soc: Target,
    /// The same as ONNX, for `tokens` tokens.
    pub onnx: PathBuf,
    /// Tokens per execution.
    pub tokens: u32,
    /// Positions the graphs see.
    pub context: u32,
    /// Whether heads have tensors of their own.
    pub heads: qnn_llm::Heads,
    /// Token ids, window by window: each is evaluated by itself.
    pub windows: Vec<Vec<u32>>,
    /// Tokens of the first window that are run one by one as well.
    pub decode: u32,
    /// The libraries.
    pub toolchain: Toolchain,
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
    /// Graphs of the context; one named after the model when the manifest names none.
    pub graphs: Vec<GraphSpec>,
    /// Keep only these outputs (model names), in this order; all when empty.
    pub outputs: Vec<String>,
    /// What to run the model on to find values beyond fp16; no calibration run without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
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
    /// The libraries to compile with.
    pub toolchain: Toolchain,
    /// Where the context binary goes; `None` for [`Job::Check`].
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

/// A part of a language model: what one context binary has of it. See [`qnn_llm::deployment`] for its graphs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LlmPart {
    /// What the part is.
    pub what: LlmPartKind,
    /// Positions the graphs see, new ones included.
    pub context: u32,
    /// Whether heads are computed one by one.
    pub heads: qnn_llm::Heads,
    /// Element type of the key and value cache.
    pub kv: qnn_llm::KvType,
    /// What is done with quantized weights.
    pub strategy: qnn_llm::Strategy,
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

/// The SoC a binary is made for, by value: the store key hashes these numbers, not the name of a table row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Canonical name, for example `SM8650`.
    pub name: String,
    /// The vendor's SoC id (`socModel`).
    pub id: u32,
    /// Hexagon architecture, for example 75.
    pub arch: u32,
    /// VTCM (tightly coupled memory) to plan for, MiB.
    pub vtcm_mb: u32,
    /// Whether the SoC computes in fp16.
    pub fp16: bool,
}

/// Numeric precision of a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Half-precision arithmetic and weights; inputs and outputs keep the model's dtype (fp32 unless told otherwise).
    #[default]
    Fp16,
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
    /// dtype at the border: `float32`, `float16`, `uint8`, `int32`, …; the model's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    /// Layout at the border: `nchw` or `nhwc`; the model's own when absent.
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
    /// Finalization optimization level, 1 to 3; 2 by default.
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
    /// The finalization level that is meant: the library's own default where nothing is said.
    pub fn optimization(&self) -> u8 {
        self.optimization.unwrap_or(2)
    }

    /// Whether a context of so many graphs shares their weights.
    pub fn weight_sharing(&self, graphs: usize) -> bool {
        self.weight_sharing.unwrap_or(graphs > 1)
    }
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

/// What a worker is doing; a crash is reported with the last stage it announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Started, not yet at work.
    #[default]
    Start,
    /// Reading and typing the model.
    Import,
    /// Graph passes.
    Optimize,
    /// Mapping nodes to QNN ops.
    Lower,
    /// Loading the vendor library and opening the device.
    Load,
    /// Creating tensors, validating and adding ops.
    Compose,
    /// The vendor's compilation proper.
    Finalize,
    /// Getting the binary from the library and writing it.
    Serialize,
    /// Reading the binary's metadata back.
    Verify,
    /// Executing a graph.
    Execute,
    /// Running the reference engine.
    Reference,
}

/// As words for messages: "while {stage}".
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Start => "starting",
            Stage::Import => "reading the model",
            Stage::Optimize => "optimizing the graph",
            Stage::Lower => "lowering to QNN ops",
            Stage::Load => "loading the QNN library",
            Stage::Compose => "composing the graph",
            Stage::Finalize => "finalizing the graph",
            Stage::Serialize => "writing the context binary",
            Stage::Verify => "reading the context binary back",
            Stage::Execute => "executing the graph",
            Stage::Reference => "running the reference engine",
        })
    }
}

/// One line from a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A stage begins.
    Stage {
        /// Which one.
        stage: Stage,
    },
    /// A step within a stage, for progress bars: `done` of `total`.
    Progress {
        /// Steps finished.
        done: u64,
        /// Steps in all.
        total: u64,
    },
    /// Code of op packages may run from now on: these ops, each as `package::Op` with the node that it comes from where one is
    /// known. A crash is theirs or the vendor's. None when the danger is over.
    AtRisk {
        /// The ops.
        ops: Vec<String>,
    },
    /// Something the user should know that does not stop the job.
    Warning(Diagnostic),
    /// One of possibly many reasons why the job will fail.
    Problem(Diagnostic),
    /// The job succeeded.
    Done(Box<Report>),
    /// The job failed; the problems were sent before.
    Failed {
        /// The problem, where none was sent; else a summary, which is not shown.
        error: Diagnostic,
    },
}

/// A message with the parts every message has: code, what, where, why, help.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Diagnostic {
    /// Stable code, for example `E0103`; see docs/ERRORS.md.
    pub code: String,
    /// What is wrong, one sentence without a final stop.
    pub message: String,
    /// Model of the manifest, where one is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Place in a file: `Cargo.toml:12`, or a file alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Node of the model, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its op type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// Why, or what was found: further lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic with a code of [`crate::diagnostics::CODES`] and a message: one sentence without a final stop.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), ..Self::default() }
    }

    /// Names the model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Names the place in a file.
    #[must_use]
    pub fn at(mut self, at: impl Into<String>) -> Self {
        self.at = Some(at.into());
        self
    }

    /// Adds a line that says why, or what was found.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A problem of a language model's file, with its code.
impl From<qnn_llm::Problem> for Diagnostic {
    fn from(problem: qnn_llm::Problem) -> Self {
        let diagnostic = Self::new(problem.class.code(), problem.message);
        Self { notes: problem.notes, help: problem.help, ..diagnostic }
    }
}

/// The message as text without colour: code and message, then one indented line per further part.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.code.is_empty() {
            write!(f, "qnn::{}: ", self.code)?;
        }
        if let Some(model) = &self.model {
            write!(f, "model `{model}`: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(at) = &self.at {
            write!(f, "\n  --> {at}")?;
        }
        match (&self.node, &self.op) {
            (Some(node), Some(op)) => write!(f, "\n  node: {node} ({op})")?,
            (Some(node), None) => write!(f, "\n  node: {node}")?,
            (None, Some(op)) => write!(f, "\n  op: {op}")?,
            (None, None) => {}
        }
        for note in &self.notes {
            write!(f, "\n  note: {}", note.replace('\n', "\n        "))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", help.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}

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
    /// QNN ops of each type, all graphs together.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub op_types: BTreeMap<String, u64>,
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
}
