//! The hidden subcommand that runs one job in this process. `qnn_build::job` describes its life.

use qnn_build::job::Handshake;

use crate::exit::Exit;

/// Says which version this worker is.
pub(crate) fn run(handshake: bool) -> Exit {
    match serde_json::to_string(&Handshake::current()) {
        Ok(line) if handshake => {
            println!("{line}");
            Exit::Ok
        }
        _ => Exit::Usage,
    }
}
