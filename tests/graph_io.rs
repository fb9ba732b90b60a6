//! Inputs and outputs as an app wants them: what the manifest says of dtype, layout, shapes, outputs and graphs, compiled by the
//! vendor's compiler, run in its emulator and held against ONNX Runtime.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../qnn-compiler/tests/support/mod.rs"]
mod onnx;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use onnx::{Dim, Model, f32s, ints, noise};
use qnn::DataType;
use qnn_compiler::graph::DType;
use qnn_compiler::npz::{self, Array};
use qnn_types::{Job, ReferenceJob, Toolchain};
use serde_json::Value;
use support::{Home, Said, installed};

/// An app with one model: pixels of any size, normalized, convolved, pooled, classified.
struct App {
    home: Home,
    folder: PathBuf,
}

impl App {
    /// `settings` are the lines of `[package.metadata.qnn.models.net]` after `source`.
    fn new(settings: &str) -> Self {
        let home = installed();
        let folder = home.dir.path().join("app");
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("src/main.rs"), "fn main() {}\n").unwrap();
        network().save(&folder);
        let app = Self { home, folder };
        app.settings(settings);
        app
    }

    fn settings(&self, settings: &str) {
        let manifest = format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[package.metadata.qnn]\n\
             soc = [\"SM8650\"]\n[package.metadata.qnn.models.net]\nsource = \"model.onnx\"\n{settings}\n"
        );
        fs::write(self.folder.join("Cargo.toml"), manifest).unwrap();
    }

    fn run(&self, args: &[&str]) -> Said {
        let target = self.folder.join("target");
        let mut command = self.home.command(args);
        Said::from(command.current_dir(&self.folder).env("CARGO_TARGET_DIR", target).output().unwrap())
    }

    /// Compiles, executes and compares every graph; the verdicts.
    #[track_caller]
    fn verify(&self) -> Vec<Value> {
        let answer = self.run(&["verify", "net", "--min-sqnr", "40", "--json"]).success().json();
        assert_eq!(answer["ok"], true, "{answer}");
        answer["graphs"].as_array().unwrap().clone()
    }

    /// Builds the models and returns the context binary's path.
    #[track_caller]
    fn build(&self, args: &[&str]) -> PathBuf {
        self.run(&[&["build", "--artifacts-only"], args].concat()).success();
        let found = walkdir::WalkDir::new(self.folder.join("target"))
            .into_iter()
            .filter_map(Result::ok)
            .map(walkdir::DirEntry::into_path)
            .filter(|path| path.extension().is_some_and(|x| x == "bin"));
        let folder = args.last().copied().unwrap_or("debug");
        let here = found.filter(|path| path.iter().any(|part| part == folder));
        here.last().unwrap_or_else(|| panic!("no binary for {folder}"))
    }

    /// What the metadata of a binary says.
    #[track_caller]
    fn inspect(&self, binary: &Path) -> Value {
        self.run(&["inspect", binary.to_str().unwrap(), "--json"]).success().json()
    }
}

fn network() -> Model {
    let free = [Dim::Free("batch"), Dim::Fixed(3), Dim::Free("height"), Dim::Free("width")];
    Model::new(17)
        .typed_input("image", DType::F32, &free)
        .weight(f32s("mean", &[1, 3, 1, 1], &[123.0, 117.0, 104.0]))
        .weight(f32s("scale", &[1, 3, 1, 1], &[0.0171, 0.0175, 0.0174]))
        .weight(noise("kernel", &[96, 3, 3, 3]))
        .weight(noise("kernel2", &[256, 96, 3, 3]))
        .weight(noise("classes", &[10, 256]))
        .node(onnx::node("Sub", &["image", "mean"], &["centred"], &[]))
        .node(onnx::node("Mul", &["centred", "scale"], &["normal"], &[]))
        .node(onnx::node("Conv", &["normal", "kernel"], &["first"], &[ints("pads", &[1, 1, 1, 1])]))
        .node(onnx::node("Relu", &["first"], &["active"], &[]))
        .node(onnx::node("Conv", &["active", "kernel2"], &["second"], &[ints("strides", &[2, 2])]))
        .node(onnx::node("Relu", &["second"], &["features"], &[]))
        .node(onnx::node("GlobalAveragePool", &["features"], &["pooled"], &[]))
        .node(onnx::node("Flatten", &["pooled"], &["flat"], &[]))
        .node(onnx::node("Gemm", &["flat", "classes"], &["scores"], &[onnx::int("transB", 1)]))
        .output("scores")
        .output("features")
}

