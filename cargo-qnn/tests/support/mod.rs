//! What the tests share: running the program in a home of its own, and the vendor's real wheels.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The wheels of the toolchain for x86-64 Linux.
pub(crate) const WHEELS: [&str; 2] = [
    "onnxruntime_qnn-2.7.0-cp311-cp311-manylinux_2_35_x86_64.whl",
    "onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_x86_64.whl",
];

/// A home of its own for each test: nothing of the user's is read or written.
pub(crate) struct Home {
    /// Its folder, with the cache in it.
    pub(crate) dir: TempDir,
    data: PathBuf,
}

impl Home {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        Self { dir, data }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// Folder of all toolchains.
    pub(crate) fn toolchains(&self) -> PathBuf {
        self.data().join("toolchains")
    }

    /// Folder of the toolchain.
    pub(crate) fn toolchain(&self) -> PathBuf {
        self.toolchains().join("qnn-2.51.0-linux-x86_64")
    }

    /// `cargo-qnn ARGS` in this home.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-qnn"));
        command.args(args);
        for name in [
            "QNN_SDK_ROOT",
            "QNN_LIB_DIR",
            "ORT_DYLIB_PATH",
            "QNN_BUILD",
            "CARGO_QNN",
            "CARGO_QNN_INSTALLER",
            "CARGO_NET_OFFLINE",
            "CARGO_TERM_COLOR",
            "ANDROID_NDK_HOME",
            "ANDROID_NDK_ROOT",
            "NDK_HOME",
            "ANDROID_HOME",
            "ANDROID_SDK_ROOT",
        ] {
            command.env_remove(name);
        }
        command.env("CARGO_QNN_HOME", self.data()).env("QNN_CACHE_DIR", self.dir.path().join("cache"));
        command
    }

    /// Runs `cargo-qnn ARGS` and returns what it said.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::from(self.command(args).output().unwrap())
    }
}

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Said {
    /// Fails the test unless the program ended with 0.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless the program ended with this code and said each of these texts on standard error.
    #[track_caller]
    pub(crate) fn failure(self, code: i32, texts: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        for text in texts {
            assert!(self.stderr.contains(text), "no {text:?} in:\n{}", self.stderr);
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout))
    }
}

/// A folder with the real wheels: downloaded by `pip` once, then kept in the target folder.
pub(crate) fn wheels() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheels");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join(".lock")).unwrap();
    lock.lock().unwrap();
    if !WHEELS.iter().all(|wheel| folder.join(wheel).is_file()) {
        // Into a folder of its own first: a download that is cut off must not look complete.
        let partial = tempfile::tempdir_in(&folder).unwrap();
        let output = Command::new("python3")
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11"])
            .args(["--platform", "manylinux_2_35_x86_64", "--platform", "manylinux_2_28_x86_64", "--dest"])
            .arg(partial.path())
            .args(["onnxruntime-qnn==2.7.0", "onnxruntime==1.31.1"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for wheel in WHEELS {
            fs::rename(partial.path().join(wheel), folder.join(wheel)).unwrap();
        }
    }
    folder
}

/// A home in which the toolchain is installed; the installation is one for all tests, which leave it as it is.
pub(crate) fn installed() -> Home {
    let home = Home { data: Path::new(env!("CARGO_TARGET_TMPDIR")).join("data"), ..Home::new() };
    home.run(&["toolchain", "install", "--from", wheels().to_str().unwrap()]).success();
    home
}

/// A home with an installation of its own.
pub(crate) fn installed_alone() -> Home {
    let home = Home::new();
    home.run(&["toolchain", "install", "--from", wheels().to_str().unwrap()]).success();
    home
}
