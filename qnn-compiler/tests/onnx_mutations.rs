//! Damaged models: an error or a graph, never a panic.

#![allow(clippy::unwrap_used, reason = "test code")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use support::{Model, f32s, i64s, import_file, int, ints, node, noise, tensor_attr, text};

/// A sequence without a pattern that is the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }
}

/// A model with many operators, constants and shape arithmetic.
fn rich() -> Model {
    Model::new(15)
        .input("x", &[1, 4, 6, 6])
        .weight(noise("w", &[4, 4, 3, 3]))
        .weight(i64s("two", &[], &[2]))
        .weight(i64s("axis0", &[1], &[0]))
        .weight(i64s("minus", &[1], &[-1]))
        .weight(i64s("starts", &[2], &[1, 1]))
        .weight(i64s("ends", &[2], &[5, 100]))
        .weight(i64s("spatial", &[2], &[2, 3]))
        .weight(i64s("pads", &[8], &[0, 0, 1, 1, 0, 0, 1, 1]))
        .weight(f32s("scales", &[4], &[1.0, 1.0, 2.0, 2.0]))
        .weight(noise("m", &[64, 8]))
        .node(node("Conv", &["x", "w"], &["c"], &[text("auto_pad", "SAME_UPPER"), ints("strides", &[1, 1])]))
        .node(node("MaxPool", &["c"], &["p"], &[ints("kernel_shape", &[2, 2]), int("ceil_mode", 1)]))
        .node(node("Slice", &["p", "starts", "ends", "spatial"], &["s"], &[]))
        .node(node("Pad", &["s", "pads"], &["q"], &[text("mode", "reflect")]))
        .node(node("Resize", &["q", "", "scales"], &["r"], &[text("mode", "linear")]))
        .node(node("Split", &["r"], &["h", "t"], &[int("axis", 1)]))
        .node(node("Concat", &["t", "h"], &["j"], &[int("axis", 1)]))
        .node(node("Transpose", &["j"], &["tr"], &[ints("perm", &[0, 2, 3, 1])]))
        .node(node("Shape", &["tr"], &["sh"], &[]))
        .node(node("Gather", &["sh", "two"], &["g"], &[]))
        .node(node("Unsqueeze", &["g", "axis0"], &["gu"], &[]))
        .node(node("Concat", &["minus", "gu"], &["target"], &[int("axis", 0)]))
        .node(node("Reshape", &["tr", "target"], &["re"], &[]))
        .node(node("Constant", &[], &["k"], &[tensor_attr("value", f32s("", &[1], &[0.5]))]))
        .node(node("Mul", &["re", "k"], &["mu"], &[]))
        .node(node("ReduceMean", &["mu"], &["rm"], &[ints("axes", &[-1]), int("keepdims", 1)]))
        .node(node("Sub", &["mu", "rm"], &["su"], &[]))
        .node(node("Softmax", &["su"], &["y"], &[int("axis", -1)]))
        .output("y")
}

/// Imports `count` variants of a file and returns how many still are models.
fn mutate(bytes: &[u8], count: usize, seed: u64) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.onnx");
    let mut random = Random(seed);
    let mut fine = 0;
    for round in 0..count {
        let mut bytes = bytes.to_vec();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(6) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes[at] ^= 1 << random.below(8),
                2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
                3 => drop(bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len()))),
                4 => bytes.insert(at, random.next() as u8),
                _ => {
                    let end = (at + 1 + random.below(16)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        let result = catch_unwind(AssertUnwindSafe(|| import_file(&path, &[], &[], None)));
        match result {
            Ok(Ok(_)) => fine += 1,
            Ok(Err(problems)) => assert!(!problems.0.is_empty(), "round {round}: no problem is named"),
            Err(_) => {
                panic!("round {round} of seed {seed} panicked");
            }
        }
    }
    fine
}

#[test]
fn a_model_of_many_operators_with_bytes_changed() {
    let bytes = rich().bytes();
    assert!(rich().import().is_ok());
    let fine = mutate(&bytes, 3_000, 1);
    // Changes in weights and names leave a model; changes in the structure do not: both kinds must be among them.
    assert!(fine > 100 && fine < 2_900, "{fine}");
}

#[test]
fn a_real_model_with_bytes_changed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits/models/digits.onnx");
    let bytes = std::fs::read(path).unwrap();
    // The structure is at the end and at the beginning; most of the file is weights.
    let fine = mutate(&bytes, 300, 2);
    assert!(fine > 0, "{fine}");
}

#[test]
fn attributes_with_any_numbers() {
    let mut random = Random(3);
    let pool =
        [i64::MIN, i64::MIN + 1, -(1 << 40), -5, -2, -1, 0, 1, 2, 3, 5, 1 << 20, 1 << 31, 1 << 40, i64::MAX];
    for round in 0..3_000 {
        let mut model = rich();
        let graph = model.graph();
        for _ in 0..=random.below(3) {
            let number = pool[random.below(pool.len())];
            if random.below(2) == 0 {
                let at = random.below(graph.node.len());
                for attribute in &mut graph.node[at].attribute {
                    match &mut attribute.i {
                        Some(i) => *i = number,
                        None if attribute.ints.is_empty() => {}
                        None => {
                            let i = random.below(attribute.ints.len());
                            attribute.ints[i] = number;
                        }
                    }
                }
            } else {
                let names = ["two", "axis0", "minus", "starts", "ends", "spatial", "pads"];
                let name = names[random.below(names.len())];
                let weight = graph.initializer.iter_mut().find(|t| t.name == name).unwrap();
                let mut data = weight.raw_data.as_ref().unwrap().to_vec();
                let at = random.below(data.len() / 8) * 8;
                data[at..at + 8].copy_from_slice(&number.to_le_bytes());
                weight.raw_data = Some(data.into());
            }
        }
        let result = catch_unwind(AssertUnwindSafe(|| model.import()));
        assert!(result.is_ok(), "round {round} panicked");
    }
}
