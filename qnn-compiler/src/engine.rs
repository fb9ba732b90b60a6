//! Runs jobs: the entry point of the engine.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use qnn_types::{
    Activations, CompileJob, Event, GraphSpec, Job, Observed, Report, SourceFormat, Stage, ValueRange,
};

use crate::calibrate;
use crate::computed;
use crate::custom::OpPackages;
use crate::frontend::{encodings, onnx};
use crate::graph::Graph;
use crate::htp::{self, Session};
use crate::passes::{Phase, Setting};
use crate::problem::{NodeName, Problems, Result, problem};
use crate::program::Program;
use crate::reference::{self, ReferenceEngine, Samples};
use crate::reporter::Reporter;
use crate::{llm, lower, passes};

/// Runs one job in this process and reports its way through `send`.
///
/// # Errors
/// Every problem that was found; warnings go through `send`.
pub fn run(job: &Job, send: &mut dyn FnMut(Event)) -> Result<Report> {
    let mut reporter = Reporter::new(send);
    match job {
        Job::Compile(job) => match job.format {
            SourceFormat::Onnx => compile(job, &mut reporter),
            SourceFormat::Gguf | SourceFormat::Safetensors => llm::compile(job, &mut reporter),
            SourceFormat::Dlc => compile_dlc(job, &mut reporter),
            SourceFormat::ContextBinary => htp::pass_on(job, &mut reporter),
        },
        Job::Check(job) => match job.format {
            SourceFormat::Onnx => check(job, &mut reporter),
            SourceFormat::Gguf | SourceFormat::Safetensors => llm::check(job, &mut reporter),
            // The library composes a DLC in one piece: a check is the compile without its output.
            SourceFormat::Dlc => check_dlc(job, &mut reporter),
            SourceFormat::ContextBinary => htp::pass_on(job, &mut reporter),
        },
        Job::Observe(job) => observe(job, &mut reporter),
        Job::Values(job) => computed::name(job, &mut reporter),
        Job::Export(job) => llm::export(job, &mut reporter),
        Job::Evaluate(job) => llm::evaluate(job, &mut reporter),
        Job::Execute(job) => htp::execute(job, &mut reporter),
        Job::Reference(job) => {
            reporter.stage(Stage::Reference);
            reference::run_job(job)?;
            Ok(Report { stage_ms: reporter.finish(), ..Report::default() })
        }
    }
}

/// Source file to context binary.
fn compile(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    let mut lowered = lower_all(job, reporter)?;
    reporter.stage(Stage::Load);
    let session = Session::open(job, reporter)?;
    let context = session.context(job)?;
    let shared = job.htp.weight_sharing(job.graphs.len());
    let mut estimates = Vec::new();
    for program in &mut lowered.programs {
        reporter.stage(Stage::Compose);
        let name = program.name.clone();
        let failed =
            |e: qnn::Error| htp::diagnostic(&e, &format!("the QNN library cannot finalize graph {name:?}"));
        let own = htp::own_ops(program);
        let graph = session.compose(&context, job, program, reporter)?.complete().map_err(failed)?;
        if let Some(folder) = &job.trace {
            htp::write_origins(program, folder)?;
        }
        // The library has its own copy of the weights now, and needs the room. Whether it tells weights that graphs share by
        // their address is not known, so these stay where they are until the last graph is finalized.
        if !shared {
            program.release();
        }
        reporter.stage(Stage::Finalize);
        let estimate = session
            .finalize(graph, own.clone(), reporter)
            .map_err(|error| htp::undivided(failed(error), &own))?;
        estimates.extend(estimate);
    }
    let mut report = htp::finish(context, job, reporter)?;
    report.estimates = estimates;
    lowered.describe(&mut report);
    report.vendor_ms = session.vendor_time().as_secs_f64() * 1e3;
    report.stage_ms = reporter.finish();
    Ok(report)
}

