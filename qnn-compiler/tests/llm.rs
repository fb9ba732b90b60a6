//! Language models in the emulator: the trained model of the llm-chat example against the logits that transformers computes from its
//! dequantized weights, and models of random weights in every format and architecture against ONNX Runtime.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use half::f16;
use qnn::DataType;
use qnn_compiler::npz::{self, Array};
use qnn_llm::deployment::{MASKED, graph_name};
use qnn_llm::synthetic::Synthetic;
use qnn_llm::{Config, Format, Heads, KvType, Strategy};
use qnn_types::{
    CompileJob, EvaluateJob, Evaluated, Evaluation, ExecuteJob, ExportJob, GraphSpec, HtpOptions, Job,
    LlmPart, LlmPartKind, Precision, ReferenceJob, Report, SourceFormat, Target, Toolchain,
};

/// The trained model; its README tells where it comes from.
fn trained() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/llm-chat/models/tinylm-qwen2-Q4_0.gguf")
}

/// 64 token ids and the logits (64, 1024) that transformers 4 computes in float32 from the file's dequantized weights.
fn reference() -> (Vec<u32>, Vec<f32>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tinylm-qwen2-Q4_0.dequant.npz");
    let arrays = npz::read(&path).unwrap();
    let find = |name: &str| &arrays.iter().find(|(n, _)| n == name).unwrap().1;
    let ids = find("input_ids").data.chunks_exact(8).map(|c| c[0] as u32 + 256 * u32::from(c[1])).collect();
    let logits =
        find("logits").data.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap())).collect();
    (ids, logits)
}

fn toolchain() -> Toolchain {
    let libs = qnn_platform::libs::resolve(None).unwrap();
    Toolchain { qnn_lib_dir: libs.dir, onnxruntime: Some(qnn_platform::libs::onnxruntime().unwrap()) }
}

fn soc(name: &str) -> Target {
    let soc = qnn_platform::soc::find(name).unwrap();
    Target { name: soc.name.to_owned(), id: soc.id, arch: soc.arch, vtcm_mb: soc.vtcm_mb, fp16: soc.fp16 }
}

/// The emulator is one for the process: jobs take turns.
static TURN: Mutex<()> = Mutex::new(());

fn run(job: &Job) -> Report {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    qnn_compiler::run(job, &mut |_| {}).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// How a whole model is compiled as one part.
struct Whole<'a> {
    source: &'a Path,
    soc: &'a str,
    tokens: u32,
    context: u32,
    heads: Heads,
    strategy: Strategy,
}

impl Whole<'_> {
    fn compile(&self, output: &Path) -> Report {
        run(&Job::Compile(CompileJob { output: Some(output.to_owned()), ..self.job() }))
    }

    fn job(&self) -> CompileJob {
        let layers = qnn_llm::peek(self.source).unwrap().config.layers as u32;
        let graph = |tokens: u32| GraphSpec {
            name: graph_name(tokens as usize),
            tokens: Some(tokens),
            ..GraphSpec::default()
        };
        let what = LlmPartKind::Layers { first: 0, count: layers, embedding: true, head: true };
        CompileJob {
            model: "m".to_owned(),
            source: self.source.to_owned(),
            format: if self.source.is_dir() { SourceFormat::Safetensors } else { SourceFormat::Gguf },
            soc: soc(self.soc),
            precision: Precision::Fp16,
            graphs: vec![graph(self.tokens), graph(1)],
            outputs: Vec::new(),
            samples: None,
            ranges: Vec::new(),
            accuracy: Default::default(),
            trace: None,
            encodings: None,
            op_packages: Vec::new(),
            llm: Some(LlmPart {
                what,
                context: self.context,
                heads: self.heads,
                kv: KvType::Fp16,
                strategy: self.strategy,
                layers: true,
            }),
            htp: HtpOptions { optimization: Some(1), weight_sharing: Some(false), ..HtpOptions::default() },
            toolchain: toolchain(),
            output: None,
        }
    }

    fn export(&self, onnx: &Path, encodings: Option<PathBuf>) {
        run(&Job::Export(ExportJob {
            source: self.source.to_owned(),
            tokens: self.tokens,
            context: self.context,
            heads: self.heads,
            onnx: Some(onnx.to_owned()),
            encodings,
            dlc: None,
            toolchain: toolchain(),
        }));
    }

    /// Both engines over these tokens.
    fn evaluate(&self, ids: Vec<u32>) -> (Report, Evaluation) {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("m.bin");
        let compiled = self.compile(&binary);
        let Whole { tokens, context, heads, .. } = *self;
        let report = run(&Job::Evaluate(EvaluateJob {
            source: self.source.to_owned(),
            what: Evaluated::Layers { binary, tokens, context, heads },
            soc: soc(self.soc),
            windows: vec![ids],
            decode: 4,
            folder: folder.path().to_owned(),
            toolchain: toolchain(),
        }));
        (compiled, report.evaluation.unwrap())
    }
}

