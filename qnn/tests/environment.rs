//! Environment variables of the runtime. Each case runs in a process of its own, which is this test file again.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::process::{Command, Output};

use common::*;
use qnn::__private::v1;
use qnn::{Artifact, DataType, LoadOptions};

const FILES: [&str; 2] = ["conv.SM8650.bin", "conv.SM8750.bin"];

/// The child's part: loads a model that was built for two SoCs and says what was chosen.
#[test]
#[ignore = "the other tests run it in a process with the environment that it needs"]
fn child() {
    static ARTIFACTS: [Artifact; 2] =
        [artifact("SM8650", 57, 75, FILES[0]), artifact("SM8750", 69, 79, FILES[1])];
    match v1::load(&backend(), &ARTIFACTS, &LoadOptions::new()) {
        Ok(model) => println!("chosen {}", model.artifact().soc()),
        Err(error) => println!("failed {error}"),
    }
}

const fn artifact(soc: &'static str, soc_id: u32, arch: u32, file: &'static str) -> Artifact {
    v1::artifact("conv", (soc, soc_id, arch), "", v1::any_file(file), &[])
}

fn run(environment: &[(&str, &str)]) -> (String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "child", "--nocapture"]);
    command.env_remove("QNN_EMULATE_SOC").env_remove("QNN_ARTIFACT_DIR").env_remove("QNN_LOG");
    let Output { stdout, stderr, status } = command.envs(environment.iter().copied()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{stdout}{stderr}");
    (stdout.into_owned(), stderr.into_owned())
}

#[test]
fn artifact_folder_emulated_soc_and_log_level_are_taken_from_the_environment() {
    let dir = scratch("environment");
    let backend = backend();
    for (soc, file) in ["SM8650", "SM8750"].into_iter().zip(FILES) {
        std::fs::write(dir.join(file), conv_binary(&device(&backend, soc), DataType::Float16)).unwrap();
    }
    let folder = ("QNN_ARTIFACT_DIR", dir.to_str().unwrap());

    let (stdout, stderr) = run(&[folder]);
    assert!(stdout.contains("chosen SM8650"), "the first without a choice: {stdout}");
    assert!(!stdout.contains("LIBNATIVE"), "standard output is the app's: {stdout}");
    assert!(!stderr.contains("qnn: "), "silent without QNN_LOG: {stderr}");
    let (stdout, _) = run(&[folder, ("QNN_EMULATE_SOC", "snapdragon-8-elite")]);
    assert!(stdout.contains("chosen SM8750"), "{stdout}");
    let (stdout, _) = run(&[folder, ("QNN_EMULATE_SOC", "SM8550")]);
    assert!(stdout.contains("failed model `conv` has no artifact for SM8550 (v73)"), "{stdout}");
    let (stdout, _) = run(&[folder, ("QNN_EMULATE_SOC", "SM8560")]);
    assert!(stdout.contains("failed unknown SoC `SM8560`; did you mean"), "{stdout}");
    let (stdout, _) = run(&[]);
    assert!(
        stdout.contains("failed context binary `conv.SM8650.bin` of model `conv` was not found"),
        "{stdout}"
    );
    let (_, stderr) = run(&[folder, ("QNN_LOG", "debug")]);
    assert!(stderr.contains("qnn: "), "the library's log is printed: {stderr}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_log_that_cannot_be_written_ends_nothing() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "child", "--nocapture"]).env("QNN_LOG", "debug").stderr(full);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{:?}\n{}", output.status, String::from_utf8_lossy(&output.stdout));
}
