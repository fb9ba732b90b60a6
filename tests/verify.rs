//! `cargo qnn verify` and `exec` agree with each other and with ONNX Runtime, whatever kind of numbers a model takes and gives.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../qnn-compiler/tests/support/mod.rs"]
mod onnx;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use onnx::{Dim, Model, f32s, noise, raw};
use qnn::DataType;
use qnn_compiler::frontend::onnx::proto::{NodeProto, TensorProto};
use qnn_compiler::graph::DType;
use qnn_compiler::npz::{self, Array};
use support::{Home, Said, installed};

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto { name: output.to_owned(), ..onnx::node(op, inputs, &[output], &[]) }
}

/// A model in a home of its own.
struct Bench {
    home: Home,
    model: PathBuf,
}

impl Bench {
    fn new(model: &Model) -> Self {
        let home = installed();
        let model = model.save(home.dir.path());
        Self { home, model }
    }

    fn path(&self, name: &str) -> String {
        self.home.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn verify(&self, more: &[&str]) -> Said {
        let args = ["verify", self.model.to_str().unwrap(), "--soc", "SM8650"];
        self.home.run(&[&args, more].concat())
    }

    fn exec(&self, inputs: &[(&str, &Array)]) -> Said {
        let [bin, from, to] = ["m.bin", "in.npz", "out.npz"].map(|name| self.path(name));
        npz::write(Path::new(&from), inputs.iter().copied()).unwrap();
        let model = self.model.to_str().unwrap();
        self.home.run(&["compile", model, "--soc", "SM8650", "-o", &bin]).success();
        self.home.run(&["exec", &bin, "--inputs", &from, "--outputs", &to])
    }

    fn output(&self, name: &str) -> Array {
        let arrays = npz::read(Path::new(&self.path("out.npz"))).unwrap();
        arrays.into_iter().find(|(found, _)| found == name).unwrap().1
    }
}

fn array(dtype: DataType, shape: &[u64], data: Vec<u8>) -> Array {
    Array { dtype, shape: shape.to_vec(), data }
}

fn scalar(name: &str, dtype: DType, bytes: &[u8]) -> TensorProto {
    raw(name, dtype, &[], bytes.to_vec())
}

/// A convolution between stored integers of `dtype`, one input and one output of them.
fn stored(dtype: DType, zero: &[u8], scales: [f32; 2]) -> Model {
    let weights: Vec<u8> =
        (0..8 * 8 * 9).map(|i: usize| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    Model::new(21)
        .typed_input("x", dtype, &[1, 8, 12, 12].map(Dim::Fixed))
        .weight(raw("w", DType::I8, &[8, 8, 3, 3], weights))
        .weight(f32s("sx", &[], &scales[..1]))
        .weight(f32s("sw", &[], &[0.002]))
        .weight(f32s("sy", &[], &scales[1..]))
        .weight(scalar("z", dtype, zero))
        .node(node("DequantizeLinear", &["x", "sx", "z"], "xf"))
        .node(node("DequantizeLinear", &["w", "sw"], "wf"))
        .node(node("Conv", &["xf", "wf"], "c"))
        .node(node("QuantizeLinear", &["c", "sy", "z"], "q"))
        .node(node("DequantizeLinear", &["q", "sy", "z"], "qf"))
        .node(node("Relu", &["qf"], "r"))
        .node(node("QuantizeLinear", &["r", "sy", "z"], "y"))
        .output("y")
}

#[test]
fn stored_integers_of_every_width_are_not_taken_for_real_numbers() {
    for (dtype, zero, scales) in [
        (DType::U8, &120_u8.to_le_bytes()[..], [0.02, 0.05]),
        (DType::I8, &3_i8.to_le_bytes()[..], [0.02, 0.05]),
        (DType::U16, &32768_u16.to_le_bytes()[..], [1e-4, 5e-4]),
        (DType::I16, &0_i16.to_le_bytes()[..], [1e-4, 5e-4]),
    ] {
        let bench = Bench::new(&stored(dtype, zero, scales));
        let answer = bench.verify(&["--layers", "--json"]).success().json();
        let graph = &answer["graphs"][0];
        assert_eq!(
            (&graph["outputs"][0]["dtype"], &answer["ok"]),
            (&dtype.name().into(), &true.into()),
            "{answer}"
        );
        assert!(graph["outputs"][0]["sqnr_db"].as_f64().is_none_or(|db| db > 40.0), "{answer}");
        let layers = graph["layers"].as_array().unwrap();
        assert!(layers.iter().any(|layer| layer["op"] == "QuantizeLinear"), "{answer}");
        assert!(layers.iter().all(|layer| layer["ok"] == true), "{answer}");
    }
}

#[test]
fn an_input_that_is_an_output_is_compared_like_any_other() {
    let model = Model::new(18).input("x", &[1, 8]).node(node("Relu", &["x"], "y")).output("x").output("y");
    let answer = Bench::new(&model).verify(&["--json"]).success().json();
    let names: Vec<&str> = answer["graphs"][0]["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["x", "y"], "{answer}");
}

#[test]
fn a_model_in_bfloat16_is_compared_with_its_float32_form() {
    // 0.5, 1, 1.5 and -2 in bfloat16.
    let weights = [0x3f00_u16, 0x3f80, 0x3fc0, 0xc000].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let model = Model::new(18)
        .typed_input("x", DType::Bf16, &[1, 4].map(Dim::Fixed))
        .weight(raw("w", DType::Bf16, &[4], weights))
        .node(node("Mul", &["x", "w"], "m"))
        .node(node("Relu", &["m"], "y"))
        .output("y");
    let answer = Bench::new(&model).verify(&["--json"]).success().json();
    assert!(answer["graphs"][0]["outputs"][0]["sqnr_db"].as_f64().is_none_or(|db| db > 55.0), "{answer}");
}

fn convolution() -> Model {
    Model::new(18)
        .input("image", &[1, 3, 8, 8])
        .weight(noise("w", &[4, 3, 3, 3]))
        .node(node("Conv", &["image", "w"], "y"))
        .output("y")
}

#[test]
fn arrays_of_another_shape_or_layout_are_named_before_anything_is_compiled() {
    let bench = Bench::new(&convolution());
    let file = bench.path("in.npz");
    let save = |shape: &[u64], dtype: DataType| {
        let count: u64 = shape.iter().product();
        let data = vec![1; count as usize * dtype.size()];
        npz::write(Path::new(&file), [("image", &array(dtype, shape, data))]).unwrap();
    };
    save(&[1, 8, 8, 3], DataType::Float32);
    let said = bench
        .verify(&["--inputs", &file])
        .failure(1, &["E0803", "[1, 8, 8, 3]", "[1, 3, 8, 8]", "channels last"]);
    assert!(!said.stderr.contains("Compil"), "{}", said.stderr);
    save(&[1, 3, 4, 16], DataType::Float32);
    bench.verify(&["--inputs", &file]).failure(1, &["E0803", "[1, 3, 4, 16]", "[1, 3, 8, 8]"]);
    // What the app passes is taken as such.
    save(&[1, 8, 8, 3], DataType::Uint8);
    let flags = ["--input", "image=1,3,8,8:uint8:nhwc:scale=1/255", "--inputs", &file];
    bench.verify(&flags).success();
    save(&[2, 1, 3, 8, 8], DataType::Float32);
    bench.verify(&flags).success();
    save(&[1, 8, 8, 3], DataType::Float32);
    bench.verify(&flags).failure(1, &["float32 [1, 8, 8, 3]", "the app takes uint8 [1, 8, 8, 3]"]);
}

#[test]
fn the_context_binary_of_the_store_is_verified_and_not_compiled_anew() {
    let bench = Bench::new(&convolution());
    assert!(bench.verify(&[]).success().stderr.contains("Compiled"));
    assert!(!bench.verify(&[]).success().stderr.contains("Compiled"));
}

#[test]
fn outputs_of_another_program_stand_in_for_onnx_runtime() {
    let bench = Bench::new(&convolution());
    let (inputs, expected) = (bench.path("in.npz"), bench.path("expected.npz"));
    let ones = array(DataType::Float32, &[1, 3, 8, 8], 1_f32.to_le_bytes().repeat(192));
    npz::write(Path::new(&inputs), [("image", &ones)]).unwrap();
    let right = bench.exec(&[("image", &ones)]).success();
    drop(right);
    let y = bench.output("y");
    npz::write(Path::new(&expected), [("y", &y)]).unwrap();
    let flags = ["--inputs", &inputs, "--expected", &expected];
    bench.verify(&flags).success();
    let zeros = array(DataType::Float32, &y.shape, vec![0; y.data.len()]);
    npz::write(Path::new(&expected), [("y", &zeros)]).unwrap();
    bench.verify(&flags).failure(1, &["too far from the reference"]);
    npz::write(Path::new(&expected), [("z", &zeros)]).unwrap();
    bench.verify(&flags).failure(1, &["E0803", "no array for output `y`", "it has z"]);
    let flat = array(DataType::Float32, &[y.data.len() as u64 / 4], y.data.clone());
    npz::write(Path::new(&expected), [("y", &flat)]).unwrap();
    bench.verify(&flags).failure(1, &["E0803", "another shape"]);
}

fn lookup() -> Model {
    Model::new(18)
        .typed_input("ids", DType::I64, &[1, 3].map(Dim::Fixed))
        .weight(noise("table", &[20, 8]))
        .node(node("Gather", &["table", "ids"], "y"))
        .output("y")
}

#[test]
fn numpys_integers_are_taken_where_the_device_has_32_bits() {
    let bench = Bench::new(&lookup());
    let ids = |values: [i64; 3]| {
        array(DataType::Int64, &[1, 3], values.iter().flat_map(|value| value.to_le_bytes()).collect())
    };
    bench.exec(&[("ids", &ids([0, 7, 19]))]).success();
    let wide = bench.output("y");
    let narrow = [0_i32, 7, 19].iter().flat_map(|value| value.to_le_bytes()).collect();
    bench.exec(&[("ids", &array(DataType::Int32, &[1, 3], narrow))]).success();
    assert_eq!(wide, bench.output("y"));
    bench.exec(&[("ids", &ids([0, 7, 1 << 32]))]).failure(1, &["E0803", "element 2"]);
    let file = bench.path("in.npz");
    bench.verify(&["--inputs", &file]).failure(1, &["E0803", "4294967296", "int32"]);
}

#[test]
fn an_input_is_never_written_over() {
    let bench = Bench::new(&convolution());
    let model = bench.model.to_str().unwrap();
    let before = fs::read(model).unwrap();
    bench
        .home
        .run(&["compile", model, "--soc", "SM8650", "-o", model])
        .failure(1, &["E0605", "would be overwritten"]);
    assert_eq!(fs::read(model).unwrap(), before);
    let file = bench.path("in.npz");
    let ones = array(DataType::Float32, &[1, 3, 8, 8], 1_f32.to_le_bytes().repeat(192));
    bench.exec(&[("image", &ones)]).success();
    let bin = bench.path("m.bin");
    bench.home.run(&["exec", &bin, "--inputs", &file, "--outputs", &file]).failure(1, &["E0605"]);
}

#[test]
fn all_models_of_a_package_are_verified_and_a_name_in_two_packages_is_no_guess() {
    let home = installed();
    let folder = home.dir.path();
    for name in ["a", "b"] {
        let package = folder.join(name);
        fs::create_dir_all(package.join("src")).unwrap();
        fs::write(package.join("src/main.rs"), "fn main() {}\n").unwrap();
        convolution().save(&package);
        let more =
            if name == "a" { "[package.metadata.qnn.models.other]\nsource = \"model.onnx\"\n" } else { "" };
        fs::write(
            package.join("Cargo.toml"),
            format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[package.metadata.qnn]\n\
                 soc = [\"SM8650\", \"SM8750\"]\n[package.metadata.qnn.models.net]\nsource = \"model.onnx\"\n{more}"
            ),
        )
        .unwrap();
    }
    fs::write(folder.join("Cargo.toml"), "[workspace]\nmembers = [\"a\", \"b\"]\nresolver = \"2\"\n")
        .unwrap();
    let run = |args: &[&str]| {
        Said::from(home.command(&[args, &["--offline"]].concat()).current_dir(folder).output().unwrap())
    };
    let answer = run(&["verify", "--workspace", "--json"]).success().json();
    let rows: Vec<String> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}/{} {}", one["package"], one["model"], one["soc"]).replace('"', ""))
        .collect();
    let expected =
        ["a/net SM8650", "a/net SM8750", "a/other SM8650", "a/other SM8750", "b/net SM8650", "b/net SM8750"];
    assert_eq!(rows, expected);
    run(&["verify", "net", "--workspace"]).failure(2, &["`a` and `b`", "-p a"]);
    assert_eq!(run(&["verify", "net", "-p", "b", "--json"]).success().json()["package"], "b");
    run(&["verify", "nett", "-p", "b"]).failure(2, &["did you mean `net`?"]);
}