/// The inputs of a graph of `ids.len()` tokens with nothing before them.
fn inputs(config: &Config, ids: &[u32], context: usize) -> Vec<(String, Vec<u64>, Vec<f32>)> {
    let (tokens, room, size) = (ids.len(), context - ids.len(), config.head_dim);
    let mut mask = vec![MASKED; tokens * context];
    let (mut cos, mut sin) = (Vec::new(), Vec::new());
    for i in 0..tokens {
        mask[i * context + room..=i * context + room + i].fill(0.0);
        for frequency in config.rope_frequencies() {
            cos.push((i as f64 * frequency).cos() as f32);
            sin.push((i as f64 * frequency).sin() as f32);
        }
    }
    let angle = vec![1, tokens as u64, size as u64 / 2];
    let mut all = vec![
        ("mask".to_owned(), vec![1, 1, tokens as u64, context as u64], mask),
        ("cos".to_owned(), angle.clone(), cos),
        ("sin".to_owned(), angle, sin),
    ];
    for layer in 0..config.layers {
        for which in ["k", "v"] {
            let shape = vec![1, config.kv_heads as u64, room as u64, size as u64];
            all.push((format!("{which}.{layer}"), shape, vec![0.0; config.kv_heads * room * size]));
        }
    }
    all
}

fn written(path: &Path, ids: &[u32], floats: &[(String, Vec<u64>, Vec<f32>)], half: bool) {
    let ids: Vec<u8> = ids.iter().flat_map(|id| (*id as i32).to_le_bytes()).collect();
    let mut arrays = BTreeMap::new();
    let tokens = Array { dtype: DataType::Int32, shape: vec![ids.len() as u64 / 4], data: ids };
    arrays.insert("tokens".to_owned(), tokens);
    for (name, shape, values) in floats {
        let (dtype, data) = match half {
            true => {
                let halves = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
                (DataType::Float16, halves)
            }
            false => (DataType::Float32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        };
        arrays.insert(name.clone(), Array { dtype, shape: shape.clone(), data });
    }
    npz::write(path, arrays.iter().map(|(name, array)| (&**name, array))).unwrap();
}

fn logits(path: &Path) -> Vec<f32> {
    let arrays = npz::read(path).unwrap();
    let array = &arrays.iter().find(|(name, _)| name == "logits").unwrap().1;
    match array.dtype {
        DataType::Float16 => {
            array.data.chunks_exact(2).map(|c| f16::from_le_bytes([c[0], c[1]]).to_f32()).collect()
        }
        _ => array.data.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap())).collect(),
    }
}

fn sqnr(wanted: &[f32], found: &[f32]) -> f64 {
    assert_eq!(wanted.len(), found.len());
    let signal: f64 = wanted.iter().map(|v| f64::from(*v).powi(2)).sum();
    let noise: f64 = wanted.iter().zip(found).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    10.0 * (signal / noise).log10()
}

fn whole<'a>(source: &'a Path) -> Whole<'a> {
    Whole { source, soc: "SM8650", tokens: 64, context: 96, heads: Heads::Fused, strategy: Strategy::Auto }
}

