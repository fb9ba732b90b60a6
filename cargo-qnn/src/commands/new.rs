//! `cargo qnn new`: a new app that runs a model.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use qnn_manifest::source_format;
use qnn_pipeline::Memo;
use qnn_pipeline::source::inspect;

use super::init::{self, SetupArgs};
use crate::args::examples;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};
use crate::programs::command_line;
use crate::project::{BUILD_RS, XOR_MAIN, XOR_ONNX, main_rs, model_entry, open_dimensions};
use crate::session::Session;
use crate::workspace::cargo;

/// Arguments of `cargo qnn new`.
#[derive(Debug, Args)]
#[command(after_help = examples::NEW)]
pub(crate) struct NewArgs {
    /// Folder of the new app, which also names it
    #[arg(value_name = "PATH")]
    folder: PathBuf,
    /// The model: copied into the app. Without it, the app gets a tiny network that computes the exclusive or
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Version control for the new app, as `cargo new --vcs`
    #[arg(long, value_name = "VCS")]
    vcs: Option<String>,
    #[command(flatten)]
    common: SetupArgs,
}

pub(crate) fn run(session: &Session, args: &NewArgs) -> Result<Exit> {
    // What can be wrong is found before anything is made.
    args.common.edit(vec![])?;
    let facts = match &args.model {
        None => None,
        Some(file) => {
            let format = source_format(file)?;
            let facts = inspect(file, format, &Memo::default())
                .map_err(|problems| Failure { exit: Exit::User, problems })?;
            if let Some(problem) = open_dimensions(&facts, &args.common.input, &args.common.dim) {
                return Err(problem.into());
            }
            Some((file, facts))
        }
    };
    make_package(session, args)?;

    let folder = &args.folder;
    let models = folder.join("models");
    std::fs::create_dir_all(&models).at("cannot create", &models)?;
    let file = match &facts {
        None => {
            let file = models.join("xor.onnx");
            std::fs::write(&file, XOR_ONNX).at("cannot write", &file)?;
            file
        }
        Some((source, facts)) => {
            let file = models.join(source.file_name().unwrap_or_default());
            // A folder's own file is its configuration; the others lie beside it.
            let beside = if source.is_dir() {
                copy(&source.join("config.json"), &file.join("config.json"))?;
                &file
            } else {
                copy(source, &file)?;
                &models
            };
            for external in &facts.external {
                copy(&external.path, &beside.join(&external.location))?;
            }
            file
        }
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let facts_of = facts.as_ref().map(|(_, facts)| facts);
    let (inputs, dims) = (&args.common.input, &args.common.dim);
    let entry = model_entry(&file, format!("models/{name}"), facts_of, inputs, dims)?;
    let main = match &facts {
        None => XOR_MAIN.to_owned(),
        Some((_, facts)) => main_rs(&entry, facts),
    };
    init::apply(session, &folder.join("Cargo.toml"), &args.common.edit(vec![entry])?)?;
    for (path, text) in [("build.rs", BUILD_RS), ("src/main.rs", &main)] {
        let path = folder.join(path);
        std::fs::write(&path, text).at("cannot write", &path)?;
    }
    session.term.note(format!("cd {} && cargo qnn run", folder.display()));
    Ok(Exit::Ok)
}

/// Lets cargo make the package.
fn make_package(session: &Session, args: &NewArgs) -> Result<()> {
    let mut command = Command::new(cargo());
    command.args(["new", "--bin", "--quiet"]);
    if let Some(vcs) = &args.vcs {
        command.args(["--vcs", vcs]);
    }
    command.arg(&args.folder).stdin(Stdio::null());
    session.term.verbose("Running", command_line(&command));
    let output =
        command.output().map_err(|error| Failure::user("cargo cannot be run").note(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("error: ").to_owned();
        return Err(Failure::user(format!("cargo cannot make {}", args.folder.display())).note(said));
    }
    session.term.status("Created", args.folder.display());
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).at("cannot create", folder)?;
    }
    std::fs::copy(from, to).at("cannot copy", from)?;
    Ok(())
}
