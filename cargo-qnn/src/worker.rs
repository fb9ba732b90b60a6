//! The hidden subcommand that runs one job in this process.

use crate::exit::Exit;

/// Reads a job from standard input, runs it and writes events to standard output.
pub(crate) fn run() -> Exit {
    Exit::Ok
}
