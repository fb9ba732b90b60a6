//! Builds and workers that are killed or take too long.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::app::App;
use crate::support::Said;

/// A build of the app that has started a worker, and the worker's process id.
fn building(app: &App) -> (Child, i32) {
    let mut command = app.command(&["build", "--artifacts-only"]);
    let mut build = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let since = Instant::now();
    loop {
        if let Some(worker) = worker_of(build.id()) {
            return (build, worker);
        }
        let ended = build.try_wait().unwrap();
        assert!(ended.is_none() && since.elapsed() < Duration::from_secs(60), "no worker was seen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The worker among the children of a process.
fn worker_of(parent: u32) -> Option<i32> {
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        let (_, found) = state(id)?;
        let command = fs::read(entry.path().join("cmdline")).ok()?;
        (found == parent && command.split(|byte| *byte == 0).nth(1) == Some(b"worker")).then_some(id)
    })
}

/// State and parent of a process that exists.
fn state(id: i32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before it may have spaces and brackets.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Waits until a process has ended, whether or not somebody has asked how.
fn wait_for_end(id: i32) {
    let since = Instant::now();
    while state(id).is_some_and(|(state, _)| state != "Z") {
        assert!(since.elapsed() < Duration::from_secs(30), "process {id} does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_build_that_is_killed_half_way_leaves_the_next_one_a_clean_start() {
    let app = App::of_digits();
    for delay in [0, 60, 150, 300] {
        let (mut build, worker) = building(&app);
        std::thread::sleep(Duration::from_millis(delay));
        build.kill().unwrap();
        build.wait().unwrap();
        wait_for_end(worker);
        assert_eq!(app.entries("json").len(), app.entries("bin").len());
        if !app.entries("bin").is_empty() {
            assert!(delay > 0, "it was quicker than the kill");
            break;
        }
    }
    let next = app.build().success();
    assert!(!next.stderr.contains("warning"), "{}", next.stderr);
    app.assert_entries(1);
    let undisturbed = App::of_digits();
    undisturbed.build().success();
    assert!(fs::read(app.collected()).unwrap() == fs::read(undisturbed.collected()).unwrap());
}

#[test]
fn a_worker_that_dies_is_reported_with_model_soc_and_stage() {
    let app = App::of_digits();
    for (signal, code, says) in [
        (Signal::ABORT, "E0503", "the compiler crashed (SIGABRT"),
        (Signal::FPE, "E0503", "the compiler crashed (SIGFPE"),
        (Signal::KILL, "E0504", "ended by SIGKILL"),
        (Signal::TERM, "E0509", "stopped from outside by SIGTERM"),
    ] {
        let (build, worker) = building(&app);
        kill_process(Pid::from_raw(worker).unwrap(), signal).unwrap();
        let said = Said::from(build.wait_with_output().unwrap());
        let said = said.failure(4, &[code, says, "model `digits`", "while ", " for SM8650"]);
        assert!(!app.collected().exists(), "{}", said.stderr);
        app.assert_entries(0);
    }
    app.build().success();
    app.assert_entries(1);
}

#[test]
fn a_build_beyond_its_time_is_ended_and_the_next_one_is_clean() {
    let app = App::of_digits();
    for command in [&["build", "--artifacts-only"][..], &["check"]] {
        let said = app.run(&[command, &["--timeout", "0.02"]].concat());
        said.failure(
            4,
            &["E0505", "not finished in 0.02 s", "model `digits`", "for SM8650", "raise --timeout"],
        );
        app.assert_entries(0);
    }
    app.run(&["build", "--artifacts-only", "--timeout", "soon"]).failure(2, &["--timeout"]);
    app.run(&["build", "--artifacts-only", "--timeout", "600"]).success();
    app.assert_entries(1);
}
