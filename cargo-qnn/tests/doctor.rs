//! `cargo qnn doctor --json` and `env --json`: what scripts depend on.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::Home;

/// The ids of all checks. They are never renamed or removed.
const IDS: [&str; 18] = [
    "host",
    "glibc",
    "memory",
    "toolchain",
    "toolchain-files",
    "libcxx",
    "libatomic",
    "library-path",
    "reference-engine",
    "sdk",
    "installer",
    "cargo-qnn",
    "cache",
    "disk",
    "rust-target",
    "ndk",
    "adb",
    "hexagon",
];

#[test]
fn every_check_has_an_id_a_verdict_a_detail_and_where_needed_a_remedy() {
    let home = Home::new();
    let report = home.run(&["doctor", "--json"]).failure(3, &[]).json();
    assert_eq!(report["verdict"], "fail", "there is no toolchain in this home");
    let checks = report["checks"].as_array().unwrap();
    let ids: Vec<&str> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(ids, IDS);
    for check in checks {
        let verdict = check["verdict"].as_str().unwrap();
        assert!(["ok", "skip", "warn", "fail"].contains(&verdict), "{check}");
        assert!(!check["detail"].as_str().unwrap().is_empty() && check["ms"].is_u64(), "{check}");
        assert!(!check["remedy"].is_null() || !matches!(verdict, "warn" | "fail"), "{check}");
    }
    let toolchain = checks.iter().find(|check| check["id"] == "toolchain").unwrap();
    assert!(toolchain["remedy"].as_str().unwrap().contains("cargo qnn toolchain install"), "{toolchain}");
}

#[test]
fn a_place_that_is_named_and_empty_is_a_failure() {
    let home = Home::new();
    let mut command = home.command(&["doctor", "--json", "sdk"]);
    let said = support::Said::from(command.env("QNN_SDK_ROOT", home.dir.path()).output().unwrap());
    let report = said.failure(3, &[]).json();
    assert!(report["checks"][0]["detail"].as_str().unwrap().contains("libQnnHtp.so"), "{report}");
}

#[test]
fn env_lists_every_variable_with_its_value_and_what_it_comes_to() {
    let home = Home::new();
    let answer = home.run(&["env", "--json"]).success().json();
    let variables = answer["variables"].as_array().unwrap();
    assert_eq!(variables.len(), qnn_platform::env::ALL.len());
    let own = variables.iter().find(|variable| variable["name"] == "CARGO_QNN_HOME").unwrap();
    assert_eq!(own["value"], home.data().to_str().unwrap());
    assert_eq!(answer["resolved"]["data_dir"], home.data().to_str().unwrap());
    assert!(answer["resolved"]["qnn_lib_dir"].is_null(), "nothing is installed here");
}

#[test]
fn without_libraries_and_without_an_installer_the_check_of_the_installer_fails() {
    let home = Home::new();
    let mut command = home.command(&["doctor", "--json", "installer"]);
    let said = support::Said::from(command.env("PATH", home.dir.path()).output().unwrap());
    let report = said.failure(3, &[]).json();
    assert!(report["checks"][0]["remedy"].as_str().unwrap().contains("--from FOLDER"), "{report}");
}
