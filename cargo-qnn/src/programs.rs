//! Finding and running other programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use qnn_platform::env;

/// The first executable file of this name on `PATH`, or the path itself when `name` has a folder in it.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    if Path::new(name).components().count() > 1 {
        return is_executable(Path::new(name)).then(|| PathBuf::from(name));
    }
    let path = env::var(&env::PATH)?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file() || file.with_extension("exe").is_file()
}

/// Why [`output_within`] has no output.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// It could not be started, or its output could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It did not end in time and was killed.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
}

/// Runs a command that answers with a few lines, for at most `limit`; then it is killed.
pub(crate) fn output_within(command: &mut Command, limit: Duration) -> Result<Output, Unanswered> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let start = Instant::now();
    while child.try_wait()?.is_none() {
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Err(Unanswered::Timeout(limit));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(child.wait_with_output()?)
}

/// The command as a person would type it, for messages and `--dry-run`.
pub(crate) fn command_line(command: &Command) -> String {
    let mut line = quote(&command.get_program().to_string_lossy());
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&quote(&arg.to_string_lossy()));
    }
    line
}

/// Quotes a word for a POSIX shell where it needs it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quote("--target-dir=/a/b"), "--target-dir=/a/b");
        assert_eq!(quote("my model"), "'my model'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn a_program_on_the_path_is_found_and_a_missing_one_is_not() {
        assert!(find("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(find("no-such-program-anywhere"), None);
    }

    #[test]
    fn a_program_that_does_not_answer_is_killed() {
        let start = Instant::now();
        let answer = output_within(Command::new("sleep").arg("60"), Duration::from_millis(50));
        assert!(matches!(answer, Err(Unanswered::Timeout(_))));
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
