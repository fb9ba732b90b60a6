//! Language models: parts, their files, the description that the app loads, and what is wrong with them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::fs;

use qnn_build::Mode;
use qnn_llm::Deployment;
use qnn_llm::deployment::Embedding;
use qnn_types::{ArtifactKind, ArtifactRecord};
use support::App;
use support::Artifacts;
use support::gguf::Tiny;

const TWO: &[&str] = &["SM8650", "SM8750"];

/// An app with the language model `llm` of four layers; `options` are lines below `models.llm`.
fn app(socs: &[&str], options: &str) -> App {
    let app = App::new(&[]);
    app.write("llm.gguf", &Tiny::default().bytes());
    manifest(&app, socs, options);
    app
}

fn manifest(app: &App, socs: &[&str], options: &str) {
    let table = format!("[package.metadata.qnn.models.llm]\nsource = \"llm.gguf\"\n{options}\n");
    app.manifest(socs, &[], &table);
}

/// What the worker compiled, a line a job.
fn compiled(app: &App) -> Vec<String> {
    let text = fs::read_to_string(app.path("llm.gguf.parts")).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn description(app: &App, soc: &str) -> Deployment {
    let text = fs::read(app.path(&format!("out/llm.{soc}.llm.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn files(artifacts: &Artifacts) -> Vec<&str> {
    artifacts.manifest.artifacts.iter().map(|artifact| artifact.file.as_str()).collect()
}

#[test]
fn every_part_is_a_context_binary_and_the_description_names_them() {
    let app = app(&["SM8650"], "llm = { context = 32, prefill = [8, 4], shards = 2 }");
    let artifacts = app.build().unwrap();
    assert_eq!(
        files(&artifacts),
        [
            "llm.SM8650.0.bin",
            "llm.SM8650.1.bin",
            "llm.SM8650.head.bin",
            "llm.SM8650.llm.json",
            "llm.SM8650.report.json",
            "llm.embedding.f16",
        ]
    );
    let description = description(&app, "SM8650");
    let parts: Vec<(&str, usize, usize, bool)> = description
        .parts
        .iter()
        .map(|part| (part.file.as_str(), part.first_layer, part.layers, part.head))
        .collect();
    assert_eq!(
        parts,
        [
            ("llm.SM8650.0.bin", 0, 2, false),
            ("llm.SM8650.1.bin", 2, 2, false),
            ("llm.SM8650.head.bin", 4, 0, true)
        ]
    );
    assert_eq!((description.context, &description.tokens[..]), (32, &[8, 4, 1][..]));
    assert_eq!(description.embedding, Embedding::Host { file: "llm.embedding.f16".to_owned() });
    assert_eq!((description.config.layers, description.config.tied), (4, true));
    assert_eq!(description.build_id, "v9.9.9.123456789012");
    let source = fs::read(app.path("llm.gguf")).unwrap();
    assert_eq!(description.source.blake3, blake3::hash(&source).to_hex().to_string());
    assert_eq!(description.source.bytes, source.len() as u64);
    assert_eq!((description.parts[0].compile_ms, description.parts[0].peak_rss), (5.5, 1000));
    for ArtifactRecord { file, bytes, blake3, .. } in &artifacts.manifest.artifacts {
        let content = fs::read(app.path("out").join(file)).unwrap();
        assert_eq!((content.len() as u64, &blake3::hash(&content).to_hex().to_string()), (*bytes, blake3));
    }
    let kinds: Vec<(ArtifactKind, Option<&str>)> =
        artifacts.manifest.artifacts.iter().map(|record| (record.kind, record.part.as_deref())).collect();
    assert_eq!(kinds[0], (ArtifactKind::ContextBinary, Some("layers 0-1")));
    assert_eq!(kinds[5], (ArtifactKind::Embedding, Some("embedding")));
}

#[test]
fn a_second_build_writes_nothing_and_another_soc_shares_the_embedding_table() {
    let app = app(&["SM8650"], "llm.shards = 1");
    let first = app.build().unwrap();
    let modified = |name: &str| fs::metadata(app.path(&format!("out/{name}"))).unwrap().modified().unwrap();
    let before: Vec<_> = files(&first).iter().map(|name| modified(name)).collect();
    assert_eq!(compiled(&app).len(), 3);
    let second = app.build().unwrap();
    assert_eq!(before, files(&second).iter().map(|name| modified(name)).collect::<Vec<_>>());
    assert_eq!(compiled(&app).len(), 3);

    manifest(&app, TWO, "llm.shards = 1\nhtp.optimization = 3");
    app.build().unwrap();
    let all = compiled(&app);
    assert_eq!(all.iter().filter(|line| line.contains("\"embedding\"}")).count(), 1, "{all:#?}");
    assert_eq!(all.len(), 3 + 4, "layers and head for two SoCs: {all:#?}");
    // The head does not see the context; its layers do.
    manifest(&app, TWO, "llm = { shards = 1, context = 16 }\nhtp.optimization = 3");
    app.build().unwrap();
    assert_eq!(compiled(&app).len(), 3 + 4 + 2);
    let stale = app.path("out/llm.SM8750.llm.json");
    assert!(stale.is_file());
    manifest(&app, &["SM8650"], "llm.shards = 1");
    app.build().unwrap();
    assert!(!stale.exists(), "what is not made any more is removed");
}

#[test]
fn the_module_embeds_small_models_and_names_the_files_of_others() {
    let app = app(TWO, "");
    let code = fs::read_to_string(app.build().unwrap().code).unwrap();
    for line in [
        "pub mod llm {",
        "&::qnn::__private::v1::Aligned(*::core::include_bytes!(\"llm.SM8750.head.bin\"));",
        "::qnn::__private::v1::llm_artifacts(NAME, ::core::include_str!(\"llm.SM8650.llm.json\"), FILES_0),",
        "(\"llm.SM8650.0.bin\", ::qnn::__private::v1::embedded(&BYTES_0.0)),",
        "pub fn load(backend: &::qnn::Backend) -> ::core::result::Result<::qnn::llm::Llm, ::qnn::Error> {",
    ] {
        assert!(code.contains(line), "{line}\n{code}");
    }
    assert_eq!(code.matches("include_bytes!(\"llm.embedding.f16\")").count(), 1, "{code}");
    assert_eq!(code.matches("(\"llm.embedding.f16\", ").count(), 2, "{code}");
    assert!(!code.contains("report.json"), "{code}");

    manifest(&app, TWO, "embed = \"file\"");
    let code = fs::read_to_string(app.build().unwrap().code).unwrap();
    assert!(code.contains("v1::file(\"app\", \"llm.SM8650.0.bin\""), "{code}");
    assert!(!code.contains("include_bytes!"), "{code}");
}

#[test]
fn a_stub_has_the_module_and_no_files() {
    let app = app(TWO, "");
    let artifacts = app.builder().mode(Mode::Stub).unwrap();
    let code = fs::read_to_string(&artifacts.code).unwrap();
    assert!(code.contains("pub mod llm {") && code.contains("::qnn::llm::Llm::load"), "{code}");
    assert_eq!(code.matches("v1::stub(").count(), 2, "{code}");
    assert!(compiled(&app).is_empty());
}

#[test]
fn head_and_embedding_can_be_in_the_graphs() {
    let app = app(&["SM8650"], "llm = { lm-head = \"inside\", embedding = \"graph\" }");
    let artifacts = app.build().unwrap();
    assert_eq!(files(&artifacts), ["llm.SM8650.0.bin", "llm.SM8650.llm.json", "llm.SM8650.report.json"]);
    let description = description(&app, "SM8650");
    assert_eq!(description.embedding, Embedding::Graph);
    assert_eq!((description.parts[0].layers, description.parts[0].head), (4, true));
    // A context of 64 and a prefill of half of it, as the model allows.
    assert_eq!((description.context, &description.tokens[..]), (64, &[32, 1][..]));
}

#[test]
fn a_folder_in_hugging_faces_form_is_the_same_model() {
    let app = App::new(&[]);
    app.manifest(&["SM8650"], &[], "[package.metadata.qnn.models.llm]\nsource = \"hf\"\n");
    fs::create_dir(app.path("hf")).unwrap();
    let (config, weights) = support::hugging_face::tiny();
    app.write("hf/config.json", config.as_bytes());
    app.write("hf/model.safetensors", &weights);
    app.write("hf/README.md", b"not a part of the model");
    app.build().unwrap();
    let first = description(&app, "SM8650");
    assert_eq!((first.source.file.as_str(), first.config.layers), ("hf", 1));
    app.write("hf/README.md", b"still not");
    app.build().unwrap();
    assert_eq!(description(&app, "SM8650"), first);
    // Another weight is another model, whatever config.json says.
    let mut other = weights.clone();
    *other.last_mut().unwrap() ^= 1;
    app.write("hf/model.safetensors", &other);
    app.build().unwrap();
    assert_ne!(description(&app, "SM8650").source.blake3, first.source.blake3);
}

/// Codes and texts of the problems of a build that must fail.
fn problems(app: &App) -> Vec<(String, String)> {
    app.problems().into_iter().map(|problem| (problem.code.clone(), problem.to_string())).collect()
}

#[test]
fn options_that_do_not_fit_are_named_with_their_place() {
    let options = "outputs = [\"x\"]\nllm = { context = 65, prefill = [80], shards = 5 }\n\
                   quantize.encodings = \"Cargo.toml\"";
    let found = problems(&app(&["SM8650"], options));
    let codes: Vec<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["E0119", "E0119", "E0118", "E0118", "E0118"], "{found:#?}");
    for text in
        ["`outputs`", "`quantize`", "at most llm.context = 64", "a prefill of 80", "the model has 4 layers"]
    {
        assert!(found.iter().any(|(_, problem)| problem.contains(text)), "{text}: {found:#?}");
    }
    assert!(found.iter().all(|(_, problem)| problem.contains("Cargo.toml:")), "{found:#?}");
    let found =
        problems(&app(&["SM8650"], "llm = { contexts = 1, heads = \"both\", shards = 0, kv = \"uint8\" }"));
    let codes: Vec<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["E0103", "E0104", "E0110", "E0104"], "{found:#?}");
    assert!(found[0].1.contains("did you mean `context`?"), "{found:#?}");
}

#[test]
fn options_of_language_models_are_refused_for_others() {
    let app = App::new(&["ok"]);
    app.manifest(&["SM8650"], &["ok"], "models.ok.llm.context = 8\n");
    let found = problems(&app);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].0, "E0119");
    assert!(found[0].1.contains("no language model"), "{found:#?}");
}

#[test]
fn damaged_and_incomplete_models_are_told_before_anything_is_compiled() {
    let app = app(&["SM8650"], "");
    let whole = Tiny::default().bytes();
    for length in [0, 3, 40, whole.len() / 2, whole.len() - 40] {
        app.write("llm.gguf", &whole[..length]);
        let found = problems(&app);
        assert!(found.iter().all(|(code, _)| code == "E0230"), "{length}: {found:#?}");
    }
    let without = &["blk.1.attn_k.weight", "blk.3.ffn_up.weight"];
    app.write("llm.gguf", &Tiny { without, ..Tiny::default() }.bytes());
    let found = problems(&app);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(without.iter().all(|name| found[0].1.contains(name)), "{found:#?}");
    assert!(compiled(&app).is_empty());
}
