//! Several packages at once, as `cargo qnn` builds them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::fs;
use std::sync::Mutex;

use qnn_build::artifacts::ArtifactManifest;
use qnn_build::compile::Compiler;
use qnn_build::driver::{JobId, Limits, Progress, ProgressEvent, Worker};
use qnn_build::manifest::{Manifest, Overrides};
use qnn_build::op_package::Builds;
use qnn_build::package::{self, Built};
use qnn_build::store::Store;
use qnn_build::{Error, Log, Memo, toolchain};
use support::App;

/// What happened to each job, in words.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Progress for Recorder {
    fn event(&self, job: &JobId, event: ProgressEvent<'_>) {
        let what = match event {
            ProgressEvent::Cached => "cached".to_owned(),
            ProgressEvent::Started => "started".to_owned(),
            ProgressEvent::Stage { stage, .. } => stage.to_string(),
            ProgressEvent::Finished { .. } => "finished".to_owned(),
            ProgressEvent::Failed { .. } => "failed".to_owned(),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(format!("{} {} {}: {what}", job.package, job.model, job.soc));
    }
}

fn with_compiler<T>(
    app: &App,
    run: impl FnOnce(&Compiler<'_>, Vec<package::Package>) -> T,
    others: &[&App],
) -> T {
    let store = Store::new(app.path("cache"), None);
    let libraries = toolchain::resolve(Some(&app.path("lib")), &Memo::default()).unwrap();
    let log = Log::create(&app.path("log"));
    let compiler = Compiler {
        store: &store,
        build_id: &libraries.build_id,
        worker: Worker::at(&support::fake_worker(), &Memo::default()),
        limits: Limits { jobs: Some(1), ..Limits::default() },
        log: &log,
        keep: None,
    };
    let apps = std::iter::once(&app).chain(others);
    let manifests: Vec<Manifest> =
        apps.map(|app| Manifest::load(&app.path("Cargo.toml"), &Overrides::default()).unwrap()).collect();
    let (limits, memo) = (Limits::default(), store.memo());
    let builds = Builds { store: &store, resolved: &libraries, limits: &limits, memo: &memo };
    let packages = package::plan(&manifests, &builds, None).unwrap();
    run(&compiler, packages)
}

fn build(app: &App, others: &[&App], recorder: &Recorder) -> Result<Vec<Built>, Error> {
    with_compiler(app, |compiler, packages| Ok(package::build(packages, compiler, recorder)?.0), others)
}

#[test]
fn artifacts_of_all_packages_are_collected_in_one_folder() {
    let (one, two) = (App::new(&["ok"]), App::new(&["ok-warns"]));
    one.manifest(&["SM8650", "SM8750"], &["ok"], "");
    let folder = one.path("target/qnn");
    let recorder = Recorder::default();
    let built = build(&one, &[&two], &recorder).unwrap();
    let manifest = package::collect(&built, &folder, &Memo::default()).unwrap().manifest;
    let files: Vec<&str> = manifest.artifacts.iter().map(|artifact| artifact.file.as_str()).collect();
    assert_eq!(files, ["ok.SM8650.bin", "ok.SM8750.bin", "ok-warns.SM8650.bin"]);
    assert!(files.iter().all(|file| folder.join(file).is_file()));
    assert_eq!(ArtifactManifest::read(&folder), Some(manifest));

    one.manifest(&["SM8650"], &["ok"], "");
    let built = build(&one, &[], &recorder).unwrap();
    package::collect(&built, &folder, &Memo::default()).unwrap();
    let mut left: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["ok.SM8650.bin", "qnn-manifest.json"]);
}

#[test]
fn packages_with_different_models_of_one_name_are_told() {
    let (one, two) = (App::new(&["ok"]), App::new(&["ok"]));
    two.manifest(&["SM8650"], &["ok"], "models.ok.htp.optimization = 1\n");
    let mut model = support::MODEL.to_vec();
    model.extend([0x12, 0x01, b'x']);
    two.write("ok.onnx", &model);
    let built = build(&one, &[&two], &Recorder::default()).unwrap();
    let error = package::collect(&built, &one.path("target/qnn"), &Memo::default()).unwrap_err();
    assert_eq!(error.problems[0].code, "E0113");
    assert!(!one.path("target/qnn").exists(), "nothing is written half");
}

#[test]
fn progress_is_told_in_order_for_each_job() {
    let app = App::new(&["ok"]);
    let recorder = Recorder::default();
    build(&app, &[], &recorder).unwrap();
    build(&app, &[], &recorder).unwrap();
    let told = recorder.0.into_inner().unwrap();
    let expected = ["started", "reading the model", "finalizing the graph", "finished", "cached"];
    assert_eq!(told, expected.map(|what| format!("app ok SM8650: {what}")));
}

#[test]
fn a_check_collects_the_problems_of_all_models_and_stores_nothing() {
    let app = App::new(&["ok", "refuses", "segv"]);
    let recorder = Recorder::default();
    let error = with_compiler(&app, |compiler, packages| package::check(&packages, compiler, &recorder), &[]);
    let error = error.unwrap_err();
    let codes: Vec<&str> = error.problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["E0301", "E0301", "E0503"]);
    assert!(!app.path("cache/v1/artifacts").exists());
    assert_eq!(error.log, Some(app.path("log")));
}
