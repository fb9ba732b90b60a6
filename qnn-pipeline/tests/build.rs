//! Whole builds: what is compiled, what is taken from the store, what is generated.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;

use qnn_build::Mode;
use qnn_pipeline::source;
use qnn_types::{CompileJob, Embed, Precision, SourceFormat, Target, Toolchain};
use support::{App, MODEL};

#[test]
fn a_build_compiles_once_and_then_takes_everything_from_the_store() {
    let app = App::new(&["ok"]);
    app.manifest(&["SM8650", "SM8750"], &["ok"], "");
    let first = app.build().unwrap();
    let code = fs::read_to_string(&first.code).unwrap();
    assert!(code.contains("pub mod ok {") && code.contains("include_bytes!(\"ok.SM8750.bin\")"), "{code}");
    assert_eq!(app.runs("ok"), 2);
    let times = |path: &std::path::Path| {
        let meta = fs::metadata(path).unwrap();
        (meta.ino(), meta.mtime_nsec())
    };
    let binary = app.path("out/ok.SM8650.bin");
    let before = (times(&first.code), times(&binary), times(&first.manifest_path));

    let second = app.build().unwrap();
    assert_eq!(app.runs("ok"), 2);
    assert_eq!(
        before,
        (times(&second.code), times(&binary), times(&second.manifest_path)),
        "nothing was rewritten"
    );
    assert_eq!(first.manifest, second.manifest);
}

#[test]
fn the_artifact_manifest_lists_what_was_made() {
    let app = App::new(&["ok"]);
    let artifacts = app.build().unwrap();
    let [record] = &artifacts.manifest.artifacts[..] else { panic!("one artifact") };
    let bytes = fs::read(app.path("out").join(&record.file)).unwrap();
    assert_eq!(record.blake3, blake3::hash(&bytes).to_hex().to_string());
    assert_eq!(record.bytes, bytes.len() as u64);
    assert_eq!(
        (record.package.as_str(), record.model.as_str(), record.soc.as_str()),
        ("app", "ok", "SM8650")
    );
    assert_eq!((record.soc_id, record.arch, record.embed), (57, 75, Embed::Bytes));
    assert_eq!(record.build_id, "v9.9.9.123456789012");
    assert_eq!(record.graphs[0].inputs[0].shape, [1, 3]);
    let json = fs::read_to_string(&artifacts.manifest_path).unwrap();
    assert!(json.contains(&record.key), "{json}");
}

#[test]
fn another_checkout_with_the_same_cache_compiles_nothing() {
    let (one, other) = (App::new(&["ok"]), App::new(&["ok"]));
    let first = one.build().unwrap();
    let second = other.builder().cache_dir(one.path("cache")).build().unwrap();
    assert_eq!((one.runs("ok"), other.runs("ok")), (1, 0));
    assert_eq!(first.manifest, second.manifest);
}

#[test]
fn what_changes_the_binary_compiles_again() {
    let app = App::new(&["ok"]);
    app.build().unwrap();
    app.manifest(&["SM8650"], &["ok"], "models.ok.htp.optimization = 1\n");
    app.build().unwrap();
    assert_eq!(app.runs("ok"), 2, "an option");
    app.library("v9.9.9.999999999999");
    app.build().unwrap();
    assert_eq!(app.runs("ok"), 3, "another QNN build");
    let mut model = MODEL.to_vec();
    model.extend([0x12, 0x01, b'x']);
    app.write("ok.onnx", &model);
    app.build().unwrap();
    assert_eq!(app.runs("ok"), 4, "another model");
    app.manifest(&["SM8650"], &["ok"], "models.ok.embed = \"file\"\n");
    app.write("ok.onnx", MODEL);
    app.library("v9.9.9.123456789012");
    let artifacts = app.build().unwrap();
    assert_eq!(app.runs("ok"), 4, "how it is embedded does not matter");
    assert!(fs::read_to_string(artifacts.code).unwrap().contains("v1::file(\"app\", \"ok.SM8650.bin\""));
}

#[test]
fn a_damaged_store_entry_is_compiled_again_and_reported() {
    let app = App::new(&["ok"]);
    app.build().unwrap();
    let binary = walkdir::WalkDir::new(app.path("cache"))
        .into_iter()
        .flatten()
        .find(|entry| entry.path().extension().is_some_and(|extension| extension == "bin"));
    let binary = binary.unwrap().into_path();
    fs::remove_file(&binary).unwrap();
    fs::write(&binary, "other bytes").unwrap();
    let artifacts = app.build().unwrap();
    assert_eq!(app.runs("ok"), 2);
    assert_eq!(artifacts.warnings[0].code, "E0601");
    assert!(app.build().unwrap().warnings.is_empty());
}

