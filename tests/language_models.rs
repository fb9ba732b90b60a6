//! Language models from a GGUF file to the files that an app loads: the vendor's compiler, by the commands of a user.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use qnn_types::{EvaluateJob, Evaluated, Evaluation, Job, Target, Toolchain};
use serde_json::Value;
use support::{Home, installed};

/// A trained model: Qwen2, four layers, Q4_0, the head tied to the embedding table.
fn model() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("examples/llm-chat/models/tinylm-qwen2-Q4_0.gguf")
}

/// `cargo qnn compile` of the model into `folder`.
fn compile(home: &Home, folder: &str, options: &[&str]) -> Vec<Value> {
    let (file, folder) = (model(), home.dir.path().join(folder));
    let mut args =
        vec!["compile", file.to_str().unwrap(), "--soc", "SM8650", "--json", "--optimization", "1"];
    args.extend(["-o", folder.to_str().unwrap()]);
    args.extend(options);
    let said = home.run(&args).success();
    serde_json::from_str(&said.stdout).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn json(home: &Home, file: &str) -> Value {
    serde_json::from_slice(&fs::read(home.dir.path().join(file)).unwrap()).unwrap()
}

#[test]
fn a_gguf_file_becomes_context_binaries_with_all_that_belongs_to_them() {
    let home = installed();
    let artifacts = compile(&home, "out", &["--context", "64", "--prefill", "16", "--shards", "2"]);
    let files: Vec<&str> = artifacts.iter().map(|artifact| text(artifact, "file")).collect();
    let name = "tinylm-qwen2-Q4_0";
    let expected = [
        "SM8650.0.bin",
        "SM8650.1.bin",
        "SM8650.head.bin",
        "SM8650.llm.json",
        "SM8650.report.json",
        "embedding.f16",
        "tokenizer.json",
    ];
    assert_eq!(files, expected.map(|end| format!("{name}.{end}")));
    for artifact in &artifacts {
        let bytes = fs::read(home.dir.path().join("out").join(text(artifact, "file"))).unwrap();
        assert_eq!(artifact["bytes"].as_u64(), Some(bytes.len() as u64));
    }
    let graphs: Vec<&str> =
        artifacts[0]["graphs"].as_array().unwrap().iter().map(|graph| text(graph, "name")).collect();
    assert_eq!(graphs, ["prefill_16", "decode"]);
    assert_eq!(artifacts[5]["bytes"], 1024 * 256 * 2, "a row of 256 halves for each of 1024 tokens");

    let description = json(&home, &format!("out/{name}.SM8650.llm.json"));
    assert_eq!(description["tokens"], serde_json::json!([16, 1]));
    assert_eq!((text(&description, "strategy"), description["context"].as_u64()), ("auto", Some(64)));
    assert_eq!(description["parts"][1]["first-layer"], 2);
    let report = json(&home, &format!("out/{name}.SM8650.report.json"));
    let weights: Vec<&Value> = report["parts"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|part| part["weights"].as_array().unwrap())
        .collect();
    // Seven matrices a layer, and the head.
    let matrices = weights.iter().filter(|weight| text(weight, "source") == "Q4_0");
    assert_eq!(matrices.clone().count(), 4 * 7 + 1);
    assert!(matrices.clone().all(|weight| weight["exact"] == true), "{report:#}");
    for part in report["parts"].as_array().unwrap() {
        assert!(
            part["vendor-ms"].as_f64().unwrap() > 0.0 && part["peak-rss"].as_u64().unwrap() > 0,
            "{part:#}"
        );
    }

    // Weights that graphs share are stored once.
    let apart = ["--context", "64", "--prefill", "16", "--shards", "2", "--no-weight-sharing"];
    let unshared = compile(&home, "unshared", &apart);
    let bytes = |artifacts: &[Value]| artifacts[0]["bytes"].as_f64().unwrap();
    assert!(bytes(&unshared) > 1.5 * bytes(&artifacts), "{} {}", bytes(&unshared), bytes(&artifacts));
    assert_eq!(unshared[2]["key"], artifacts[2]["key"], "the head is the same");
}

#[test]
fn options_and_files_that_cannot_be_are_told_before_a_worker_starts() {
    let home = installed();
    let file = model();
    let file = file.to_str().unwrap();
    let out = home.dir.path().join("out");
    let out = out.to_str().unwrap();
    let refused = |args: &[&str]| {
        let all: Vec<&str> =
            ["compile"].iter().chain(args).chain(&["--soc", "SM8650", "-o", out]).copied().collect();
        let said = home.run(&all);
        assert!(!said.stderr.contains("Compiling"), "{}", said.stderr);
        said.stderr
    };
    assert!(refused(&[file, "--context", "513"]).contains("E0118"));
    assert!(refused(&[file, "--heads", "both"]).contains("`split`"));
    assert!(refused(&[file, "--input", "x=1"]).contains("E0119"));
    let cut = home.dir.path().join("cut.gguf");
    fs::write(&cut, &fs::read(file).unwrap()[..100_000]).unwrap();
    assert!(refused(&[cut.to_str().unwrap()]).contains("E0230"));
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits/models/digits.onnx");
    assert!(refused(&[digits.to_str().unwrap(), "--context", "64"]).contains("no language model"));
    assert!(!Path::new(out).exists());
}

/// The description in a folder, and what evaluating it over 60 token ids says.
fn evaluate(home: &Home, description: &Path) -> Result<Evaluation, String> {
    let libs = qnn_platform::libs::resolve(None).unwrap();
    let soc = qnn_platform::soc::find("SM8650").unwrap();
    let job = Job::Evaluate(EvaluateJob {
        source: model(),
        what: Evaluated::Deployment { description: description.to_owned() },
        soc: Target {
            name: soc.name.to_owned(),
            id: soc.id,
            arch: soc.arch,
            vtcm_mb: soc.vtcm_mb,
            fp16: soc.fp16,
        },
        // Neither the context nor the text is a multiple of what one execution takes.
        windows: vec![(0..60).map(|at| at * 37 % 1024).collect()],
        decode: 4,
        folder: home.dir.path().to_owned(),
        toolchain: Toolchain {
            qnn_lib_dir: libs.dir,
            onnxruntime: Some(qnn_platform::libs::onnxruntime().unwrap()),
        },
    });
    let report = qnn_compiler::run(&job, &mut |_| {}).map_err(|problems| format!("{problems:?}"))?;
    Ok(report.evaluation.unwrap())
}

#[test]
fn what_an_app_loads_is_what_is_verified_and_a_damaged_part_is_noticed() {
    let home = installed();
    let options = ["--context", "60", "--prefill", "24", "--shards", "2", "--no-weight-sharing"];
    compile(&home, "out", &options);
    let out = home.dir.path().join("out");
    let description = out.join("tinylm-qwen2-Q4_0.SM8650.llm.json");
    let whole = evaluate(&home, &description).unwrap();
    assert_eq!(whole.predicted, 59);
    assert!(whole.sqnr_db > 50.0 && whole.decode_db.unwrap() > 40.0, "{whole:?}");

    // Weights of the second part's first graph.
    let part = out.join("tinylm-qwen2-Q4_0.SM8650.1.bin");
    let mut bytes = fs::read(&part).unwrap();
    let quarter = bytes.len() / 4;
    bytes[quarter..quarter + 40_000].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&part, &bytes).unwrap();
    let refused = evaluate(&home, &description).unwrap_err();
    assert!(refused.contains("is another file"), "{refused}");

    // Where the description says that it has to be so, numbers tell.
    let mut described: Value = serde_json::from_slice(&fs::read(&description).unwrap()).unwrap();
    let sum = qnn_platform::checksum::checksum(&bytes).to_string();
    described["files"]["tinylm-qwen2-Q4_0.SM8650.1.bin"]["checksum"] = sum.into();
    fs::write(&description, described.to_string()).unwrap();
    let damaged = evaluate(&home, &description).unwrap();
    assert!(damaged.sqnr_db < 30.0, "{damaged:?}");
    let change = damaged.perplexity / whole.perplexity - 1.0;
    assert!(change.abs() > 0.01, "{damaged:?} {whole:?}");
}

