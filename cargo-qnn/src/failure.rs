//! The one error type of the command line: a diagnostic, and the exit code that goes with it.

use std::fmt::Display;
use std::path::Path;

use qnn_build::job::Diagnostic;

use crate::codes;
use crate::exit::Exit;

/// Why a command ended without doing its work.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the process ends with.
    pub(crate) exit: Exit,
    /// What is shown. An empty message means that everything was shown already. Boxed, for most results carry none.
    pub(crate) diagnostic: Box<Diagnostic>,
}

/// What most functions of this crate return.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with a stable code (`E0103`; see `cargo qnn explain`).
    pub(crate) fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self { exit, diagnostic: Box::new(Diagnostic::new(code, message)) }
    }

    /// A wrong command line or input file, which needs no entry in the error index.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "", message)
    }

    /// Something in the user's files is wrong.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self::new(Exit::User, "", message)
    }

    /// Ends the process with `exit` after everything has been said.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self { exit, diagnostic: Box::default() }
    }

    /// A file-system operation that failed: `what` is a verb phrase such as "cannot write".
    pub(crate) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let (code, help) = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                (codes::DISK_FULL, "free some space: `cargo qnn cache prune` removes compiled models")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                (codes::NOT_WRITABLE, "`cargo qnn env` tells which folders are used and how to move them")
            }
            _ => return Self::user(format!("{what} {}", path.display())).note(error.to_string()),
        };
        Self::new(Exit::User, code, format!("{what} {}", path.display())).note(error.to_string()).help(help)
    }

    /// Adds a line that says why, or what was found.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.diagnostic.notes.push(note.into());
        self
    }

    /// Says what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }
}

/// Turns an `io::Result` into ours with the path named.
pub(crate) trait IoContext<T> {
    /// `what` is a verb phrase such as "cannot read".
    fn at(self, what: &str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn at(self, what: &str, path: &Path) -> Result<T> {
        self.map_err(|error| Failure::io(what, path, &error))
    }
}

/// `"a"` or `"a, b"` for messages.
pub(crate) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
