//! What a build script tells cargo.

use std::path::Path;

use qnn_platform::text::shown;
use qnn_types::{Diagnostic, Error};

/// Lines for cargo, printed at once or not at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cargo {
    pub(crate) enabled: bool,
}

impl Cargo {
    /// Runs the build script again when the file changes. A file that does not exist would make it run every time.
    pub(crate) fn rerun_if_changed(self, path: &Path) {
        if path.exists() {
            self.say("rerun-if-changed", &path.display().to_string());
        }
    }

    pub(crate) fn rerun_if_env_changed(self, name: &str) {
        self.say("rerun-if-env-changed", name);
    }

    /// Sets `cfg(name)` when `set`, and says in either case that it exists.
    pub(crate) fn cfg(self, name: &str, set: bool) {
        self.say("rustc-check-cfg", &format!("cfg({name})"));
        if set {
            self.say("rustc-cfg", name);
        }
    }

    pub(crate) fn warning(self, warning: &Diagnostic) {
        for line in warning.to_string().lines() {
            self.say("warning", line);
        }
    }

    /// Every problem; cargo shows them as errors of the package and fails the build.
    pub(crate) fn errors(self, error: &Error) {
        for line in error.to_string().lines() {
            self.say("error", line);
        }
    }

    fn say(self, key: &str, value: &str) {
        if self.enabled {
            // One line each, whatever is in a file name; what people read has no controls of a terminal in it.
            let line = value.replace(['\n', '\r'], " ");
            let line = if matches!(key, "warning" | "error") { shown(&line).into_owned() } else { line };
            println!("cargo::{key}={line}");
        }
    }
}