#[test]
fn verify_runs_the_files_of_the_plan_over_a_text_whatever_soc_is_emulated_otherwise() {
    let home = installed();
    let file = model();
    let text = home.dir.path().join("text.txt");
    fs::write(&text, "And God said, Let there be light: and there was light. And God saw the light.")
        .unwrap();
    let verify = |more: &[&str]| {
        let mut args = vec!["verify", file.to_str().unwrap(), "--soc", "SM8650", "--optimization", "1"];
        args.extend(["--text", text.to_str().unwrap(), "--context", "60", "--prefill", "24", "--json"]);
        args.extend(more);
        let output = home.command(&args).env("QNN_EMULATE_SOC", "SM8750").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), said)
    };
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap();
    let shipped = verify(&["--shards", "2"]).0;
    let ends = ["SM8650.0.bin", "SM8650.1.bin", "SM8650.head.bin", "embedding.f16", "tokenizer.json"];
    assert_eq!(shipped["artifacts"], serde_json::json!(ends.map(|end| format!("tinylm-qwen2-Q4_0.{end}"))));
    assert!(shipped["not-run"][0].as_str().unwrap().contains("share weights"), "{shipped:#}");
    assert!(number(&shipped, "sqnr-db") > 50.0 && shipped["layers"] == serde_json::json!([]), "{shipped:#}");

    // The same numbers, but for what the vendor's compiler makes of one graph instead of several.
    let layers = verify(&["--layers"]).0;
    assert_eq!(layers["artifacts"], serde_json::json!(["layers.bin"]));
    assert_eq!(layers["layers"].as_array().unwrap().len(), 4);
    let [one, other] = [&shipped, &layers].map(|evaluation| number(evaluation, "perplexity"));
    assert!((one / other - 1.0).abs() < 0.01, "{one} {other}");
    assert_eq!(shipped["reference-perplexity"], layers["reference-perplexity"]);

    fs::write(&text, "\n").unwrap();
    let (answer, said) = verify(&[]);
    assert!(answer["problems"][0]["message"].as_str().unwrap().ends_with("holds no text"), "{answer:#}");
    assert!(!said.contains("Compiling"), "{said}");
}
