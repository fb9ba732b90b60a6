//! The cases on disk: made by `generate.py` from the `onnx` package, which pip or uv brings.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version of the `onnx` package whose cases these are.
const ONNX: &str = "1.23.2";
const GENERATE: &str = include_str!("generate.py");

/// A case of the package.
pub struct Case {
    pub name: String,
    /// Operator that it tests.
    pub op: String,
    /// Why it has no arrays; empty where it has.
    pub unstorable: String,
}

/// All cases, and the folder that holds a folder for each. Generated once for each version of the package and script.
pub fn all() -> Result<(PathBuf, Vec<Case>), String> {
    let mut hash = DefaultHasher::new();
    GENERATE.hash(&mut hash);
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = root.join(format!("onnx-{ONNX}-cases-{:016x}", hash.finish()));
    if !folder.join("cases.tsv").exists() {
        let temporary = tempfile::tempdir_in(root).map_err(|e| e.to_string())?;
        generate(&root.join(format!("onnx-{ONNX}")), &temporary.path().join("cases"))?;
        // Another process may have been quicker: its cases are the same.
        let renamed = fs::rename(temporary.path().join("cases"), &folder);
        if !folder.join("cases.tsv").exists() {
            renamed.map_err(|e| format!("{}: {e}", folder.display()))?;
        }
    }
    let list = fs::read_to_string(folder.join("cases.tsv")).map_err(|e| e.to_string())?;
    let case = |line: &str| {
        let [name, op, unstorable] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
        let [name, op, unstorable]: [&str; 3] = [name, op, unstorable];
        Some(Case { name: name.to_owned(), op: op.to_owned(), unstorable: unstorable.to_owned() })
    };
    let cases = list.lines().map(case).collect::<Option<Vec<_>>>().ok_or("cases.tsv is damaged")?;
    Ok((folder, cases))
}

/// Runs the script, with the package in `site` unless Python has it already.
fn generate(site: &Path, target: &Path) -> Result<(), String> {
    eprintln!("generating the node cases of onnx {ONNX}");
    let python = || Command::new("python3");
    let has = format!("import onnx, sys; sys.exit(onnx.__version__ != '{ONNX}')");
    let present = |path: Option<&Path>| {
        let mut command = python();
        path.map(|p| command.env("PYTHONPATH", p));
        command.args(["-c", &has]).output().is_ok_and(|o| o.status.success())
    };
    let mut command = python();
    if !present(None) {
        if !present(Some(site)) {
            install(site)?;
        }
        command.env("PYTHONPATH", site);
    }
    command.arg("-c").arg(GENERATE).arg(target);
    run(&mut command)
}

fn install(site: &Path) -> Result<(), String> {
    let package = format!("onnx=={ONNX}");
    let arguments: [OsString; 4] = ["install".into(), "--target".into(), site.into(), package.into()];
    let mut errors = Vec::new();
    for installer in [&["uv", "pip"][..], &["python3", "-m", "pip"]] {
        match run(Command::new(installer[0]).args(&installer[1..]).args(&arguments)) {
            Ok(()) => return Ok(()),
            Err(error) => errors.push(error),
        }
    }
    Err(format!("the package onnx {ONNX} cannot be installed by uv or pip:\n{}", errors.join("\n")))
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{shown}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{shown}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
