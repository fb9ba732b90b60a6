//! Several packages at once, as `cargo qnn` builds them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use qnn_manifest::output::read_artifacts;
use qnn_manifest::{Manifest, Overrides};
use qnn_pipeline::compile::Compiler;
use qnn_pipeline::driver::{JobId, Limits, Progress, ProgressEvent};
use qnn_pipeline::op_package::Builds;
use qnn_pipeline::package::{self, Built};
use qnn_pipeline::store::Store;
use qnn_pipeline::{Error, Log, Memo, toolchain};
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
        worker: support::fake_worker(),
        limits: Limits { jobs: Some(1), ..Limits::default() },
        log: &log,
        keep: None,
        recheck: false,
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
    assert_eq!(files, ["app/ok.SM8650.bin", "app/ok.SM8750.bin", "app/ok-warns.SM8650.bin"]);
    assert!(files.iter().all(|file| folder.join(file).is_file()));
    assert_eq!(read_artifacts(&folder), Some(manifest));

    one.manifest(&["SM8650"], &["ok"], "");
    let built = build(&one, &[], &recorder).unwrap();
    package::collect(&built, &folder, &Memo::default()).unwrap();
    assert_eq!(names_in(&folder), ["app", "qnn-manifest.json"]);
    assert_eq!(names_in(&folder.join("app")), ["ok.SM8650.bin"]);
}

