use std::fs;
use std::path::Path;

use super::*;
use crate::options::{Field, Kind, MODEL, OP_PACKAGE, TOP};
use crate::{json_schema, options_markdown};
use qnn_types::{Embed, PerChannel};

const PACKAGE: &str = "[package]\nname = \"app\"\n";

fn load_in(folder: &Path, qnn: &str, overrides: &Overrides) -> Result<Manifest> {
    let path = folder.join("Cargo.toml");
    fs::write(&path, format!("{PACKAGE}{qnn}")).unwrap();
    Manifest::load(&path, overrides)
}

fn load(qnn: &str) -> Result<Manifest> {
    load_in(tempfile::tempdir().unwrap().path(), qnn, &Overrides::default())
}

fn problems(qnn: &str) -> Vec<Diagnostic> {
    load(qnn).expect_err("the manifest should be refused").problems
}

#[test]
fn the_manifest_of_the_readme_loads() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = load_in(
        folder.path(),
        r#"
        [package.metadata.qnn]
        soc = ["SM8650", 93]
        [package.metadata.qnn.models.digits]
        source = "models/digits.onnx"
        soc = "v75"
        embed = "file"
        inputs.image.shape = [1, 1, 8, 8]
        inputs.image.dtype = "uint8"
        inputs.image.layout = "nhwc"
        outputs = ["logits"]
        inputs.image.scale = "1/255"
        inputs.image.mean = [0.485, "1/2"]
        inputs.image.std = 2
        dims = { batch = 1, "past + seq" = 128 }
        graphs.large.inputs.image.shape = [1, 1, 16, 16]
        graphs.large.dims.batch = 4
        htp = { vtcm-mb = 4, optimization = 2, hvx-threads = 4, dlbc = true, weight-sharing = true }
        "#,
        &Overrides::default(),
    )
    .unwrap();
    assert_eq!(manifest.package, "app");
    assert_eq!(manifest.config.soc, ["SM8650", "93"]);
    let model = &manifest.config.models["digits"];
    assert_eq!(model.source, folder.path().join("models/digits.onnx"));
    assert_eq!(model.soc.as_deref(), Some(&["v75".to_owned()][..]));
    assert_eq!(model.embed, Embed::File);
    assert_eq!(model.inputs["image"].shape.as_deref(), Some(&[1, 1, 8, 8][..]));
    assert_eq!(model.graphs["large"].inputs["image"].shape.as_deref(), Some(&[1, 1, 16, 16][..]));
    let image = &model.inputs["image"];
    assert_eq!(image.scale, Some(1.0 / 255.0));
    assert_eq!(image.mean, Some(PerChannel::Each(vec![0.485, 0.5])));
    assert_eq!(image.std, Some(PerChannel::One(2.0)));
    assert_eq!((model.dims["past + seq"], model.graphs["large"].dims["batch"]), (128, 4));
    assert_eq!(model.htp.vtcm_mb, Some(4));
    assert_eq!(model.htp.dlbc, Some(true));
}

#[test]
fn every_wrong_key_and_value_is_reported_with_its_line() {
    let problems = problems(
        r#"
[package.metadata.qnn]
socs = ["SM8650"]
[package.metadata.qnn.models.digits]
source = "x.onnx"
percision = "fp16"
vtcm-mb = 8
inputs.image.shape = [1, 0]
htp.optimization = 7
embed = "byte"
inputs.image.scale = "1/0"
inputs.image.mean = []
inputs.image.std = [1, "x"]
dims = { batch = 0 }
graphs.a.dims = 3
"#,
    );
    let lines: Vec<(&str, String)> =
        problems.iter().map(|p| (p.code.as_str(), p.at.clone().unwrap_or_default())).collect();
    for (code, line) in
        [("E0103", 5), ("E0103", 8), ("E0103", 9), ("E0104", 10), ("E0104", 11), ("E0104", 12)]
            .into_iter()
            .chain((13..=17).map(|line| ("E0104", line)))
    {
        assert!(
            lines.iter().any(|(c, at)| *c == code && at.ends_with(&format!("Cargo.toml:{line}"))),
            "{code} in line {line}: {lines:#?}"
        );
    }
    assert_eq!(problems.len(), 11);
    let helps: Vec<&str> = problems.iter().filter_map(|p| p.help.as_deref()).collect();
    assert!(helps.contains(&"did you mean `soc`?"), "{helps:?}");
    assert!(helps.contains(&"did you mean `precision`?"), "{helps:?}");
    assert!(helps.contains(&"did you mean `htp.vtcm-mb`?"), "{helps:?}");
    assert!(helps.contains(&"did you mean \"bytes\"?"), "{helps:?}");
}

