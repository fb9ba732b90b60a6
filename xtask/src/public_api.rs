//! The public interface of the crate `qnn`, an item a line, held against `qnn/public-api.txt`: what a change does to apps is seen in its
//! diff.
//!
//! Without the features `compose` and `bindgen`, which apps do not use and for which nothing is promised. rustdoc's JSON is for nightly
//! compilers; `RUSTC_BOOTSTRAP` lets the stable one write it. Its format changes from compiler to compiler: where the crate `public-api` does not
//! know the present one's, that is said and nothing compared.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Features that apps use.
const FEATURES: &str = "llm,half";

pub(crate) fn run(check: bool) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match interface(&root).and_then(|text| compare(&root.join("qnn/public-api.txt"), &text, check)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn interface(root: &Path) -> Result<String, String> {
    let target = root.join("target/public-api");
    let status = Command::new(env!("CARGO"))
        .args(["rustdoc", "--quiet", "-p", "qnn", "--features", FEATURES, "--target-dir"])
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err("rustdoc cannot document qnn".to_owned());
    }
    let api = public_api::Builder::from_rustdoc_json(target.join("doc/qnn.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(|error| format!("the crate public-api does not read what this compiler writes: {error}"))?;
    Ok(api.to_string())
}

fn compare(path: &Path, text: &str, check: bool) -> Result<(), String> {
    let old = std::fs::read_to_string(path).unwrap_or_default();
    if !check {
        return std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()));
    }
    let gone =
        old.lines().filter(|line| !text.lines().any(|new| new == *line)).map(|line| format!("- {line}\n"));
    let new =
        text.lines().filter(|line| !old.lines().any(|old| old == *line)).map(|line| format!("+ {line}\n"));
    let difference: String = gone.chain(new).collect();
    match difference.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "the public interface of qnn has changed:\n{difference}where that is meant, run `just public-api` and say it in CHANGELOG.md"
        )),
    }
}