/// Lines that the fake worker wrote beside the source of a model.
fn lines(app: &App, file: &str) -> Vec<String> {
    let text = fs::read_to_string(app.path(file)).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// An app of a model with samples, for two SoCs.
fn sampled(model: &str) -> App {
    let app = App::new(&[model]);
    app.manifest(&["SM8650", "SM8750"], &[model], &format!("models.{model}.samples = \"samples.npz\"\n"));
    app.write("samples.npz", b"numbers");
    app
}

/// The one record of ranges in the store of an app.
fn record(app: &App) -> PathBuf {
    let folder = app.path("cache/v1/ranges");
    let names = names_in(&folder);
    assert_eq!(names.len(), 1, "{names:?}");
    folder.join(&names[0])
}

#[test]
fn ranges_are_measured_once_for_all_socs_and_handed_to_each_compile() {
    let app = sampled("ok");
    let recorder = Recorder::default();
    build(&app, &[], &recorder).unwrap();
    assert_eq!(lines(&app, "ok.onnx.observed").len(), 1);
    assert_eq!(lines(&app, "ok.onnx.given"), ["SM8650", "SM8750"]);
    let told = recorder.0.into_inner().unwrap();
    let observing: Vec<&String> = told.iter().filter(|line| line.starts_with("app ok :")).collect();
    assert_eq!(observing.len(), 3, "{told:?}");
    assert!(observing[0].ends_with("Observing") && observing[1].ends_with("running the reference engine"));
    assert!(observing[2].contains("Observed { values: 1,"), "{observing:?}");

    // The binaries are gone, the ranges are not.
    fs::remove_dir_all(app.path("cache/v1/artifacts")).unwrap();
    build(&app, &[], &Recorder::default()).unwrap();
    assert_eq!(lines(&app, "ok.onnx.observed").len(), 1);
    assert_eq!(lines(&app, "ok.onnx.given").len(), 4);

    // Other samples are measured, and what was measured of the first is kept.
    app.write("samples.npz", b"other numbers");
    build(&app, &[], &Recorder::default()).unwrap();
    assert_eq!(lines(&app, "ok.onnx.observed").len(), 2);
    assert_eq!(names_in(&app.path("cache/v1/ranges")).len(), 2);
    assert_eq!(lines(&app, "ok.onnx.given").len(), 6);
}

#[test]
fn a_damaged_record_of_ranges_is_made_again() {
    let app = sampled("ok");
    build(&app, &[], &Recorder::default()).unwrap();
    let whole = fs::read(record(&app)).unwrap();
    // Another number, an end that is missing, another file under the name.
    let text = String::from_utf8(whole.clone()).unwrap();
    for (turn, damage) in [text.replace("70000", "7"), text[..text.len() / 2].to_owned(), "{}".to_owned()]
        .into_iter()
        .enumerate()
    {
        assert_ne!(damage.as_bytes(), whole);
        fs::write(record(&app), damage).unwrap();
        fs::remove_dir_all(app.path("cache/v1/artifacts")).unwrap();
        build(&app, &[], &Recorder::default()).unwrap();
        assert_eq!(lines(&app, "ok.onnx.observed").len(), turn + 2);
        assert_eq!(lines(&app, "ok.onnx.given").len(), 2 * (turn + 2), "what is damaged reaches no compile");
        assert_eq!(fs::read(record(&app)).unwrap(), whole);
    }
}

#[test]
fn ranges_of_a_model_that_is_written_meanwhile_are_not_kept() {
    let problems = build(&sampled("ok-unsure"), &[], &Recorder::default()).unwrap_err().problems;
    assert_eq!(problems[0].code, "E0608");

    let app = sampled("ok-empty");
    let problems = build(&app, &[], &Recorder::default()).unwrap_err().problems;
    assert!(problems.iter().all(|problem| problem.code == "E0506"), "{problems:?}");
    assert!(!app.path("cache/v1/ranges").exists());
}

#[test]
fn a_check_measures_for_the_build_that_follows() {
    let app = sampled("ok");
    let recorder = Recorder::default();
    with_compiler(&app, |compiler, packages| package::check(&packages, compiler, &recorder), &[]).unwrap();
    build(&app, &[], &Recorder::default()).unwrap();
    assert_eq!(lines(&app, "ok.onnx.observed").len(), 1);
    assert_eq!(lines(&app, "ok.onnx.given").len(), 4);
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Two packages that have another model of the same name.
fn two_packages() -> (App, App) {
    let (one, two) = (App::new(&["ok"]), App::new(&["ok"]));
    let text = fs::read_to_string(two.path("Cargo.toml")).unwrap();
    fs::write(two.path("Cargo.toml"), text.replace("name = \"app\"", "name = \"other\"")).unwrap();
    let mut model = support::MODEL.to_vec();
    model.extend([0x12, 0x01, b'x']);
    two.write("ok.onnx", &model);
    (one, two)
}

#[test]
fn packages_may_have_models_of_one_name() {
    let (one, two) = two_packages();
    let folder = one.path("target/qnn");
    let built = build(&one, &[&two], &Recorder::default()).unwrap();
    let manifest = package::collect(&built, &folder, &Memo::default()).unwrap().manifest;
    let files: Vec<&str> = manifest.artifacts.iter().map(|artifact| artifact.file.as_str()).collect();
    assert_eq!(files, ["app/ok.SM8650.bin", "other/ok.SM8650.bin"]);
    let bytes = |file: &str| fs::read(folder.join(file)).unwrap();
    assert_ne!(bytes(files[0]), bytes(files[1]));
}

#[test]
fn projects_that_share_a_target_folder_leave_each_others_artifacts() {
    let (one, two) = two_packages();
    let folder = one.path("target/qnn");
    for app in [&one, &two] {
        let built = build(app, &[], &Recorder::default()).unwrap();
        package::collect(&built, &folder, &Memo::default()).unwrap();
    }
    assert_eq!(names_in(&folder), ["app", "other", "qnn-manifest.json"]);
    let listed = read_artifacts(&folder).unwrap().artifacts;
    let files: Vec<&str> = listed.iter().map(|artifact| artifact.file.as_str()).collect();
    assert_eq!(files, ["other/ok.SM8650.bin", "app/ok.SM8650.bin"]);
    // A model that is gone is gone of its own package only.
    one.manifest(&["SM8750"], &["ok"], "");
    let built = build(&one, &[], &Recorder::default()).unwrap();
    package::collect(&built, &folder, &Memo::default()).unwrap();
    assert_eq!(names_in(&folder.join("app")), ["ok.SM8750.bin"]);
    assert_eq!(names_in(&folder.join("other")), ["ok.SM8650.bin"]);
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

#[test]
fn what_the_store_has_can_be_compiled_again_and_compared() {
    let check = |app: &App| {
        with_compiler(
            app,
            |compiler, packages| {
                let compiler = Compiler {
                    recheck: true,
                    worker: compiler.worker.clone(),
                    limits: Limits::default(),
                    ..*compiler
                };
                package::build(packages, &compiler, &Recorder::default()).map(|(built, _)| built)
            },
            &[],
        )
    };
    let app = App::new(&["ok"]);
    build(&app, &[], &Recorder::default()).unwrap();
    assert!(check(&app).unwrap()[0].artifacts[0].cached, "the same bytes");
    assert_eq!(app.runs("ok"), 2);

    let app = App::new(&["ok-counts"]);
    build(&app, &[], &Recorder::default()).unwrap();
    let problem = check(&app).unwrap_err().problems.remove(0);
    assert_eq!((problem.code.as_str(), problem.model.as_deref()), ("E0609", Some("ok-counts")));
}