#[test]
fn what_a_later_version_brings_is_an_error_that_says_so() {
    let problems = problems(
        r#"
        [package.metadata.qnn.models.a]
        source = "a.onnx"
        precision = "w8a16"
        quantize = { method = "static" }
        htp.pd = "unsigned"
        "#,
    );
    assert_eq!(problems.len(), 3);
    assert!(problems.iter().all(|p| p.code == "E0110"), "{problems:#?}");
    assert!(problems.iter().any(|p| p.help.as_deref() == Some("supported: \"fp16\"")), "{problems:#?}");
}

#[test]
fn a_model_without_source_names_the_model() {
    let problems = problems("[package.metadata.qnn.models.a]\nembed = \"auto\"\n");
    assert_eq!((problems[0].code.as_str(), problems[0].model.as_deref()), ("E0104", Some("a")));
}

#[test]
fn layers_win_in_order_and_keep_their_origin() {
    let root = tempfile::tempdir().unwrap();
    fs::write(
        root.path().join("Cargo.toml"),
        "[workspace]\nmembers = [\"app\"]\n[workspace.metadata.qnn]\nsoc = [\"SM8550\"]\n\
         models.shared.source = \"shared.onnx\"\nmodels.a.htp.optimization = 1\n",
    )
    .unwrap();
    let app = root.path().join("app");
    fs::create_dir(&app).unwrap();
    let qnn = "[package.metadata.qnn.models.a]\nsource = \"a.onnx\"\nhtp.dlbc = true\nhtp.hvx-threads = 2\n";
    let overrides = Overrides::default().config("models.a.htp.hvx-threads=4");
    let manifest = load_in(&app, qnn, &overrides).unwrap();

    assert_eq!(manifest.workspace.as_deref(), Some(root.path().join("Cargo.toml").as_path()));
    assert_eq!(manifest.config.soc, ["SM8550"]);
    assert_eq!(manifest.config.models["shared"].source, root.path().join("shared.onnx"));
    assert_eq!(manifest.config.models["a"].source, app.join("a.onnx"));
    let layer = |key: &str| {
        let settings = manifest.settings();
        let setting = settings.iter().find(|setting| setting.key == key);
        setting.map(|s| (s.layer, s.value.to_string())).unwrap_or_else(|| panic!("{key}"))
    };
    assert_eq!(layer("models.a.htp.optimization"), ("workspace", "1".to_owned()));
    assert_eq!(layer("models.a.htp.dlbc"), ("package", "true".to_owned()));
    assert_eq!(layer("models.a.htp.hvx-threads"), ("config", "4".to_owned()));
    assert_eq!(layer("models.a.embed"), ("default", "\"auto\"".to_owned()));
    assert_eq!(layer("models.shared.accuracy"), ("default", "\"balanced\"".to_owned()));
    assert_eq!(
        manifest.origin(&["soc"]).to_string(),
        format!("{}:4", root.path().join("Cargo.toml").display())
    );
}

#[test]
fn the_soc_flag_replaces_the_lists_of_models_too() {
    let overrides = Overrides::default().soc(["SM8750, SM8550"]);
    let qnn = "[package.metadata.qnn]\nsoc = [\"SM8650\"]\n[package.metadata.qnn.models.a]\nsource = \"a.onnx\"\nsoc = [\"SM8350\"]\n";
    let manifest = load_in(tempfile::tempdir().unwrap().path(), qnn, &overrides).unwrap();
    assert_eq!(manifest.config.soc, ["SM8750", "SM8550"]);
    assert_eq!(manifest.config.models["a"].soc, None);
    assert_eq!(manifest.origin(&["soc"]).to_string(), "--soc");
}

