//! The packages of the user's workspace, as cargo tells them.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use qnn_manifest::{Manifest, Overrides};
use qnn_platform::env;
use qnn_platform::nearest::nearest;

use crate::args::{FeatureArgs, PackageArgs};
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};
use crate::features;
use crate::session::Session;

/// The cargo to run: the one that runs us, else the one on `PATH`.
pub(crate) fn cargo() -> PathBuf {
    env::var(&env::CARGO).map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// A workspace and the packages in it that a command is about.
pub(crate) struct Workspace {
    /// cargo's target folder.
    pub(crate) target_dir: PathBuf,
    /// Where cargo builds what nobody takes out, where that is another folder.
    pub(crate) build_dir: Option<PathBuf>,
    /// The selected packages, each with its features that are on; then those that they depend on and that may have models.
    packages: Vec<(Package, BTreeSet<String>)>,
    /// How many of them are selected.
    selected: usize,
}

impl Workspace {
    /// Asks cargo, and selects packages as cargo would.
    pub(crate) fn resolve(session: &Session, args: &PackageArgs, features: &FeatureArgs) -> Result<Self> {
        let metadata = command(session, args).no_deps().exec().map_err(|error| unresolved(&error))?;
        Self::of(&metadata, args, features)
    }

    /// As [`Workspace::resolve`], with the packages that they depend on when they are built for a target triple, or this machine.
    pub(crate) fn with_dependencies(
        session: &Session,
        args: &PackageArgs,
        features: &FeatureArgs,
        target: Option<&str>,
    ) -> Result<Self> {
        let mut options = options(session, args);
        options.extend(features.flags());
        // Of other platforms' packages nothing need be there.
        let platform = target.or(HOST);
        options.extend(
            platform.into_iter().flat_map(|triple| ["--filter-platform".to_owned(), triple.to_owned()]),
        );
        let Ok(metadata) = command(session, args).other_options(options).exec() else {
            // cargo itself will say what is wrong with the dependencies; or it is only the lock file that nobody has made yet.
            return Self::resolve(session, args, features);
        };
        let mut workspace = Self::of(&metadata, args, features)?;
        let selected: Vec<_> = workspace.packages.iter().map(|(package, _)| package.id.clone()).collect();
        for (id, on) in reached(&metadata, &selected) {
            let package = metadata.packages.iter().find(|package| package.id == id);
            if let Some(package) = package.filter(|package| has_build_script(package)) {
                workspace.packages.push((package.clone(), on));
            }
        }
        Ok(workspace)
    }

    fn of(metadata: &Metadata, args: &PackageArgs, features: &FeatureArgs) -> Result<Self> {
        let packages: Vec<_> = select(metadata, args)?
            .into_iter()
            .map(|package| {
                let on = features::of_selected(&package, features);
                (package, on)
            })
            .collect();
        let target_dir = metadata.target_directory.clone().into_std_path_buf();
        let build_dir = metadata.build_directory.clone().map(|folder| folder.into_std_path_buf());
        let selected = packages.len();
        Ok(Self { target_dir, build_dir, packages, selected })
    }

    /// The manifests of the packages that have models, of which the dependencies' come last. It is an error when none has.
    pub(crate) fn manifests(&self, overrides: &Overrides) -> Result<Vec<Manifest>> {
        let manifests = self.manifests_or_none(overrides)?;
        match manifests.is_empty() {
            true => Err(self.no_model()),
            false => Ok(manifests),
        }
    }

    /// As [`Workspace::manifests`], where it is no error when there are none.
    pub(crate) fn manifests_or_none(&self, overrides: &Overrides) -> Result<Vec<Manifest>> {
        let mut manifests = Vec::new();
        for (package, on) in &self.packages {
            let mut manifest = Manifest::load(package.manifest_path.as_std_path(), overrides)?;
            manifest.retain(|feature| on.contains(feature));
            if !manifest.config.models.is_empty() {
                manifests.push(manifest);
            }
        }
        Ok(manifests)
    }

    /// That no package declares a model.
    pub(crate) fn no_model(&self) -> Failure {
        let names = list(self.selected().map(|package| format!("`{}`", package.name)));
        Failure::new(Exit::User, codes::NO_MODEL, format!("no model is declared in {names}"))
            .help("add [package.metadata.qnn.models.NAME] with a `source`; `cargo qnn init` does it")
    }

    /// The selected packages of these manifests that have no build script which brings the models into the app.
    pub(crate) fn without_build_script<'a>(
        &'a self,
        manifests: impl Iterator<Item = &'a Manifest>,
    ) -> impl Iterator<Item = &'a Package> {
        manifests.filter_map(|manifest| {
            let package =
                self.selected().find(|package| manifest.path == package.manifest_path.as_std_path())?;
            (!has_build_script(package)).then_some(package)
        })
    }

    fn selected(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().take(self.selected).map(|(package, _)| package)
    }
}

/// Whether a package has what brings models into it: a build script that may use `qnn-build`.
fn has_build_script(package: &Package) -> bool {
    let uses =
        |dependency: &Dependency| dependency.name == "qnn-build" && dependency.kind == DependencyKind::Build;
    package.targets.iter().any(|target| target.is_custom_build()) && package.dependencies.iter().any(uses)
}

/// The packages that others are linked with, and their features.
fn reached(metadata: &Metadata, from: &[PackageId]) -> Vec<(PackageId, BTreeSet<String>)> {
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let mut seen: HashSet<&PackageId> = from.iter().collect();
    let mut next: Vec<&PackageId> = from.iter().collect();
    let mut found = Vec::new();
    while let Some(node) = next.pop().and_then(|id| nodes.iter().find(|node| node.id == *id)) {
        if !from.contains(&node.id) {
            let on = node.features.iter().map(|feature| feature.to_string()).collect();
            found.push((node.id.clone(), on));
        }
        let linked = node
            .deps
            .iter()
            .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
        next.extend(linked.map(|dependency| &dependency.pkg).filter(|id| seen.insert(*id)));
    }
    found
}

/// The triple of this machine, where it is one that models are compiled on.
const HOST: Option<&str> = if cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
    Some("x86_64-unknown-linux-gnu")
} else {
    None
};

fn command(session: &Session, args: &PackageArgs) -> MetadataCommand {
    let mut command = MetadataCommand::new();
    command.cargo_path(cargo());
    if let Some(path) = &args.manifest_path {
        command.manifest_path(path);
    }
    command.other_options(options(session, args));
    command
}

fn options(session: &Session, args: &PackageArgs) -> Vec<String> {
    let flags = [("--offline", session.offline), ("--locked", args.locked), ("--frozen", args.frozen)];
    flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.to_owned()).collect()
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
        Failure::new(Exit::Usage, codes::WORKSPACE, format!("package `{spec}` is not in the workspace"));
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