#[test]
fn a_read_only_cache_is_used_and_new_artifacts_go_to_the_builds_own_folder() {
    let app = App::new(&["ok"]);
    // A file in the place of a folder stops even root.
    fs::write(app.path("cache"), "").unwrap();
    let artifacts = app.build().unwrap();
    assert_eq!(artifacts.warnings[0].code, "E0602");
    assert!(app.build().unwrap().warnings.is_empty(), "nothing had to be written");
    assert_eq!(app.runs("ok"), 1);
}

#[test]
fn warnings_of_the_worker_are_repeated_when_nothing_is_compiled() {
    let app = App::new(&["ok-warns"]);
    for _ in 0..2 {
        let warnings = app.build().unwrap().warnings;
        assert_eq!(warnings.len(), 1);
        assert_eq!((warnings[0].code.as_str(), warnings[0].model.as_deref()), ("E0302", Some("ok-warns")));
    }
    assert_eq!(app.runs("ok-warns"), 1);
}

#[test]
fn of_eight_concurrent_builds_one_compiles_and_the_others_use_it() {
    let app = App::new(&["ok-slow"]);
    let folders: Vec<_> = (0..8).map(|i| app.path(&format!("build-{i}"))).collect();
    let builds: Vec<_> = folders
        .iter()
        .map(|folder| {
            fs::create_dir(folder).unwrap();
            app.process("build_the_app_above").current_dir(folder).spawn().unwrap()
        })
        .collect();
    for mut build in builds {
        assert!(build.wait().unwrap().success());
    }
    assert_eq!(app.runs("ok-slow"), 1);
    let binary = |folder: &std::path::PathBuf| fs::read(folder.join("ok-slow.SM8650.bin")).unwrap();
    assert!(folders.iter().all(|folder| binary(folder) == binary(&folders[0])));
}

#[test]
#[ignore = "a process of other tests: builds the app in the folder above into the working folder"]
fn build_the_app_above() {
    let here = std::env::current_dir().unwrap();
    support::builder_in(here.parent().unwrap()).out_dir(&here).build().unwrap();
}

#[test]
fn files_of_models_that_are_gone_are_removed() {
    let app = App::new(&["ok", "ok-warns"]);
    app.build().unwrap();
    assert!(app.path("out/ok-warns.SM8650.bin").exists());
    app.manifest(&["SM8750"], &["ok"], "");
    app.build().unwrap();
    let left: Vec<_> =
        fs::read_dir(app.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("SM8650")), "{left:?}");
    assert!(app.path("out/ok.SM8750.bin").exists());
}

#[test]
fn a_stub_has_the_types_and_compiles_nothing() {
    let app = App::new(&["ok"]);
    fs::remove_dir_all(app.path("lib")).unwrap();
    let artifacts = app.builder().mode(Mode::Stub).unwrap();
    let code = fs::read_to_string(&artifacts.code).unwrap();
    for part in
        ["pub x: &'a [f32; 3]", "pub y: ::std::boxed::Box<[f32; 3]>", "v1::stub(", "(\"SM8650\", 57, 75)"]
    {
        assert!(code.contains(part), "{part}\n{code}");
    }
    assert_eq!(app.runs("ok"), 0);
    assert_eq!(artifacts.warnings[0].code, "E0705");
    assert!(artifacts.manifest.stub.is_some());
}

#[test]
fn a_stub_without_the_model_file_remembers_the_last_build() {
    let app = App::new(&["ok"]);
    app.build().unwrap();
    fs::remove_file(app.path("ok.onnx")).unwrap();
    for _ in 0..2 {
        let stub = app.builder().mode(Mode::Stub).unwrap();
        assert!(fs::read_to_string(stub.code).unwrap().contains("pub y: ::std::boxed::Box<[f32; 3]>"));
    }
    assert!(!app.path("out/ok.SM8650.bin").exists(), "a stub leaves no binaries behind");
}

#[test]
fn off_generates_nothing() {
    let app = App::new(&["ok"]);
    app.build().unwrap();
    let artifacts = app.builder().mode(Mode::Off).unwrap();
    assert!(!fs::read_to_string(artifacts.code).unwrap().contains("pub mod"));
    assert!(app.path("out/ok.SM8650.bin").exists());
}

#[test]
fn a_model_of_the_build_script_needs_no_table_in_cargo_toml() {
    let app = App::new(&["ok"]);
    fs::write(app.path("Cargo.toml"), "[package]\nname = \"app\"\n").unwrap();
    let builder = app.builder().set(&["models", "ok", "source"], "ok.onnx").set(&["soc"], vec!["SM8750"]);
    let builder = builder.set(&["models", "ok", "embed"], "file");
    let artifacts = builder.build().unwrap();
    assert_eq!(artifacts.manifest.artifacts[0].file, "ok.SM8750.bin");
    assert_eq!(app.build().unwrap_err().problems[0].code, "E0101");
}