#[test]
fn an_excluded_package_is_not_in_the_workspace_above() {
    let root = tempfile::tempdir().unwrap();
    let text = "[workspace]\nexclude = [\"apps\"]\n[workspace.metadata.qnn]\nsoc = [\"SM8550\"]\n";
    fs::write(root.path().join("Cargo.toml"), text).unwrap();
    let app = root.path().join("apps/one");
    fs::create_dir_all(&app).unwrap();
    let manifest = load_in(&app, "", &Overrides::default()).unwrap();
    assert_eq!(manifest.workspace, None);
    assert!(manifest.config.soc.is_empty());
}

#[test]
fn a_wrong_config_argument_is_reported_with_everything_else() {
    let overrides = Overrides::default().config("soc").config("sock=SM8650");
    let error = load_in(tempfile::tempdir().unwrap().path(), "", &overrides).unwrap_err();
    let codes: Vec<&str> = error.problems.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(codes, ["E0117", "E0103"]);
    assert_eq!(error.problems[1].at.as_deref(), Some("--config sock=SM8650"));
}

#[test]
fn broken_files_are_errors_with_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Manifest::load(&folder.path().join("Cargo.toml"), &Overrides::default()).unwrap_err();
    assert_eq!(missing.problems[0].code, "E0102");
    let broken = load_in(folder.path(), "[package.metadata.qnn\n", &Overrides::default()).unwrap_err();
    assert!(broken.problems[0].at.as_deref().unwrap().ends_with("Cargo.toml:3"), "{broken}");
    fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    let virtual_ = Manifest::load(&folder.path().join("Cargo.toml"), &Overrides::default()).unwrap_err();
    assert_eq!(virtual_.problems[0].code, "E0102");
}

/// A manifest that uses every key of the table, with a valid value for each.
fn sample(fields: &[Field]) -> Value {
    let known = fields.iter().filter(|field| !matches!(field.kind, Kind::Later(_)));
    known
        .map(|field| {
            let value = match field.kind {
                Kind::Text => "x.onnx".into(),
                Kind::Choice(choice) => choice.words[0].into(),
                Kind::Bool => true.into(),
                Kind::Int(_, max) => max.into(),
                Kind::Texts | Kind::Socs => vec!["SM8650"].into(),
                Kind::Shape => vec![1, 2].into(),
                Kind::Number => 0.5.into(),
                Kind::PerChannel => vec![0.5].into(),
                Kind::Sizes(_) => serde_json::json!({ "name": 1 }),
                Kind::WordOrInt(word, ..) => word.into(),
                Kind::Table(inner) | Kind::Own(inner) => sample(inner),
                Kind::Named(_, inner) => serde_json::json!({ "name": sample(inner) }),
                Kind::Each(_, Kind::Texts) => serde_json::json!({ "name": ["x"] }),
                Kind::Each(..) => serde_json::json!({ "name": "x" }),
                Kind::Later(_) => Value::Null,
            };
            (field.key.to_owned(), value)
        })
        .collect()
}

#[test]
fn the_table_of_options_and_the_types_agree() {
    let config: Config = serde_json::from_value(sample(TOP)).expect("every key of the table is a field");
    let back = serde_json::to_value(&config).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let model = &back["models"]["name"];
    let mut table: Vec<String> = MODEL
        .iter()
        .filter(|field| !matches!(field.kind, Kind::Later(_)))
        .map(|field| field.key.to_owned())
        .collect();
    table.sort();
    assert_eq!(keys(model), table, "every field is in the table");
    assert_eq!(keys(&model["htp"]).len(), 5);
    assert_eq!(keys(&back["op-packages"]["name"]).len(), OP_PACKAGE.len());
}

#[test]
fn the_reference_and_the_schema_name_every_key() {
    let markdown = options_markdown();
    let schema = json_schema().to_string();
    for field in MODEL {
        assert!(markdown.contains(&format!("| `{}` |", field.key)), "{}", field.key);
        let later = matches!(field.kind, Kind::Later(_));
        assert_eq!(schema.contains(&format!("\"{}\":", field.key)), !later, "{}", field.key);
    }
}
