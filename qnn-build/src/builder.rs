//! The build script's way in: [`Builder`], and what it returns.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qnn_manifest::Mode;
use qnn_types::{ArtifactManifest, Diagnostic, Error, Result};
use serde_json::Value;

use crate::cargo::Cargo;
use crate::run::run;

/// Compiles the models of a package. [`crate::compile()`] is `Builder::new().compile()`; the methods are for build scripts that
/// know more than Cargo.toml does.
///
/// ```no_run
/// qnn_build::Builder::new()
///     .model("digits", "models/digits.onnx")
///     .soc(["SM8650"])
///     .set(&["models", "digits", "htp", "optimization"], 2)
///     .compile()
///     .unwrap_or_exit();
/// ```
#[derive(Debug)]
pub struct Builder {
    pub(crate) manifest_path: Option<PathBuf>,
    pub(crate) out_dir: Option<PathBuf>,
    pub(crate) settings: Vec<(Vec<String>, Value)>,
    pub(crate) cargo: Cargo,
    pub(crate) mode: Option<Mode>,
    pub(crate) worker: Option<PathBuf>,
    pub(crate) cache_dir: Option<PathBuf>,
    pub(crate) qnn_lib_dir: Option<PathBuf>,
    pub(crate) jobs: Option<usize>,
    pub(crate) memory: Option<u64>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) offline: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Everything from the environment of the build script.
    pub fn new() -> Self {
        Self {
            manifest_path: None,
            out_dir: None,
            settings: Vec::new(),
            cargo: Cargo { enabled: true },
            mode: None,
            worker: None,
            cache_dir: None,
            qnn_lib_dir: None,
            jobs: None,
            memory: None,
            timeout: None,
            offline: false,
        }
    }

    /// Adds a model; `source` counts from the package's folder.
    #[must_use]
    pub fn model(self, name: &str, source: impl AsRef<Path>) -> Self {
        let source = source.as_ref().to_string_lossy().into_owned();
        self.set(&["models", name, "source"], source)
    }

    /// SoCs to compile for, instead of the package's `soc`.
    #[must_use]
    pub fn soc<S: Into<String>>(self, socs: impl IntoIterator<Item = S>) -> Self {
        let socs: Vec<String> = socs.into_iter().map(Into::into).collect();
        self.set(&["soc"], socs)
    }

    /// Sets any value of `[package.metadata.qnn]` by its keys. It wins over Cargo.toml; the environment and the command
    /// line win over it.
    #[must_use]
    pub fn set(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        self.settings.push((path.iter().map(|&key| key.to_owned()).collect(), value.into()));
        self
    }

    /// The Cargo.toml to read, instead of the package's own.
    #[must_use]
    pub fn manifest_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.manifest_path = Some(path.into());
        self
    }

    /// Where `qnn.rs` and the artifacts go, instead of `OUT_DIR`.
    #[must_use]
    pub fn out_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(dir.into());
        self
    }

    /// Whether lines for cargo are printed (`rerun-if-changed` and others); on by default.
    #[must_use]
    pub fn cargo_metadata(mut self, enabled: bool) -> Self {
        self.cargo.enabled = enabled;
        self
    }

    /// What to do about models, instead of `QNN_BUILD`.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// The `cargo-qnn` to use, instead of `CARGO_QNN` and `PATH`.
    #[must_use]
    pub fn worker(mut self, path: impl Into<PathBuf>) -> Self {
        self.worker = Some(path.into());
        self
    }

    /// The store's folder, instead of `QNN_CACHE_DIR`.
    #[must_use]
    pub fn cache_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(dir.into());
        self
    }

    /// The folder of the QNN libraries, instead of the resolution order.
    #[must_use]
    pub fn qnn_lib_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.qnn_lib_dir = Some(dir.into());
        self
    }

    /// Compiles that may run side by side, instead of what cargo allows.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// Memory that compiles may take together, bytes, instead of `QNN_MEMORY`.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Time that one compile may take, instead of `QNN_TIMEOUT`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Never installs a missing toolchain, as with `CARGO_NET_OFFLINE`.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Compiles all models and generates the code.
    pub fn compile(self) -> Outcome {
        let result = run(&self);
        if let Err(error) = &result {
            error.warnings.iter().for_each(|warning| self.cargo.warning(warning));
        }
        Outcome { result, cargo: self.cargo }
    }
}

/// What a build made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Artifacts {
    /// The generated code, which `qnn::include_models!()` includes.
    pub code: PathBuf,
    /// The artifact manifest.
    pub manifest_path: PathBuf,
    /// Its contents.
    pub manifest: ArtifactManifest,
    /// What the user should know; printed as warnings already.
    pub warnings: Vec<Diagnostic>,
    /// Log of the build.
    pub log: PathBuf,
}

/// The result of [`Builder::compile`].
#[derive(Debug)]
#[must_use = "a failed compile must fail the build: call unwrap_or_exit()"]
pub struct Outcome {
    result: Result<Artifacts>,
    cargo: Cargo,
}

impl Outcome {
    /// The artifacts; or ends the build script, with every problem as an error that cargo shows.
    ///
    /// `cargo::error` makes cargo fail the build whatever the exit code is. With an exit code of its own, cargo would print
    /// everything that the build script wrote a second time, so the code is 0 then, and 1 when lines for cargo are off.
    pub fn unwrap_or_exit(self) -> Artifacts {
        match self.result {
            Ok(artifacts) => artifacts,
            Err(error) if self.cargo.enabled => {
                self.cargo.errors(&error);
                std::process::exit(0);
            }
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "{error}");
                std::process::exit(1);
            }
        }
    }

    /// As an ordinary result.
    ///
    /// # Errors
    /// Every problem that was found.
    pub fn result(self) -> Result<Artifacts, Error> {
        self.result
    }
}
