//! Any bytes as an encodings file, from the reader over a model that gets the encodings to the list of ops that the vendor's library
//! would get. The corpus names the tensors of the model.

#![no_main]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use qnn_compiler::custom::OpPackages;
use qnn_compiler::frontend::encodings;
use qnn_compiler::graph::Graph;
use qnn_compiler::passes::Setting;
use qnn_compiler::{lower, passes};
use qnn_types::Target;

#[path = "../../qnn-compiler/tests/support/mod.rs"]
mod onnx;

use onnx::{Model, f32s, i64s, int, ints, node, noise};

/// One of each kind of operator that reads encodings in a way of its own.
fn model() -> Option<Graph> {
    let model = Model::new(17)
        .input("x", &[1, 4, 8, 8])
        .weight(noise("w", &[8, 4, 3, 3]))
        .weight(noise("b", &[8]))
        .weight(noise("depthwise", &[8, 1, 3, 3]))
        .weight(noise("t", &[8, 4, 2, 2]))
        .weight(i64s("shape", &[2], &[1, -1]))
        .weight(noise("m", &[144, 6]))
        .weight(noise("g", &[6, 5]))
        .weight(noise("h", &[5]))
        .weight(f32s("one", &[5], &[1.0; 5]))
        .node(node("Conv", &["x", "w", "b"], &["a"], &[]))
        .node(node("Relu", &["a"], &["r"], &[]))
        .node(node("Conv", &["r", "depthwise"], &["k"], &[int("group", 8), ints("pads", &[1, 1, 1, 1])]))
        .node(node("Add", &["k", "r"], &["s"], &[]))
        .node(node("ConvTranspose", &["s", "t"], &["c"], &[ints("strides", &[2, 2])]))
        .node(node("MaxPool", &["c"], &["p"], &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]))
        .node(node("Concat", &["p", "p"], &["q"], &[int("axis", 1)]))
        .node(node("GlobalAveragePool", &["q"], &["z"], &[]))
        .node(node("Flatten", &["p"], &["f"], &[]))
        .node(node("MatMul", &["f", "m"], &["d"], &[]))
        .node(node("Gemm", &["d", "g", "h"], &["e"], &[]))
        .node(node("LayerNormalization", &["e", "one", "h"], &["n"], &[]))
        .node(node("Softmax", &["n"], &["y"], &[]))
        .output("y")
        .output("z");
    model.import().ok().map(|imported| imported.graph)
}

fuzz_target!(|data: &[u8]| {
    static MODEL: OnceLock<Option<Graph>> = OnceLock::new();
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(entries) = encodings::read(Path::new("m.encodings"), text) else { return };
    let target = Target { name: "SM8650".to_owned(), id: 57, arch: 75, vtcm_mb: 8, fp16: true };
    let (inputs, mut warn) = (BTreeMap::new(), |_| {});
    let mut setting = Setting { entries: Some(&entries), ..Setting::new(&target, &inputs, &mut warn) };
    let Some(mut graph) = MODEL.get_or_init(model).clone() else { panic!("the model is not imported") };
    if passes::run(&mut graph, &mut setting).is_ok() {
        let _ = lower::lower(&graph, &target, &OpPackages::default());
    }
});
