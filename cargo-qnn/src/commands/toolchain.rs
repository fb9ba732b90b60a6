//! `cargo qnn toolchain`: the vendor's libraries on this machine.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use qnn_platform::libs;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Result;
use crate::session::Session;
use crate::term::size;
use crate::toolchain::install::{self, Request};
use crate::toolchain::pins::Product;
use crate::toolchain::record::Record;
use crate::toolchain::{data_dir, ensure};

/// Arguments of `cargo qnn toolchain`.
#[derive(Debug, Args)]
pub(crate) struct ToolchainArgs {
    #[command(subcommand)]
    command: ToolchainCommand,
}

#[derive(Debug, Subcommand)]
enum ToolchainCommand {
    /// Download the pinned libraries with `uv` or `pip` and unpack them into the data folder
    Install(InstallArgs),
    /// List the installed toolchains
    List(JsonArg),
    /// Print the folder of the QNN libraries that builds use
    Path(JsonArg),
}

#[derive(Debug, Args)]
struct InstallArgs {
    /// What to install: `qnn`, the libraries that compile models, or `hexagon`, the compiler that builds op packages for the NPU
    #[arg(value_name = "WHAT", default_value = "qnn")]
    what: What,
    /// Take the wheels from this folder and download nothing
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
    /// Install again, even when it is installed
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    json: JsonArg,
}

/// What can be installed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    Qnn,
    Hexagon,
}

#[derive(Debug, Args)]
struct JsonArg {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// An installed toolchain, as `--json` shows it.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    record: Record,
    path: PathBuf,
    bytes: u64,
    /// Whether this version of `cargo-qnn` uses it.
    current: bool,
    intact: bool,
}

/// What `toolchain path --json` answers.
#[derive(Serialize)]
struct Paths {
    qnn_lib_dir: PathBuf,
    source: String,
    onnxruntime: Option<PathBuf>,
}

pub(crate) fn run(session: &Session, args: &ToolchainArgs) -> Result<Exit> {
    match &args.command {
        ToolchainCommand::Install(args) => install(session, args),
        ToolchainCommand::List(json) => list(session, json.json),
        ToolchainCommand::Path(json) => path(session, json.json),
    }
}

fn install(session: &Session, args: &InstallArgs) -> Result<Exit> {
    let term = &session.term;
    let product = match args.what {
        What::Qnn => Product::Qnn,
        What::Hexagon => Product::Hexagon,
    };
    let request = Request {
        product,
        from: args.from.as_deref(),
        offline: session.offline,
        thorough: true,
        force: args.force,
    };
    let installed = install::install(term, &data_dir()?, &request)?;
    if !installed.fresh {
        term.status(
            "Unchanged",
            format!("{} is installed: {}", installed.record.name, installed.folder.display()),
        );
    }
    if args.json.json {
        term.json(&listed(installed.record, installed.folder))?;
    }
    Ok(Exit::Ok)
}

fn listed(record: Record, path: PathBuf) -> Listed {
    Listed {
        bytes: record.bytes(),
        current: [Product::Qnn, Product::Hexagon].iter().any(|product| record.name == product.id()),
        intact: record.check_sizes(&path).is_empty(),
        record,
        path,
    }
}

fn list(session: &Session, json: bool) -> Result<Exit> {
    let folders = libs::data_dir().map(|data| libs::toolchains_dir(&data));
    let entries = folders.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut found: Vec<Listed> = entries
        .map(|entry| entry.path())
        .filter_map(|path| Record::read(&path).map(|record| listed(record, path)))
        .collect();
    found.sort_by(|a, b| a.record.name.cmp(&b.record.name));
    if json {
        session.term.json(&found)?;
        return Ok(Exit::Ok);
    }
    if found.is_empty() {
        session.term.note("no toolchain is installed; `cargo qnn toolchain install` installs one");
    }
    for item in found {
        let state = match (item.intact, item.current) {
            (false, _) => "  (damaged)",
            (true, true) => "",
            (true, false) => "  (of another version of cargo-qnn)",
        };
        let record = &item.record;
        session.term.data(format!(
            "{}  {}  {}  {}{state}",
            record.name,
            record.build_id,
            size(item.bytes),
            item.path.display()
        ))?;
    }
    Ok(Exit::Ok)
}

fn path(session: &Session, json: bool) -> Result<Exit> {
    let found = ensure(session)?;
    if json {
        let source = found.qnn.source.to_string();
        session.term.json(&Paths { qnn_lib_dir: found.qnn.dir, source, onnxruntime: found.onnxruntime })?;
    } else {
        session.term.data(found.qnn.dir.display())?;
    }
    Ok(Exit::Ok)
}
