//! `cargo qnn exec`: runs a context binary in the emulator.

use std::path::PathBuf;

use clap::Args;
use qnn_pipeline::driver::JobId;
use qnn_types::{ExecuteJob, Job, Report};
use serde::Serialize;

use crate::args::{JobArgs, examples};
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::jobs;
use crate::op::folder::OpPackageArgs;
use crate::outputs::not_over;
use crate::progress::EXECUTE;
use crate::session::Session;
use crate::target::target;
use crate::toolchain::ensure;

/// Arguments of `cargo qnn exec`.
#[derive(Debug, Args)]
#[command(after_help = examples::EXEC)]
pub(crate) struct ExecArgs {
    /// The context binary
    #[arg(value_name = "FILE.bin")]
    binary: PathBuf,
    /// One array per graph input, or batches of them
    #[arg(long, value_name = "FILE.npz")]
    inputs: PathBuf,
    /// Where to write one array per graph output
    #[arg(long, value_name = "FILE.npz")]
    outputs: PathBuf,
    /// SoC that the binary must be for
    #[arg(long, value_name = "SOC")]
    soc: Option<String>,
    /// The graph, where the binary has several
    #[arg(long, value_name = "NAME")]
    graph: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    own: OpPackageArgs,
    #[command(flatten)]
    job: JobArgs,
}

/// What `--json` answers.
#[derive(Serialize)]
struct Answer<'a> {
    outputs: &'a PathBuf,
    report: &'a Report,
}

pub(crate) fn run(session: &Session, args: &ExecArgs) -> Result<Exit> {
    for file in [&args.binary, &args.inputs] {
        if !file.is_file() {
            let message = format!("{} does not exist or is not a file", file.display());
            return Err(Failure::new(Exit::User, codes::INPUT_FILE, message));
        }
    }
    not_over(&args.outputs, [args.binary.as_path(), args.inputs.as_path()])?;
    let job = ExecuteJob {
        binary: args.binary.clone(),
        graph: args.graph.clone(),
        soc: args.soc.as_deref().map(target).transpose()?,
        inputs: args.inputs.clone(),
        outputs: args.outputs.clone(),
        op_packages: args.own.open(session)?,
        toolchain: ensure(session)?.for_job(),
    };
    let name = args.binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let id = JobId { model: name, soc: args.soc.clone().unwrap_or_default(), ..JobId::default() };
    let report = jobs::run(session, &Job::Execute(job), &id, EXECUTE, args.job.timeout()?)?;
    if args.json {
        session.term.json(&Answer { outputs: &args.outputs, report: &report })?;
    } else {
        session.term.status("Wrote", args.outputs.display());
    }
    Ok(Exit::Ok)
}
