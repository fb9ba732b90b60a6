//! The calibration run of a model with samples: once for each graph, whatever SoCs it is compiled for.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../qnn-compiler/tests/support/mod.rs"]
mod onnx;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use onnx::{Dim, Model, f32s, float, ints, node, noise};
use qnn::DataType;
use qnn_compiler::graph::DType;
use qnn_compiler::npz::{self, Array};
use qnn_types::{CompileJob, GraphSpec, HtpOptions, InputSpec, Job, Report, Samples, SourceFormat, Target};
use serde_json::Value;
use support::{Home, Said, installed};

/// Numbers of many thousands between two convolutions, which only samples show; images of any size.
fn network() -> Model {
    let pads = [ints("pads", &[1, 1, 1, 1])];
    Model::new(18)
        .typed_input("x", DType::F32, &[Dim::Fixed(1), Dim::Fixed(3), Dim::Free("h"), Dim::Free("w")])
        .weight(noise("w1", &[16, 3, 3, 3]))
        .weight(noise("w2", &[16, 16, 3, 3]))
        .weight(f32s("thousands", &[], &[20_000.0]))
        .weight(f32s("ones", &[16], &[1.0; 16]))
        .weight(f32s("zeros", &[16], &[0.0; 16]))
        .node(node("Conv", &["x", "w1"], &["c"], &pads))
        .node(node("LeakyRelu", &["c"], &["a"], &[float("alpha", 0.25)]))
        .node(node("Mul", &["a", "thousands"], &["g"], &[]))
        .node(node("Conv", &["g", "w2"], &["e"], &pads))
        .node(node("InstanceNormalization", &["e", "ones", "zeros"], &["n"], &[]))
        .node(node("Sigmoid", &["n"], &["y"], &[]))
        .output("y")
}

/// A package with the model, `samples` as they stand there, and graphs for images of these sizes.
fn package(home: &Home, socs: &[&str], samples: &str, sizes: &[u64]) -> PathBuf {
    let folder = home.dir.path().join("app");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::rename(network().save(&folder), folder.join("net.onnx")).unwrap();
    fs::write(folder.join("src/main.rs"), "fn main() {}\n").unwrap();
    let mut text = format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [package.metadata.qnn]\nsoc = {socs:?}\n[package.metadata.qnn.models.net]\nsource = \"net.onnx\"\n\
         samples = \"{samples}\"\n"
    );
    for size in sizes {
        text += &format!("graphs.of{size}.inputs.x.shape = [1, 3, {size}, {size}]\n");
    }
    fs::write(folder.join("Cargo.toml"), text).unwrap();
    folder
}

fn build(home: &Home, folder: &Path, checked: bool) -> Said {
    let manifest = folder.join("Cargo.toml");
    let mut command =
        home.command(&["build", "--artifacts-only", "--manifest-path", manifest.to_str().unwrap()]);
    command.env("CARGO_TARGET_DIR", folder.join("target"));
    if checked {
        command.env("QNN_CHECK_CACHE", "1");
    }
    Said::from(command.output().unwrap()).success()
}

/// How often a build ran the model on its samples, as it said.
fn measured(said: &Said) -> usize {
    said.stderr.lines().filter(|line| line.trim_start().starts_with("Measured ")).count()
}

fn records(home: &Home) -> Vec<PathBuf> {
    let folder = home.dir.path().join("cache/v1/ranges");
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut records: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    records.sort();
    records
}

/// What each compile of the store's binaries was at.
fn stages(home: &Home) -> Vec<String> {
    let files = walkdir::WalkDir::new(home.dir.path().join("cache/v1/artifacts")).into_iter();
    let records = files
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension() == Some("json".as_ref()));
    records
        .map(|path| stages_of(&serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap()["report"]))
        .collect()
}

