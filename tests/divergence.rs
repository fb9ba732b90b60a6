//! `cargo qnn verify --layers` names the node where a model's numbers begin to be wrong.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../qnn-compiler/tests/support/mod.rs"]
mod onnx;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use onnx::{Model, f32s, i64s, int, ints, node, noise, raw};
use qnn::DataType;
use qnn_compiler::frontend::onnx::proto::NodeProto;
use qnn_compiler::graph::DType;
use qnn_compiler::npz::{self, Array};
use support::{Said, installed};

fn named(name: &str, node: NodeProto) -> NodeProto {
    NodeProto { name: name.to_owned(), ..node }
}

/// Two convolutions with `middle` between them, which makes `m` of `a`.
fn network(middle: impl FnOnce(Model) -> Model) -> Model {
    let begin = Model::new(18)
        .input("x", &[1, 3, 12, 12])
        .weight(noise("w1", &[16, 3, 3, 3]))
        .weight(noise("w2", &[8, 16, 3, 3]))
        .weight(f32s("hundred", &[], &[100.0]))
        .weight(f32s("small", &[], &[1e-4]))
        .weight(i64s("spatial", &[2], &[2, 3]))
        .node(named("first", node("Conv", &["x", "w1"], &["c"], &[ints("pads", &[1, 1, 1, 1])])))
        .node(named("relu", node("Relu", &["c"], &["a"], &[])));
    middle(begin)
        .node(named("last", node("Conv", &["m", "w2"], &["d"], &[])))
        .node(named("gate", node("Sigmoid", &["d"], &["s"], &[])))
        .node(named("product", node("Mul", &["s", "d"], &["y"], &[])))
        .output("y")
}

/// The square of numbers up to some hundreds, made small again.
fn overflow() -> Model {
    network(|model| {
        model
            .node(named("large", node("Mul", &["a", "hundred"], &["l"], &[])))
            .node(named("planted", node("Mul", &["l", "l"], &["q"], &[])))
            .node(named("shrink", node("Mul", &["q", "small"], &["m"], &[])))
    })
}

/// The same size of numbers in a normalization, whose squares stay inside of one op.
fn healthy() -> Model {
    network(|model| {
        let keep = [int("keepdims", 1)];
        model
            .weight(f32s("epsilon", &[], &[1e-5]))
            .node(named("large", node("Mul", &["a", "hundred"], &["l"], &[])))
            .node(named("mean", node("ReduceMean", &["l", "spatial"], &["mu"], &keep)))
            .node(named("square", node("Mul", &["l", "l"], &["q"], &[])))
            .node(named("squares", node("ReduceMean", &["q", "spatial"], &["qm"], &keep)))
            .node(named("square of mean", node("Mul", &["mu", "mu"], &["mm"], &[])))
            .node(named("variance", node("Sub", &["qm", "mm"], &["v"], &[])))
            .node(named("guard", node("Add", &["v", "epsilon"], &["ve"], &[])))
            .node(named("root", node("Sqrt", &["ve"], &["r"], &[])))
            .node(named("centre", node("Sub", &["l", "mu"], &["ce"], &[])))
            .node(named("normal", node("Div", &["ce", "r"], &["m"], &[])))
    })
}

fn verify(model: &Model, more: &[&str]) -> Said {
    let home = installed();
    let path = model.save(home.dir.path());
    let args = ["verify", path.to_str().unwrap(), "--soc", "SM8650", "--layers"];
    home.run(&[&args, more].concat())
}

#[test]
fn the_planted_overflow_is_named_with_its_range_and_a_remedy() {
    let said = verify(&overflow(), &["--json"]);
    let answer = said.json();
    assert_eq!((&answer["ok"], &answer["first_departure"]), (&false.into(), &"q".into()), "{answer}");
    let departure = &answer["graphs"][0]["departure"];
    assert_eq!((&departure["node"], &departure["op"]), (&"planted".into(), &"Mul".into()), "{departure}");
    assert!(departure["range"][1].as_f64().unwrap() > 131_008.0, "{departure}");
    assert!(departure["reason"].as_str().unwrap().contains("65504"), "{departure}");
    assert!(departure["remedy"].as_str().unwrap().contains("power of two"), "{departure}");
    let before = answer["graphs"][0]["layers"].as_array().unwrap().iter().find(|l| l["node"] == "large");
    assert_eq!(before.unwrap()["ok"], true, "{answer}");
}

#[test]
fn the_answer_in_words_is_a_table_and_the_reason() {
    let said = verify(&overflow(), &[]).failure(1, &["too far from the reference: `y`"]);
    for words in ["NODE", "VERDICT", "planted", "TOO FAR", "why: its values leave the range", "help: divide"]
    {
        assert!(said.stdout.contains(words), "no {words:?} in:\n{}", said.stdout);
    }
    assert!(said.stdout.contains("departs is `q`, of node `planted` (Mul)"), "{}", said.stdout);
}

#[test]
fn a_healthy_model_has_no_departure() {
    let answer = verify(&healthy(), &["--json"]).success().json();
    assert_eq!((&answer["ok"], &answer["first_departure"]), (&true.into(), &serde_json::Value::Null));
    assert!(answer["graphs"][0]["departure"].is_null(), "{answer}");
    // What is inside of the normalization, beyond fp16 by itself, is no value of the compiled model.
    let layers = answer["graphs"][0]["layers"].as_array().unwrap();
    assert!(layers.iter().all(|layer| layer["node"] != "square"), "{answer}");
    assert!(layers.iter().all(|layer| layer["ok"] == true), "{answer}");
}