/// Name, dtype and shape of a graph's inputs or outputs.
fn tensors(graph: &Value, kind: &str) -> Vec<(String, String, Vec<u64>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let shape = |value: &Value| value.as_array().unwrap().iter().map(|d| d.as_u64().unwrap()).collect();
    let list = graph[kind].as_array().unwrap();
    list.iter().map(|t| (text(&t["name"]), text(&t["dtype"]), shape(&t["shape"]))).collect()
}

#[test]
fn pixels_go_in_as_bytes_and_channels_last() {
    let app = App::new("inputs.image = { shape = [1, 3, 24, 20], dtype = \"uint8\", layout = \"nhwc\" }");
    app.verify();
    let info = app.inspect(&app.build(&[]));
    let image = ("image".to_owned(), "uint8".to_owned(), vec![1, 24, 20, 3]);
    assert_eq!(tensors(&info["graphs"][0], "inputs"), [image]);
}

/// The nodes behind an image of three channels: a convolution that pads, so that its border shows what it pads with.
fn behind(model: Model, image: &str) -> Model {
    model
        .weight(noise("kernel", &[8, 3, 5, 5]))
        .node(onnx::node("Conv", &[image, "kernel"], &["features"], &[ints("pads", &[2, 2, 2, 2])]))
        .output("features")
}

/// What ONNX Runtime makes of the app's numbers, by a model that normalizes them with operators of the standard. `per_channel` is
/// how a vector lies along the channels of the image.
fn normalized_by_operators(dtype: DType, shape: &[i64], per_channel: &[i64], numbers: [&[f32]; 3]) -> Model {
    let dims: Vec<Dim> = shape.iter().map(|d| Dim::Fixed(*d)).collect();
    let [scale, mean, std] = numbers;
    let vector = |name: &str, values: &[f32]| {
        let dims = if values.len() == 1 { &[1][..] } else { per_channel };
        f32s(name, dims, values)
    };
    Model::new(17)
        .typed_input("image", dtype, &dims)
        .weight(vector("scale", scale))
        .weight(vector("mean", mean))
        .weight(vector("std", std))
        .node(onnx::node("Cast", &["image"], &["real"], &[onnx::int("to", 1)]))
        .node(onnx::node("Mul", &["real", "scale"], &["scaled"], &[]))
        .node(onnx::node("Sub", &["scaled", "mean"], &["centred"], &[]))
        .node(onnx::node("Div", &["centred", "std"], &["normal"], &[]))
}

/// Runs the app's model on `here` and ONNX Runtime's on `there`: how far apart "features" are, dB.
fn sqnr(app: &App, there: (&Model, &Array), here: &Array) -> f64 {
    let path = |name: &str| app.folder.join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    npz::write(&path("in.npz"), [("image", here)]).unwrap();
    let binary = app.build(&[]);
    let (inputs, outputs) = (text("in.npz"), text("out.npz"));
    app.run(&["exec", binary.to_str().unwrap(), "--inputs", &inputs, "--outputs", &outputs]).success();

    let (model, image) = there;
    let folder = tempfile::tempdir().unwrap();
    npz::write(&path("there.npz"), [("image", image)]).unwrap();
    let job = Job::Reference(ReferenceJob {
        source: model.save(folder.path()),
        inputs: path("there.npz"),
        outputs: path("reference.npz"),
        values: Vec::new(),
        toolchain: Toolchain {
            qnn_lib_dir: PathBuf::new(),
            onnxruntime: Some(qnn_platform::libs::onnxruntime().unwrap()),
        },
    });
    qnn_compiler::run(&job, &mut |_| {}).unwrap();
    let numbers = |name: &str| -> Vec<f64> {
        let arrays = npz::read(&path(name)).unwrap();
        let data = &arrays.iter().find(|(name, _)| name == "features").unwrap().1.data;
        data.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect()
    };
    let (found, expected) = (numbers("out.npz"), numbers("reference.npz"));
    assert_eq!(found.len(), expected.len());
    let noise: f64 = found.iter().zip(&expected).map(|(f, e)| (f - e).powi(2)).sum();
    let signal: f64 = expected.iter().map(|e| e * e).sum();
    10.0 * (signal / noise).log10()
}

