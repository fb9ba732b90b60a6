//! Context binaries that are not for this SoC or this QNN build, or damaged.

use std::fs;
use std::os::unix::fs::symlink;

use crate::app::App;

/// Build id of the pinned libraries, and one of the same length that is not theirs.
const OWN: &str = "v2.51.0.260929181845";
const OTHER: &str = "v2.48.0.260101000000";

/// An app that has `digits.bin` for SM8650, and the binary's bytes.
fn with_binary(settings: &str) -> (App, Vec<u8>) {
    let app = App::new(settings);
    let compile = ["compile", "digits.onnx", "--soc", "SM8650", "-o", "digits.bin"];
    app.run(&compile).success();
    let bytes = fs::read(app.path("digits.bin")).unwrap();
    (app, bytes)
}

/// As if another QNN build had made it.
fn of_other_build(binary: &[u8]) -> Vec<u8> {
    let mut bytes = binary.to_vec();
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(OWN.as_bytes())).collect();
    assert!(!places.is_empty(), "the binary does not name its build");
    for at in places {
        bytes[at..at + OTHER.len()].copy_from_slice(OTHER.as_bytes());
    }
    bytes
}

fn zeros() -> qnn_compiler::npz::Array {
    qnn_compiler::npz::Array { dtype: qnn::DataType::Float32, shape: vec![1, 1, 8, 8], data: vec![0; 256] }
}

#[test]
fn a_ready_binary_for_another_soc_or_a_damaged_one_is_refused() {
    let (app, bytes) = with_binary("soc = [\"SM8750\"]\nmodels.digits.source = \"digits.bin\"\n");
    let differs = ["E0213", "is not a context binary for SM8750", "SoC id 57", "v75", "v79"];
    app.build().failure(1, &differs);
    app.run(&["check"]).failure(1, &differs);
    app.assert_entries(0);

    app.settings("soc = [\"SM8650\"]\nmodels.digits.source = \"digits.bin\"\n");
    for damaged in [&bytes[..bytes.len() / 2], &bytes[..100]] {
        app.file("digits.bin", damaged);
        app.build().failure(1, &["E0213", "digits.bin", "not copied whole"]);
        app.assert_entries(0);
    }
    app.file("digits.bin", &bytes);
    app.build().success();
    assert!(fs::read(app.collected()).unwrap() == bytes);
}

#[test]
fn a_binary_of_another_qnn_build_is_refused_with_both_builds_and_the_remedy() {
    let (app, bytes) = with_binary("soc = [\"SM8650\"]\nmodels.digits.source = \"old.bin\"\n");
    app.file("old.bin", of_other_build(&bytes));
    qnn_compiler::npz::write(&app.path("in.npz"), [("image", &zeros())]).unwrap();
    let exec = |binary: &str| app.run(&["exec", binary, "--inputs", "in.npz", "--outputs", "out.npz"]);
    let remedy = "compile the model with the QNN release of the library";
    exec("old.bin").failure(5, &["E0703", "old.bin cannot be loaded", OTHER, OWN, remedy]);
    assert!(!app.path("out.npz").exists());
    exec("digits.bin").success();

    // An app may ship the libraries of that build: passing the binary on is right, and worth a word.
    let said = app.build().success();
    for part in
        ["warning[qnn::E0703]", "old.bin is from another QNN release", OTHER, OWN, "ship the QNN libraries"]
    {
        assert!(said.stderr.contains(part), "no {part:?} in:\n{}", said.stderr);
    }
}

#[test]
fn what_is_no_context_binary_is_not_executed() {
    let (app, bytes) = with_binary("soc = [\"SM8650\"]\nmodels.digits.source = \"digits.onnx\"\n");
    qnn_compiler::npz::write(&app.path("in.npz"), [("image", &zeros())]).unwrap();
    app.file("cut.bin", &bytes[..bytes.len() / 2]);
    app.file("cut.npz", "PK");
    let exec =
        |binary: &str, inputs: &str| app.run(&["exec", binary, "--inputs", inputs, "--outputs", "out.npz"]);
    exec("cut.bin", "in.npz").failure(1, &["E0802", "cut.bin is no context binary, or a damaged one"]);
    exec("digits.onnx", "in.npz").failure(1, &["E0802", "digits.onnx is no context binary"]);
    exec("none.bin", "in.npz").failure(1, &["E0802", "none.bin does not exist"]);
    exec("digits.bin", "cut.npz").failure(1, &["E0802", "cut.npz is not an .npz file"]);
    assert!(!app.path("out.npz").exists());
}

#[test]
fn libraries_of_another_build_than_the_toolchain_records_are_found_out() {
    let app = App::of_digits();
    // The shared toolchain with a record that names another build, as if its libraries had been exchanged.
    let real = app.home.toolchain();
    let data = app.home.dir.path().join("exchanged");
    let toolchain = data.join("toolchains").join(real.file_name().unwrap());
    fs::create_dir_all(&toolchain).unwrap();
    for entry in fs::read_dir(&real).unwrap().flatten() {
        let to = toolchain.join(entry.file_name());
        if entry.file_name() == "toolchain.json" {
            let record = fs::read_to_string(entry.path()).unwrap();
            assert!(record.contains(OWN), "{record}");
            fs::write(to, record.replace(OWN, OTHER)).unwrap();
        } else {
            symlink(entry.path(), to).unwrap();
        }
    }
    let run = |args: &[&str]| {
        crate::support::Said::from(app.command(args).env("CARGO_QNN_HOME", &data).output().unwrap())
    };
    let build = ["build", "--artifacts-only"];
    run(&build).failure(3, &["E0405", OWN, OTHER, "cargo qnn toolchain install --force"]);
    app.assert_entries(0);
    let checks = run(&["doctor", "--json"]).json();
    let checks = checks["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == "toolchain-files").unwrap();
    assert_eq!(check["verdict"], "fail", "{check}");
    assert!(check["remedy"].as_str().unwrap().contains("--force"), "{check}");
}
