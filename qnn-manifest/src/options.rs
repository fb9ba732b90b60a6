//! Every key of the manifest, as data: validation, the options reference and the JSON schema are made from this table.
//!
//! A new option is one row here, one field in `schema.rs`, and its use in the plan.

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, kebab-case.
    pub key: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What holds when it is absent, as JSON; `None` when its absence means something of its own, told in `about`.
    pub default: Option<&'static str>,
    /// What it does, one or two sentences.
    pub about: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of some words.
    Choice(&'static Choice),
    /// `true` or `false`.
    Bool,
    /// A whole number between two bounds, both included.
    Int(u32, u32),
    /// A list of texts.
    Texts,
    /// A list of SoCs: texts or numeric ids; one alone needs no list.
    Socs,
    /// A list of whole numbers, each at least 1.
    Shape,
    /// A number, or a fraction as text: `"1/255"`.
    Number,
    /// The same, or a list of them: one a channel.
    PerChannel,
    /// A table of whole numbers, each at least 1, by names that the user chooses. The text says what the names are.
    Sizes(&'static str),
    /// A word, or a whole number between two bounds.
    WordOrInt(&'static str, u32, u32),
    /// A table with these keys.
    Table(&'static [Field]),
    /// A table with these keys that only some kinds of models have: its defaults are not filled in where nobody names it.
    Own(&'static [Field]),
    /// A table of tables: names that the user chooses, each with these keys. The text says what the names are.
    Named(&'static str, &'static [Field]),
    /// A table from names that the user chooses to values of one kind. The text says what the names are.
    Each(&'static str, &'static Kind),
    /// Known, and not supported by this version; the text says what there is instead.
    Later(&'static str),
}

/// The words a key takes.
#[derive(Debug)]
pub struct Choice {
    /// Accepted words.
    pub words: &'static [&'static str],
    /// Words that are known, but not supported by this version.
    pub later: &'static [&'static str],
}

/// Precisions.
pub static PRECISION: Choice =
    Choice { words: &["fp16"], later: &["fp32", "int8", "w8a8", "w8a16", "w4a16", "w4a8", "mixed"] };

/// What activations may cost in accuracy.
pub static ACCURACY: Choice = Choice { words: &["balanced", "exact", "fast"], later: &[] };

/// dtypes of inputs at the border.
pub static DTYPE: Choice = Choice {
    words: &["float32", "float16", "uint8", "int8", "uint16", "int16", "int32", "uint32", "bool"],
    later: &[],
};

/// Layouts of images at the border.
pub static LAYOUT: Choice = Choice { words: &["nchw", "nhwc"], later: &[] };

/// Ways to get a context binary into the app.
pub static EMBED: Choice = Choice { words: &["auto", "bytes", "file"], later: &[] };

/// Interfaces of op packages.
pub static OP_PACKAGE_KIND: Choice = Choice { words: &["qhpi", "cpp"], later: &[] };

/// Attention heads, one by one or together.
pub static HEADS: Choice = Choice { words: &["split", "fused"], later: &[] };

/// Where the head of a language model goes.
pub static LM_HEAD: Choice = Choice { words: &["separate", "inside"], later: &[] };

/// Where token ids become vectors.
pub static EMBEDDING: Choice = Choice { words: &["host", "graph"], later: &[] };

/// Element types of the key and value cache.
pub static KV: Choice = Choice { words: &["fp16"], later: &["uint8", "int8", "uint16"] };

/// What is done with quantized weights.
pub static STRATEGY: Choice =
    Choice { words: &["auto", "native", "float-fallback", "requantize-int8", "requantize-int4"], later: &[] };

const fn field(key: &'static str, kind: Kind, default: Option<&'static str>, about: &'static str) -> Field {
    Field { key, kind, default, about }
}

/// `[package.metadata.qnn]`.
pub static TOP: &[Field] = &[
    field(
        "soc",
        Kind::Socs,
        None,
        "SoCs to compile for: part numbers (`SM8650`), names (`snapdragon-8-gen-3`), numeric ids, or an architecture (`v75`). Required, here or per model.",
    ),
    field("models", Kind::Named("model", MODEL), None, "The models of the app; one Rust module each."),
    field(
        "op-packages",
        Kind::Named("op package", OP_PACKAGE),
        None,
        "Op packages with kernels of the app's own, which models use as operators of the package's domain.",
    ),
];

/// `[package.metadata.qnn.op-packages.NAME]`.
pub static OP_PACKAGE: &[Field] = &[
    field(
        "path",
        Kind::Text,
        None,
        "The package's folder, relative to the Cargo.toml that says it. Required.",
    ),
    field(
        "kind",
        Kind::Choice(&OP_PACKAGE_KIND),
        Some("\"qhpi\""),
        "`qhpi`: C, needs no SDK. `cpp`: the older C++ interface, which needs the QNN SDK (`QNN_SDK_ROOT`) and the Hexagon SDK (`HEXAGON_SDK_ROOT`).",
    ),
    field(
        "ops",
        Kind::Text,
        None,
        "The XML file with the op definitions, from the package's folder; the only `.xml` there or in `config` when absent.",
    ),
    field(
        "sources",
        Kind::Texts,
        None,
        "Sources, from the package's folder: files or patterns with `*` and `**`. When absent all `.c` files below `src` (`.cpp` for `kind = \"cpp\"`), with `.S` files in the folders that the SDK keeps them in.",
    ),
    field(
        "include",
        Kind::Texts,
        None,
        "Folders of headers beside the package's `include`, from its folder.",
    ),
    field(
        "targets",
        Kind::Texts,
        None,
        "Targets to build with the app beside those it needs: `htp-x86`, `hexagon-v68` to `hexagon-v81`, `htp-aarch64-android`, `cpu-x86`, `cpu-aarch64-android`. An app needs `htp-x86`, and for a phone the architectures of its SoCs.",
    ),
    field(
        "shapes",
        Kind::Each("op", &Kind::Texts),
        None,
        "Shapes of an op's outputs, one rule each: the name of the input with the same shape, or one expression an axis, such as `x[0], x[1]/2, (x[2]-kernel)/stride + 1`, where a name alone is a parameter and `/` rounds down. Without a rule an output has the shape that the model says, else that of the first input.",
    ),
    field(
        "replace",
        Kind::Each("operator", &Kind::Text),
        None,
        "Operators of the ONNX standard that become ops of this package: `replace.Swish = \"SiLU\"`.",
    ),
];

/// `[package.metadata.qnn.models.NAME]`.
pub static MODEL: &[Field] = &[
    field(
        "source",
        Kind::Text,
        None,
        "The model file: `.onnx`, `.dlc`, a language model as `.gguf` or as a Hugging Face folder with safetensors, or a ready context binary `.bin`. Relative to the Cargo.toml that says it. Required.",
    ),
    field(
        "precision",
        Kind::Choice(&PRECISION),
        Some("\"fp16\""),
        "Numeric precision of the compiled graph.",
    ),
    field(
        "accuracy",
        Kind::Choice(&ACCURACY),
        Some("\"balanced\""),
        "What GELU, SiLU, sigmoid and tanh may cost in accuracy: HTP can join them with the layer before them, so that they take no time and are off by up to 0.7 %. `fast` joins all, `exact` none, `balanced` those that save most while the error stays 40 dB below the result.",
    ),
    field("soc", Kind::Socs, None, "SoCs of this model, instead of the package's list."),
    field(
        "embed",
        Kind::Choice(&EMBED),
        Some("\"auto\""),
        "`bytes` embeds the context binary in the executable, `file` ships it beside, `auto` embeds when the binaries of all SoCs take at most 256 MiB together.",
    ),
    field(
        "inputs",
        Kind::Named("input", INPUT),
        None,
        "Shape, dtype, layout and normalization of inputs, by input name.",
    ),
    field(
        "dims",
        Kind::Sizes(DIMS),
        None,
        "Fixes free dimensions by the names that the model has for them, in all inputs at once: `{ batch = 1, seq = 128 }`. `cargo qnn inspect FILE` shows the names.",
    ),
    field(
        "features",
        Kind::Texts,
        None,
        "Features of the package that the model needs, as `required-features` of a binary: where one of them is off, the model is not compiled and its module does not exist.",
    ),
    field("outputs", Kind::Texts, None, "Keep only these outputs, in this order; all when absent."),
    field(
        "graphs",
        Kind::Named("graph", GRAPH),
        None,
        "Several graphs of the same model in one context binary, by name. One graph named after the model when absent.",
    ),
    field(
        "samples",
        Kind::Text,
        None,
        "Inputs of a calibration run, which finds values beyond the range of fp16 and scales them, or warns: an `.npz` file with one array (or a batch of them) per input of the model, or `generated`. Values with encodings keep the ranges that these say; all others are looked at, beside them too. No calibration run when absent.",
    ),
    field("htp", Kind::Table(HTP), None, "Options of the HTP backend."),
    field(
        "quantize",
        Kind::Table(QUANTIZE),
        None,
        "Quantization that does not come in the model file. What the file itself says of it (QDQ, QLinear operators) needs no option.",
    ),
    field(
        "llm",
        Kind::Own(LLM),
        None,
        "How a language model is compiled. `inputs`, `outputs`, `graphs`, `samples` and `quantize` are not for language models.",
    ),
    field(
        "op-packages",
        Kind::Texts,
        None,
        "Op packages that this model uses; when absent those whose domain it imports, and those that replace operators.",
    ),
];

/// `models.NAME.llm`.
pub static LLM: &[Field] = &[
    field(
        "context",
        Kind::Int(2, 1 << 20),
        None,
        "Positions that the graphs see, prompt and answer together; when absent what the model was made for, at most 1024. Memory and time of each token grow with it.",
    ),
    field(
        "prefill",
        Kind::Shape,
        None,
        "Tokens of a prompt that are taken at once: one graph each, beside the one for single tokens. Each must be smaller than `context`; `[1]` means single tokens only. `[128]` when absent, or half of a `context` below 256.",
    ),
    field(
        "heads",
        Kind::Choice(&HEADS),
        Some("\"split\""),
        "`split` computes attention heads one by one, which needs no spill memory in prefill; `fused` all in one, with a third of the ops.",
    ),
    field(
        "shards",
        Kind::WordOrInt("auto", 1, 1024),
        Some("\"auto\""),
        "Context binaries that the layers are divided into; `auto` takes as many as keep each at about 256 MB or less.",
    ),
    field(
        "lm-head",
        Kind::Choice(&LM_HEAD),
        Some("\"separate\""),
        "`separate` makes the head a context binary of its own, run once per answer token; `inside` puts it into the last layers' binary.",
    ),
    field(
        "embedding",
        Kind::Choice(&EMBEDDING),
        Some("\"host\""),
        "`host` looks token vectors up in a file; `graph` on the HTP, which stores the table in the first context binary.",
    ),
    field("kv", Kind::Choice(&KV), Some("\"fp16\""), "Element type of the key and value cache."),
    field(
        "strategy",
        Kind::Choice(&STRATEGY),
        Some("\"auto\""),
        "What is done with weights: `native` keeps the file's own blocks, `float-fallback` makes them fp16, `requantize-int8` and `requantize-int4` quantize anew with a scale per row, `auto` is `native` where the HTP has the encoding and the nearest that it has elsewhere.",
    ),
];

/// `models.NAME.inputs.NAME` and `models.NAME.graphs.NAME.inputs.NAME`.
pub static INPUT: &[Field] = &[
    field("shape", Kind::Shape, None, "Fixes every dimension, in the model's own layout."),
    field(
        "dtype",
        Kind::Choice(&DTYPE),
        None,
        "Type of the elements the app passes; the model's own when absent.",
    ),
    field(
        "layout",
        Kind::Choice(&LAYOUT),
        None,
        "Layout of the image the app passes; the model's own when absent.",
    ),
    field(
        "scale",
        Kind::Number,
        None,
        "With `mean` and `std`, what the graph makes of each number q the app passes, before the model sees it: (q · scale - mean) / std. For an image of bytes that the model wants from 0 to 1 it is `\"1/255\"`. 1 when absent.",
    ),
    field(
        "mean",
        Kind::PerChannel,
        None,
        "Subtracted from the scaled number: one for all channels, or a list with one per channel (axis 1 of the model's input; its last axis where only that has as many). 0 when absent.",
    ),
    field(
        "std",
        Kind::PerChannel,
        None,
        "Divides the difference: one for all channels, or a list as for `mean`. 1 when absent.",
    ),
];

const DIMS: &str = "dimension";

/// `models.NAME.graphs.NAME`.
pub static GRAPH: &[Field] = &[
    field(
        "inputs",
        Kind::Named("input", INPUT),
        None,
        "What the app passes to this graph; what it does not say comes from the model's `inputs`.",
    ),
    field(
        "dims",
        Kind::Sizes(DIMS),
        None,
        "Free dimensions in this graph; what it does not say comes from the model's `dims`.",
    ),
];

/// `models.NAME.quantize`.
pub static QUANTIZE: &[Field] = &[
    field(
        "encodings",
        Kind::Text,
        None,
        "A file with scales of the model's tensors: AIMET encodings (0.6.1, 1.0.0, 2.0.0) or QAIRT quantization overrides. Relative to the Cargo.toml that says it.",
    ),
    field(
        "method",
        Kind::Later("Models are quantized by AIMET or onnxruntime.quantization."),
        None,
        "Quantization with calibration data.",
    ),
    field(
        "calibration",
        Kind::Later("Models are quantized by AIMET or onnxruntime.quantization."),
        None,
        "Calibration data.",
    ),
];

/// `models.NAME.htp`.
pub static HTP: &[Field] = &[
    field(
        "vtcm-mb",
        Kind::Int(1, 64),
        None,
        "VTCM (tightly coupled memory) to plan for, MiB; all that the SoC has when absent.",
    ),
    field(
        "optimization",
        Kind::Int(1, 3),
        None,
        "Effort of the vendor's compiler: 1 compiles fastest, 3 gives the fastest graph. When absent, it is 3, and 2 for language models.",
    ),
    field("hvx-threads", Kind::Int(1, 16), None, "HVX threads to use; the backend's choice when absent."),
    field("dlbc", Kind::Bool, None, "Deep learning bandwidth compression of activations; off when absent."),
    field(
        "weight-sharing",
        Kind::Bool,
        None,
        "Share equal weights between the graphs of the context; on when there are several, except in a build for x86-64: the emulator cannot load shared weights.",
    ),
    field("pd", Kind::Later("The process domain is chosen at run time."), None, "Process domain on the DSP."),
];
