//! `accuracy` decides which activations HTP joins with the layer before them: what that costs and saves.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../qnn-compiler/tests/support/mod.rs"]
mod onnx;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use onnx::{Model, f32s, ints, node};
use serde_json::Value;
use support::installed;

/// Convolutions with an activation behind each.
fn network(layers: usize, activation: &str) -> Model {
    // Results keep the spread of what they are made of.
    let weight: Vec<f32> = (0..16 * 16 * 9).map(|i| (((i * 37 + 11) % 101) as f32 - 50.0) / 250.0).collect();
    let mut model = Model::new(20).input("x0", &[1, 16, 16, 16]);
    for layer in 0..layers {
        let [x, w, c, y] = ["x", "w", "c", "x"].map(|name| format!("{name}{layer}"));
        let y = if layer + 1 == layers {
            "y".to_owned()
        } else {
            y.replace(&layer.to_string(), &(layer + 1).to_string())
        };
        model = model
            .weight(f32s(&w, &[16, 16, 3, 3], &weight))
            .node(node("Conv", &[&x, &w], &[&c], &[ints("pads", &[1, 1, 1, 1])]))
            .node(node(activation, &[&c], &[&y], &[]));
    }
    model.output("y")
}

/// The report of a compile, and the signal to noise ratio of a run in the emulator, dB.
fn measured(model: &Model, soc: &str, accuracy: &str) -> (Value, f64) {
    let home = installed();
    let path = model.save(home.dir.path());
    let (path, out) = (path.to_str().unwrap(), home.dir.path().join("out.bin"));
    let flags = ["--soc", soc, "--accuracy", accuracy, "--json"];
    let compile = ["compile", path, "-o", out.to_str().unwrap()];
    let report = home.run(&[&compile[..], &flags[..]].concat()).success().json()[0]["report"].clone();
    // What is further off than a float model may be is told by the exit code as well.
    let answer = home.run(&[&["verify", path][..], &flags[..]].concat()).json();
    (report, answer["graphs"][0]["outputs"][0]["sqnr_db"].as_f64().unwrap())
}

fn cycles(report: &Value) -> u64 {
    report["estimates"][0]["cycles"].as_u64().unwrap()
}

#[test]
fn activations_are_joined_as_long_as_their_errors_are_affordable() {
    let model = network(9, "Gelu");
    let [(fast, fast_db), (balanced, balanced_db), (exact, exact_db)] =
        ["fast", "balanced", "exact"].map(|accuracy| measured(&model, "SA8255", accuracy));
    assert_eq!(fast["activations"]["joined"], 9);
    assert_eq!(balanced["activations"]["joined"], 5);
    assert_eq!(balanced["activations"]["apart"], 4);
    assert!(exact["activations"].is_null(), "{exact}");
    assert!(cycles(&fast) < cycles(&balanced) && cycles(&balanced) < cycles(&exact));
    assert!(exact_db > 50.0 && balanced_db > 35.0, "{exact_db} {balanced_db}");
    assert!(fast_db <= balanced_db && balanced_db < exact_db, "{fast_db} {balanced_db} {exact_db}");
}

/// Joined, its small results would be off by 3 %.
#[test]
fn a_hyperbolic_tangent_stays_exact_unless_told_otherwise() {
    let model = network(1, "Tanh");
    let (report, db) = measured(&model, "SM8650", "balanced");
    assert_eq!(report["activations"], serde_json::json!({ "joined": 0, "apart": 1 }));
    assert!(db > 60.0, "{db}");
    let (report, _) = measured(&model, "SM8650", "fast");
    assert_eq!(report["activations"]["joined"], 1);
}

/// There, joining saves nothing.
#[test]
fn nothing_is_joined_on_v68() {
    let (report, db) = measured(&network(2, "Gelu"), "SA8540", "balanced");
    assert!(report["activations"].is_null(), "{report}");
    assert!(db > 50.0, "{db}");
}

/// Its precise form takes nine times as long, and is for small ones only.
#[test]
fn a_large_sigmoid_is_fast() {
    let model = |size: i64| {
        Model::new(20)
            .input("x", &[1, 8, size, size])
            .node(node(
                "MaxPool",
                &["x"],
                &["p"],
                &[ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])],
            ))
            .node(node("Sigmoid", &["p"], &["y"], &[]))
            .output("y")
    };
    let per_element = |size: i64| {
        let (report, db) = measured(&model(size), "SA8255", "balanced");
        assert!(db > 60.0, "{db}");
        cycles(&report) as f64 / (8 * size * size) as f64
    };
    assert!(per_element(128) < per_element(32) / 2.0);
}
