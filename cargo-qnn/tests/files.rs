//! Commands that work on model files, with the vendor's real libraries.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use qnn::DataType;
use qnn_compiler::npz::{self, Array};
use support::{Home, Said, installed};

fn digits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/digits/models/digits.onnx")
}

/// Compiles the digits model for SoCs into `out.bin` of the home.
fn compile(home: &Home, socs: &str) -> Said {
    let out = home.dir.path().join("out.bin");
    home.run(&["compile", digits().to_str().unwrap(), "--soc", socs, "-o", out.to_str().unwrap(), "--json"])
}

#[test]
fn a_compiled_file_says_what_it_is() {
    let home = installed();
    let compiled = compile(&home, "SM8650").success().json();
    assert!(compiled[0]["report"]["peak_rss"].as_u64().unwrap() > 50_000_000, "{compiled}");
    let out = home.dir.path().join("out.bin");
    let inspected = home.run(&["inspect", out.to_str().unwrap(), "--json"]).success().json();
    assert_eq!(inspected["kind"], "context-binary");
    assert_eq!((&inspected["soc"], &inspected["arch"]), (&"SM8650".into(), &75.into()));
    assert_eq!(inspected["build_id"], "v2.51.0.260929181845");
    assert_eq!(inspected["graphs"][0]["inputs"][0]["shape"], serde_json::json!([1, 1, 8, 8]));
    assert_eq!(inspected["graphs"][0]["htp"]["vtcm_bytes"], 8 << 20);

    let model = home.run(&["inspect", digits().to_str().unwrap(), "--json"]).success().json();
    assert_eq!((&model["kind"], &model["ops"]["Conv"]), (&"onnx".into(), &3.into()));
}

#[test]
fn several_socs_give_several_files() {
    let home = installed();
    compile(&home, "SM8650,snapdragon-8-elite").success();
    for soc in ["SM8650", "SM8750"] {
        assert!(home.dir.path().join(format!("out.{soc}.bin")).is_file(), "{soc}");
    }
}

#[test]
fn two_compiles_give_the_same_bytes() {
    let home = installed();
    let out = home.dir.path().join("out.bin");
    compile(&home, "SM8650").success();
    let first = fs::read(&out).unwrap();
    compile(&home, "SM8650").success();
    assert!(first == fs::read(&out).unwrap());
}

#[test]
fn a_job_that_takes_too_long_is_ended_and_leaves_nothing() {
    let home = installed();
    let out = home.dir.path().join("out.bin");
    let args = ["compile", digits().to_str().unwrap(), "--soc", "SM8650", "--timeout", "0.01", "-o"]
        .map(str::to_owned);
    let args: Vec<&str> = args.iter().map(String::as_str).chain([out.to_str().unwrap()]).collect();
    home.run(&args).failure(4, &["E0505"]);
    // The cache has the hashes of the libraries.
    let left: Vec<_> = fs::read_dir(home.dir.path())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name != "cache")
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn exec_runs_a_batch_and_checks_names_and_dtypes() {
    let home = installed();
    compile(&home, "SM8650").success();
    let path = |name: &str| home.dir.path().join(name).to_str().unwrap().to_owned();
    let image = |dtype: DataType, name: &str| {
        let data = vec![0; 3 * 64 * dtype.size()];
        let array = Array { dtype, shape: vec![3, 1, 1, 8, 8], data };
        npz::write(Path::new(&path("in.npz")), [(name, &array)]).unwrap();
    };
    let exec = |more: &[&str]| {
        let (binary, inputs, outputs) = (path("out.bin"), path("in.npz"), path("out.npz"));
        let args = ["exec", &binary, "--inputs", &inputs, "--outputs", &outputs];
        home.run(&[&args, more].concat())
    };
    image(DataType::Float32, "image");
    exec(&[]).success();
    let outputs = npz::read(Path::new(&path("out.npz"))).unwrap();
    assert_eq!((outputs[0].0.as_str(), &outputs[0].1.shape[..]), ("logits", &[3, 1, 10][..]));
    // The same image three times has the same answer three times.
    let bytes = &outputs[0].1.data;
    assert!(bytes[..40] == bytes[40..80] && bytes[..40] == bytes[80..]);

    exec(&["--soc", "SM8750"]).failure(5, &["E0701", "SM8750"]);
    image(DataType::Float64, "image");
    exec(&[]).success();
    assert_eq!(npz::read(Path::new(&path("out.npz"))).unwrap(), outputs);
    image(DataType::Int32, "image");
    exec(&[]).failure(1, &["E0803", "float32"]);
    image(DataType::Float32, "picture");
    exec(&[]).failure(1, &["E0803", "picture"]);
}