#[test]
fn a_trained_model_gives_the_logits_that_transformers_gives() {
    let (ids, wanted) = reference();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let source = trained();
    let model = whole(&source);
    let report = model.compile(&path("m.bin"));
    let config = qnn_llm::peek(&source).unwrap().config;
    written(&path("in.npz"), &ids, &inputs(&config, &ids, 96), true);
    run(&Job::Execute(ExecuteJob {
        binary: path("m.bin"),
        graph: Some(graph_name(64)),
        soc: None,
        inputs: path("in.npz"),
        outputs: path("out.npz"),
        op_packages: Vec::new(),
        toolchain: toolchain(),
    }));
    let found = logits(&path("out.npz"));
    let quality = sqnr(&wanted, &found);
    assert!(quality > 55.0, "{quality:.1} dB");
    assert!(
        report.weights.iter().all(|weight| weight.exact && weight.source == "Q4_0"),
        "{:?}",
        report.weights
    );
    assert!(report.op_types.contains_key("RmsNorm") && report.op_types.contains_key("RotaryEmbedding"));
}

#[test]
fn an_exported_model_gives_the_logits_that_transformers_gives() {
    let (ids, wanted) = reference();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let source = trained();
    whole(&source).export(&path("m.onnx"), Some(path("m.encodings")));
    let config = qnn_llm::peek(&source).unwrap().config;
    written(&path("in.npz"), &ids, &inputs(&config, &ids, 96), false);
    run(&Job::Reference(ReferenceJob {
        source: path("m.onnx"),
        inputs: path("in.npz"),
        outputs: path("out.npz"),
        values: vec!["logits".to_owned()],
        toolchain: toolchain(),
    }));
    let found = logits(&path("out.npz"));
    let worst = wanted.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-3, "{worst}");

    // 28 projections and the head, each with a scale for every 32 elements of a row.
    let text = std::fs::read_to_string(path("m.encodings")).unwrap();
    let encodings: serde_json::Value = serde_json::from_str(&text).unwrap();
    let all = encodings["encodings"].as_array().unwrap();
    assert_eq!((encodings["version"].as_str(), all.len()), (Some("2.0.0"), 29));
    let down = all.iter().find(|e| e["name"] == "layers.0.down.weight").unwrap();
    assert_eq!((down["output_dtype"].as_str(), down["block_size"].as_u64()), (Some("int4"), Some(32)));
    let scales = down["y_scale"].as_array().unwrap();
    assert_eq!((scales.len(), scales[0].as_array().unwrap().len()), (256, 768 / 32));
}

#[test]
fn prefill_and_decode_agree_over_several_executions() {
    let (ids, _) = reference();
    let source = trained();
    for heads in [Heads::Fused, Heads::Split] {
        // Neither the context nor the text is a multiple of what one execution takes, and the text fills the context.
        let model = Whole { tokens: 24, context: 64, heads, ..whole(&source) };
        let (_, found) = model.evaluate(ids.clone());
        assert!(found.sqnr_db > 55.0, "{heads:?}: {found:?}");
        assert!(found.decode_db.unwrap() > 40.0, "{heads:?}: {found:?}");
        assert!((found.perplexity / found.reference_perplexity - 1.0).abs() < 0.015, "{heads:?}: {found:?}");
        assert_eq!((found.predicted, found.layers.len()), (63, 4));
    }
}

/// A model of random weights in a folder of its own.
fn synthetic(architecture: &str, format: Format) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    Synthetic::tiny(architecture, format).unwrap().write_gguf(&path).unwrap();
    (folder, path)
}

/// Token ids without an order.
fn ids(config: &Config, count: usize) -> Vec<u32> {
    (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 7) % config.vocabulary as u32).collect()
}

#[track_caller]
fn close(source: &Path, soc: &str, strategy: Strategy, least: f64) -> Report {
    let config = qnn_llm::peek(source).unwrap().config;
    let model = Whole { soc, tokens: 16, context: 32, heads: Heads::Fused, strategy, ..whole(source) };
    let (report, found) = model.evaluate(ids(&config, 24));
    assert!(found.sqnr_db > least, "{soc} {strategy:?}: {found:?}");
    assert!(found.decode_db.unwrap() > 40.0, "{soc} {strategy:?}: {found:?}");
    report
}

