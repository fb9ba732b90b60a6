//! The one error type of this crate: every problem that was found, each a [`Diagnostic`].

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::Diagnostic;

/// Why something could not be done: one or more problems, all that were found.
#[derive(Clone, Debug)]
pub struct Error {
    /// The problems, in the order in which they were found; never empty.
    pub problems: Vec<Diagnostic>,
    /// What also should be known: warnings that came before.
    pub warnings: Vec<Diagnostic>,
    /// Log with the details, where one was written.
    pub log: Option<PathBuf>,
}

/// What functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Of these problems; there must be one.
    pub fn of(problems: Vec<Diagnostic>) -> Self {
        Self { problems, warnings: Vec::new(), log: None }
    }

    /// All problems of a step; `None` when there are none.
    pub fn from_problems(problems: Vec<Diagnostic>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self { problems, warnings: Vec::new(), log: None })
    }

    /// A file operation of the store or of the build's output that failed. `what` is a verb phrase such as "cannot write";
    /// `code` serves for what is neither a full disk nor anything more particular.
    pub fn io(code: &str, what: &str, path: &Path, error: &io::Error) -> Self {
        io_problem(code, what, path, error).into()
    }
}

/// The problem of a file operation that failed. `what` is a verb phrase such as "cannot write"; `code` serves for what is no
/// full disk, which is `E0603`.
pub fn io_problem(code: &str, what: &str, path: &Path, error: &io::Error) -> Diagnostic {
    let full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    );
    let problem = Diagnostic::new(
        if full { "E0603" } else { code },
        format!("{}{what} {}", if full { "the disk is full: " } else { "" }, path.display()),
    )
    .note(error.to_string());
    if full {
        problem.help(
            "free some space, for example by `cargo qnn cache prune`, or set QNN_CACHE_DIR to another disk",
        )
    } else {
        problem
    }
}

impl From<Diagnostic> for Error {
    fn from(problem: Diagnostic) -> Self {
        Self { problems: vec![problem], warnings: Vec::new(), log: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        if let Some(log) = &self.log {
            write!(f, "\nlog: {}", log.display())?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
