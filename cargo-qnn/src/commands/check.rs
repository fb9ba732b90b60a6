//! `cargo qnn check`: every problem of every model, without compiling to the end.

use clap::Args;
use qnn_pipeline::driver::JobId;
use qnn_pipeline::package;
use qnn_types::Report;
use serde::Serialize;

use crate::args::{ConfigArgs, FeatureArgs, JobArgs, PackageArgs};
use crate::exit::Exit;
use crate::failure::Result;
use crate::models::Models;
use crate::progress::{CHECK, Shown};
use crate::session::Session;
use crate::workspace::Workspace;

/// Arguments of `cargo qnn check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Number of jobs at once
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) packages: PackageArgs,
    #[command(flatten)]
    features: FeatureArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    job: JobArgs,
}

/// The whole answer, as `--json` shows it.
#[derive(Serialize)]
struct Answer {
    ok: bool,
    problems: Vec<qnn_types::Diagnostic>,
    warnings: Vec<qnn_types::Diagnostic>,
    reports: Vec<Checked>,
}

/// What became of a model for a SoC.
#[derive(Serialize)]
struct Checked {
    package: String,
    model: String,
    soc: String,
    /// Of a language model.
    #[serde(skip_serializing_if = "String::is_empty")]
    part: String,
    #[serde(flatten)]
    report: Report,
}

pub(crate) fn run(session: &Session, args: &CheckArgs) -> Result<Exit> {
    let workspace = Workspace::resolve(session, &args.packages, &args.features)?;
    let models = Models::plan(session, &workspace, &args.config, &args.job, args.jobs, None)?;
    let result = package::check(&models.packages, &models.compiler()?, &Shown::new(&session.term, CHECK));
    match result {
        Ok((reports, warnings)) => {
            warnings.iter().for_each(|warning| session.term.warning(warning));
            if args.json {
                let jobs = models
                    .packages
                    .iter()
                    .flat_map(|package| package.plan.jobs().map(move |job| (package, job.1)));
                let reports = jobs.zip(reports).map(|((package, job), report)| {
                    let JobId { package, model, soc, part, .. } = JobId::of(&package.name, job);
                    Checked { package, model, soc, part, report }
                });
                let reports = reports.collect();
                session.term.json(&Answer { ok: true, problems: vec![], warnings, reports })?;
            }
            Ok(Exit::Ok)
        }
        Err(error) => {
            if args.json {
                let (problems, warnings) = (error.problems.clone(), error.warnings.clone());
                session.term.json(&Answer { ok: false, problems, warnings, reports: vec![] })?;
            }
            error.warnings.iter().for_each(|warning| session.term.warning(warning));
            Err(error.into())
        }
    }
}
