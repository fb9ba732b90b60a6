//! What a build script asks of `cargo-qnn`, and what it gets: one line of JSON each, on standard input and output of `cargo-qnn script`.
//!
//! The build script keeps standard input open for as long as it lives; `cargo-qnn` ends itself and its workers when it closes. Standard
//! error is free text. When an answer came, `qnn.rs`, the artifacts and the artifact manifest are in the folder that was asked for.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use qnn_types::{ArtifactManifest, Diagnostic};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of these two types; both sides refuse each other when it differs.
pub const PROTOCOL: u32 = 1;

/// The environment of `cargo-qnn` is the build script's; this is what the build script says beyond it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// Version of `qnn-build`, for messages.
    pub version: String,
    /// The package's Cargo.toml.
    pub manifest_path: PathBuf,
    /// Where everything goes.
    pub out_dir: PathBuf,
    /// Values of `[package.metadata.qnn]` that the build script sets, by their keys.
    pub settings: Vec<(Vec<String>, Value)>,
    /// The store, instead of `QNN_CACHE_DIR`.
    pub cache_dir: Option<PathBuf>,
    /// Folder of the QNN libraries, instead of the resolution order.
    pub qnn_lib_dir: Option<PathBuf>,
    /// Compiles that may run side by side.
    pub jobs: Option<usize>,
    /// Memory that they may take together, bytes.
    pub memory: Option<u64>,
    /// Time that one may take, milliseconds.
    pub timeout_ms: Option<u64>,
    /// Whether a missing toolchain must not be installed.
    pub offline: bool,
}

/// What became of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// The artifact manifest; absent when there are problems.
    pub artifacts: Option<ArtifactManifest>,
    /// Everything that is wrong.
    pub problems: Vec<Diagnostic>,
    /// What the user should know.
    pub warnings: Vec<Diagnostic>,
    /// Log with the details, where the error is one that it explains.
    pub log: Option<PathBuf>,
    /// Files and folders whose change means that the build script must run again.
    pub watch: Vec<PathBuf>,
}

/// `E0502`: `cargo-qnn` and `qnn-build` are not of one version. `theirs` says what `cargo-qnn` is.
pub fn wrong_version(theirs: &str, version: &str, protocol: u32) -> Diagnostic {
    Diagnostic::new("E0502", "cargo-qnn does not belong to this qnn-build")
        .note(format!("{theirs}; qnn-build is version {version} (protocol {protocol})"))
        .help(format!(
            "install cargo-qnn {version} (from the clone that qnn-build is from: cargo install --locked --path cargo-qnn), or update \
             qnn-build in Cargo.toml"
        ))
}

/// `E0507`: the system would not start the `cargo-qnn` at `path`.
pub fn cannot_start(path: &Path, error: &Error) -> Diagnostic {
    let problem =
        Diagnostic::new("E0507", format!("{} cannot be started", path.display())).note(error.to_string());
    match error.kind() {
        ErrorKind::PermissionDenied => problem.help("make the file executable"),
        _ => problem.help("`cargo-qnn --version` must work in the same terminal"),
    }
}
