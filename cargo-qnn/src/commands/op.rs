//! `cargo qnn op`: op packages by themselves.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use qnn_pipeline::driver::Limits;
use qnn_pipeline::op_package::toolchain::Places;
use qnn_pipeline::op_package::{Built, Kind, Package, Settings, Target, build, definitions};
use qnn_types::Diagnostic;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::models::{libraries, store};
use crate::op::folder;
use crate::op::scaffold::{self, NewArgs};
use crate::session::Session;

/// Arguments of `cargo qnn op`.
#[derive(Debug, Args)]
pub(crate) struct OpArgs {
    #[command(subcommand)]
    command: OpCommand,
}

#[derive(Debug, Subcommand)]
enum OpCommand {
    /// Make a new op package, from op definitions or from a few words; it builds and runs at once
    New(NewArgs),
    /// Find everything that is wrong with op definitions, and where the code says something else
    Check(CheckArgs),
    /// Build an op package: for this machine, or for every target named
    Build(BuildArgs),
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The package's folder, or an XML file with op definitions
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Print the documentation of the ops as Markdown
    #[arg(long, conflicts_with = "json")]
    docs: bool,
    /// Print the ops as Rust constants
    #[arg(long, conflicts_with_all = ["json", "docs"])]
    rust: bool,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct BuildArgs {
    /// The package's folder
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// What to build for, separated by commas: htp-x86, hexagon-v68 to hexagon-v81, htp-aarch64-android, cpu-x86,
    /// cpu-aarch64-android; `hexagon` is all of them for the NPU, `all` those and htp-x86
    #[arg(short, long, value_name = "TARGET", value_delimiter = ',', default_value = "htp-x86")]
    target: Vec<String>,
    /// Where to build, instead of the folder `build` in the package
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Number of compilers at once
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// What `op check --json` answers.
#[derive(Serialize)]
struct Checked {
    ok: bool,
    problems: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

/// A library, as `op build --json` shows it.
#[derive(Serialize)]
struct Listed {
    target: String,
    library: PathBuf,
    blake3: String,
    /// Sources that were compiled now.
    compiled: Vec<PathBuf>,
    linked: bool,
}

pub(crate) fn run(session: &Session, args: &OpArgs) -> Result<Exit> {
    match &args.command {
        OpCommand::New(args) => scaffold::run(session, args),
        OpCommand::Check(args) => check(session, args),
        OpCommand::Build(args) => build_package(session, args),
    }
}

fn user(problems: Vec<Diagnostic>) -> Failure {
    Failure { exit: Exit::User, problems }
}

fn check(session: &Session, args: &CheckArgs) -> Result<Exit> {
    let result = if args.path.is_dir() {
        Package::open("", &folder::spec(&args.path)).map(|package| (package.definition, package.warnings))
    } else {
        definitions(&args.path, Kind::Qhpi)
    };
    let (definition, found) = match result {
        Ok((definition, found)) => (Some(definition), found),
        Err(problems) => (None, problems),
    };
    let (warnings, problems): (Vec<Diagnostic>, Vec<Diagnostic>) =
        found.into_iter().partition(|finding| finding.code == "E0903");
    warnings.iter().for_each(|warning| session.term.warning(warning));
    if args.json {
        session.term.json(&Checked { ok: problems.is_empty(), problems: problems.clone(), warnings })?;
    }
    if let (true, Some(definition)) = (problems.is_empty(), &definition) {
        if args.docs {
            session.term.data(qnn_ops::markdown(definition))?;
        } else if args.rust {
            let from = args.path.file_name().unwrap_or_default().to_string_lossy();
            session.term.data(qnn_ops::rust_constants(definition, &from))?;
        } else {
            let ops = definition.ops.len();
            session.term.status(
                "Checked",
                format!("{} ({ops} {})", definition.name, if ops == 1 { "op" } else { "ops" }),
            );
        }
    }
    if problems.is_empty() { Ok(Exit::Ok) } else { Err(user(problems)) }
}

fn build_package(session: &Session, args: &BuildArgs) -> Result<Exit> {
    let package = Package::open("", &folder::spec(&args.folder)).map_err(user)?;
    package.warnings.iter().for_each(|warning| session.term.warning(warning));
    let targets = targets(&args.target)?;
    let store = store(None)?;
    let memo = store.memo();
    // Only packages for this machine are linked against the libraries.
    let here = targets.contains(&Target::HtpX86);
    let resolved = if here { Some(libraries(session, &memo)?) } else { None };
    let out = args.out.clone().unwrap_or_else(|| package.folder.join("build"));
    let out = std::path::absolute(&out).unwrap_or(out);
    let from_env = Limits::from_env();
    let limits = Limits { jobs: args.jobs.or(from_env.jobs), ..from_env };
    let settings = Settings {
        out: &out,
        places: &Places::from_env(),
        qnn_lib_dir: resolved.as_ref().map(|resolved| &*resolved.toolchain.qnn_lib_dir),
        build_id: resolved.as_ref().map(|resolved| &*resolved.build_id),
        limits: &limits,
        memo: &memo,
    };
    let built = build(&package, &targets, &settings).map_err(user)?;
    report(session, args, &package, &built)
}

fn report(session: &Session, args: &BuildArgs, package: &Package, built: &[Built]) -> Result<Exit> {
    let term = &session.term;
    for one in built {
        one.warnings.iter().for_each(|text| term.warn(text.clone()));
        let name = |path: &Path| path.strip_prefix(&package.folder).unwrap_or(path).display().to_string();
        match one.linked {
            true => term.status(
                "Built",
                format!(
                    "{} for {} ({} compiled): {}",
                    package.definition.name,
                    one.target,
                    one.compiled.len(),
                    name(&one.library)
                ),
            ),
            false => term.verbose("Fresh", format!("{} for {}", package.definition.name, one.target)),
        }
    }
    if let Some(commands) = built.iter().find_map(|one| one.new_commands.as_ref()) {
        let folder = commands.parent().unwrap_or(commands);
        term.note(format!(
            "editors: {} has the command of every source; clangd takes it by --compile-commands-dir={}",
            commands.display(),
            folder.display()
        ));
    }
    if args.json {
        let listed = built.iter().map(|one| Listed {
            target: one.target.to_string(),
            library: one.library.clone(),
            blake3: one.blake3.clone(),
            compiled: one.compiled.clone(),
            linked: one.linked,
        });
        term.json(&listed.collect::<Vec<_>>())?;
    }
    Ok(Exit::Ok)
}

fn targets(names: &[String]) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for name in names {
        let is_hexagon = |target: &Target| matches!(target, Target::Hexagon(_));
        match name.as_str() {
            "hexagon" => targets.extend(Target::all().filter(is_hexagon)),
            "all" => {
                targets.extend(Target::all().filter(|target| is_hexagon(target) || *target == Target::HtpX86))
            }
            name => targets.push(name.parse().map_err(Failure::usage)?),
        }
    }
    targets.sort();
    targets.dedup();
    Ok(targets)
}
