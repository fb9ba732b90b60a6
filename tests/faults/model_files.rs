//! Files that are not the model they should be.

use std::fs;
use std::os::unix::fs::symlink;

use crate::app::{App, digits};
use crate::model::Model;

#[test]
fn a_file_that_is_no_model_is_told_what_it_is() {
    let app = App::of_digits();
    let whole = fs::read(digits()).unwrap();
    let cases: [(&str, &[u8], &str, &str); 13] = [
        ("empty.onnx", b"", "E0201", "the model file is empty"),
        ("cut.onnx", &whole[..whole.len() / 2], "E0202", "fetch the file again"),
        ("text.onnx", b"not a model\n", "E0201", "not an ONNX file"),
        ("zeros.onnx", &[0; 64], "E0201", "not an ONNX file"),
        ("ones.onnx", &[0xff; 64], "E0201", "not an ONNX file"),
        ("pointer.onnx", b"version https://git-lfs.github.com/spec/v1\n", "E0201", "git lfs pull"),
        ("page.onnx", b"<!DOCTYPE html><title>404</title>", "E0201", "fetch it again"),
        ("torch.onnx", b"PK\x03\x04archive/data.pkl", "E0201", "torch.onnx.export"),
        ("model.pt", b"PK\x03\x04archive/data.pkl", "E0109", "supported: .onnx, .dlc, .gguf"),
        ("empty.dlc", b"", "E0212", "the model file is empty"),
        ("junk.dlc", &[7; 400], "E0212", "it is of another kind, or was not copied whole"),
        ("empty.bin", b"", "E0213", "the model file is empty"),
        ("junk.bin", &[7; 400], "E0213", "no context binary, or a damaged one"),
    ];
    for (name, content, code, says) in cases {
        app.file(name, content);
        app.compile(name, &[]).failure(1, &[code, name, says]);
    }
}

#[test]
fn all_files_that_are_wrong_are_in_one_report() {
    let app = App::new(
        "soc = [\"SM8650\"]\nmodels.a.source = \"empty.onnx\"\nmodels.b.source = \"cut.onnx\"\n\
         models.c.source = \"digit.onnx\"\nmodels.d.source = \"model.pt\"\nmodels.ok.source = \"digits.onnx\"\n",
    );
    let whole = fs::read(digits()).unwrap();
    app.file("empty.onnx", "");
    app.file("cut.onnx", &whole[..1000]);
    for command in [&["check"][..], &["build", "--artifacts-only"]] {
        let said = app.run(command).failure(1, &["E0201", "E0202", "E0108", "E0109"]);
        for part in ["model `a`", "model `b`", "Cargo.toml:10", "did you mean `digits.onnx`", "Cargo.toml:11"]
        {
            assert!(said.stderr.contains(part), "no {part:?} in:\n{}", said.stderr);
        }
        assert!(!said.stderr.contains("model `ok`"), "{}", said.stderr);
    }
    app.assert_entries(0);
}

/// How a model describes external data.
type Entries<'a> = &'a [(&'a str, &'a str)];

#[test]
fn external_data_that_is_missing_short_or_outside_is_refused() {
    let app = App::of_digits();
    let outside = app.home.dir.path().join("secret");
    fs::write(&outside, [0; 64]).unwrap();
    app.file("short", [0; 15]);
    symlink(&outside, app.path("link")).unwrap();
    symlink("..", app.path("up")).unwrap();
    let size = [("offset", "0"), ("length", "16")];
    let model = |entries: Entries<'_>| {
        let model = Model::new("x", &[4]).external("w", &[4], &[entries, &size].concat());
        app.file("m.onnx", model.node("Add", "sum", "x w", "y").bytes(&["y"]));
    };
    let cases: [(Entries<'_>, &str, &[&str]); 8] = [
        (&[("location", "none")], "E0203", &["`none` is missing", "put the file beside the model"]),
        (&[], "E0203", &["the model names no file"]),
        (&[("location", "short")], "E0204", &["needs 16 bytes", "has 15"]),
        (&[("location", "../secret")], "E0205", &["`../secret` lies outside the model's folder"]),
        (&[("location", outside.to_str().unwrap())], "E0205", &["lies outside the model's folder"]),
        (&[("location", "a/../../secret")], "E0205", &["lies outside the model's folder"]),
        (&[("location", "link")], "E0205", &["is a link that leads outside the model's folder"]),
        (&[("location", "up/secret")], "E0205", &["is a link that leads outside the model's folder"]),
    ];
    for (entries, code, says) in cases {
        model(entries);
        app.compile("m.onnx", &[]).failure(1, &[&[code], says].concat());
    }
    // The same model with its data where it belongs.
    app.file("weights", [0; 16]);
    model(&[("location", "weights")]);
    app.compile("m.onnx", &[]).success();
}

#[test]
fn a_failure_keeps_the_output_of_the_last_success() {
    let app = App::of_digits();
    fs::create_dir(app.path("out")).unwrap();
    app.file("out/digits.bin", "kept");
    app.file("empty.onnx", "");
    for model in ["empty.onnx", "digits.onnx"] {
        let args = ["compile", model, "--soc", "SM8650", "-o", "out/digits.bin", "--timeout", "0.01"];
        assert_ne!(app.run(&args).code, Some(0));
    }
    assert_eq!(fs::read(app.path("out/digits.bin")).unwrap(), b"kept");
    assert_eq!(crate::app::names(&app.path("out")), ["digits.bin"]);
}

#[test]
fn an_output_that_is_no_file_is_not_replaced() {
    let app = App::of_digits();
    let pipe = app.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let said = app.run(&["compile", "digits.onnx", "--soc", "SM8650", "-o", "pipe"]);
    said.failure(1, &["E0605", "pipe is not a regular file"]);
    assert!(!fs::metadata(pipe).unwrap().is_file());
}
