//! An app in a temporary folder whose models are "compiled" by the fake worker.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "only tests use this")]

pub(crate) mod gguf;
pub(crate) mod hugging_face;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use qnn_build::Mode;
use qnn_manifest::output::CODE;
use qnn_manifest::script::{PROTOCOL, Request};
use qnn_pipeline::driver::{Silent, Worker};
use qnn_types::{ARTIFACT_MANIFEST, ArtifactManifest, Diagnostic, Error};
use serde_json::Value;

/// A small ONNX model: input `x` of `[1, 3]`, output `y` of `[3]`.
pub(crate) const MODEL: &[u8] = &[
    0x3a, 0x2a, 0x0a, 0x02, 0x22, 0x00, // graph, a node
    0x5a, 0x13, 0x0a, 0x01, b'x', 0x12, 0x0e, 0x0a, 0x0c, 0x08, 0x01, 0x12, 0x08, // input
    0x0a, 0x02, 0x08, 0x01, 0x0a, 0x02, 0x08, 0x03, // its dimensions
    0x62, 0x0f, 0x0a, 0x01, b'y', 0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, // output
    0x0a, 0x02, 0x08, 0x03, // its dimension
];

pub(crate) struct App {
    folder: tempfile::TempDir,
}

impl App {
    /// An app for one SoC with these models.
    pub(crate) fn new(models: &[&str]) -> Self {
        let app = Self { folder: tempfile::tempdir().unwrap() };
        app.manifest(&["SM8650"], models, "");
        fs::create_dir(app.path("out")).unwrap();
        fs::create_dir(app.path("lib")).unwrap();
        app.library("v9.9.9.123456789012");
        for model in models {
            app.write(&format!("{model}.onnx"), MODEL);
        }
        app
    }

    pub(crate) fn manifest(&self, socs: &[&str], models: &[&str], extra: &str) {
        let mut text = format!("[package]\nname = \"app\"\n[package.metadata.qnn]\nsoc = {socs:?}\n");
        for model in models {
            text.push_str(&format!("models.{model}.source = \"{model}.onnx\"\n"));
        }
        fs::write(self.path("Cargo.toml"), text + extra).unwrap();
    }

    /// A QNN library of this build.
    pub(crate) fn library(&self, build_id: &str) {
        let name = format!("lib/{}", qnn_platform::libs::library_file("QnnHtp"));
        self.write(&name, format!("\0{build_id}\0").as_bytes());
    }

    /// Writes a file as if some time ago: what was written just now is not remembered.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        let past = SystemTime::now() - Duration::from_secs(60);
        fs::File::options().append(true).open(path).unwrap().set_modified(past).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn builder(&self) -> Builder {
        builder_in(self.folder.path())
    }

    pub(crate) fn build(&self) -> Result<Artifacts, Error> {
        self.builder().build()
    }

    /// Codes of the problems of a build that must fail.
    pub(crate) fn problems(&self) -> Vec<qnn_types::Diagnostic> {
        self.build().expect_err("the build should fail").problems
    }

    /// How often the worker ran for a model.
    pub(crate) fn runs(&self, model: &str) -> usize {
        fs::read_to_string(self.path(&format!("{model}.onnx.runs"))).unwrap_or_default().lines().count()
    }

    /// This test program again, to run one of its ignored tests as a process of its own in the app's folder.
    pub(crate) fn process(&self, test: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--ignored", "--nocapture"]).current_dir(self.folder.path());
        command
    }
}

/// A build of the app in `folder` with everything of its own.
pub(crate) fn builder_in(folder: &Path) -> Builder {
    Builder {
        request: Request {
            protocol: PROTOCOL,
            manifest_path: folder.join("Cargo.toml"),
            out_dir: folder.join("out"),
            cache_dir: Some(folder.join("cache")),
            qnn_lib_dir: Some(folder.join("lib")),
            ..Request::default()
        },
    }
}

/// What a build made.
#[derive(Debug)]
pub(crate) struct Artifacts {
    pub(crate) code: PathBuf,
    pub(crate) manifest_path: PathBuf,
    pub(crate) manifest: ArtifactManifest,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// What a build script asks, answered in this process with the fake worker.
pub(crate) struct Builder {
    pub(crate) request: Request,
}

impl Builder {
    pub(crate) fn out_dir(mut self, folder: &Path) -> Self {
        self.request.out_dir = folder.to_owned();
        self
    }

    pub(crate) fn cache_dir(mut self, folder: PathBuf) -> Self {
        self.request.cache_dir = Some(folder);
        self
    }

    pub(crate) fn timeout(mut self, time: Duration) -> Self {
        self.request.timeout_ms = Some(time.as_millis().try_into().unwrap());
        self
    }

    pub(crate) fn set(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        self.request.settings.push((path.iter().map(|&key| key.to_owned()).collect(), value.into()));
        self
    }

    pub(crate) fn build(self) -> Result<Artifacts, Error> {
        let worker = fake_worker();
        let out = self.request.out_dir.clone();
        let answer = qnn_pipeline::script::answer(&self.request, &worker, &Silent);
        let (problems, warnings) = (answer.problems, answer.warnings);
        match answer.artifacts {
            Some(manifest) => Ok(Artifacts {
                code: out.join(CODE),
                manifest_path: out.join(ARTIFACT_MANIFEST),
                manifest,
                warnings,
            }),
            None => Err(Error { problems, warnings, log: answer.log }),
        }
    }

    /// The same without any `cargo-qnn`: a stub, or nothing.
    pub(crate) fn mode(self, mode: Mode) -> Result<Artifacts, Error> {
        let qnn_build::Artifacts { code, manifest_path, manifest, warnings, .. } =
            self.script().mode(mode).compile().result()?;
        Ok(Artifacts { code, manifest_path, manifest, warnings })
    }

    /// The same as a build script says it.
    pub(crate) fn script(self) -> qnn_build::Builder {
        let Request { manifest_path, out_dir, cache_dir, .. } = self.request;
        qnn_build::Builder::new()
            .manifest_path(manifest_path)
            .out_dir(out_dir)
            .cache_dir(cache_dir.unwrap())
            .cargo_metadata(false)
    }
}

#[expect(clippy::disallowed_methods, reason = "a variable between this test and its child process")]
pub(crate) fn fake_worker() -> Worker {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_worker");
    Worker { path, engine: std::env::var("FAKE_ENGINE").unwrap_or_else(|_| "fake".to_owned()) }
}