/// A DLC's graphs are the vendor's own: nothing to lower.
fn compile_dlc(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    reporter.stage(Stage::Load);
    let session = Session::open(job, reporter)?;
    let context = session.context(job)?;
    let estimates = session.compose_dlc(&context, job, reporter)?;
    let mut report = htp::finish(context, job, reporter)?;
    report.estimates = estimates;
    report.vendor_ms = session.vendor_time().as_secs_f64() * 1e3;
    report.stage_ms = reporter.finish();
    Ok(report)
}

fn check_dlc(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    reporter.stage(Stage::Load);
    let session = Session::open(job, reporter)?;
    session.compose_dlc(&session.context(job)?, job, reporter)?;
    Ok(Report { build_id: session.build_id().to_owned(), stage_ms: reporter.finish(), ..Report::default() })
}

/// Everything but finalizing, with every problem of every graph.
fn check(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    let lowered = lower_all(job, reporter)?;
    reporter.stage(Stage::Load);
    let session = Session::open(job, reporter)?;
    let context = session.context(job)?;
    reporter.stage(Stage::Compose);
    let mut problems = Vec::new();
    for program in &lowered.programs {
        if let Err(found) = session.compose(&context, job, program, reporter) {
            problems.extend(found.0);
        }
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let mut report = Report { build_id: session.build_id().to_owned(), ..Report::default() };
    lowered.describe(&mut report);
    report.vendor_ms = session.vendor_time().as_secs_f64() * 1e3;
    report.stage_ms = reporter.finish();
    Ok(report)
}

/// The programs of a job and where they came from.
struct Lowered {
    programs: Vec<Program>,
    files: BTreeSet<PathBuf>,
    activations: Activations,
}

impl Lowered {
    fn describe(&self, report: &mut Report) {
        report.ops = self.programs.iter().map(|p| p.ops.len() as u64).sum();
        report.files = self.files.iter().cloned().collect();
        report.activations = (self.activations != Activations::default()).then_some(self.activations);
    }
}

fn lower_all(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Lowered> {
    let mut lowered =
        Lowered { programs: Vec::new(), files: BTreeSet::new(), activations: Activations::default() };
    let mut problems = Vec::new();
    let own = OpPackages::load(&job.op_packages)?;
    for spec in &job.graphs {
        match lower_graph(job, spec, &own, &mut lowered.files, reporter) {
            Ok(mut program) => {
                let found = htp::choose_activations(&mut program, &job.soc, job.accuracy);
                lowered.activations.joined += found.joined;
                lowered.activations.apart += found.apart;
                lowered.programs.push(program);
            }
            Err(found) => problems.extend(found.0),
        }
    }
    if problems.is_empty() { Ok(lowered) } else { Err(Problems(problems)) }
}

fn lower_graph(
    job: &CompileJob,
    spec: &GraphSpec,
    own: &OpPackages,
    files: &mut BTreeSet<PathBuf>,
    reporter: &mut Reporter<'_>,
) -> Result<Program> {
    let mut imported = import(job, spec, own, reporter)?;
    files.extend(imported.files.drain(..));
    for warning in imported.warnings.drain(..) {
        reporter.warn(warning);
    }
    let known = job.ranges.iter().find(|observed| observed.graph == spec.name);
    let samples = samples(job, spec, &imported)?;
    let entries = job.encodings.as_deref().map(encodings::open).transpose()?;
    let graph = &mut imported.graph;
    let reporter = RefCell::new(reporter);
    reporter.borrow_mut().stage(Stage::Optimize);
    let mut measure = samples.as_ref().map(|samples| {
        |graph: &Graph| {
            if let Some(ranges) = known.and_then(|known| calibrate::recalled(graph, &known.values)) {
                return Ok(ranges);
            }
            reporter.borrow_mut().stage(Stage::Reference);
            let ranges = calibrate::measure(job, graph, spec, samples);
            reporter.borrow_mut().stage(Stage::Optimize);
            ranges
        }
    });
    let mut warn = |warning| reporter.borrow_mut().warn(warning);
    let mut setting = Setting {
        entries: entries.as_deref(),
        measure: measure.as_mut().map(|measure| measure as _),
        ..Setting::new(&job.soc, &spec.inputs, &mut warn)
    };
    if let Err(found) = passes::run(graph, &mut setting) {
        return Err(lower::with_unsupported(found, graph.nodes.iter().map(NodeName::from), own));
    }
    let reporter = reporter.into_inner();
    reporter.stage(Stage::Lower);
    lower::lower(&imported.graph, &job.soc, own)
}

/// The graph of a model file, named as `spec` says.
fn import(
    job: &CompileJob,
    spec: &GraphSpec,
    own: &OpPackages,
    reporter: &mut Reporter<'_>,
) -> Result<onnx::Imported> {
    reporter.stage(Stage::Import);
    if job.format != SourceFormat::Onnx {
        return Err(problem("E0109", "this kind of file has no graph to lower").into());
    }
    let reference = job.toolchain.onnxruntime.as_ref().map(ReferenceEngine::new);
    let options = onnx::ImportOptions {
        inputs: &spec.inputs,
        outputs: &job.outputs,
        reference: reference.as_ref(),
        op_packages: own,
    };
    let file = onnx::OnnxFile::open(&job.source)?;
    let mut imported = file
        .import(&options)
        .map_err(|found| lower::with_unsupported(found, file.at_run_time(&job.outputs), own))?;
    imported.graph.name.clone_from(&spec.name);
    Ok(imported)
}

/// What a graph shall run on, where the job says so. The pass `graph_io` changes the model's inputs, of which the reference engine knows
/// nothing: this is asked before it.
fn samples(job: &CompileJob, spec: &GraphSpec, imported: &onnx::Imported) -> Result<Option<Samples>> {
    let of = |samples| Samples::of(samples, &imported.graph, &imported.unused_inputs, &spec.inputs);
    job.samples.as_ref().map(of).transpose()
}

/// What the values of each graph reach on the job's samples. Warnings are left to whoever compiles.
fn observe(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    let own = OpPackages::load(&job.op_packages)?;
    let (mut ranges, mut problems) = (Vec::new(), Vec::new());
    for spec in &job.graphs {
        match observe_graph(job, spec, &own, reporter) {
            Ok(values) => ranges.push(Observed { graph: spec.name.clone(), values }),
            Err(found) => problems.extend(found.0),
        }
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok(Report { ranges, stage_ms: reporter.finish(), ..Report::default() })
}

fn observe_graph(
    job: &CompileJob,
    spec: &GraphSpec,
    own: &OpPackages,
    reporter: &mut Reporter<'_>,
) -> Result<Vec<ValueRange>> {
    let mut imported = import(job, spec, own, reporter)?;
    let Some(samples) = samples(job, spec, &imported)? else {
        return Err(problem("E0803", "there are no samples to run the model on").into());
    };
    let entries = job.encodings.as_deref().map(encodings::open).transpose()?;
    let graph = &mut imported.graph;
    reporter.stage(Stage::Optimize);
    let (mut values, mut warn) = (Vec::new(), |_| {});
    let mut measure = |graph: &Graph| {
        reporter.stage(Stage::Reference);
        let ranges = calibrate::measure(job, graph, spec, &samples)?;
        values = calibrate::named(graph, &ranges);
        Ok(ranges)
    };
    let mut setting = Setting {
        entries: entries.as_deref(),
        measure: Some(&mut measure),
        ..Setting::new(&job.soc, &spec.inputs, &mut warn)
    };
    match passes::run_until(graph, &mut setting, Phase::Assign) {
        Ok(()) => Ok(values),
        Err(found) => Err(lower::with_unsupported(found, graph.nodes.iter().map(NodeName::from), own)),
    }
}
