//! Identical inputs, identical bytes: each model is compiled in fresh processes that have other environments, heaps and addresses.
//!
//! `just reproducible FOLDER` does the same for every ONNX file below a folder.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../qnn-compiler/tests/support/mod.rs"]
mod onnx;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::collections::HashSet;
use std::path::Path;

use onnx::{Model, int, noise};
use support::{Home, Said, installed};

/// Compiles of one model.
const TIMES: usize = 4;

/// Models whose constants have fewer than 32 channels, or rows that are no multiple of these: HTP copies more than they are.
fn models() -> Vec<(&'static str, Model)> {
    let x = |shape: &[i64]| Model::new(17).input("x", shape);
    let node = |op: &str, inputs: &[&str], output: &str| onnx::node(op, inputs, &[output], &[]);
    let mut chain = x(&[1, 512, 64]);
    for i in 0..6 {
        let from = if i == 0 { "x".to_owned() } else { format!("sum{}", i - 1) };
        let [scale, weight, shift] = ["scale", "weight", "shift"].map(|name| format!("{name}{i}"));
        let [scaled, product, sum] = ["scaled", "product", "sum"].map(|name| format!("{name}{i}"));
        chain = chain
            .weight(noise(&scale, &[1, 512, 1]))
            .weight(noise(&weight, &[64, 64]))
            .weight(noise(&shift, &[1, 1]))
            .node(node("Mul", &[&from, &scale], &scaled))
            .node(node("MatMul", &[&scaled, &weight], &product))
            .node(node("Add", &[&product, &shift], &sum));
    }
    let recurrent = |op: &str, gates: i64| {
        x(&[12, 1, 20])
            .weight(noise("w", &[1, gates * 24, 20]))
            .weight(noise("r", &[1, gates * 24, 24]))
            .node(onnx::node(op, &["x", "w", "r"], &["y"], &[int("hidden_size", 24)]))
            .output("y")
    };
    vec![
        (
            "matmul-left",
            x(&[1, 16, 8]).weight(noise("c", &[1, 8, 16])).node(node("MatMul", &["c", "x"], "y")).output("y"),
        ),
        (
            "mul-512",
            x(&[1, 512, 64]).weight(noise("c", &[1, 512, 1])).node(node("Mul", &["x", "c"], "y")).output("y"),
        ),
        (
            "mul-100",
            x(&[1, 100, 7, 9])
                .weight(noise("c", &[1, 100, 1, 1]))
                .node(node("Mul", &["x", "c"], "y"))
                .output("y"),
        ),
        (
            "prelu",
            x(&[1, 100, 7, 9])
                .weight(noise("c", &[100, 1, 1]))
                .node(node("PRelu", &["x", "c"], "y"))
                .output("y"),
        ),
        ("chain", chain.output("sum5")),
        ("lstm", recurrent("LSTM", 4)),
        ("gru", recurrent("GRU", 3)),
    ]
}

/// Compiles in a process whose environment is `pad` bytes longer than usual.
fn compile(home: &Home, source: &Path, soc: &str, pad: usize) -> Vec<u8> {
    let out = source.with_extension(format!("{soc}.{pad}.bin"));
    let mut command =
        home.command(&["compile", source.to_str().unwrap(), "--soc", soc, "-o", out.to_str().unwrap()]);
    command.env("PADDING", "x".repeat(pad)).env("MALLOC_PERTURB_", (pad % 250).to_string());
    Said::from(command.output().unwrap()).success();
    std::fs::read(out).unwrap()
}

#[test]
fn a_model_becomes_the_same_bytes_in_every_process() {
    let home = installed();
    let mut differing = Vec::new();
    for (name, model) in models() {
        let folder = home.dir.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let source = model.save(&folder);
        for soc in ["SM8650", "SM8550"] {
            let made: HashSet<Vec<u8>> = (0..TIMES).map(|i| compile(&home, &source, soc, i * 1511)).collect();
            if made.len() > 1 {
                differing.push(format!("{name} for {soc}: {} of {TIMES}", made.len()));
            }
        }
    }
    assert!(differing.is_empty(), "{differing:?}");
}
