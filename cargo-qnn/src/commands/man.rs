//! `cargo qnn man`: the manual pages.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};
use crate::session::Session;

/// Arguments of `cargo qnn man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write one page per subcommand into this folder; without it, the main page goes to standard output
    #[arg(long, value_name = "FOLDER")]
    out_dir: Option<PathBuf>,
}

pub(crate) fn run(session: &Session, args: &ManArgs) -> Result<Exit> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.out_dir else {
        session.term.data(page(command, "cargo-qnn")?.trim_end())?;
        return Ok(Exit::Ok);
    };
    std::fs::create_dir_all(folder).at("cannot create", folder)?;
    let mut pages = Vec::new();
    collect(&command, "cargo-qnn".to_owned(), &mut pages);
    for (name, command) in pages {
        let file = folder.join(format!("{name}.1"));
        std::fs::write(&file, page(command, &name)?).at("cannot write", &file)?;
    }
    session.term.status("Wrote", format!("the manual pages into {}", folder.display()));
    Ok(Exit::Ok)
}

/// The command and all of its visible subcommands, each with the name of its page.
fn collect(command: &Command, name: String, pages: &mut Vec<(String, Command)>) {
    for child in command.get_subcommands().filter(|child| !child.is_hide_set() && child.get_name() != "help")
    {
        collect(child, format!("{name}-{}", child.get_name()), pages);
    }
    pages.push((name, command.clone()));
}

fn page(command: Command, name: &str) -> Result<String> {
    let mut text = Vec::new();
    Man::new(command.display_name(name.to_owned()))
        .title(name.to_uppercase())
        .render(&mut text)
        .map_err(|error| Failure::user("cannot render the manual page").note(error.to_string()))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
