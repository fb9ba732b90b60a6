//! The way of a user: models become context binaries in an ordinary build, and run in the HTP emulator. Everything here
//! is real: the vendor's compiler, its emulator, ONNX Runtime as the judge.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{Home, installed};

const SOCS: [&str; 2] = ["SM8650", "SM8750"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn digits() -> PathBuf {
    root().join("examples/digits/models/digits.onnx")
}

/// Every file below a folder whose name ends in `.bin`, by name.
fn binaries(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|e| e.path().extension().is_some_and(|x| x == "bin"))
        .map(|e| (e.file_name().to_string_lossy().into_owned(), fs::read(e.path()).unwrap()))
        .collect();
    found.sort();
    found
}

/// A package that declares the digits model, in a folder of its own.
fn checkout(home: &Home, name: &str) -> PathBuf {
    let folder = home.dir.path().join(name).join("app");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::copy(digits(), folder.join("digits.onnx")).unwrap();
    fs::write(folder.join("src/main.rs"), "fn main() {}\n").unwrap();
    fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [package.metadata.qnn]\nsoc = [\"SM8650\", \"SM8750\"]\n[package.metadata.qnn.models.digits]\nsource = \"digits.onnx\"\n",
    )
    .unwrap();
    folder
}

/// Compiles a package's models into its own target folder, with a store of its own.
fn artifacts(home: &Home, folder: &Path, store: &str) -> Vec<(String, Vec<u8>)> {
    let target = folder.join("target");
    let manifest = folder.join("Cargo.toml");
    let mut command =
        home.command(&["build", "--artifacts-only", "--manifest-path", manifest.to_str().unwrap()]);
    let output = command
        .env("QNN_CACHE_DIR", home.dir.path().join(store))
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    binaries(&target)
}

#[test]
fn the_digits_example_classifies_as_well_as_onnx_runtime() {
    let home = installed();
    let manifest = root().join("examples/digits/Cargo.toml");
    let said = support::Said::from(
        home.command(&["run", "--manifest-path", manifest.to_str().unwrap()])
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("digits"))
            .output()
            .unwrap(),
    )
    .success();
    let accuracy: f64 = said
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("accuracy")?.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| panic!("no accuracy in:\n{}", said.stdout));
    // ONNX Runtime on the same 360 images: 358 right, examples/digits/README.md.
    assert!((accuracy - 99.44).abs() <= 0.5, "{accuracy} %");
}

#[test]
fn two_checkouts_give_identical_binaries() {
    let home = installed();
    let one = artifacts(&home, &checkout(&home, "one"), "store-one");
    let two = artifacts(&home, &checkout(&home, "two"), "store-two");
    assert_eq!(one.len(), SOCS.len());
    assert!(one == two, "the binaries differ");
}

#[test]
fn a_second_run_in_a_fresh_process_gives_identical_bytes() {
    let home = installed();
    let compile = |name: &str| {
        let out = home.dir.path().join(name);
        let args = ["compile", digits().to_str().unwrap(), "--soc", "SM8650", "-o", out.to_str().unwrap()]
            .map(str::to_owned);
        home.run(&args.each_ref().map(String::as_str)).success();
        fs::read(out).unwrap()
    };
    assert!(compile("first.bin") == compile("second.bin"), "the binaries differ");
}

#[test]
fn a_second_build_takes_everything_from_the_store() {
    let home = installed();
    let folder = checkout(&home, "app");
    let first = artifacts(&home, &folder, "store");
    // No worker can be started now: only the store can answer.
    let manifest = folder.join("Cargo.toml");
    let mut command = home.command(&[
        "build",
        "--artifacts-only",
        "--manifest-path",
        manifest.to_str().unwrap(),
        "--message-format",
        "json",
    ]);
    let output = command
        .env("QNN_CACHE_DIR", home.dir.path().join("store"))
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .unwrap();
    let said = support::Said::from(output).success();
    let fresh = said
        .stdout
        .lines()
        .filter(|line| line.contains("qnn-artifact") && line.contains("\"fresh\":true"))
        .count();
    assert_eq!(fresh, SOCS.len(), "{}", said.stdout);
    assert!(binaries(&folder.join("target")) == first);
}

#[test]
fn verify_holds_the_emulator_against_onnx_runtime() {
    let home = installed();
    let said = home
        .run(&["verify", digits().to_str().unwrap(), "--soc", "SM8650", "--range", "0,1", "--json"])
        .success();
    let json = said.json();
    let output = &json["graphs"][0]["outputs"][0];
    assert_eq!(output["name"], "logits");
    assert!(output["sqnr_db"].as_f64().unwrap() > 45.0, "{json}");
    assert!(output["cosine"].as_f64().unwrap() > 0.9999, "{json}");
}

#[test]
fn an_executed_binary_gives_the_reference_logits() {
    let home = installed();
    let bin = home.dir.path().join("digits.bin");
    home.run(&["compile", digits().to_str().unwrap(), "--soc", "SM8650", "-o", bin.to_str().unwrap()])
        .success();
    let eval = root().join("examples/digits/eval.npz");
    let arrays = qnn_compiler::npz::read(&eval).unwrap();
    let array = |name: &str| arrays.iter().find(|(n, _)| n == name).map(|(_, a)| a.clone()).unwrap();
    let (mut x, reference) = (array("x"), array("logits"));
    x.shape = vec![x.shape[0], 1, 1, 8, 8];
    let (inputs, outputs) = (home.dir.path().join("in.npz"), home.dir.path().join("out.npz"));
    qnn_compiler::npz::write(&inputs, [("image", &x)]).unwrap();
    home.run(&[
        "exec",
        bin.to_str().unwrap(),
        "--inputs",
        inputs.to_str().unwrap(),
        "--outputs",
        outputs.to_str().unwrap(),
    ])
    .success();
    let results = qnn_compiler::npz::read(&outputs).unwrap();
    let floats = |bytes: &[u8]| -> Vec<f32> {
        bytes.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap())).collect()
    };
    let (got, want) = (floats(&results[0].1.data), floats(&reference.data));
    assert_eq!(got.len(), want.len());
    let (signal, noise) = got
        .iter()
        .zip(&want)
        .fold((0.0, 0.0), |(s, n), (g, w)| (s + f64::from(w * w), n + f64::from((g - w) * (g - w))));
    let sqnr = 10.0 * (signal / noise).log10();
    assert!(sqnr > 45.0, "{sqnr} dB");
}
