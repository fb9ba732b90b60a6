//! Who may use whom: the crates' arrows, and how much a build script brings into an app's build.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Of each crate, the project's crates that it may use. `docs/ARCHITECTURE.md` draws it.
const ARROWS: &[(&str, &[&str])] = &[
    ("qnn-platform", &[]),
    ("qnn-sys", &[]),
    ("qnn-types", &[]),
    ("qnn-llm", &["qnn-platform", "qnn-types"]),
    ("qnn-ops", &["qnn-platform"]),
    ("qnn", &["qnn-llm", "qnn-platform", "qnn-sys"]),
    ("qnn-manifest", &["qnn-platform", "qnn-types"]),
    ("qnn-build", &["qnn-manifest", "qnn-platform", "qnn-types"]),
    ("qnn-compiler", &["qnn", "qnn-llm", "qnn-ops", "qnn-platform", "qnn-types"]),
    ("qnn-pipeline", &["qnn-llm", "qnn-manifest", "qnn-ops", "qnn-platform", "qnn-types"]),
    (
        "cargo-qnn",
        &[
            "qnn",
            "qnn-compiler",
            "qnn-llm",
            "qnn-manifest",
            "qnn-ops",
            "qnn-pipeline",
            "qnn-platform",
            "qnn-types",
        ],
    ),
];

/// Packages that `qnn-build` may bring into an app's build, itself included.
const MOST_OF_BUILD: usize = 20;

fn cargo(args: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO")).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What each crate uses of the project: as ordinary dependencies, and in its build script.
fn used() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let uses = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        let real = all.filter(|one| one["kind"].as_str() != Some("dev"));
        let ours = real.map(|one| one["name"].as_str().unwrap()).filter(|name| names.contains(name));
        (package["name"].as_str().unwrap().to_owned(), ours.map(str::to_owned).collect())
    };
    packages.iter().map(uses).collect()
}

#[test]
fn arrows_go_down_only() {
    let used = used();
    for (name, allowed) in ARROWS {
        let found: Vec<&str> =
            used[*name].iter().map(String::as_str).filter(|one| !allowed.contains(one)).collect();
        assert!(found.is_empty(), "{name} must not use {found:?}");
    }
    // A crate below another never leads back to it.
    let place = |name: &str| ARROWS.iter().position(|(one, _)| *one == name);
    for (name, allowed) in ARROWS {
        assert!(allowed.iter().all(|one| place(one) < place(name)), "{name} is not above what it uses");
    }
    let tools = ["xtask", "op-package-tests"];
    let unknown: Vec<&String> =
        used.keys().filter(|name| place(name).is_none() && !tools.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "without a row: {unknown:?}");
}

#[test]
fn a_build_script_brings_few_packages_into_an_apps_build() {
    let tree = cargo(&["tree", "-p", "qnn-build", "-e", "normal", "--prefix", "none", "--offline"]);
    let packages: BTreeSet<&str> =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    assert!(packages.len() <= MOST_OF_BUILD, "{}: {packages:#?}", packages.len());
    for heavy in ["blake3", "qnn-llm", "qnn-ops", "roxmltree", "cc", "qnn-pipeline", "jobserver"] {
        assert!(!packages.iter().any(|package| package.split(' ').next() == Some(heavy)), "{heavy}");
    }
}
