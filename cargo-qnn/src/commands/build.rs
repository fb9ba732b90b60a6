//! `cargo qnn build`: compiles the models that are missing, then lets cargo build the app.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use clap::Args;
use qnn_manifest::Mode;
use qnn_pipeline::artifacts::mark_stale;
use qnn_pipeline::compile::Request;
use qnn_pipeline::package::Package;
use qnn_pipeline::package::{self, Collected};
use qnn_pipeline::store::Lookup;
use qnn_platform::env;
use qnn_types::{ArtifactKind, Diagnostic, Message, PlannedJob};

use crate::args::{BuildFlags, ConfigArgs, JobArgs, PackageArgs};
use crate::cargo_config;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};
use crate::models::Models;
use crate::ndk::{self, Ndk};
use crate::programs::{command_line, quote};
use crate::progress::{COMPILE, Shown};
use crate::session::Session;
use crate::term::Terminal;
use crate::toolchain;
use crate::workspace::{Workspace, cargo};

/// Arguments of `cargo qnn build`.
#[derive(Clone, Debug, Args)]
pub(crate) struct BuildArgs {
    /// Compile the models and stop before `cargo build`
    #[arg(long)]
    pub(crate) artifacts_only: bool,
    /// Print the plan, the command and its environment; do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Android API level to link for
    #[arg(long, value_name = "LEVEL", default_value_t = ndk::DEFAULT_API)]
    pub(crate) android_api: u32,
    /// Output format, passed on to cargo; `json` also describes artifacts and problems
    #[arg(long, value_name = "FORMAT")]
    pub(crate) message_format: Option<String>,
    /// Further arguments for cargo
    #[arg(last = true, value_name = "CARGO ARGS")]
    pub(crate) rest: Vec<OsString>,
    #[command(flatten)]
    pub(crate) packages: PackageArgs,
    #[command(flatten)]
    pub(crate) flags: BuildFlags,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    #[command(flatten)]
    pub(crate) job: JobArgs,
}

impl BuildArgs {
    fn json(&self) -> bool {
        self.message_format.as_deref().is_some_and(|format| format.starts_with("json"))
    }
}

/// Which cargo command follows the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Build,
    Run,
}

pub(crate) fn run(session: &Session, args: &BuildArgs) -> Result<Exit> {
    build(session, args, Then::Build)
}

/// Compiles the models, collects them, and runs cargo.
pub(crate) fn build(session: &Session, args: &BuildArgs, then: Then) -> Result<Exit> {
    let result = build_inner(session, args, then);
    if let (Err(failure), true) = (&result, args.json()) {
        for diagnostic in &failure.problems {
            session.term.json_line(&told("error", diagnostic))?;
        }
    }
    result
}

fn build_inner(session: &Session, args: &BuildArgs, then: Then) -> Result<Exit> {
    let (mode, why) = Mode::from_env()?;
    let folder = app_folder(args);
    let target = args.flags.target.clone().or_else(|| cargo_config::default_target(&folder));
    let (packages, features) = (&args.packages, &args.flags.features);
    let workspace = Workspace::with_dependencies(session, packages, features, target.as_deref())?;
    let environment = environment(args, target.as_deref(), &folder)?;
    let command = cargo_command(session, args, then, &environment);
    let manifests = workspace.manifests_or_none(&args.config.overrides())?;
    if manifests.is_empty() {
        // As cargo would: a workspace has packages without models, too.
        workspace.no_model().problems.iter().for_each(|problem| session.term.warning(problem));
    }
    if args.dry_run {
        return dry_run(session, args, (&workspace, target.as_deref()), &environment, &command);
    }
    if mode == Mode::Required && !manifests.is_empty() {
        let built = manifests.iter().filter(|_| !args.artifacts_only);
        for package in workspace.without_build_script(built) {
            session.term.warning(&not_included(&package.name));
        }
        artifacts(session, args, &workspace, target.as_deref())?;
    }
    if args.artifacts_only {
        return Ok(Exit::Ok);
    }
    let exit = run_cargo(session, command)?;
    if mode != Mode::Required && exit == Exit::Ok {
        session.term.warn(format!("no model was compiled: {why}"));
    }
    Ok(exit)
}

fn told(level: &str, diagnostic: &Diagnostic) -> Message {
    Message::Diagnostic { level: level.to_owned(), diagnostic: Box::new(diagnostic.clone()) }
}

fn not_included(package: &str) -> Diagnostic {
    let message =
        format!("package `{package}` has models, and no build script that brings them into the app");
    Diagnostic::new("E0123", message)
        .note("it needs a build.rs that calls `qnn_build::compile()`, and qnn-build in [build-dependencies]")
        .help("`cargo qnn init` writes both")
}