fn stages_of(report: &Value) -> String {
    let stages = report["stage_ms"].as_array().unwrap().iter();
    stages.map(|stage| stage[0].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn two_socs_and_two_graphs_take_a_run_a_graph_and_give_what_runs_of_their_own_give() {
    let home = installed();
    let folder = package(&home, &["SM8650", "SM8850"], "generated", &[12, 20]);
    let said = build(&home, &folder, false);
    assert_eq!((measured(&said), records(&home).len()), (2, 2), "{}", said.stderr);
    assert!(said.stderr.contains("net graph of12 on its samples in"), "{}", said.stderr);
    let compiles = stages(&home);
    assert_eq!(compiles.len(), 2);
    assert!(compiles.iter().all(|stages| stages.starts_with("import optimize lower")), "{compiles:?}");

    // Compiled again, each with measurements of its own: the store's binaries are held against these.
    let said = build(&home, &folder, true);
    assert_eq!(measured(&said), 0, "{}", said.stderr);
    let compiled = said.stderr.lines().filter(|line| line.trim_start().starts_with("Compiled ")).count();
    assert_eq!(compiled, 2, "{}", said.stderr);

    // Without the binaries, with the ranges.
    fs::remove_dir_all(home.dir.path().join("cache/v1/artifacts")).unwrap();
    let said = build(&home, &folder, false);
    assert_eq!((measured(&said), records(&home).len()), (0, 2), "{}", said.stderr);
    build(&home, &folder, true);
}

#[test]
fn other_samples_are_another_run_and_a_damaged_record_is_made_again() {
    let home = installed();
    let folder = package(&home, &["SM8650"], "samples.npz", &[12]);
    let samples = |factor: f32| {
        let numbers = (0..2 * 3 * 12 * 12).map(|i| factor * (((i * 37 % 101) as f32 / 50.0) - 1.0));
        let data = numbers.flat_map(f32::to_le_bytes).collect();
        let array = Array { dtype: DataType::Float32, shape: vec![2, 1, 3, 12, 12], data };
        npz::write(&folder.join("samples.npz"), [("x", &array)]).unwrap();
    };
    samples(1.0);
    assert_eq!(measured(&build(&home, &folder, false)), 1);
    let [record] = &records(&home)[..] else { panic!("{:?}", records(&home)) };
    let whole = fs::read(record).unwrap();

    // Other numbers, as other samples might have made them.
    let text = String::from_utf8(whole.clone()).unwrap();
    let damaged: String = text.chars().map(|c| if c == '7' { '8' } else { c }).collect();
    assert_ne!(damaged, text);
    fs::write(record, damaged).unwrap();
    fs::remove_dir_all(home.dir.path().join("cache/v1/artifacts")).unwrap();
    assert_eq!(measured(&build(&home, &folder, false)), 1);
    assert_eq!(fs::read(record).unwrap(), whole);

    samples(3.0);
    assert_eq!((measured(&build(&home, &folder, false)), records(&home).len()), (1, 2));
}

#[test]
fn a_file_is_compiled_with_samples_without_the_store() {
    let home = installed();
    let model = network().save(home.dir.path());
    let compile = |socs: &str, out: &str| {
        let out = home.dir.path().join(out);
        let args = ["compile", model.to_str().unwrap(), "--soc", socs, "-o", out.to_str().unwrap()];
        let more = ["--samples", "generated", "--dim", "h=12", "--dim", "w=12", "--json"];
        let said = home.run(&[&args[..], &more].concat()).success();
        (measured(&said), stages_of(&said.json()[0]["report"]).contains("reference"))
    };
    assert_eq!(compile("SM8650", "one.bin"), (0, true), "the compile does it itself");
    assert_eq!(compile("SM8650,SM8850", "two.bin"), (1, false));
    let read = |file: &str| fs::read(home.dir.path().join(file)).unwrap();
    assert_eq!(read("one.bin"), read("two.SM8650.bin"));
    assert!(records(&home).is_empty());
}

/// What is measured must not depend on the SoC that asks first.
#[test]
fn every_soc_sees_the_same_ranges() {
    let home = installed();
    let libs = qnn_platform::libs::resolve(None).unwrap();
    let toolchain = qnn_types::Toolchain {
        qnn_lib_dir: libs.dir,
        onnxruntime: Some(qnn_platform::libs::onnxruntime().unwrap()),
    };
    let observe = |model: &Path, soc: &str, inputs: &[(&str, &[u64])]| -> Report {
        let soc = qnn_platform::soc::find(soc).unwrap();
        let input = |(name, shape): &(&str, &[u64])| {
            ((*name).to_owned(), InputSpec { shape: Some(shape.to_vec()), ..InputSpec::default() })
        };
        let job = Job::Observe(CompileJob {
            model: "net".to_owned(),
            source: model.to_owned(),
            format: SourceFormat::Onnx,
            soc: Target {
                name: soc.name.to_owned(),
                id: soc.id,
                arch: soc.arch,
                vtcm_mb: soc.vtcm_mb,
                fp16: soc.fp16,
            },
            precision: Default::default(),
            accuracy: Default::default(),
            graphs: vec![GraphSpec {
                name: "net".to_owned(),
                inputs: inputs.iter().map(input).collect(),
                tokens: None,
            }],
            outputs: Vec::new(),
            samples: Some(Samples::Generated),
            ranges: Vec::new(),
            encodings: None,
            op_packages: Vec::new(),
            llm: None,
            htp: HtpOptions::default(),
            trace: None,
            toolchain: toolchain.clone(),
            output: None,
        });
        qnn_compiler::run(&job, &mut |_| {}).unwrap_or_else(|problems| panic!("{problems:?}"))
    };
    let quantized = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/digits/digits_qdq_a8w8.onnx");
    let plain = network().save(home.dir.path());
    for (model, inputs) in [(&plain, &[("x", &[1, 3, 12, 12][..])][..]), (&quantized, &[])] {
        // With and without floats, of every generation.
        let [first, others @ ..] =
            ["SM8650", "SM8850", "SM8350", "QCS6490", "SA8540"].map(|soc| observe(model, soc, inputs).ranges);
        assert!(!first[0].values.is_empty());
        assert!(others.iter().all(|ranges| *ranges == first), "{first:#?} {others:#?}");
    }
}
