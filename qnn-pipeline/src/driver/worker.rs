//! A `cargo-qnn` that runs jobs: makes sure that it speaks the same protocol.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::memo::Memo;
use qnn_types::{Diagnostic, Handshake, PROTOCOL};

/// How long a program may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// A `cargo-qnn` that runs jobs.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The executable.
    pub path: PathBuf,
    /// What it said of itself.
    pub handshake: Handshake,
}

impl Worker {
    /// The executable at `path`, after asking it for its version. Asked once per state of the file.
    ///
    /// # Errors
    /// `E0502` for another version, `E0506` and `E0507` for what is no cargo-qnn.
    pub fn at(path: &Path, memo: &Memo) -> Result<Self, Diagnostic> {
        let handshake: Handshake =
            memo.fact("worker", path, || ask(path, &["worker", "--handshake"], PATIENCE))?;
        if handshake.protocol != PROTOCOL {
            let ours = Handshake::current("");
            return Err(Diagnostic::new("E0502", "cargo-qnn does not belong to this qnn-build")
                .note(format!(
                    "{} is version {} (protocol {}), qnn-build is version {} (protocol {})",
                    path.display(),
                    handshake.version,
                    handshake.protocol,
                    ours.version,
                    ours.protocol
                ))
                .help(format!(
                    "install cargo-qnn {} (from the clone that qnn-build is from: cargo install --locked --path cargo-qnn), or update qnn-build in \
                     Cargo.toml",
                    ours.version
                )));
        }
        Ok(Self { path: path.to_owned(), handshake })
    }

    /// The running program itself, for `cargo-qnn`, which knows what it is.
    pub fn current(path: PathBuf, engine: &str) -> Self {
        Self { path, handshake: Handshake::current(engine) }
    }
}

fn ask(path: &Path, args: &[&str], patience: Duration) -> Result<Handshake, Diagnostic> {
    let no_worker = |note: String| {
        Diagnostic::new("E0506", format!("{} does not answer as cargo-qnn does", path.display()))
            .note(note)
            .help("set CARGO_QNN to the cargo-qnn executable, or install it from a clone: cargo install --locked --path cargo-qnn")
    };
    let mut child = Command::new(path)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| cannot_start(path, &error))?;
    let (send, answer) = std::sync::mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        // Detached: a program that never closes its output must not hold us.
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.take(1 << 16).read_to_string(&mut text);
            // The receiver is gone after the time is over.
            let _ = send.send(read.map(|_| text));
        });
    }
    let started = Instant::now();
    let text = answer.recv_timeout(patience);
    let _ = child.kill();
    let _ = child.wait();
    match text {
        Ok(Ok(text)) => text.lines().find_map(|line| serde_json::from_str(line).ok()).ok_or_else(|| {
            no_worker(format!(
                "asked for its version, it said {:?}",
                text.chars().take(80).collect::<String>()
            ))
        }),
        Ok(Err(error)) => Err(no_worker(error.to_string())),
        Err(_) => Err(no_worker(format!("no answer in {} s", started.elapsed().as_secs()))),
    }
}

/// The operating system would not start the program.
pub(super) fn cannot_start(path: &Path, error: &std::io::Error) -> Diagnostic {
    let problem =
        Diagnostic::new("E0507", format!("{} cannot be started", path.display())).note(error.to_string());
    match error.kind() {
        ErrorKind::PermissionDenied => problem.help("make the file executable"),
        _ => problem.help("`cargo-qnn --version` must work in the same terminal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_program_that_is_no_worker_is_told_apart() {
        // Time enough for all that answer or end by themselves.
        let patient = |program: &str, args: &[&str], patience: Duration| {
            ask(Path::new(program), args, patience).map_err(|problem| problem.code)
        };
        let code = |program: &str, args: &[&str]| patient(program, args, Duration::from_secs(60));
        assert_eq!(code("/bin/echo", &["hello"]), Err("E0506".to_owned()));
        assert_eq!(code("/bin/true", &[]), Err("E0506".to_owned()));
        assert_eq!(patient("/bin/sleep", &["60"], Duration::from_millis(50)), Err("E0506".to_owned()));
        assert_eq!(code("/no/such/program", &[]), Err("E0507".to_owned()));
        let answer = r#"{"protocol":7,"engine":"e","version":"9.0.0"}"#;
        let expected = Handshake { protocol: 7, engine: "e".to_owned(), version: "9.0.0".to_owned() };
        assert_eq!(code("/bin/echo", &[answer]), Ok(expected));
    }
}
