//! Weights in files beside the model: read where they are, refused where they should not be.

#![allow(clippy::unwrap_used, reason = "test code")]

mod support;

use std::fs;
use std::path::Path;

use qnn_compiler::frontend::onnx::proto::{EXTERNAL, StringStringEntryProto, TensorProto};
use support::{Model, import_file, node, only_problem};

/// A model whose weight is in another file.
fn with_external(entries: &[(&str, &str)]) -> Model {
    let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    let weight = TensorProto {
        name: "w".to_owned(),
        data_type: 1,
        dims: vec![4],
        data_location: EXTERNAL,
        external_data: entries.iter().map(entry).collect(),
        ..TensorProto::default()
    };
    Model::new(13).input("x", &[4]).weight(weight).node(node("Add", &["x", "w"], &["y"], &[])).output("y")
}

fn import_external(
    dir: &Path,
    entries: &[(&str, &str)],
) -> qnn_compiler::problem::Result<qnn_compiler::frontend::onnx::Imported> {
    import_file(&with_external(entries).save(dir), &[], &[], None)
}

#[test]
fn external_data_is_read_and_its_file_reported() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("weights")).unwrap();
    let bytes: Vec<u8> = (0..8).flat_map(|i| (i as f32).to_le_bytes()).collect();
    fs::write(dir.path().join("weights/w.bin"), bytes).unwrap();
    let imported = import_external(
        dir.path(),
        &[("location", "weights/w.bin"), ("offset", "8"), ("length", "16"), ("checksum", "ignored")],
    )
    .unwrap();
    let weight = imported.graph.nodes[0].input(1).unwrap();
    assert_eq!(imported.graph.const_f32(weight).unwrap(), [2.0, 3.0, 4.0, 5.0]);
    assert_eq!(imported.files, [dir.path().join("weights/w.bin")]);
}

#[test]
fn external_data_that_is_missing_short_or_elsewhere() {
    let outer = tempfile::tempdir().unwrap();
    fs::write(outer.path().join("secret"), [0; 64]).unwrap();
    let dir = outer.path().join("model");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("short"), [0; 15]).unwrap();
    fs::write(dir.join("empty"), []).unwrap();
    std::os::unix::fs::symlink("../secret", dir.join("link")).unwrap();
    std::os::unix::fs::symlink("..", dir.join("up")).unwrap();
    let absolute = outer.path().join("secret");
    for (entries, code, says) in [
        (vec![("location", "none")], "E0203", "none"),
        (vec![], "E0203", "no file is named"),
        (vec![("location", "")], "E0203", "no file is named"),
        (vec![("location", ".")], "E0203", "regular file"),
        (vec![("location", "short")], "E0204", "which has 15 bytes"),
        (vec![("location", "empty")], "E0204", "which has 0 bytes"),
        (vec![("location", "short"), ("offset", "18446744073709551615")], "E0204", "18446744073709551615"),
        (vec![("location", "short"), ("offset", "-1")], "E0204", "'-1'"),
        (vec![("location", "short"), ("length", "15")], "E0217", "states 15"),
        (vec![("location", "../secret")], "E0205", "../secret"),
        (vec![("location", "a/../../secret")], "E0205", "leads outside"),
        (vec![("location", absolute.to_str().unwrap())], "E0205", "leads outside"),
        (vec![("location", "link")], "E0205", "leads outside"),
        (vec![("location", "up/secret")], "E0205", "leads outside"),
        (vec![("location", "..\\secret")], "E0205", "leads outside"),
        (vec![("location", "C:secret")], "E0205", "leads outside"),
    ] {
        let (found, message) = only_problem(import_external(&dir, &entries));
        assert!(found == code && message.contains(says), "{entries:?}: {found} {message}");
    }
}
