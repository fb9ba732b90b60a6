//! Quantized networks as users have them, compiled and executed in the emulator: on a SoC with an fp16 unit and on one without.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../qnn-compiler/tests/support/mod.rs"]
mod onnx;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use onnx::{Model, f32s, int, raw};
use qnn_compiler::graph::DType;
use qnn_compiler::npz::{self, Array};
use serde_json::json;
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
fn without_fp16_layers_are_compared_behind_their_rounding() {
    let home = installed();
    let model = root().join("tests/data/digits").join(format!("{}.onnx", DIGITS[0].0));
    let said =
        home.run(&["verify", model.to_str().unwrap(), "--soc", "QCS6490", "--layers", "--json"]).success();
    let layers = said.json()["graphs"][0]["layers"].as_array().cloned().unwrap_or_default();
    assert!(layers.len() > 3, "{}", said.stdout);
    assert!(layers.iter().any(|layer| layer["op"] == "Conv"), "{}", said.stdout);
}

#[test]
fn without_fp16_a_recurrent_net_is_one_operator_however_many_steps_it_has() {
    let home = installed();
    let model = Model::new(17)
        .input("x", &[5, 1, 4])
        .weight(f32s("scale", &[], &[8.0 / 255.0]))
        .weight(raw("zero", DType::U8, &[], vec![128]))
        .weight(f32s("w", &[1, 12, 4], &[0.25; 48]))
        .weight(f32s("r", &[1, 12, 3], &[0.25; 36]));
    let mut net = onnx::node("LSTM", &["xq", "w", "r"], &["y"], &[onnx::int("hidden_size", 3)]);
    net.name = "net".to_owned();
    let model = rounded(model, "x", "xq").node(net).output("y").save(home.dir.path());
    let said = compile(&home, &model, "QCS6490").0.failure(
        1,
        &[
            "1 operator of the quantized model would compute with floats",
            "\"net\" (LSTM): ",
            "node `net` (LSTM)",
        ],
    );
    assert_eq!(said.stderr.matches("(LSTM): ").count(), 1, "{}", said.stderr);
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

/// A package with one model and encodings beside it.
fn package(home: &Home, model: Model, encodings: &serde_json::Value) -> PathBuf {
    let folder = home.dir.path().join("app");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/main.rs"), "fn main() {}\n").unwrap();
    model.save(&folder);
    fs::write(folder.join("net.encodings"), encodings.to_string()).unwrap();
    fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[package.metadata.qnn]\n\
         soc = [\"SM8650\"]\n[package.metadata.qnn.models.net]\nsource = \"model.onnx\"\nquantize.encodings = \"net.encodings\"\n",
    )
    .unwrap();
    folder
}

/// A weight (out, in) whose numbers are those of block expansion, with its encoding in the axes that `turned` says: four bits in
/// blocks of 32 along `in`.
fn expanded(outputs: usize, inputs: usize, turned: bool) -> (Vec<f32>, serde_json::Value) {
    let mut state = 7u32;
    let mut next = |most: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % most
    };
    let blocks = inputs / 32;
    let scales: Vec<f32> = (0..outputs).map(|_| (1 + next(64)) as f32 / 65536.0).collect();
    let ints: Vec<Vec<u32>> = (0..outputs).map(|_| (0..blocks).map(|_| 1 + next(16)).collect()).collect();
    let stored: Vec<Vec<f32>> =
        (0..outputs).map(|_| (0..inputs).map(|_| next(15) as f32 - 7.0).collect()).collect();
    let real = |o: usize, i: usize| stored[o][i] * scales[o] * ints[o][i / 32] as f32;
    let (numbers, axis, float, block) = if turned {
        let numbers = (0..inputs).flat_map(|i| (0..outputs).map(move |o| (o, i)));
        let block: Vec<Vec<u32>> = (0..blocks).map(|b| ints.iter().map(|row| row[b]).collect()).collect();
        (numbers.map(|(o, i)| real(o, i)).collect(), 0, json!([scales]), json!(block))
    } else {
        let numbers = (0..outputs).flat_map(|o| (0..inputs).map(move |i| (o, i)));
        let float: Vec<[f32; 1]> = scales.iter().map(|scale| [*scale]).collect();
        (numbers.map(|(o, i)| real(o, i)).collect(), 1, json!(float), json!(ints))
    };
    let encoding = json!({ "name": "w", "output_dtype": "int4", "axis": axis, "block_size": 32,
        "per_channel_float_scale": float, "per_block_int_scale": block });
    (numbers, encoding)
}

/// The encoding of 16 bits over numbers up to `most`.
fn sixteen_bits(name: &str, most: f64) -> serde_json::Value {
    json!({ "name": name, "output_dtype": "uint16", "y_scale": most / 32767.0, "y_zero_point": 32768 })
}

#[test]
fn weights_in_expanded_blocks_compute_what_their_encodings_file_says() {
    let bias = |count: usize| f32s("b", &[count as i64], &vec![0.25; count]);
    for form in ["convolution", "product", "of floats", "of floats, a scale a block"] {
        let home = installed();
        let turned = form != "convolution";
        let (outputs, inputs) = (320, 256);
        let (numbers, encoding) = expanded(outputs, inputs, turned);
        let model = match turned {
            false => Model::new(21)
                .input("x", &[1, inputs as i64, 4, 6])
                .weight(f32s("w", &[outputs as i64, inputs as i64, 1, 1], &numbers))
                .weight(bias(outputs))
                .node(onnx::node("Conv", &["x", "w", "b"], &["y"], &[])),
            true => Model::new(21)
                .input("x", &[2, 5, inputs as i64])
                .weight(f32s("w", &[inputs as i64, outputs as i64], &numbers))
                .node(onnx::node("MatMul", &["x", "w"], &["y"], &[])),
        };
        let encodings = json!({ "version": "2.0.0", "encodings": [sixteen_bits("x", 1.0), sixteen_bits("y", 2.5), encoding] });
        let folder = package(&home, model.output("y"), &encodings);
        let manifest = folder.join("Cargo.toml");
        let run =
            |args: &[&str]| home.run(&[args, &["--manifest-path", manifest.to_str().unwrap()]].concat());
        let answer =
            run(&["verify", "net", "--range", "-1,1", "--min-sqnr", "60", "--json"]).success().json();
        assert_eq!(answer["ok"], true, "{form}: {answer}");
        // In the binary a weight has some four bits, eight beside floats, and never sixteen.
        run(&["build", "--artifacts-only"]).success();
        let bytes: Vec<u64> =
            walk(&folder.join("target")).iter().map(|bin| bin.metadata().unwrap().len()).collect();
        assert_eq!(bytes.len(), 1, "{form}");
        let bits = if form == "of floats" { 8 } else { 4 };
        // With what every binary has, scales and padding; twice the bits would be more.
        let most = 56_000 + (outputs * inputs * bits / 8) as u64 * 14 / 10;
        assert!(bytes[0] < most, "{form}: {bytes:?}");
    }
}

/// Context binaries in a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(walk(&path)),
            false if path.extension().is_some_and(|end| end == "bin") => found.push(path),
            false => {}
        }
    }
    found
}
