//! Quantized networks as users have them, compiled and executed in the emulator: on a SoC with an fp16 unit and on one without.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../qnn-compiler/tests/support/mod.rs"]
mod onnx;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};

use onnx::{Model, f32s, int, raw};
use qnn_compiler::graph::DType;
use qnn_compiler::npz::{self, Array};
use support::{Home, Said, installed};

/// A SoC with an fp16 unit, and one without.
const SOCS: [&str; 2] = ["SM8650", "QCS6490"];

/// Models of the digits, with how many of the 360 images ONNX Runtime reads right.
const DIGITS: [(&str, usize); 2] = [("digits_qdq_a8w8", 358), ("digits_qdq_a8w8_pt", 358)];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn floats(array: &Array) -> Vec<f64> {
    array.data.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect()
}

fn array(file: &Path, name: &str) -> Array {
    let arrays = npz::read(file).unwrap();
    arrays.into_iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name} in {}", file.display())).1
}

/// Signal to noise, dB.
fn sqnr(reference: &[f64], got: &[f64]) -> f64 {
    assert_eq!(reference.len(), got.len());
    let signal: f64 = reference.iter().map(|r| r * r).sum();
    let noise: f64 = reference.iter().zip(got).map(|(r, g)| (r - g) * (r - g)).sum();
    10.0 * (signal / noise).log10()
}

/// The class of each row of ten.
fn classes(logits: &[f64]) -> Vec<usize> {
    logits.chunks(10).map(|row| (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap()).collect()
}

fn compile(home: &Home, model: &Path, soc: &str) -> (Said, PathBuf) {
    let out = home.dir.path().join(format!("{soc}.bin"));
    let said = home.run(&["compile", model.to_str().unwrap(), "--soc", soc, "-o", out.to_str().unwrap()]);
    (said, out)
}

#[test]
fn digits_are_read_as_onnx_runtime_reads_them() {
    let home = installed();
    let eval = root().join("examples/digits/eval.npz");
    let images = Array { shape: vec![360, 1, 1, 8, 8], ..array(&eval, "x") };
    let labels: Vec<usize> = array(&eval, "y")
        .data
        .chunks_exact(8)
        .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as usize)
        .collect();
    let exact = floats(&array(&eval, "logits"));
    let (inputs, outputs) = (home.dir.path().join("in.npz"), home.dir.path().join("out.npz"));
    npz::write(&inputs, [("image", &images)]).unwrap();
    let data = root().join("tests/data/digits");
    for (name, right) in DIGITS {
        let reference = floats(&array(&data.join(format!("{name}_logits.npz")), "logits"));
        for soc in SOCS {
            let (said, binary) = compile(&home, &data.join(format!("{name}.onnx")), soc);
            said.success();
            let path = |path: &Path| path.to_str().unwrap().to_owned();
            home.run(&["exec", &path(&binary), "--inputs", &path(&inputs), "--outputs", &path(&outputs)])
                .success();
            let logits = floats(&array(&outputs, "logits"));
            let found = classes(&logits).iter().zip(&labels).filter(|(a, b)| a == b).count();
            assert!(found + 1 >= right, "{name} on {soc}: {found} of 360, ONNX Runtime {right}");
            let (ours, theirs) = (sqnr(&exact, &logits), sqnr(&exact, &reference));
            assert!(ours > theirs - 1.0, "{name} on {soc}: {ours:.2} dB, ONNX Runtime {theirs:.2} dB");
        }
    }
}

/// QuantizeLinear and DequantizeLinear of a value, to 8 bits between -4 and 4.
fn rounded(model: Model, from: &str, to: &str) -> Model {
    let q = format!("{to}.q");
    model.node(onnx::node("QuantizeLinear", &[from, "scale", "zero"], &[&q], &[])).node(onnx::node(
        "DequantizeLinear",
        &[&q, "scale", "zero"],
        &[to],
        &[],
    ))
}

/// An input that is quantized.
fn start() -> Model {
    let model = Model::new(17)
        .input("x", &[1, 8, 6, 6])
        .weight(f32s("scale", &[], &[8.0 / 255.0]))
        .weight(raw("zero", DType::U8, &[], vec![128]));
    rounded(model, "x", "xq")
}

