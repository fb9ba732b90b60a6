//! `cargo qnn clean`: removes the context binaries that builds put into the target folder, and what cargo built of their packages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use qnn_manifest::Overrides;
use qnn_types::ARTIFACT_MANIFEST;

use crate::args::{FeatureArgs, PackageArgs};
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};
use crate::programs::command_line;
use crate::session::Session;
use crate::workspace::{Workspace, cargo};

/// Arguments of `cargo qnn clean`.
#[derive(Debug, Args)]
pub(crate) struct CleanArgs {
    /// Folder for everything that is built
    #[arg(long, value_name = "FOLDER")]
    target_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) packages: PackageArgs,
}

pub(crate) fn run(session: &Session, args: &CleanArgs) -> Result<Exit> {
    let workspace = Workspace::resolve(
        session,
        &args.packages,
        &FeatureArgs { all_features: true, ..FeatureArgs::default() },
    )?;
    let target_dir = args.target_dir.clone().unwrap_or_else(|| workspace.target_dir.clone());
    for folder in collected(&target_dir) {
        std::fs::remove_dir_all(&folder).at("cannot remove", &folder)?;
        session.term.status("Removed", folder.display());
    }
    // What build scripts wrote is cargo's: it knows where.
    let mut command = Command::new(cargo());
    command.arg("clean");
    if let Some(path) = &args.packages.manifest_path {
        command.arg("--manifest-path").arg(path);
    }
    for manifest in workspace.manifests(&Overrides::from_env())? {
        command.args(["--package", &manifest.package]);
    }
    command.arg("--target-dir").arg(&target_dir).stdin(Stdio::inherit());
    session.add_to(&mut command);
    session.term.verbose("Running", command_line(&command));
    let program = PathBuf::from(command.get_program());
    let status = command.status().at("cannot run", &program)?;
    match status.code() {
        Some(0) => Ok(Exit::Ok),
        Some(code) => Err(Failure::passed_on(code)),
        None => Err(Failure::ended(status)),
    }
}

/// The folders of collected artifacts: `<profile>/qnn` and `<triple>/<profile>/qnn`.
fn collected(target_dir: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(target_dir).min_depth(2).max_depth(3).sort_by_file_name().into_iter();
    walk.filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_type().is_dir() && entry.file_name() == "qnn")
        .map(|entry| entry.into_path())
        .filter(|folder| folder.join(ARTIFACT_MANIFEST).is_file())
        .collect()
}
