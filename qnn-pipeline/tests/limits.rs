//! What the machine allows: cargo's jobserver, a full disk, a file system that is mounted read-only.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::fs;
use std::process::{Command, Output};

use support::App;

const SLOW: &[&str] = &["ok-slow-1", "ok-slow-2", "ok-slow-3"];

/// How many workers ran at once, when a jobserver has `tokens` besides the one that a process has anyway. The workers wait until
/// `expected` of them run.
fn workers_at_once(tokens: usize, expected: usize) -> usize {
    let app = App::new(SLOW);
    let jobserver = jobserver::Client::new(tokens).unwrap();
    let mut process = app.process("build_here");
    jobserver.configure(&mut process);
    process.env("NUM_JOBS", "8").env("QNN_MEMORY", "100000").env("FAKE_TOGETHER", expected.to_string());
    assert!(process.status().unwrap().success());
    assert_eq!(jobserver.available().unwrap(), tokens, "every token was given back");
    let (mut now, mut most) = (0, 0);
    for event in fs::read_to_string(app.path("events")).unwrap().lines() {
        if event == "begin" {
            now += 1;
        } else {
            now -= 1;
        }
        most = most.max(now);
    }
    most
}

#[test]
fn workers_run_side_by_side_as_far_as_cargo_has_tokens() {
    for (tokens, expected) in [(0, 1), (1, 2), (8, 3)] {
        assert_eq!(workers_at_once(tokens, expected), expected, "{tokens} tokens");
    }
}

/// Runs a test of this file in a mount namespace of its own, after `setup`.
fn in_namespace(app: &App, setup: &str, test: &str) -> Output {
    let script = format!("{setup} && exec \"$0\" \"$@\"");
    let allowed = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status();
    assert!(
        allowed.is_ok_and(|status| status.success()),
        "`unshare -rm mount …` must work here: it does not in most containers, nor where \
         /proc/sys/kernel/apparmor_restrict_unprivileged_userns is 1; to run the others: -- --skip full_disk --skip read_only"
    );
    let process = app.process(test);
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", &script])
        .arg(process.get_program())
        .args(process.get_args())
        .current_dir(app.path(""))
        .output();
    output.unwrap()
}

#[test]
fn a_full_disk_is_an_error_and_leaves_no_entry() {
    let app = App::new(&["fills"]);
    fs::create_dir(app.path("cache")).unwrap();
    let setup = "mount -t tmpfs -o size=256k none cache";
    let output = in_namespace(&app, setup, "a_full_disk_inside");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "a process of another test: the cache is a small file system"]
fn a_full_disk_inside() {
    let here = std::env::current_dir().unwrap();
    let error = support::builder_in(&here).build().unwrap_err();
    assert_eq!(error.problems[0].code, "E0603", "{error}");
    assert!(error.problems[0].help.as_ref().unwrap().contains("cargo qnn cache prune"), "{error}");
    // The worker of the next build leaves the disk alone.
    fs::rename(here.join("fills.onnx"), here.join("ok.onnx")).unwrap();
    let manifest = fs::read_to_string(here.join("Cargo.toml")).unwrap();
    let manifest = manifest.replace("fills", "ok") + "models.ok.graphs.fills = {}\n";
    fs::write(here.join("Cargo.toml"), manifest).unwrap();
    let artifacts = support::builder_in(&here).build().unwrap();
    assert!(artifacts.warnings.is_empty(), "no damaged entry was found: {:?}", artifacts.warnings);
}

#[test]
fn a_full_disk_while_parts_are_written_is_an_error() {
    let app = App::new(&[]);
    app.write("fills.gguf", &support::gguf::Tiny::default().bytes());
    app.manifest(&["SM8650"], &[], "models.fills.source = \"fills.gguf\"\n");
    fs::create_dir(app.path("cache")).unwrap();
    let setup = "mount -t tmpfs -o size=256k none cache";
    let output = in_namespace(&app, setup, "a_full_disk_of_parts_inside");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "a process of another test: the cache is a small file system"]
fn a_full_disk_of_parts_inside() {
    let error = support::builder_in(&std::env::current_dir().unwrap()).build().unwrap_err();
    let full = error.problems.iter().filter(|problem| problem.code == "E0603");
    assert!(full.clone().count() > 0, "{error}");
    assert!(full.clone().all(|problem| problem.help.as_ref().unwrap().contains("QNN_CACHE_DIR")), "{error}");
}

#[test]
fn a_cache_that_is_mounted_read_only_is_read_and_not_written() {
    let app = App::new(&["ok"]);
    app.build().unwrap();
    let setup = "mount --bind cache cache && mount -o remount,ro,bind cache";
    let output = in_namespace(&app, setup, "a_read_only_cache_inside");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(app.runs("ok"), 2);
}

#[test]
#[ignore = "a process of another test: the cache is read-only"]
fn a_read_only_cache_inside() {
    let here = std::env::current_dir().unwrap();
    let build = || support::builder_in(&here).build().unwrap();
    assert!(build().warnings.is_empty(), "everything was in the store");
    let manifest = fs::read_to_string(here.join("Cargo.toml")).unwrap();
    fs::write(here.join("Cargo.toml"), manifest.replace("SM8650", "SM8750")).unwrap();
    assert_eq!(build().warnings[0].code, "E0602");
    assert!(build().warnings.is_empty(), "it is in the build's own folder now");
}

#[test]
#[ignore = "a process of other tests: builds the app in the working folder"]
fn build_here() {
    support::builder_in(&std::env::current_dir().unwrap()).build().unwrap();
}