#[test]
fn all_problems_of_manifest_and_files_come_before_any_compile() {
    let app = App::new(&["ok"]);
    app.manifest(&["SM8650", "QCS6490"], &["ok", "missing"], "models.ok.inputs.z.dtype = \"uint8\"\n");
    let codes: Vec<String> = app.problems().into_iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["E0108", "E0106", "E0111"]);
    assert_eq!(app.runs("ok"), 0);
}

#[test]
fn a_missing_toolchain_is_installed_or_explained() {
    let app = App::new(&["ok"]);
    let error = |envs: &[(&str, &str)]| {
        let mut process = app.process("build_without_toolchain");
        for name in ["QNN_SDK_ROOT", "QNN_LIB_DIR", "CARGO_NET_OFFLINE", "QNN_BUILD", "DOCS_RS"] {
            process.env_remove(name);
        }
        process.env("CARGO_QNN_HOME", app.path("empty")).envs(envs.iter().copied());
        String::from_utf8(process.output().unwrap().stdout).unwrap()
    };
    let text = error(&[]);
    assert!(text.contains("E0402") && text.contains("no wheel for this machine"), "{text}");
    let text = error(&[("CARGO_NET_OFFLINE", "true")]);
    assert!(text.contains("E0409"), "{text}");
    let text = error(&[("QNN_LIB_DIR", "/nowhere")]);
    assert!(text.contains("E0401") && text.contains("/nowhere"), "{text}");
    let text = error(&[("QNN_BUILD", "stubb")]);
    assert!(text.contains("E0104") && text.contains("did you mean `stub`?"), "{text}");
    let text = error(&[("DOCS_RS", "1")]);
    assert!(text.contains("built a stub: models are not compiled on docs.rs"), "{text}");
    let text = error(&[("QNN_SOC", "toaster"), ("QNN_LIB_DIR", app.path("lib").to_str().unwrap())]);
    assert!(text.contains("E0105") && text.contains("environment variable QNN_SOC"), "{text}");
}

#[test]
#[ignore = "a process of other tests: builds the app in the working folder with the environment's libraries"]
fn build_without_toolchain() {
    let here = std::env::current_dir().unwrap();
    let mut builder = support::builder_in(&here);
    builder.request.qnn_lib_dir = None;
    let asked = match Mode::from_env() {
        Ok((Mode::Required, _)) => builder.build().map(|artifacts| artifacts.manifest),
        // Asks nobody.
        _ => builder.script().compile().result().map(|artifacts| artifacts.manifest),
    };
    match asked {
        Ok(manifest) => println!("built a stub: {}", manifest.stub.unwrap_or_default()),
        Err(error) => println!("{error}"),
    }
}

/// What a machine without `cargo-qnn` makes of the app in its folder `checkout`, with the cache beside it.
fn without_cargo_qnn(app: &App) -> String {
    let mut process = app.process("build_without_cargo_qnn");
    process.env("PATH", "/nowhere").env_remove("CARGO_QNN").env_remove("QNN_BUILD").env_remove("DOCS_RS");
    String::from_utf8(process.output().unwrap().stdout).unwrap()
}

#[test]
#[ignore = "a process of other tests: builds the app's copy in `checkout` without cargo-qnn"]
fn build_without_cargo_qnn() {
    let here = std::env::current_dir().unwrap();
    let builder = support::builder_in(&here.join("checkout")).cache_dir(here.join("cache"));
    match builder.script().compile().result() {
        Ok(artifacts) => println!("took {}", artifacts.manifest.artifacts.len()),
        Err(error) => println!("{error}"),
    }
}

#[test]
fn a_machine_without_cargo_qnn_takes_what_the_store_has_of_the_same_models() {
    let app = App::new(&["ok"]);
    app.build().unwrap();
    fs::create_dir_all(app.path("checkout/out")).unwrap();
    for file in ["Cargo.toml", "ok.onnx"] {
        fs::copy(app.path(file), app.path("checkout").join(file)).unwrap();
    }
    let text = without_cargo_qnn(&app);
    assert!(text.contains("took 1"), "{text}");
    for file in ["qnn.rs", "qnn-manifest.json", "ok.SM8650.bin"] {
        let bytes = |folder: &str| fs::read(app.path(folder).join(file)).unwrap();
        assert_eq!(bytes("out"), bytes("checkout/out"), "{file}");
    }

    // A file that somebody damaged is put right; another model is nobody's.
    fs::remove_file(app.path("checkout/out/ok.SM8650.bin")).unwrap();
    fs::write(app.path("checkout/out/ok.SM8650.bin"), "other").unwrap();
    assert!(without_cargo_qnn(&app).contains("took 1"));
    assert_eq!(
        fs::read(app.path("out/ok.SM8650.bin")).unwrap(),
        fs::read(app.path("checkout/out/ok.SM8650.bin")).unwrap()
    );
    let mut other = MODEL.to_vec();
    *other.last_mut().unwrap() = 4;
    fs::write(app.path("checkout/ok.onnx"), other).unwrap();
    let text = without_cargo_qnn(&app);
    assert!(text.contains("E0501") && text.contains("ok.onnx is not the file"), "{text}");
}

