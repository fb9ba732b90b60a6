//! An app in a home of its own, and what a command left in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Home, Said, installed};

/// The digits model of the example.
pub(crate) fn digits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/digits/models/digits.onnx")
}

/// A package with its own store, its own target folder, and the digits model beside its Cargo.toml.
pub(crate) struct App {
    pub(crate) home: Home,
}

impl App {
    /// An app whose `[package.metadata.qnn]` says `settings`.
    pub(crate) fn new(settings: &str) -> Self {
        let app = Self { home: installed() };
        fs::create_dir_all(app.path("src")).unwrap();
        fs::write(app.path("src/main.rs"), "fn main() {}\n").unwrap();
        fs::copy(digits(), app.path("digits.onnx")).unwrap();
        app.settings(settings);
        app
    }

    /// An app that has the digits model compiled for one SoC.
    pub(crate) fn of_digits() -> Self {
        Self::new("soc = [\"SM8650\"]\nmodels.digits.source = \"digits.onnx\"\n")
    }

    /// Writes the Cargo.toml.
    pub(crate) fn settings(&self, settings: &str) {
        let package = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
        fs::write(self.path("Cargo.toml"), format!("{package}[package.metadata.qnn]\n{settings}")).unwrap();
    }

    /// A path in the app's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.dir.path().join("app").join(name)
    }

    /// The file of this name in the app's folder, with this content.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// `cargo-qnn ARGS` in the app's folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.home.command(args);
        command.current_dir(self.path("")).env("CARGO_TARGET_DIR", self.path("target"));
        command
    }

    /// Runs `cargo-qnn ARGS` in the app's folder.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::from(self.command(args).output().unwrap())
    }

    /// Compiles the models of the Cargo.toml, without the app around them.
    pub(crate) fn build(&self) -> Said {
        self.run(&["build", "--artifacts-only"])
    }

    /// Compiles a file of the app for SM8650 into `out/FILE.bin`. A failure leaves nothing in that folder.
    pub(crate) fn compile(&self, file: &str, more: &[&str]) -> Said {
        let output = format!("out/{file}.bin");
        let said = self.run(&[&["compile", file, "--soc", "SM8650", "-o", &output], more].concat());
        if said.code != Some(0) {
            assert_eq!(names(&self.path("out")), [""; 0], "{}", said.stderr);
        }
        said
    }

    /// The context binary of digits for SM8650 where builds collect it.
    pub(crate) fn collected(&self) -> PathBuf {
        self.path("target/debug/qnn/app/digits.SM8650.bin")
    }

    /// A path in the store.
    pub(crate) fn store(&self, name: &str) -> PathBuf {
        self.home.dir.path().join("cache/v1").join(name)
    }

    /// Files of the store that end in `.EXTENSION`: `bin` for context binaries, `json` for what is recorded of them.
    pub(crate) fn entries(&self, extension: &str) -> Vec<PathBuf> {
        let files = walkdir::WalkDir::new(self.store("artifacts")).into_iter().flatten();
        let files = files.map(walkdir::DirEntry::into_path);
        files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
    }

    /// Fails unless the store has this many entries, whole, and nothing unfinished.
    #[track_caller]
    pub(crate) fn assert_entries(&self, count: usize) {
        assert_eq!((self.entries("bin").len(), self.entries("json").len()), (count, count));
        let unfinished: Vec<String> =
            names(&self.store("tmp")).into_iter().filter(|name| name != "probe").collect();
        assert_eq!(unfinished, [""; 0]);
    }
}

/// Names in a folder; none when it does not exist.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
