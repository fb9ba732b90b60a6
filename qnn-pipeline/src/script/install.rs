//! Asks `cargo-qnn` to install the toolchain when there is none.

use std::path::Path;
use std::process::{Command, Stdio};

use qnn_platform::env;

use crate::driver::Worker;
use crate::log::Log;
use crate::memo::Memo;
use crate::toolchain::{Resolved, resolve};
use qnn_types::Diagnostic;
use qnn_types::Result;

/// The libraries; installed first when nothing names a place for them and the network may be used.
pub(super) fn ensure(
    explicit: Option<&Path>,
    worker: &Worker,
    offline: bool,
    memo: &Memo,
    log: &Log,
) -> Result<Resolved> {
    let missing = match resolve(explicit, memo) {
        Ok(resolved) => return Ok(resolved),
        Err(missing) => missing,
    };
    // A place that somebody named and that has no libraries is theirs to correct.
    let named =
        explicit.is_some() || env::var(&env::QNN_SDK_ROOT).is_some() || env::var(&env::QNN_LIB_DIR).is_some();
    let is_missing = missing.problems.iter().any(|problem| problem.code == "E0401");
    if named || !is_missing {
        return Err(missing);
    }
    if offline || env::string(&env::CARGO_NET_OFFLINE).is_some_and(|value| value == "true" || value == "1") {
        return Err(Diagnostic::new("E0409", "the QNN libraries are not installed, and the network may not be used")
            .help("run `cargo qnn toolchain install` with network, or set QNN_LIB_DIR to a folder with the libraries")
            .into());
    }
    install(worker, log)?;
    resolve(explicit, memo)
}

fn install(worker: &Worker, log: &Log) -> Result<(), Diagnostic> {
    log.line(&format!("== {} toolchain install", worker.path.display()));
    let output = Command::new(&worker.path)
        .args(["qnn", "toolchain", "install"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Diagnostic::new("E0507", format!("{} cannot be started", worker.path.display()))
                .note(error.to_string())
        })?;
    let said = String::from_utf8_lossy(&output.stderr);
    log.lines("", &String::from_utf8_lossy(&output.stdout));
    log.lines("", &said);
    if output.status.success() {
        return Ok(());
    }
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(12)..].join("\n");
    Err(Diagnostic::new("E0402", "the QNN libraries could not be installed")
        .note(last)
        .help("run `cargo qnn toolchain install` to see all of it, or set QNN_LIB_DIR to a folder with the libraries"))
}