const IMAGENET: [&[f32]; 3] = [&[1.0 / 255.0], &[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]];

/// Pixels of all sizes, the same in every run.
fn pixels(count: usize) -> Vec<u8> {
    (0..count).map(|i| ((i * 97 + i / 7 * 31) % 256) as u8).collect()
}

/// Channels of an image of `space` pixels to the end.
fn channels_last(image: &[u8], space: usize) -> Vec<u8> {
    (0..space).flat_map(|at| (0..3).map(move |channel| image[channel * space + at])).collect()
}

#[test]
fn bytes_are_normalized_in_the_graph_and_what_a_convolution_pads_with_stays_zero() {
    let app = App::new(
        "inputs.image = { dtype = \"uint8\", layout = \"nhwc\", scale = \"1/255\", mean = [0.485, 0.456, 0.406], \
         std = [0.229, 0.224, 0.225] }",
    );
    behind(Model::new(17).input("image", &[1, 3, 12, 20]), "image").save(&app.folder);
    app.verify();
    let nchw = pixels(720);
    let array = |shape: &[u64], data: Vec<u8>| Array { dtype: DataType::Uint8, shape: shape.to_vec(), data };
    let there = behind(normalized_by_operators(DType::U8, &[1, 3, 12, 20], &[3, 1, 1], IMAGENET), "normal");
    let here = array(&[1, 12, 20, 3], channels_last(&nchw, 240));
    let found = sqnr(&app, (&there, &array(&[1, 3, 12, 20], nchw)), &here);
    assert!(found > 50.0, "{found} dB");
    let info = app.inspect(&app.build(&[]));
    let image = ("image".to_owned(), "uint8".to_owned(), vec![1, 12, 20, 3]);
    assert_eq!(tensors(&info["graphs"][0], "inputs"), [image]);
}

#[test]
fn floats_with_the_channels_of_a_tensorflow_model_are_normalized_too() {
    let app = App::new("inputs.image = { mean = [123.675, 116.28, 103.53], std = 57.5 }");
    let turned = |model: Model, image: &str| {
        let turn = onnx::node("Transpose", &[image], &["turned"], &[ints("perm", &[0, 3, 1, 2])]);
        behind(model.node(turn), "turned")
    };
    turned(Model::new(17).input("image", &[2, 8, 6, 3]), "image").save(&app.folder);
    let bytes = pixels(288).into_iter().flat_map(|byte| f32::from(byte).to_le_bytes()).collect();
    let image = Array { dtype: DataType::Float32, shape: vec![2, 8, 6, 3], data: bytes };
    let numbers = [&[1.0][..], &[123.675, 116.28, 103.53], &[57.5]];
    let there = turned(normalized_by_operators(DType::F32, &[2, 8, 6, 3], &[3], numbers), "normal");
    let found = sqnr(&app, (&there, &image), &image);
    assert!(found > 50.0, "{found} dB");
}

#[test]
fn dimensions_are_fixed_by_their_names() {
    let app = App::new(
        "dims = { batch = 4, height = 16, width = 24 }\ngraphs.small.dims.batch = 1\ngraphs.large = {}",
    );
    let graphs = app.verify();
    let elements: Vec<u64> =
        graphs.iter().map(|graph| graph["outputs"][0]["elements"].as_u64().unwrap()).collect();
    assert_eq!(elements, [40, 10]);
    let said = app.run(&["inspect", "model.onnx"]).success();
    assert!(said.stdout.contains("[batch, 3, height, width]"), "{}", said.stdout);
    let summary = app.run(&["inspect", "model.onnx", "--json"]).success().json();
    assert_eq!(summary["inputs"][0]["symbols"], serde_json::json!(["batch", "", "height", "width"]));
    let compile = ["compile", "model.onnx", "--soc", "SM8650", "-o", "x.bin", "--dim", "batch=2", "--json"];
    let said = app.run(&compile);
    said.failure(1, &["[batch, 3, height, width]", "--dim height=1 --dim width=1"]);
    let sizes = ["--dim", "height=16", "--dim", "width=16"];
    let answer = app.run(&[&compile[..], &sizes].concat()).success().json();
    assert_eq!(answer[0]["report"]["graphs"][0]["inputs"][0]["shape"], serde_json::json!([2, 3, 16, 16]));
}

