//! The one error type of the command line: diagnostics, and the exit code that goes with them.

use std::fmt::Display;
use std::path::Path;

use qnn_platform::libs;
use qnn_types::Diagnostic;
use qnn_types::codes::{Class, class_of};

use crate::codes;
use crate::exit::Exit;

/// Why a command ended without doing its work.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the process ends with.
    pub(crate) exit: Exit,
    /// What is shown, one after the other; nothing when everything was said already.
    pub(crate) problems: Vec<Diagnostic>,
}

/// What most functions of this crate return.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with a stable code (`E0103`; see `cargo qnn explain`).
    pub(crate) fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self { exit, problems: vec![Diagnostic::new(code, message)] }
    }

    /// A wrong command line or input file, which needs no entry in the error index.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "", message)
    }

    /// Something in the user's files is wrong.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self::new(Exit::User, "", message)
    }

    /// Ends the process with the code of a program that has said itself what is wrong.
    pub(crate) fn passed_on(code: i32) -> Self {
        Self::silent(u8::try_from(code).map_or(Exit::User, Exit::PassedOn))
    }

    /// Ends the process as a program did that has said itself what is wrong; as a shell tells it where a signal ended it.
    pub(crate) fn ended(status: std::process::ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::passed_on(128 + signal);
        }
        Self::passed_on(status.code().unwrap_or(1))
    }

    /// Ends the process with `exit` after everything has been said.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self { exit, problems: Vec::new() }
    }

    /// A file-system operation that failed: `what` is a verb phrase such as "cannot write".
    pub(crate) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let (code, help) = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                (codes::DISK_FULL, "free some space: `cargo qnn cache prune` removes compiled models")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem if own(path) => {
                (codes::NOT_WRITABLE, "`cargo qnn env` tells which folders are used and how to move them")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem if !what.contains("read") => {
                (codes::OUTPUT_FILE, "write to another folder, or change the permissions of this one")
            }
            _ => return Self::user(format!("{what} {}", path.display())).note(error.to_string()),
        };
        Self::new(Exit::User, code, format!("{what} {}", path.display())).note(error.to_string()).help(help)
    }

    /// Adds a line that says why, or what was found.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        if let Some(problem) = self.problems.last_mut() {
            problem.notes.push(note.into());
        }
        self
    }

    /// Says what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(problem) = self.problems.last_mut() {
            problem.help = Some(help.into());
        }
        self
    }

    /// The messages without their details.
    pub(crate) fn message(&self) -> String {
        self.problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
    }
}

impl From<qnn_types::Error> for Failure {
    fn from(error: qnn_types::Error) -> Self {
        let exit = error.problems.first().map_or(Exit::User, exit_for);
        let mut failure = Self { exit, problems: error.problems };
        if let Some(log) = error.log {
            failure = failure.note(format!("log: {}", log.display()));
        }
        failure
    }
}

impl From<Diagnostic> for Failure {
    fn from(problem: Diagnostic) -> Self {
        Self { exit: exit_for(&problem), problems: vec![problem] }
    }
}

/// The exit code that goes with a problem: what a flag says wrongly is a wrong command line. That a model cannot be compiled for a SoC
/// says nothing against the flag that names it.
fn exit_for(problem: &Diagnostic) -> Exit {
    let says = problem.at.as_deref().is_some_and(|at| at.starts_with("--"));
    let of_flag = says && problem.code != "E0106";
    match exit_of(&problem.code) {
        Exit::User if of_flag => Exit::Usage,
        exit => exit,
    }
}

/// The exit code that goes with an error code.
fn exit_of(code: &str) -> Exit {
    match class_of(code) {
        Class::Toolchain => Exit::Toolchain,
        Class::Compile => Exit::Compile,
        Class::Device => Exit::Device,
        _ => Exit::User,
    }
}

/// Whether a path is in a folder that this program keeps for itself.
fn own(path: &Path) -> bool {
    [libs::data_dir(), libs::cache_dir()].iter().flatten().any(|folder| path.starts_with(folder))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_decide_the_exit_code() {
        assert_eq!(exit_of("E0103"), Exit::User);
        assert_eq!(exit_of("E0401"), Exit::Toolchain);
        assert_eq!(exit_of("E0406"), Exit::Compile);
        assert_eq!(exit_of("E0503"), Exit::Compile);
        assert_eq!(exit_of("E0501"), Exit::Toolchain);
        assert_eq!(exit_of(""), Exit::User);
    }

    #[test]
    fn a_wrong_flag_is_a_wrong_command_line() {
        let problem = |at: &str| Failure::from(Diagnostic::new("E0105", "unknown SoC").at(at)).exit;
        assert_eq!((problem("--soc"), problem("--config soc=SM1")), (Exit::Usage, Exit::Usage));
        assert_eq!(
            (problem("Cargo.toml:4"), problem("environment variable QNN_SOC")),
            (Exit::User, Exit::User)
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_signal_is_told_as_a_shell_tells_it() {
        use std::os::unix::process::ExitStatusExt;
        let ended = |raw| Failure::ended(std::process::ExitStatus::from_raw(raw)).exit;
        assert_eq!((ended(6), ended(3 << 8)), (Exit::PassedOn(134), Exit::PassedOn(3)));
    }

    #[test]
    fn several_problems_stay_several() {
        let mut error = qnn_types::Error::from(Diagnostic::new("E0103", "one"));
        error.problems.push(Diagnostic::new("E0105", "two"));
        let failure = Failure::from(error);
        assert_eq!((failure.exit, failure.message().as_str()), (Exit::User, "one; two"));
    }
}