#[test]
fn what_is_planted_in_the_store_is_not_taken_without_cargo_qnn() {
    let app = App::new(&["ok"]);
    app.build().unwrap();
    fs::create_dir_all(app.path("checkout/out")).unwrap();
    for file in ["Cargo.toml", "ok.onnx"] {
        fs::copy(app.path(file), app.path("checkout").join(file)).unwrap();
    }
    let find = |folder: &str, extension: &str| {
        let files = walkdir::WalkDir::new(app.path("cache/v1").join(folder)).into_iter().flatten();
        let mut files = files.map(walkdir::DirEntry::into_path);
        files.find(|path| path.extension().is_some_and(|found| found == extension)).unwrap()
    };
    let binary = find("artifacts", "bin");
    let bytes = fs::read(&binary).unwrap();
    fs::remove_file(&binary).unwrap();
    fs::write(&binary, vec![b'x'; bytes.len()]).unwrap();
    let text = without_cargo_qnn(&app);
    assert!(text.contains("E0501") && text.contains("is damaged"), "{text}");
    assert!(!app.path("checkout/out/ok.SM8650.bin").exists());

    fs::write(&binary, bytes).unwrap();
    assert!(without_cargo_qnn(&app).contains("took 1"));
    let record = find("scripts", "json");
    let text = fs::read_to_string(&record).unwrap().replace("pub mod ok", "pub mod no");
    fs::write(&record, text).unwrap();
    let text = without_cargo_qnn(&app);
    assert!(text.contains("E0501") && text.contains("has no build of these models"), "{text}");
}

#[test]
fn facts_of_a_model_can_be_read_without_a_build() {
    let app = App::new(&["ok"]);
    let memo = qnn_pipeline::Memo::default();
    let facts = source::inspect(&app.path("ok.onnx"), SourceFormat::Onnx, &memo).unwrap();
    assert_eq!(facts.inputs[0].shape.as_deref(), Some(&[Some(1), Some(3)][..]));
    let job = CompileJob {
        model: "ok".to_owned(),
        source: app.path("ok.onnx"),
        format: SourceFormat::Onnx,
        soc: Target { name: "SM8650".to_owned(), id: 57, arch: 75, vtcm_mb: 8, fp16: true },
        precision: Precision::Fp16,
        graphs: Vec::new(),
        outputs: Vec::new(),
        samples: None,
        ranges: Vec::new(),
        accuracy: Default::default(),
        trace: None,
        encodings: None,
        op_packages: vec![],
        llm: None,
        htp: Default::default(),
        toolchain: Toolchain { qnn_lib_dir: app.path("lib"), onnxruntime: None },
        output: None,
    };
    let makers = qnn_pipeline::key::Makers { engine: "engine", build_id: "v9" };
    let key = qnn_pipeline::key::Key::new(&job, &facts, makers, &memo).unwrap();
    assert_eq!(key.as_str().len(), 64);
}

#[test]
fn another_engine_compiles_again() {
    let app = App::new(&["ok"]);
    let build = |engine: &str| {
        let out = app.process("build_in_the_working_folder").env("FAKE_ENGINE", engine).output().unwrap();
        assert!(out.status.success(), "{out:?}");
        app.runs("ok")
    };
    assert_eq!(build("one"), 1);
    assert_eq!(build("two"), 2);
    assert_eq!(build("one"), 2, "it is still there");
}

#[test]
#[ignore = "a process of other tests: builds the app in the working folder"]
fn build_in_the_working_folder() {
    support::builder_in(&std::env::current_dir().unwrap()).build().unwrap();
}

#[test]
fn a_model_that_changes_while_it_is_compiled_is_not_stored() {
    let app = App::new(&["ok-changes"]);
    let problem = app.problems().remove(0);
    assert_eq!((problem.code.as_str(), problem.model.as_deref()), ("E0608", Some("ok-changes")));
    // The worker changes it the first time only.
    app.build().unwrap();
    let changed = fs::read(app.path("ok-changes.onnx")).unwrap();
    app.write("ok-changes.onnx", MODEL);
    assert_ne!(changed, MODEL);
    let before = app.runs("ok-changes");
    app.build().unwrap();
    assert_eq!(
        app.runs("ok-changes"),
        before + 1,
        "what was compiled of the changed file is not taken for this one"
    );
}
