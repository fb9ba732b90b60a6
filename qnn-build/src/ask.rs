//! Finds `cargo-qnn`, asks it, reads its answer.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use qnn_manifest::script::{Answer, PROTOCOL, Request, cannot_start, wrong_version};
use qnn_platform::env;
use qnn_types::Diagnostic;

/// The `cargo-qnn` that `CARGO_QNN` names, else the first on `PATH`.
///
/// # Errors
/// `E0501` when there is none.
pub(crate) fn find() -> Result<PathBuf, Diagnostic> {
    if let Some(path) = env::var(&env::CARGO_QNN) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            let message = format!("CARGO_QNN names {}, which is not a file", path.display());
            return Err(Diagnostic::new("E0501", message).help("correct or unset CARGO_QNN"));
        }
        return Ok(path);
    }
    let name = format!("cargo-qnn{}", std::env::consts::EXE_SUFFIX);
    let folders = env::var(&env::PATH).unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(&name)).find(|path| path.is_file());
    found.ok_or_else(|| {
        Diagnostic::new("E0501", "cargo-qnn, which compiles models, was not found")
            .note("looked in CARGO_QNN and on PATH")
            .help("install the command from a clone, `cargo install --locked --path cargo-qnn`, or set CARGO_QNN to it")
    })
}

/// What `program` answers. It sees our environment and cargo's jobserver; its standard error is ours.
///
/// # Errors
/// `E0507` where it cannot be started, `E0502` or `E0506` where it does not answer.
pub(crate) fn ask(program: &Path, request: &Request) -> Result<Answer, Diagnostic> {
    let mut child = Command::new(program)
        .arg("script")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(program, &error))?;
    let stdin = child.stdin.take();
    let mut line = serde_json::to_vec(request).unwrap_or_default();
    line.push(b'\n');
    // A program that ends before it has read all says why, or does not know the command; the answer tells.
    let _ = stdin.as_ref().map(|mut pipe| pipe.write_all(&line).and_then(|()| pipe.flush()));
    let output = child.wait_with_output();
    // Its end of the pipe closes only now: cargo-qnn ends itself when it does.
    drop(stdin);
    let output = output.map_err(|error| no_answer(program, error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = text.lines().rev().find_map(|line| serde_json::from_str(line).ok());
    answer.ok_or_else(|| match output.status.code() {
        // What clap ends with for a command that it does not know.
        Some(2) => {
            let theirs = format!("{} does not know the command `script`", program.display());
            wrong_version(&theirs, env!("CARGO_PKG_VERSION"), PROTOCOL)
        }
        _ => no_answer(program, format!("it ended with {}", output.status)),
    })
}

fn no_answer(path: &Path, note: String) -> Diagnostic {
    Diagnostic::new("E0506", format!("{} does not answer as cargo-qnn does", path.display()))
        .note(note)
        .help("set CARGO_QNN to the cargo-qnn executable, or install it from a clone: cargo install --locked --path cargo-qnn")
}
