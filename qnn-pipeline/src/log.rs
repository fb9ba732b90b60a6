//! The log of a build: what every worker was asked, what it said, how it ended. Errors name the file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A log file, or nothing.
#[derive(Debug, Default)]
pub struct Log {
    file: Option<(PathBuf, Mutex<File>)>,
}

impl Log {
    /// Begins a new log at `path`. Where that is impossible there is no log: a build does not fail for it.
    pub fn create(path: &Path) -> Self {
        Self { file: File::create(path).ok().map(|file| (path.to_owned(), Mutex::new(file))) }
    }

    /// The file, where there is one.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    /// Adds a line.
    pub fn line(&self, text: &str) {
        self.write(&[text.as_bytes(), b"\n"]);
    }

    /// Adds text as it is, each line after `prefix`.
    pub(crate) fn lines(&self, prefix: &str, text: &str) {
        for line in text.lines() {
            self.write(&[prefix.as_bytes(), line.as_bytes(), b"\n"]);
        }
    }

    fn write(&self, parts: &[&[u8]]) {
        if let Some((_, file)) = &self.file
            && let Ok(mut file) = file.lock()
        {
            // A log that cannot be written is not worth an error of its own.
            let _ = file.write_all(&parts.concat());
        }
    }
}
