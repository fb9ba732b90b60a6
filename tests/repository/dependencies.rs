//! The oldest compilers that are promised.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::texts;

fn version(text: &Value) -> Option<Vec<u32>> {
    Some(text.as_str()?.split('.').filter_map(|part| part.parse().ok()).collect())
}

/// No crate depends on one that needs a newer Rust than the crate itself says. (Of a crate's own code the lint `incompatible_msrv` says so.)
#[test]
fn dependencies_are_content_with_the_oldest_compiler() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(texts::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = |of: &Value| of.as_str().unwrap().to_owned();
    let needs: BTreeMap<String, Option<Vec<u32>>> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (id(&package["id"]), version(&package["rust_version"])))
        .collect();
    // Tests may need a newer one.
    let shipped = |dep: &Value| dep["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"] != "dev");
    let depends: BTreeMap<String, Vec<String>> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            let deps = node["deps"].as_array().unwrap().iter().filter(|dep| shipped(dep));
            (id(&node["id"]), deps.map(|dep| id(&dep["pkg"])).collect())
        })
        .collect();
    let mut found = Vec::new();
    for member in metadata["workspace_members"].as_array().unwrap().iter().map(id) {
        let promised = needs[&member].clone().unwrap();
        let (mut seen, mut open) = (BTreeSet::new(), vec![member.clone()]);
        while let Some(package) = open.pop() {
            if seen.insert(package.clone()) {
                open.extend(depends[&package].iter().cloned());
                if needs[&package].as_ref().is_some_and(|needed| *needed > promised) {
                    found.push(format!(
                        "{member} promises {promised:?}, and {package} needs {:?}",
                        needs[&package]
                    ));
                }
            }
        }
    }
    texts::none(&found);
}
