//! The packages of the user's workspace, as cargo tells them.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package};
use qnn_build::manifest::{Manifest, Overrides};
use qnn_platform::env;
use qnn_platform::nearest::nearest;

use crate::args::PackageArgs;
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};
use crate::session::Session;

/// The cargo to run: the one that runs us, else the one on `PATH`.
pub(crate) fn cargo() -> PathBuf {
    env::var(&env::CARGO).map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// A workspace and the packages in it that a command is about.
pub(crate) struct Workspace {
    /// cargo's target folder.
    pub(crate) target_dir: PathBuf,
    /// The selected packages.
    pub(crate) packages: Vec<Package>,
}

impl Workspace {
    /// Asks cargo, and selects packages as cargo would.
    pub(crate) fn resolve(session: &Session, args: &PackageArgs) -> Result<Self> {
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo()).no_deps();
        if let Some(path) = &args.manifest_path {
            command.manifest_path(path);
        }
        let flags = [("--offline", session.offline), ("--locked", args.locked), ("--frozen", args.frozen)];
        command.other_options(
            flags
                .into_iter()
                .filter(|(_, given)| *given)
                .map(|(flag, _)| flag.to_owned())
                .collect::<Vec<_>>(),
        );
        let metadata = command.exec().map_err(|error| unresolved(&error))?;
        let packages = select(&metadata, args)?;
        Ok(Self { target_dir: metadata.target_directory.clone().into_std_path_buf(), packages })
    }

    /// The manifests of the selected packages that have models. It is an error when none has.
    pub(crate) fn manifests(&self, overrides: &Overrides) -> Result<Vec<Manifest>> {
        let mut manifests = Vec::new();
        for package in &self.packages {
            let manifest = Manifest::load(package.manifest_path.as_std_path(), overrides)?;
            if !manifest.config.models.is_empty() {
                manifests.push(manifest);
            }
        }
        if manifests.is_empty() {
            let names = list(self.packages.iter().map(|package| format!("`{}`", package.name)));
            return Err(Failure::new(
                Exit::User,
                codes::NO_MODEL,
                format!("no model is declared in {names}"),
            )
            .help("add [package.metadata.qnn.models.NAME] with a `source`; `cargo qnn init` does it"));
        }
        Ok(manifests)
    }
}

fn unresolved(error: &cargo_metadata::Error) -> Failure {
    let failure = Failure::new(Exit::User, codes::WORKSPACE, "the workspace cannot be resolved");
    match error {
        cargo_metadata::Error::CargoMetadata { stderr } => failure.note(stderr.trim().to_owned()),
        other => failure.note(other.to_string()),
    }
}

fn select(metadata: &Metadata, args: &PackageArgs) -> Result<Vec<Package>> {
    let members: Vec<&Package> = metadata.workspace_packages();
    let find = |spec: &String| {
        // The full form of a spec is a URL with the name behind `#`.
        let name = spec.rsplit(['#', '/']).next().unwrap_or(spec);
        let name = name.split('@').next().unwrap_or(name);
        members
            .iter()
            .find(|package| package.name.as_str() == name)
            .copied()
            .ok_or_else(|| unknown(spec, &members))
    };
    let chosen: Vec<&Package> = if !args.package.is_empty() {
        args.package.iter().map(find).collect::<Result<_>>()?
    } else if args.workspace {
        let excluded: Vec<&Package> = args.exclude.iter().map(find).collect::<Result<_>>()?;
        members.iter().filter(|package| !excluded.iter().any(|out| out.id == package.id)).copied().collect()
    } else {
        let here = args.manifest_path.clone().map_or_else(nearest_manifest, Some);
        let here = here.and_then(|path| path.canonicalize().ok());
        let own = members
            .iter()
            .find(|package| here.is_some() && Path::new(&package.manifest_path).canonicalize().ok() == here);
        own.map_or_else(|| metadata.workspace_default_packages(), |package| vec![*package])
    };
    Ok(chosen.into_iter().cloned().collect())
}

fn unknown(spec: &str, members: &[&Package]) -> Failure {
    let failure =
        Failure::new(Exit::User, codes::WORKSPACE, format!("package `{spec}` is not in the workspace"));
    let names: Vec<&str> = members.iter().map(|package| package.name.as_str()).collect();
    match nearest(spec, names.iter().copied(), 1).first() {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help(format!("its packages: {}", list(names))),
    }
}

/// The Cargo.toml that cargo takes when none is named.
pub(crate) fn nearest_manifest() -> Option<PathBuf> {
    let folder = std::env::current_dir().ok()?;
    folder.ancestors().map(|folder| folder.join("Cargo.toml")).find(|file| file.is_file())
}