/// Compiles what is missing, and puts all context binaries beside what cargo builds.
fn artifacts(session: &Session, args: &BuildArgs, workspace: &Workspace, target: Option<&str>) -> Result<()> {
    let target_dir = args.flags.target_dir.as_deref().unwrap_or(&workspace.target_dir);
    let profile = args.flags.profile_folder();
    let output = &profile_folder(target_dir, target, profile).join("qnn");
    let term = &session.term;
    let jobs = args.flags.jobs.as_deref().and_then(|jobs| jobs.parse().ok());
    let mut models = Models::plan(session, workspace, &args.config, &args.job, jobs, target)?;
    let packages = std::mem::take(&mut models.packages);
    packages.iter().flat_map(|package| &package.plan.notes).for_each(|note| term.note(note));
    let compiler = models.compiler()?;
    let (built, warnings) = package::build(packages, &compiler, &Shown::new(term, COMPILE))?;
    for warning in &warnings {
        term.warning(warning);
        if args.json() {
            term.json_line(&told("warning", warning))?;
        }
    }
    make_target_dir(target_dir)?;
    let collected = package::collect(&built, output, &models.memo)?;
    for folder in std::iter::once(target_dir).chain(workspace.build_dir.as_deref()) {
        for stale in mark_stale(&profile_folder(folder, target, profile).join("build"), &built) {
            term.verbose("Stale", stale.display());
        }
    }
    announce(term, args, &collected, output)
}

fn announce(
    term: &Terminal,
    args: &BuildArgs,
    Collected { manifest, fresh }: &Collected,
    output: &Path,
) -> Result<()> {
    if args.json() {
        for (artifact, fresh) in manifest.artifacts.iter().zip(fresh) {
            let path = output.join(&artifact.file);
            let artifact = Box::new(artifact.clone());
            term.json_line(&Message::Artifact { path, fresh: *fresh, artifact })?;
        }
    }
    let binaries = manifest.artifacts.iter().filter(|artifact| artifact.kind == ArtifactKind::ContextBinary);
    let count = match binaries.count() {
        1 => "1 context binary".to_owned(),
        n => format!("{n} context binaries"),
    };
    let line = format!("{count} in {}", output.display());
    if fresh.iter().all(|fresh| *fresh) && !args.artifacts_only {
        term.verbose("Fresh", line);
    } else {
        term.status("Collected", line);
    }
    Ok(())
}

/// Folder from which cargo looks for its configuration: where it is started.
fn app_folder(args: &BuildArgs) -> PathBuf {
    let named = args.packages.manifest_path.as_deref().and_then(Path::parent).map(Path::to_owned);
    // cargo reads the configuration of the working directory, wherever the manifest is.
    std::env::current_dir().ok().or(named).unwrap_or_default()
}

/// `target/<triple>/<profile>`.
fn profile_folder(target_dir: &Path, target: Option<&str>, profile: &str) -> PathBuf {
    let folder = match target {
        // A target may be given as the path of its specification.
        Some(target) => target_dir.join(Path::new(target).file_stem().unwrap_or(target.as_ref())),
        None => target_dir.to_owned(),
    };
    folder.join(profile)
}

/// cargo marks its target folder as a cache only when it makes the folder itself; here it may be made before.
fn make_target_dir(folder: &Path) -> Result<()> {
    const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
                       # This folder is made by cargo: everything in it can be made again.\n";
    if !folder.exists() {
        std::fs::create_dir_all(folder).at("cannot create", folder)?;
        let tag = folder.join("CACHEDIR.TAG");
        std::fs::write(&tag, TAG).at("cannot write", &tag)?;
    }
    Ok(())
}

/// The variables for cargo and the build scripts that it runs.
fn environment(args: &BuildArgs, target: Option<&str>, folder: &Path) -> Result<Vec<(String, OsString)>> {
    let mut variables: Vec<(String, OsString)> = Vec::new();
    if let Ok(program) = std::env::current_exe() {
        variables.push((env::CARGO_QNN.name.to_owned(), program.into()));
    }
    // Build scripts plan the same models: what the flags say reaches them through the environment.
    if !args.config.soc.is_empty() {
        variables.push((env::QNN_SOC.name.to_owned(), args.config.soc.join(",").into()));
    }
    if !args.config.config.is_empty() {
        let inherited = env::string(&env::QNN_CONFIG);
        let lines: Vec<String> = inherited.into_iter().chain(args.config.config.clone()).collect();
        variables.push((env::QNN_CONFIG.name.to_owned(), lines.join("\n").into()));
    }
    if let Some(triple) = target.filter(|triple| ndk::is_android(triple)) {
        let linker = env::family(&env::CARGO_TARGET_LINKER, &triple.replace('-', "_").to_uppercase());
        match Ndk::find()? {
            Some(ndk) => variables.extend(ndk.variables(triple, args.android_api, folder)?),
            // Somebody else (cargo-ndk, the user) says how to link.
            None if linker.is_some() => {}
            None if cargo_config::get(folder, &["target", triple, "linker"]).is_some() => {}
            None if args.artifacts_only => {}
            None => {
                return Err(
                    Ndk::require(triple).map_or_else(|failure| failure, |_| Failure::silent(Exit::Ok))
                );
            }
        }
    }
    Ok(variables)
}

