//! cargo's own flags, with cargo's names and meaning.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;

/// Which packages.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Package Selection")]
pub(crate) struct PackageArgs {
    /// Package to work on
    #[arg(short, long, value_name = "SPEC")]
    pub(crate) package: Vec<String>,
    /// All packages of the workspace
    #[arg(long, alias = "all")]
    pub(crate) workspace: bool,
    /// Leave packages out
    #[arg(long, value_name = "SPEC", requires = "workspace")]
    pub(crate) exclude: Vec<String>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Assert that Cargo.lock stays unchanged
    #[arg(long)]
    pub(crate) locked: bool,
    /// --locked and --offline
    #[arg(long)]
    pub(crate) frozen: bool,
}

/// Which features of the packages are on.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Feature Selection")]
pub(crate) struct FeatureArgs {
    /// Features to activate, separated by commas or spaces
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub(crate) features: Vec<String>,
    /// Activate all features
    #[arg(long)]
    pub(crate) all_features: bool,
    /// Do not activate the `default` feature
    #[arg(long)]
    pub(crate) no_default_features: bool,
}

impl FeatureArgs {
    /// The flags as cargo takes them.
    pub(crate) fn flags(&self) -> Vec<String> {
        let switches =
            [("--all-features", self.all_features), ("--no-default-features", self.no_default_features)];
        let switches = switches.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.to_owned());
        let lists = self.features.iter().flat_map(|list| ["--features".to_owned(), list.clone()]);
        switches.chain(lists).collect()
    }
}

/// What of the packages is built, and how.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Compilation Options")]
pub(crate) struct BuildFlags {
    /// Build with optimizations
    #[arg(short, long, conflicts_with = "profile")]
    pub(crate) release: bool,
    /// Build with this profile
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Build for this target triple
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,
    /// Folder for everything that is built
    #[arg(long, value_name = "FOLDER")]
    pub(crate) target_dir: Option<PathBuf>,
    /// Number of jobs at once
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<String>,
    /// Build only the library
    #[arg(long)]
    pub(crate) lib: bool,
    /// Build only this binary
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Vec<String>,
    /// Build all binaries
    #[arg(long)]
    pub(crate) bins: bool,
    /// Build only this example
    #[arg(long, value_name = "NAME")]
    pub(crate) example: Vec<String>,
    /// Build all examples
    #[arg(long)]
    pub(crate) examples: bool,
    /// Build all targets
    #[arg(long)]
    pub(crate) all_targets: bool,
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
}

impl PackageArgs {
    /// Adds these flags to a cargo command.
    pub(crate) fn add_to(&self, command: &mut Command, offline: bool) {
        if let Some(path) = &self.manifest_path {
            command.arg("--manifest-path").arg(path);
        }
        for package in &self.package {
            command.args(["--package", package]);
        }
        if self.workspace {
            command.arg("--workspace");
        }
        for package in &self.exclude {
            command.args(["--exclude", package]);
        }
        for (flag, given) in [("--locked", self.locked), ("--frozen", self.frozen), ("--offline", offline)] {
            if given {
                command.arg(flag);
            }
        }
    }
}

impl BuildFlags {
    /// Adds these flags to a cargo command.
    pub(crate) fn add_to(&self, command: &mut Command) {
        let switches = [
            ("--release", self.release),
            ("--lib", self.lib),
            ("--bins", self.bins),
            ("--examples", self.examples),
            ("--all-targets", self.all_targets),
        ];
        command.args(switches.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag));
        let values = [("--profile", &self.profile), ("--target", &self.target), ("--jobs", &self.jobs)];
        for (flag, value) in values {
            if let Some(value) = value {
                command.args([flag, value]);
            }
        }
        command.args(self.features.flags());
        for (flag, list) in [("--bin", &self.bin), ("--example", &self.example)] {
            for value in list {
                command.args([flag, value]);
            }
        }
        if let Some(folder) = &self.target_dir {
            command.arg("--target-dir").arg(folder);
        }
    }

    /// The folder of the profile below the target folder, as cargo names it.
    pub(crate) fn profile_folder(&self) -> &str {
        match self.profile.as_deref() {
            Some("dev" | "test") => "debug",
            Some("bench") => "release",
            Some(name) => name,
            None if self.release => "release",
            None => "debug",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_reach_cargo_unchanged() {
        let packages = PackageArgs { package: vec!["a".into()], locked: true, ..PackageArgs::default() };
        let flags = BuildFlags {
            release: true,
            target: Some("aarch64-linux-android".into()),
            features: FeatureArgs { features: vec!["x,y".into()], ..FeatureArgs::default() },
            ..BuildFlags::default()
        };
        let mut command = Command::new("cargo");
        packages.add_to(&mut command, true);
        flags.add_to(&mut command);
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let expected =
            "--package a --locked --offline --release --target aarch64-linux-android --features x,y";
        assert_eq!(args.join(" "), expected);
    }

    #[test]
    fn profiles_have_cargos_folders() {
        let folder = |profile: Option<&str>, release| {
            let profile = profile.map(str::to_owned);
            BuildFlags { profile, release, ..BuildFlags::default() }.profile_folder().to_owned()
        };
        assert_eq!(folder(None, false), "debug");
        assert_eq!(folder(None, true), "release");
        assert_eq!(folder(Some("dev"), false), "debug");
        assert_eq!(folder(Some("dist"), false), "dist");
    }
}