#[test]
fn every_architecture_of_the_table_computes_what_its_weights_mean() {
    for architecture in ["qwen2", "qwen3", "llama", "mistral"] {
        let (_folder, source) = synthetic(architecture, Format::F16);
        close(&source, "SM8650", Strategy::Auto, 50.0);
    }
}

#[test]
fn biases_of_every_projection_are_added() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    let model = Synthetic { all_biases: true, ..Synthetic::tiny("llama", Format::F16).unwrap() };
    model.write_gguf(&path).unwrap();
    close(&path, "SM8650", Strategy::Auto, 50.0);
    let plain = folder.path().join("plain.gguf");
    Synthetic::tiny("llama", Format::F16).unwrap().write_gguf(&plain).unwrap();
    let (biased, plain) = (qnn_llm::peek(&path).unwrap(), qnn_llm::peek(&plain).unwrap());
    assert_eq!(biased.tensors.len() - plain.tensors.len(), 2 * 7);
}

/// Biases of keys as large as Qwen2's leave fp16 no digits for the rest of a key, unless they are kept apart from it.
#[test]
fn large_biases_of_keys_cost_no_precision() {
    let folder = tempfile::tempdir().unwrap();
    for heads in [Heads::Fused, Heads::Split] {
        let path = folder.path().join("m.gguf");
        let model = Synthetic { key_bias: 2000.0, ..Synthetic::tiny("qwen2", Format::F16).unwrap() };
        model.write_gguf(&path).unwrap();
        let config = qnn_llm::peek(&path).unwrap().config;
        let whole = Whole { tokens: 16, context: 64, heads, ..whole(&path) };
        let (report, found) = whole.evaluate(ids(&config, 48));
        assert!(found.sqnr_db > 45.0 && found.decode_db.unwrap() > 40.0, "{heads:?}: {found:?}");
        // Two layers, two graphs; a rotation and a sum more for the keys of each.
        let keys = if heads == Heads::Fused { 1 } else { config.kv_heads as u64 };
        let turned = 2 * 2 * keys;
        let plain = if heads == Heads::Fused { 2 } else { (config.heads + config.kv_heads) as u64 };
        assert_eq!(report.op_types["RotaryEmbedding"], 2 * 2 * plain + turned, "{heads:?}");
    }
}

#[test]
fn every_format_keeps_its_numbers() {
    let formats = [
        Format::F32,
        Format::BF16,
        Format::Q8_0,
        Format::Q4_0,
        Format::Q4_1,
        Format::Q5_0,
        Format::Q5_1,
        Format::Q4_K,
        Format::Q5_K,
        Format::Q6_K,
    ];
    for format in formats {
        let (_folder, source) = synthetic("llama", format);
        let report = close(&source, "SM8650", Strategy::Auto, 50.0);
        let name = format.name();
        assert!(report.weights.iter().any(|weight| weight.source == name), "{name}: {:?}", report.weights);
    }
}

#[test]
fn strategies_do_what_their_names_say() {
    let (_folder, source) = synthetic("qwen2", Format::Q4_0);
    let encoding = |report: &Report| report.weights[0].encoding.clone();
    let float = close(&source, "SM8650", Strategy::FloatFallback, 50.0);
    assert_eq!(encoding(&float), "fp16");
    let rows = close(&source, "SM8650", Strategy::RequantizeInt8, 30.0);
    assert_eq!(encoding(&rows), "int8 per row");
    assert!(
        rows.weights.iter().all(|weight| weight.sqnr_db.is_some_and(|db| db > 35.0)),
        "{:?}",
        rows.weights
    );
    let rows = close(&source, "SM8650", Strategy::RequantizeInt4, 12.0);
    assert_eq!(encoding(&rows), "int4 per row");
    // v68 has no encodings in blocks. The emulator of this process is one of v75, so that this is not run.
    let old = run(&Job::Check(Whole { soc: "SM8350", ..whole(&source) }.job()));
    assert_eq!(encoding(&old), "int8 per row");
    assert!(
        old.weights.iter().all(|weight| !weight.exact && weight.why.contains("v68")),
        "{:?}",
        old.weights
    );
}
