//! Workers that die, hang, lie and babble: each is a diagnostic that names model and stage, and nothing else suffers.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use qnn_types::Diagnostic;
use support::App;

/// The one problem of a build of one model.
fn problem(model: &str) -> Diagnostic {
    let app = App::new(&[model]);
    let problems = app.problems();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].model.as_deref(), Some(model));
    assert_eq!(app.runs(model), 1);
    problems[0].clone()
}

#[test]
fn a_crash_names_signal_stage_and_last_words() {
    for (model, name) in [("segv", "SIGSEGV"), ("fpe", "SIGFPE")] {
        let problem = problem(model);
        assert_eq!(problem.code, "E0503");
        assert!(problem.message.contains(name), "{problem}");
        assert!(problem.message.contains("finalizing the graph"), "{problem}");
        assert!(problem.notes.iter().any(|note| note.contains("graph prepared for SM8650")), "{problem}");
    }
}

#[test]
fn a_killed_worker_and_one_without_memory_are_out_of_memory() {
    for model in ["oom", "bad-alloc"] {
        let problem = problem(model);
        assert_eq!(problem.code, "E0504", "{problem}");
        assert!(problem.help.as_ref().unwrap().contains("-j 1"), "{problem}");
    }
}

#[test]
fn a_stopped_worker_is_no_crash() {
    assert_eq!(problem("stopped").code, "E0509");
}

#[test]
fn a_panic_is_a_defect_with_its_message() {
    let problem = problem("panic");
    assert_eq!(problem.code, "E0510");
    assert!(problem.to_string().contains("index out of bounds"), "{problem}");
}

#[test]
fn no_answer_half_an_answer_and_a_false_one_are_told() {
    for model in ["silent", "cut", "liar"] {
        assert_eq!(problem(model).code, "E0506", "{model}");
    }
}

#[test]
fn a_program_that_babbles_without_end_is_ended() {
    let started = Instant::now();
    assert_eq!(problem("flood").code, "E0506");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn noise_between_events_does_no_harm() {
    let app = App::new(&["ok-noisy"]);
    app.build().unwrap();
    let log = fs::read_to_string(app.path("out/qnn.log")).unwrap();
    assert!(log.contains("stdout: text of a library"), "{log}");
}

#[test]
fn a_job_that_takes_too_long_is_ended() {
    let app = App::new(&["hang"]);
    // On a busy machine the worker may not come as far as it shall within the first of these times.
    let error = [0.3, 3.0, 20.0]
        .into_iter()
        .map(|seconds| {
            let error = app.builder().timeout(Duration::from_secs_f64(seconds)).build().unwrap_err();
            assert_eq!(error.problems[0].code, "E0505");
            error
        })
        .find(|error| error.problems[0].message.contains("finalizing the graph"));
    assert!(error.is_some(), "it never came to the stage that hangs");
    let runs = fs::read_to_string(app.path("hang.onnx.runs")).unwrap();
    let pid = runs.lines().last().unwrap().split(' ').next().unwrap();
    assert!(!std::path::Path::new("/proc").join(pid).exists(), "the worker still runs");
}

#[test]
fn a_process_that_the_worker_leaves_behind_does_not_hold_the_build() {
    let started = Instant::now();
    App::new(&["ok-leaves-child"]).build().unwrap();
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn every_problem_of_a_model_is_reported() {
    let app = App::new(&["refuses"]);
    let problems = app.problems();
    let nodes: Vec<&str> = problems.iter().filter_map(|problem| problem.node.as_deref()).collect();
    assert_eq!(nodes, ["n1", "n2"], "{problems:#?}");
}

#[test]
fn one_model_that_fails_does_not_cost_the_others() {
    let app = App::new(&["segv", "ok", "refuses"]);
    let codes: Vec<String> = app.problems().into_iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["E0301", "E0301", "E0503"]);
    app.manifest(&["SM8650"], &["ok"], "");
    app.build().unwrap();
    assert_eq!(app.runs("ok"), 1, "it was in the store");
}

#[test]
fn the_log_is_named_and_has_everything() {
    let app = App::new(&["segv"]);
    let error = app.build().unwrap_err();
    let log = fs::read_to_string(error.log.unwrap()).unwrap();
    for part in ["\"job\":\"compile\"", "finalizing the graph", "stderr: graph prepared for SM8650", "E0503"]
    {
        assert!(log.contains(part), "{part}\n{log}");
    }
}

#[test]
fn a_full_disk_is_named() {
    assert_eq!(problem("disk-full").code, "E0603");
}

#[test]
fn artifacts_that_disagree_are_refused() {
    let app = App::new(&["differs"]);
    app.manifest(&["SM8650", "SM8750"], &["differs"], "");
    assert_eq!(app.problems()[0].code, "E0115");
}

#[test]
fn a_worker_does_not_outlive_a_driver_that_is_killed() {
    let app = App::new(&["orphan"]);
    let mut driver = app.process("build_here").spawn().unwrap();
    wait_for(|| app.path("orphan.onnx.waits").exists());
    driver.kill().unwrap();
    driver.wait().unwrap();
    wait_for(|| app.path("orphan.onnx.orphan").exists());
}

#[test]
fn a_build_that_is_killed_half_way_leaves_the_next_one_a_clean_start() {
    let app = App::new(&["half"]);
    let mut driver = app.process("build_here").spawn().unwrap();
    wait_for(|| find(&app, "out.bin"));
    driver.kill().unwrap();
    driver.wait().unwrap();
    assert!(find(&app, "out.bin"), "the killed build left its half");

    // The same model and options, and a worker that succeeds this time: same key.
    let graphs = "models.ok.graphs.half = {}\n";
    app.write("ok.onnx", support::MODEL);
    app.manifest(&["SM8650"], &["ok"], graphs);
    let artifacts = app.build().unwrap();
    assert!(!find(&app, "out.bin"), "what was left is gone");
    let binary = fs::read(app.path("out").join(&artifacts.manifest.artifacts[0].file)).unwrap();
    assert!(binary.starts_with(b"context binary for SM8650"));
}

#[test]
fn a_failed_job_is_kept_where_it_is_asked_for() {
    let app = App::new(&["segv"]);
    let mut process = app.process("build_here");
    assert!(!process.env("QNN_KEEP", app.path("kept")).output().unwrap().status.success());
    let folder = fs::read_dir(app.path("kept")).unwrap().next().unwrap().unwrap().path();
    assert!(folder.file_name().unwrap().to_string_lossy().starts_with("segv-SM8650-"));
    let job = fs::read_to_string(folder.join("job.json")).unwrap();
    assert!(job.contains("\"job\":\"compile\""), "{job}");
    assert!(fs::read_to_string(folder.join("stderr.txt")).unwrap().contains("graph prepared"));
}

#[test]
#[ignore = "a process of other tests: builds the app in the working folder"]
fn build_here() {
    let result = support::builder_in(&std::env::current_dir().unwrap()).build();
    assert!(result.is_ok(), "{result:?}");
}

/// Whether a file of this name is anywhere in the app's cache.
fn find(app: &App, name: &str) -> bool {
    walkdir::WalkDir::new(app.path("cache")).into_iter().flatten().any(|entry| entry.file_name() == name)
}

fn wait_for(condition: impl Fn() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < Duration::from_secs(30), "it never happened");
        std::thread::sleep(Duration::from_millis(20));
    }
}
