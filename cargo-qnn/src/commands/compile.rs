//! `cargo qnn compile`: a model file to a context binary, without a manifest.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use qnn_manifest::{is_llm, source_format};
use qnn_pipeline::driver::{self, JobId, Limits, RunOptions, Task, memory_estimate};
use qnn_pipeline::op_package::Builds;
use qnn_pipeline::package::{self, Package};
use qnn_platform::env;
use qnn_types::{CompileJob, Job, Report, Samples, SourceFormat};
use serde::Serialize;

use crate::args::{CompileFlags, JobArgs, LlmFlags, examples};
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::jobs;
use crate::models::Models;
use crate::outputs::{Partial, not_over};
use crate::progress::{COMPILE, OBSERVE, Shown};
use crate::report;
use crate::session::Session;
use crate::toolchain::ensure;

/// Arguments of `cargo qnn compile`.
#[derive(Debug, Args)]
#[command(after_help = examples::COMPILE)]
pub(crate) struct CompileArgs {
    /// The model: .onnx or .dlc; or a language model: .gguf, or a Hugging Face folder
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// SoCs to compile for, separated by commas; see `cargo qnn socs`
    #[arg(long, value_name = "SOC", value_delimiter = ',', required = true)]
    soc: Vec<String>,
    /// The context binary to write; with several SoCs, each gets its name before the extension. Of a language model, the folder
    /// for all its files
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Number of jobs at once
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: CompileFlags,
    #[command(flatten)]
    llm: LlmFlags,
    #[command(flatten)]
    job: JobArgs,
}

/// A context binary, as `--json` shows it.
#[derive(Serialize)]
struct Compiled<'a> {
    model: &'a str,
    soc: &'a str,
    output: &'a Path,
    report: &'a Report,
}

pub(crate) fn run(session: &Session, args: &CompileArgs) -> Result<Exit> {
    if source_format(&args.file).is_ok_and(is_llm) {
        return language_model(session, args);
    }
    if args.llm.given() {
        let message =
            format!("{} is no language model, and options of language models are given", args.file.display());
        return Err(
            Failure::usage(message).help("see \"Language Model Options\" in --help for which these are")
        );
    }
    let toolchain = ensure(session)?.for_job();
    let planned = args.flags.jobs(session, &args.file, &args.soc, &toolchain)?;
    let several = planned.len() > 1;
    let outputs: Vec<PathBuf> = planned
        .iter()
        .map(|job| if several { with_soc(&args.output, &job.soc.name) } else { args.output.clone() })
        .collect();
    for (job, output) in planned.iter().zip(&outputs) {
        let samples = match &job.samples {
            Some(Samples::File(file)) => Some(file),
            _ => None,
        };
        let read = std::iter::once(&job.source).chain(&job.encodings).chain(samples).map(PathBuf::as_path);
        let external = args.flags.external(&args.file);
        not_over(output, read.chain(external.iter().map(PathBuf::as_path)))?;
    }
    let planned = observed(session, args, planned)?;
    let reports = compile_all(session, args, &planned, &outputs)?;
    for ((job, output), report) in planned.iter().zip(&outputs).zip(&reports) {
        if !args.json {
            session.term.data(report::compiled(job, output, report))?;
        }
    }
    if args.json {
        let compiled = planned.iter().zip(&outputs).zip(&reports).map(|((job, output), report)| Compiled {
            model: &job.model,
            soc: &job.soc.name,
            output,
            report,
        });
        session.term.json(&compiled.collect::<Vec<_>>())?;
    }
    Ok(Exit::Ok)
}