#[test]
fn verify_agrees_with_the_reference_and_fails_below_its_threshold() {
    let home = installed();
    let model = digits();
    let model = model.to_str().unwrap();
    let answer = home.run(&["verify", model, "--soc", "SM8650", "--layers", "--json"]).success().json();
    assert_eq!((&answer["ok"], &answer["first_departure"]), (&true.into(), &serde_json::Value::Null));
    let output = &answer["graphs"][0]["outputs"][0];
    assert!(output["sqnr_db"].as_f64().unwrap() > 50.0, "{output}");
    assert!(output["cosine"].as_f64().unwrap() > 0.9999, "{output}");
    let layers = answer["graphs"][0]["layers"].as_array().unwrap();
    assert!(layers.len() >= 8 && layers[0]["op"] == "Conv", "{answer}");

    // The input as bytes, channels last: the reference still gets what the model file takes.
    let bytes = ["verify", model, "--soc", "SM8650", "--input", "image=1,1,8,8:uint8:nhwc", "--json"];
    assert_eq!(home.run(&bytes).success().json()["ok"], true);

    let strict = ["verify", model, "--soc", "SM8650", "--layers", "--min-sqnr", "200"];
    let said = home.run(&strict).failure(1, &["too far from the reference: `logits`"]);
    assert!(
        said.stdout.contains("the first value that departs is `/conv1/Conv_output_0`"),
        "{}",
        said.stdout
    );
}

#[test]
fn the_cache_is_measured_and_pruned() {
    let home = Home::new();
    let cache = home.dir.path().join("cache");
    assert_eq!(home.run(&["cache", "dir"]).success().stdout.trim(), cache.to_str().unwrap());
    assert_eq!(home.run(&["cache", "size", "--json"]).success().json()["entries"], 0);
    assert_eq!(home.run(&["cache", "prune", "--all", "--json"]).success().json()["entries"], 0);
}

#[test]
fn pruning_leaves_the_files_of_the_user() {
    let home = Home::new();
    let folder = home.dir.path().join("mine");
    let files =
        ["thesis.tex", ".ssh/id", "tmp/old", "v1/artifacts/ab/paper.bin"].map(|name| folder.join(name));
    for file in &files {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "mine").unwrap();
    }
    let prune = |args: &[&str]| {
        let mut command = home.command(&[&["cache", "prune"], args].concat());
        Said::from(command.env("QNN_CACHE_DIR", &folder).output().unwrap())
    };
    for args in [&["--all"][..], &[], &["--max-size", "0"]] {
        prune(args).failure(1, &["E0606", "CACHEDIR.TAG", "cargo qnn cache dir"]);
    }
    fs::remove_dir_all(folder.join("v1")).unwrap();
    prune(&["--all"]).success();
    assert!(files[..3].iter().all(|file| file.is_file()));
}

#[test]
fn a_damaged_context_binary_is_told_and_ends_nothing() {
    let home = installed();
    compile(&home, "SM8650").success();
    let file = home.dir.path().join("out.bin");
    let good = fs::read(&file).unwrap();
    let inspect = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        home.run(&["inspect", file.to_str().unwrap(), "--json"])
    };
    assert_eq!(inspect(&good).success().json()["soc"], "SM8650");
    // Offsets and lengths of its metadata are among these words.
    for at in (0..2048).step_by(36) {
        for word in [u32::MAX, 0x7fff_fff0] {
            let mut bytes = good.clone();
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            let said = inspect(&bytes);
            assert!(matches!(said.code, Some(0 | 1)), "word {at}: {said:?}");
            assert!(said.code == Some(0) || said.stderr.contains("error[qnn::E0213]"), "word {at}: {said:?}");
        }
    }
}

#[test]
fn what_is_no_regular_file_is_refused_before_anything_waits_for_it() {
    let home = installed();
    let path = |name: &str| home.dir.path().join(name);
    let fifo = path("m.onnx");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let zero = path("zero.npz");
    std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
    let (fifo, zero, out) = (fifo.to_str().unwrap(), zero.to_str().unwrap(), path("o.bin"));
    let out = out.to_str().unwrap();
    for args in [
        &["inspect", fifo][..],
        &["compile", fifo, "--soc", "SM8650", "-o", out],
        &["compile", digits().to_str().unwrap(), "--soc", "SM8650", "-o", out, "--samples", zero],
    ] {
        let said = home.run(args);
        assert_eq!(said.code, Some(1), "{args:?}: {said:?}");
        assert!(
            said.stderr.contains("not a file") || said.stderr.contains("not a regular file"),
            "{args:?}: {said:?}"
        );
    }
}