#[test]
fn without_fp16_one_error_names_each_node_that_would_compute_with_floats() {
    let home = installed();
    let mut model = start();
    for (op, name, from, to) in
        [("Acos", "angle", "xq", "e"), ("Relu", "relu", "xq", "r"), ("Neg", "minus", "r", "n")]
    {
        let mut node = onnx::node(op, &[from], &[to], &[]);
        node.name = name.to_owned();
        model = model.node(node);
    }
    let mut sum = onnx::node("Add", &["e", "n"], &["y"], &[]);
    sum.name = "sum".to_owned();
    let model = model.node(sum).output("y").save(home.dir.path());
    compile(&home, &model, "SM8650").0.success();
    let said = compile(&home, &model, "QCS6490").0.failure(
        1,
        &[
            "error[qnn::E0312]: QCS6490 has no fp16 unit, and 2 operators of the quantized model would compute with floats",
            "\"angle\" (Acos): HTP has no Acos of integers",
            "\"sum\" (Add): its operand \"e\" has no encoding",
            "quantize.encodings",
        ],
    );
    // A Relu has the encoding of what it reads, a Neg one that follows from it.
    assert!(
        !said.stderr.contains("\"relu\"")
            && !said.stderr.contains("\"minus\"")
            && said.stderr.matches("error[").count() == 1,
        "{}",
        said.stderr
    );
}

#[test]
fn without_fp16_encodings_that_follow_need_not_be_there() {
    let home = installed();
    let model = start()
        .node(onnx::node("Relu", &["xq"], &["r"], &[]))
        .node(onnx::node("Reshape", &["r", "shape"], &["m"], &[]))
        .weight(onnx::i64s("shape", &[2], &[8, 36]))
        .node(onnx::node("Softmax", &["m"], &["y"], &[int("axis", 1)]))
        .output("y")
        .save(home.dir.path());
    let args = ["verify", model.to_str().unwrap(), "--soc", "QCS6490", "--min-sqnr", "50", "--json"];
    let answer = home.run(&args).success().json();
    assert_eq!(answer["ok"], true, "{answer}");
}

#[test]
fn what_is_quantized_is_told_of_models_and_of_binaries() {
    let home = installed();
    let inspect = |file: &Path, more: &[&str]| {
        home.run(&[&["inspect", file.to_str().unwrap()], more].concat()).success()
    };
    let model = root().join("tests/data/digits/digits_qdq_a8w8.onnx");
    let found = inspect(&model, &["--json"]).json()["quantization"].clone();
    let weights: Vec<(&str, &str, u64)> = found["weights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| {
            (g["dtype"].as_str().unwrap(), g["granularity"].as_str().unwrap(), g["bits"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(weights, [("int32", "per-axis", 32), ("int8", "per-axis", 8)]);
    assert_eq!(found["float_ops"], serde_json::json!({}));
    let plain = inspect(&root().join("examples/digits/models/digits.onnx"), &["--json"]).json();
    assert!(plain.get("quantization").is_none(), "{plain}");

    // Stored integers at the border keep their scale and offset.
    let integers = Model::new(21)
        .typed_input("x", DType::U8, &[onnx::Dim::Fixed(1), onnx::Dim::Fixed(16)])
        .weight(f32s("scale", &[], &[0.5]))
        .weight(raw("zero", DType::U8, &[], vec![10]))
        .node(onnx::node("DequantizeLinear", &["x", "scale", "zero"], &["real"], &[]))
        .node(onnx::node("Relu", &["real"], &["y"], &[]))
        .output("y")
        .save(home.dir.path());
    let (said, binary) = compile(&home, &integers, "QCS6490");
    said.success();
    let said = inspect(&binary, &[]).stdout;
    assert!(said.contains("scale 0.5 offset -10"), "{said}");
    let graph = inspect(&binary, &["--json"]).json()["graphs"][0].clone();
    assert_eq!(graph["inputs"][0]["encoding"]["scale_offsets"], serde_json::json!([[0.5, -10]]));
}