fn cargo_command(
    session: &Session,
    args: &BuildArgs,
    then: Then,
    environment: &[(String, OsString)],
) -> Command {
    let mut command = Command::new(cargo());
    command.arg(match then {
        Then::Build => "build",
        Then::Run => "run",
    });
    let mut packages = args.packages.clone();
    if then == Then::Run {
        // `cargo run` takes one package and knows no --workspace.
        packages.workspace = false;
        packages.exclude.clear();
    }
    packages.add_to(&mut command, session.offline);
    args.flags.add_to(&mut command);
    if let Some(format) = &args.message_format {
        command.args(["--message-format", format]);
    }
    session.add_to(&mut command);
    match then {
        Then::Build => command.args(&args.rest),
        Then::Run if args.rest.is_empty() => &mut command,
        Then::Run => command.arg("--").args(&args.rest),
    };
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

fn run_cargo(session: &Session, mut command: Command) -> Result<Exit> {
    session.term.verbose("Running", command_line(&command));
    command.stdin(Stdio::inherit());
    let program = PathBuf::from(command.get_program());
    let status = command.status().at("cannot run", &program)?;
    match status.code() {
        Some(0) => Ok(Exit::Ok),
        // cargo, or the app that it ran, has said what is wrong.
        Some(code) => Err(Failure::passed_on(code)),
        // cargo becomes the app that it runs: the code is the one that a shell would give.
        None => {
            let failure = Failure::user(format!("cargo, or the app that it ran, ended with {status}"));
            Err(Failure { exit: killed(status).unwrap_or(failure.exit), ..failure })
        }
    }
}

#[cfg(unix)]
fn killed(status: ExitStatus) -> Option<Exit> {
    let signal = std::os::unix::process::ExitStatusExt::signal(&status)?;
    u8::try_from(128 + signal).ok().map(Exit::PassedOn)
}

#[cfg(not(unix))]
fn killed(_: ExitStatus) -> Option<Exit> {
    None
}

/// Prints what a build would do.
fn dry_run(
    session: &Session,
    args: &BuildArgs,
    (workspace, target): (&Workspace, Option<&str>),
    environment: &[(String, OsString)],
    command: &Command,
) -> Result<Exit> {
    let models = planned(session, args, workspace, target)?;
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let environment: Vec<(String, String)> = environment
        .iter()
        .map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned()))
        .collect();
    if args.json() {
        session.term.json_line(&Message::Plan { models, environment, command: words })?;
        return Ok(Exit::Ok);
    }
    let term = &session.term;
    term.data("plan:")?;
    for PlannedJob { package, model, soc, part, source, fresh } in models {
        let what = match fresh {
            Some(true) => "in the store",
            Some(false) => "to be compiled",
            None => "to be compiled unless the store has it; the QNN libraries are installed first",
        };
        let part = part.map_or(String::new(), |part| format!(" {part}"));
        term.data(format!("  {package}: {model}{part} for {soc}, from {}: {what}", source.display()))?;
    }
    term.data("environment:")?;
    for (name, value) in environment {
        term.data(format!("  {name}={}", quote(&value)))?;
    }
    term.data(format!("command:\n  {}", command_line(command)))?;
    Ok(Exit::Ok)
}

fn planned(
    session: &Session,
    args: &BuildArgs,
    workspace: &Workspace,
    target: Option<&str>,
) -> Result<Vec<PlannedJob>> {
    let row = |package: &str, model: &str, soc: &str, part, source: &Path, fresh| PlannedJob {
        package: package.to_owned(),
        model: model.to_owned(),
        soc: soc.to_owned(),
        part,
        source: source.to_owned(),
        fresh,
    };
    let manifests = workspace.manifests_or_none(&args.config.overrides())?;
    if toolchain::resolve(None).is_err() || manifests.is_empty() {
        // Nothing is installed for a dry run; what would be compiled can be told all the same.
        let mut rows = Vec::new();
        for manifest in &manifests {
            for (name, model) in &manifest.config.models {
                for soc in model.soc.as_ref().unwrap_or(&manifest.config.soc) {
                    rows.push(row(&manifest.package, name, soc, None, &model.source, None));
                }
            }
        }
        return Ok(rows);
    }
    let models = Models::plan(session, workspace, &args.config, &args.job, None, target)?;
    let compiler = models.compiler()?;
    let fresh = |package: &Package, job, facts| {
        let key = compiler.key(&Request { package: &package.name, job, facts });
        key.is_ok_and(|key| matches!(models.store.get(&key), Lookup::Hit(_)))
    };
    let rows = models.packages.iter().flat_map(|package| {
        package.plan.jobs().map(move |(model, job)| {
            row(
                &package.name,
                &model.name,
                &job.soc.name,
                job.llm.as_ref().map(|part| part.what.to_string()),
                &model.source,
                Some(fresh(package, job, &model.facts)),
            )
        })
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_go_beside_what_cargo_builds() {
        let folder = |target| profile_folder(Path::new("/t"), target, "release");
        assert_eq!(folder(None), Path::new("/t/release"));
        assert_eq!(folder(Some("aarch64-linux-android")), Path::new("/t/aarch64-linux-android/release"));
        assert_eq!(folder(Some("specs/my-target.json")), Path::new("/t/my-target/release"));
    }
}