/// Compiles all parts of a language model, through the store: what is there is not compiled again.
fn language_model(session: &Session, args: &CompileArgs) -> Result<Exit> {
    if args.output.is_file() {
        let message = format!("{} is a file, and a language model becomes several", args.output.display());
        return Err(Failure::new(Exit::User, codes::OUTPUT_FILE, message).help("name a folder with -o"));
    }
    let llm = args.llm.options().map_err(Failure::usage)?;
    let plan = |builds: &Builds<'_>| {
        let toolchain = &builds.resolved.toolchain;
        let plan = args.flags.plan(session, &args.file, &args.soc, llm, toolchain, builds.memo)?;
        Ok(vec![Package { name: String::new(), plan, op_packages: Vec::new(), warnings: Vec::new() }])
    };
    let mut models = Models::of(session, None, &args.job, args.jobs, plan)?;
    let packages = std::mem::take(&mut models.packages);
    packages.iter().flat_map(|package| &package.plan.notes).for_each(|note| session.term.note(note));
    let (built, warnings) =
        package::build(packages, &models.compiler()?, &Shown::new(&session.term, COMPILE))?;
    warnings.iter().for_each(|warning| session.term.warning(warning));
    let collected = package::collect(&built, &args.output, &models.memo)?;
    if args.json {
        session.term.json(&collected.manifest.artifacts)?;
        return Ok(Exit::Ok);
    }
    for artifact in &collected.manifest.artifacts {
        session.term.data(report::artifact(artifact, &args.output))?;
    }
    Ok(Exit::Ok)
}

/// `out.bin` for SM8650 is `out.SM8650.bin`.
fn with_soc(output: &Path, soc: &str) -> PathBuf {
    match output.extension() {
        Some(extension) => output.with_extension(format!("{soc}.{}", extension.to_string_lossy())),
        None => output.with_extension(soc),
    }
}

/// The jobs with what the model's values reach on its samples, where several SoCs would each find it out.
fn observed(session: &Session, args: &CompileArgs, mut planned: Vec<CompileJob>) -> Result<Vec<CompileJob>> {
    let [first, _, ..] = &planned[..] else { return Ok(planned) };
    if first.samples.is_none() || first.format != SourceFormat::Onnx {
        return Ok(planned);
    }
    let id = JobId { soc: String::new(), ..JobId::of("", first) };
    let ranges = jobs::run(session, &Job::Observe(first.clone()), &id, OBSERVE, args.job.timeout()?)?.ranges;
    planned.iter_mut().for_each(|job| job.ranges.clone_from(&ranges));
    Ok(planned)
}

/// Compiles all jobs side by side. Every failure is reported, not only the first.
fn compile_all(
    session: &Session,
    args: &CompileArgs,
    planned: &[CompileJob],
    outputs: &[PathBuf],
) -> Result<Vec<Report>> {
    let timeout = args.job.timeout()?;
    let from_env = Limits::from_env();
    let memory = args.job.mem_limit.map(|mib| mib.saturating_mul(1 << 20)).or(from_env.memory);
    let limits = Limits { jobs: args.jobs.or(from_env.jobs), memory, ..from_env };
    let progress = Shown::new(&session.term, COMPILE);
    let bytes = args.file.metadata().map_or(0, |meta| meta.len());
    let tasks = planned.iter().zip(outputs).map(|(job, output)| Task {
        memory: memory_estimate(bytes),
        run: Box::new(|| compile_one(job, output, timeout.or(limits.timeout), &progress)),
    });
    let mut reports = Vec::new();
    let mut failed: Option<Failure> = None;
    for result in driver::run_all(tasks.collect(), &limits) {
        match (result, &mut failed) {
            (Ok(report), _) => reports.push(report),
            (Err(failure), None) => failed = Some(failure),
            (Err(failure), Some(all)) => all.problems.extend(failure.problems),
        }
    }
    failed.map_or(Ok(reports), Err)
}

/// Compiles into a file beside the output first, so that a context binary is there whole or not at all.
fn compile_one(
    job: &CompileJob,
    output: &Path,
    timeout: Option<Duration>,
    progress: &Shown<'_>,
) -> Result<Report> {
    let partial = Partial::new(output)?;
    let work = CompileJob { output: Some(partial.path().to_owned()), ..job.clone() };
    let id = JobId::of("", job);
    let keep = env::var(&env::QNN_KEEP).map(PathBuf::from);
    let options = RunOptions { timeout, log: None, keep: keep.as_deref() };
    let outcome = driver::run(&jobs::worker()?, &Job::Compile(work), &id, options, progress);
    let report = jobs::report(outcome)?;
    partial.finish()?;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soc_goes_before_the_extension() {
        assert_eq!(with_soc(Path::new("a/out.bin"), "SM8650"), Path::new("a/out.SM8650.bin"));
        assert_eq!(with_soc(Path::new("out"), "SM8650"), Path::new("out.SM8650"));
    }
}
