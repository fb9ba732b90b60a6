//! `cargo qnn completions`: shell completions of the `cargo-qnn` command.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Result;
use crate::session::Session;

/// Arguments of `cargo qnn completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(session: &Session, args: &CompletionsArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command().bin_name("cargo-qnn"), "cargo-qnn", &mut script);
    session.term.data(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Ok)
}