#[test]
fn values_of_more_axes_than_an_app_can_read_are_left_out() {
    let blocks = network(|model| {
        model
            .weight(i64s("apart", &[6], &[1, 16, 3, 4, 3, 4]))
            .weight(i64s("together", &[4], &[1, 16, 12, 12]))
            .node(named("blocks", node("Reshape", &["a", "apart"], &["b"], &[])))
            .node(named("turned", node("Transpose", &["b"], &["t"], &[ints("perm", &[0, 1, 4, 3, 2, 5])])))
            .node(named("image", node("Reshape", &["t", "together"], &["m"], &[])))
    });
    let answer = verify(&blocks, &["--json"]).success().json();
    let layers = answer["graphs"][0]["layers"].as_array().unwrap();
    let compared = |name: &str| layers.iter().any(|layer| layer["node"] == name);
    assert!(compared("relu") && compared("image") && !compared("turned"), "{answer}");
}

#[test]
fn a_calibration_run_scales_what_leaves_the_range() {
    let answer = verify(&overflow(), &["--samples", "generated", "--json"]).success().json();
    let output = &answer["graphs"][0]["outputs"][0];
    assert!(output["sqnr_db"].as_f64().unwrap() > 45.0, "{output}");
}

/// As apps keep them: for every input of the file, and a weight of integers.
#[test]
fn samples_may_hold_an_input_that_nothing_reads_and_a_weight_may_be_quantized() {
    let model = overflow()
        .input("unused", &[1, 3])
        .weight(raw("w3", DType::I8, &[16, 16, 1, 1], vec![7; 256]))
        .weight(f32s("step", &[], &[0.01]))
        .node(node("DequantizeLinear", &["w3", "step"], &["w3 as float"], &[]))
        .node(node("Conv", &["a", "w3 as float"], &["beside"], &[]))
        .output("beside");
    let home = installed();
    let samples = home.dir.path().join("samples.npz");
    let array = |shape: &[u64]| {
        let numbers = (0..shape.iter().product::<u64>()).map(|i| ((i * 37 % 101) as f32 / 50.0) - 1.0);
        Array {
            dtype: DataType::Float32,
            shape: shape.to_vec(),
            data: numbers.flat_map(f32::to_le_bytes).collect(),
        }
    };
    let arrays = [("x", array(&[5, 1, 3, 12, 12])), ("unused", array(&[5, 1, 3]))];
    npz::write(&samples, arrays.iter().map(|(name, array)| (*name, array))).unwrap();
    let answer = verify(&model, &["--samples", samples.to_str().unwrap(), "--json"]).success().json();
    let output = &answer["graphs"][0]["outputs"][0];
    assert!(output["sqnr_db"].as_f64().unwrap() > 45.0, "{output}");
}

/// Many thousands through convolutions, sums, pools and a normalization.
fn large() -> Model {
    network(|model| {
        model
            .weight(noise("w3", &[16, 16, 3, 3]))
            .weight(noise("b3", &[16]))
            .weight(f32s("thousands", &[], &[20_000.0]))
            .weight(f32s("ones", &[16], &[1.0; 16]))
            .weight(f32s("zeros", &[16], &[0.0; 16]))
            .node(named("grow", node("Mul", &["a", "thousands"], &["g"], &[])))
            .node(named("wide", node("Conv", &["g", "w3", "b3"], &["e"], &[ints("pads", &[1, 1, 1, 1])])))
            .node(named("positive", node("Relu", &["e"], &["f"], &[])))
            .node(named(
                "pool",
                node(
                    "AveragePool",
                    &["f"],
                    &["h"],
                    &[ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])],
                ),
            ))
            .node(named("sum", node("Add", &["h", "g"], &["i"], &[])))
            .node(named("normal", node("InstanceNormalization", &["i", "ones", "zeros"], &["m"], &[])))
    })
}

#[test]
fn scales_are_carried_through_sums_and_pools_to_a_normalization() {
    verify(&large(), &[]).failure(1, &["too far"]);
    let answer = verify(&large(), &["--samples", "generated", "--json"]).success().json();
    let output = &answer["graphs"][0]["outputs"][0];
    assert!(output["sqnr_db"].as_f64().unwrap() > 45.0, "{output}");
}

#[test]
fn what_cannot_be_scaled_is_a_warning_that_names_the_node() {
    let model = network(|model| {
        model
            .weight(f32s("three", &[], &[3.0]))
            .node(named("triple", node("Mul", &["a", "three"], &["b"], &[])))
            .node(named("exponential", node("Exp", &["b"], &["e"], &[])))
            .node(named("shrink", node("Mul", &["e", "small"], &["m"], &[])))
    });
    let home = installed();
    let path = model.save(home.dir.path());
    let out = home.dir.path().join("out.bin");
    let args = ["compile", path.to_str().unwrap(), "--soc", "SM8650", "-o", out.to_str().unwrap()];
    let said = home.run(&[&args[..], &["--samples", "generated"]].concat()).success();
    for words in ["E0311", "`exponential` (Exp)", "fp16 ends at 65504", "power of two"] {
        assert!(said.stderr.contains(words), "no {words:?} in:\n{}", said.stderr);
    }
    assert!(!home.run(&args).success().stderr.contains("E0311"), "there was no calibration run");
}
