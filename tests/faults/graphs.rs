//! Models and manifests that ask for what cannot be.

use std::collections::BTreeSet;

use crate::app::App;
use crate::model::Model;

#[test]
fn a_cycle_names_its_nodes() {
    let app = App::of_digits();
    let model = Model::new("x", &[4])
        .node("Add", "first", "x c", "a")
        .node("Neg", "second", "a", "b")
        .node("Abs", "third", "b", "c");
    app.file("m.onnx", model.bytes(&["c"]));
    let said = app.compile("m.onnx", &[]);
    said.failure(1, &["E0206", "model `m`", "'first'", "'second'", "'third'"]);
}

#[test]
fn a_value_that_nothing_makes_is_named_with_its_reader_and_the_nearest() {
    let app = App::of_digits();
    let model = Model::new("x", &[4]).node("Abs", "abs", "x", "features").node("Neg", "neg", "feature", "y");
    app.file("m.onnx", model.bytes(&["y"]));
    app.compile("m.onnx", &[]).failure(1, &["E0207", "reads 'feature'", "node `neg` (Neg)", "'features'"]);
}

#[test]
fn a_free_dimension_is_refused_with_the_words_that_fix_it() {
    let app = App::new("soc = [\"SM8650\"]\n[package.metadata.qnn.models.m]\nsource = \"m.onnx\"\n");
    let model = Model::new("image", &[0, 3, 8, 0]).node("Relu", "relu", "image", "y");
    app.file("m.onnx", model.bytes(&["y"]));
    app.compile("m.onnx", &[]).failure(1, &["E0112", "m.onnx", "--dim d0=1 --dim d3=1"]);
    app.compile("m.onnx", &["--input", "image=1,3,8,1"]).success();
    app.compile("m.onnx", &["--dim", "d0=1", "--dim", "d3=1"]).success();

    let fix = "inputs.image.shape = [1, 3, 8, 1]";
    app.run(&["check"]).failure(1, &["E0112", "model `m`", "[d0, 3, 8, d3]", fix]);
    app.settings(&format!(
        "soc = [\"SM8650\"]\n[package.metadata.qnn.models.m]\nsource = \"m.onnx\"\n{fix}\n"
    ));
    app.run(&["check"]).success();
}

#[test]
fn names_that_are_not_known_come_with_the_nearest() {
    let app = App::new("soc = [\"SM8560\", \"QCS6490\"]\nmodels.digits.source = \"digits.onnx\"\n");
    let unknown = ["E0105", "unknown SoC `SM8560`", "`SM8650`", "Cargo.toml:7"];
    let no_fp16 = ["E0106", "QCS6490 has no fp16 unit", "take QCS6490 out of `soc`"];
    for command in [&["check"][..], &["build", "--artifacts-only"]] {
        app.run(command).failure(1, &[&unknown[..], &no_fp16].concat());
    }
    let compile = ["compile", "digits.onnx", "-o", "out.bin", "--soc", "SM8560,QCS6490"];
    app.run(&compile).failure(1, &[&unknown[..3], &no_fp16].concat());
    assert!(!app.path("out.bin").exists());

    app.settings(
        "soc = [\"SM8650\"]\nmodels.digits.source = \"digits.onnx\"\nmodels.digits.precison = \"fp16\"\n",
    );
    let said = ["E0103", "unknown key `models.digits.precison`", "Cargo.toml:9", "did you mean `precision`?"];
    app.run(&["check"]).failure(1, &said);
    app.assert_entries(0);
}

/// A model with operators of every kind that is not supported, each in reach of another.
fn unsupported() -> Vec<u8> {
    Model::new("x", &[4, 4])
        .node("Relu", "relu", "x", "r")
        // Known to the standard, not to HTP.
        .node("TfIdfVectorizer", "tf-idf", "r", "d")
        // Known to nobody, and one behind the other.
        .node("Fancy", "fancy-1", "r", "f")
        .node("Fancy", "fancy-2", "f", "g")
        .node("Sigmoid", "sigmoid", "g", "s")
        // Of somebody's own domain.
        .node("my.ops:Blend", "blend", "s r", "b")
        // Supported as long as it has a constant shape, which it has not: what is before it has no type.
        .node("Shape", "shape", "b", "n")
        .node("Reshape", "reshape", "x n", "z")
        // Not needed by any output.
        .node("Fancy", "unneeded", "x", "u")
        .bytes(&["d", "z", "b"])
}

#[test]
fn every_unsupported_operator_of_a_model_is_in_one_report() {
    let app = App::new("soc = [\"SM8650\", \"SM8750\"]\nmodels.m.source = \"m.onnx\"\n");
    app.file("m.onnx", unsupported());
    let wanted = BTreeSet::from([
        ("tf-idf", "TfIdfVectorizer"),
        ("fancy-1", "Fancy"),
        ("fancy-2", "Fancy"),
        ("blend", "Blend"),
    ]);

    let said = app.run(&["check", "--json"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let answer = said.json();
    let problems = answer["problems"].as_array().unwrap();
    let told: Vec<_> = problems
        .iter()
        .inspect(|problem| {
            // An operator of another domain may be one of an op package.
            let code = if problem["op"] == "Blend" { "E0912" } else { "E0301" };
            assert_eq!((&problem["code"], &problem["model"]), (&code.into(), &"m".into()));
        })
        .map(|problem| (problem["node"].as_str().unwrap(), problem["op"].as_str().unwrap()))
        .collect();
    assert_eq!(told.len(), wanted.len(), "{answer}");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), wanted);

    for said in [app.compile("m.onnx", &[]), app.run(&["check"]), app.build()] {
        let said =
            said.failure(1, &["E0301", "SUPPORTED-OPS", "E0912", "operator Blend belongs to domain my.ops"]);
        for (node, op) in &wanted {
            let place = format!("node `{node}` ({op})");
            assert_eq!(said.stderr.matches(&place).count(), 1, "{place} in:\n{}", said.stderr);
        }
    }
    app.assert_entries(0);
}