#[test]
fn a_layout_that_hardware_has_needs_no_transpose() {
    let app = App::new("");
    let ops = |layout: &str| {
        let input = format!("image=1,3,24,20:float32:{layout}");
        let args = ["compile", "model.onnx", "--soc", "SM8650", "-o", "x.bin", "--input", &input, "--json"];
        let args = [&args[..], &["--output-name", "scores"]].concat();
        let answer = app.run(&args).success().json();
        answer[0]["report"]["ops"].as_u64().unwrap_or_else(|| panic!("{answer}"))
    };
    assert_eq!(ops("nhwc") + 1, ops("nchw"));
}

#[test]
fn a_batch_gives_a_result_for_each_sample() {
    let app = App::new("inputs.image.shape = [3, 3, 16, 16]");
    let graphs = app.verify();
    assert_eq!(graphs[0]["outputs"][0]["elements"], 30);
}

#[test]
fn only_the_wanted_outputs_are_computed() {
    let app = App::new("inputs.image.shape = [1, 3, 16, 16]\noutputs = [\"features\"]");
    app.verify();
    let info = app.inspect(&app.build(&[]));
    let features = ("features".to_owned(), "float32".to_owned(), vec![1, 256, 7, 7]);
    assert_eq!(tensors(&info["graphs"][0], "outputs"), [features]);
}

#[test]
fn outputs_keep_the_order_in_which_they_are_wanted() {
    let app =
        App::new("inputs.image.shape = [1, 3, 16, 16]\noutputs = [\"features\", \"active\", \"scores\"]");
    app.verify();
    let info = app.inspect(&app.build(&[]));
    let names: Vec<String> =
        tensors(&info["graphs"][0], "outputs").into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["features", "active", "scores"]);
}

const GRAPHS: &str = "inputs.image = { dtype = \"uint8\", layout = \"nhwc\" }\n\
    graphs.small.inputs.image.shape = [1, 3, 16, 16]\ngraphs.wide.inputs.image.shape = [2, 3, 16, 40]";

#[test]
fn graphs_of_several_shapes_run_in_the_emulator() {
    let app = App::new(GRAPHS);
    let graphs = app.verify();
    let names: Vec<&str> = graphs.iter().map(|graph| graph["graph"].as_str().unwrap()).collect();
    assert_eq!(names, ["small", "wide"]);
    assert_eq!(graphs[1]["outputs"][0]["elements"], 20);
}

#[test]
fn graphs_share_weights_on_a_device() {
    let app = App::new(GRAPHS);
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    let here = app.build(&[]);
    let device = app.build(&["--target", "aarch64-linux-android"]);
    // Both graphs have the weights of the second convolution, 256 x 96 x 3 x 3 halves, here; on the device there is one copy.
    assert!(size(&here) > size(&device) + 400_000, "{} and {}", size(&here), size(&device));
    let pixels = Array { dtype: DataType::Uint8, shape: vec![1, 16, 16, 3], data: vec![7; 768] };
    let (inputs, outputs) = (app.folder.join("in.npz"), app.folder.join("out.npz"));
    npz::write(&inputs, [("image", &pixels)]).unwrap();
    let (inputs, outputs) = (inputs.to_str().unwrap(), outputs.to_str().unwrap());
    let args = ["--graph", "small", "--inputs", inputs, "--outputs", outputs];
    let exec = |binary: &Path| app.run(&[&["exec", binary.to_str().unwrap()], &args[..]].concat());
    exec(&here).success();
    let said = exec(&device);
    said.failure(5, &["share weights", "weight-sharing=false"]);
}
