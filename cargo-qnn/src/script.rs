//! The hidden subcommand that answers a build script: [`qnn_manifest::script`] describes what they say to each other.

use std::io::{self, BufRead, Write};

use qnn_manifest::script::{Answer, Request};
use qnn_pipeline::driver::Silent;
use qnn_types::Diagnostic;

use crate::exit::Exit;
use crate::{jobs, worker};

/// Answers the request that standard input holds.
pub(crate) fn run() -> Exit {
    let mut out = match worker::events() {
        Ok(out) => out,
        Err(error) => {
            let _ = writeln!(io::stderr(), "standard output cannot be moved: {error}");
            return Exit::User;
        }
    };
    let answer = answer();
    let exit = if answer.artifacts.is_some() { Exit::Ok } else { Exit::User };
    let said = serde_json::to_vec(&answer).map_err(io::Error::other).and_then(|mut line| {
        line.push(b'\n');
        out.write_all(&line)?;
        out.flush()
    });
    said.map_or(Exit::User, |()| exit)
}

fn answer() -> Answer {
    let request = match request() {
        Ok(request) => request,
        Err(error) => {
            let problem =
                Diagnostic::new("E0508", format!("the build script's request cannot be read: {error}"));
            return Answer { problems: vec![problem], ..Answer::default() };
        }
    };
    // A build script that is killed takes everything that works for it along.
    std::thread::spawn(worker::end_with_driver);
    match jobs::worker() {
        Ok(worker) => qnn_pipeline::script::answer(&request, &worker, &Silent),
        Err(failure) => Answer { problems: failure.problems, ..Answer::default() },
    }
}

fn request() -> io::Result<Request> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::other)
}
