//! `cargo qnn show`: the merged manifest, each value with its origin.

use clap::Args;
use qnn_manifest::{Manifest, Setting};
use serde::Serialize;

use crate::args::{ConfigArgs, FeatureArgs, PackageArgs};
use crate::exit::Exit;
use crate::failure::Result;
use crate::session::Session;
use crate::table::columns;
use crate::workspace::Workspace;

/// Arguments of `cargo qnn show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) packages: PackageArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// A package, as `--json` shows it.
#[derive(Serialize)]
struct Shown {
    package: String,
    manifest: std::path::PathBuf,
    settings: Vec<Setting>,
}

pub(crate) fn run(session: &Session, args: &ShowArgs) -> Result<Exit> {
    let workspace = Workspace::resolve(
        session,
        &args.packages,
        &FeatureArgs { all_features: true, ..FeatureArgs::default() },
    )?;
    let manifests = workspace.manifests(&args.config.overrides())?;
    if args.json {
        session.term.json(&manifests.iter().map(shown).collect::<Vec<_>>())?;
        return Ok(Exit::Ok);
    }
    for (index, manifest) in manifests.iter().enumerate() {
        if index > 0 {
            session.term.data("")?;
        }
        session.term.data(format!("# {} ({})", manifest.package, manifest.path.display()))?;
        let rows: Vec<Vec<String>> = manifest
            .settings()
            .into_iter()
            .map(|setting| {
                vec![format!("{} = {}", setting.key, setting.value), format!("# {}", setting.origin)]
            })
            .collect();
        session.term.data(columns(&rows))?;
    }
    Ok(Exit::Ok)
}

fn shown(manifest: &Manifest) -> Shown {
    let Manifest { package, path, .. } = manifest;
    Shown { package: package.clone(), manifest: path.clone(), settings: manifest.settings() }
}
