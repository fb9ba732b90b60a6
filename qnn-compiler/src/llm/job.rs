//! Jobs on parts of a language model.

use std::collections::BTreeMap;

use qnn_llm::Model;
use qnn_types::{CompileJob, Diagnostic, GraphSpec, LlmPart, LlmPartKind, Report, Stage};

use super::{Shape, Span, Target, Weights, build, embedding_table};
use crate::custom::OpPackages;
use crate::htp::{self, Session};
use crate::problem::{Problems, Result, problem};
use crate::program::Program;
use crate::reporter::Reporter;

/// Compiles a part: a context binary with a graph for each number of tokens, or the embedding table.
///
/// Graphs are written, handed to the library and forgotten one after the other: the library keeps a copy of every weight, and
/// there should be no third.
///
/// # Errors
/// Every problem of the model, or what the library refuses.
pub(crate) fn compile(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    let part = part(job)?;
    reporter.stage(Stage::Import);
    let model = open(job)?;
    let Some(span) = span(&part.what) else { return table(job, &model, reporter) };
    reporter.stage(Stage::Load);
    let session = Session::open(job, reporter)?;
    let context = session.context(job)?;
    let weights = weights(&model, job, part);
    let mut described = Report::default();
    for spec in &job.graphs {
        let program = program(job, part, &span, spec, &weights, reporter)?;
        describe(&program, &mut described);
        reporter.stage(Stage::Compose);
        let failed =
            |e| htp::diagnostic(&e, &format!("the QNN library cannot finalize graph {:?}", program.name));
        let graph = session.compose(&context, job, &program, reporter)?.complete().map_err(failed)?;
        if let Some(folder) = &job.trace {
            htp::write_origins(&program, folder)?;
        }
        let name = program.name.clone();
        drop(program);
        reporter.stage(Stage::Finalize);
        let estimate = session.finalize(graph, Vec::new(), reporter).map_err(|e| {
            let what = format!("the QNN library cannot finalize graph {name:?}");
            Problems::from(with_proposal(htp::diagnostic(&e, &what)))
        })?;
        described.estimates.extend(estimate);
    }
    if let Some(warning) = weights.warning() {
        reporter.warn(warning);
    }
    let files = model.files.iter().filter(|file| **file != job.source).cloned().collect();
    let made = htp::finish(context, job, reporter)?;
    Ok(Report {
        weights: weights.into_report(),
        estimates: described.estimates,
        op_types: described.op_types,
        ops: described.ops,
        files,
        vendor_ms: session.vendor_time().as_secs_f64() * 1e3,
        stage_ms: reporter.finish(),
        ..made
    })
}

/// Everything but finalizing, with every problem of every graph.
///
/// # Errors
/// As [`compile`].
pub(crate) fn check(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    let part = part(job)?;
    reporter.stage(Stage::Import);
    let model = open(job)?;
    let Some(span) = span(&part.what) else {
        return Ok(Report { stage_ms: reporter.finish(), ..Report::default() });
    };
    reporter.stage(Stage::Load);
    let session = Session::open(job, reporter)?;
    let context = session.context(job)?;
    let weights = weights(&model, job, part);
    let mut report = Report { build_id: session.build_id().to_owned(), ..Report::default() };
    let mut problems = Vec::new();
    for spec in &job.graphs {
        let program = program(job, part, &span, spec, &weights, reporter)?;
        describe(&program, &mut report);
        reporter.stage(Stage::Compose);
        problems
            .extend(session.compose(&context, job, &program, reporter).err().into_iter().flat_map(|p| p.0));
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    if let Some(warning) = weights.warning() {
        reporter.warn(warning);
    }
    report.weights = weights.into_report();
    report.vendor_ms = session.vendor_time().as_secs_f64() * 1e3;
    report.stage_ms = reporter.finish();
    Ok(report)
}

fn part(job: &CompileJob) -> Result<&LlmPart> {
    let missing = || problem("E0508", "a job on a language model needs to name a part of it").into();
    job.llm.as_ref().ok_or_else(missing)
}

fn open(job: &CompileJob) -> Result<Model> {
    qnn_llm::open(&job.source).map_err(|found| Problems(found.0.into_iter().map(Diagnostic::from).collect()))
}

fn weights<'m>(model: &'m Model, job: &CompileJob, part: &LlmPart) -> Weights<'m> {
    Weights::new(model, Target::Htp { arch: job.soc.arch, strategy: part.strategy })
}

/// What a context binary holds; `None` for the embedding table.
fn span(what: &LlmPartKind) -> Option<Span> {
    match *what {
        LlmPartKind::Layers { first, count, embedding, head } => {
            Some(Span { first: first as usize, layers: count as usize, embedding, head })
        }
        LlmPartKind::Head => Some(Span { first: 0, layers: 0, embedding: false, head: true }),
        LlmPartKind::Embedding => None,
    }
}

fn program(
    job: &CompileJob,
    part: &LlmPart,
    span: &Span,
    spec: &GraphSpec,
    weights: &Weights<'_>,
    reporter: &mut Reporter<'_>,
) -> Result<Program> {
    reporter.stage(Stage::Import);
    let tokens = spec.tokens.unwrap_or(1) as usize;
    let shape = Shape { tokens, context: part.context as usize, heads: part.heads, layers: part.layers };
    fits(&shape, span, weights.model())?;
    let mut progress = |done, total| reporter.progress(done, total);
    let mut graph = build(&spec.name, span, &shape, weights, &mut progress)?;
    reporter.stage(Stage::Optimize);
    super::physical(&mut graph, &job.soc, &mut |warning| reporter.warn(warning))?;
    reporter.stage(Stage::Lower);
    crate::lower::lower(&graph, &job.soc, &OpPackages::default())
}

/// Whether the model has what is asked for.
fn fits(shape: &Shape, span: &Span, model: &Model) -> Result<()> {
    let wrong = |message: String| Err(problem("E0233", message).into());
    if span.first + span.layers > model.config.layers {
        return wrong(format!(
            "layers {} to {} are asked for, and the model has {}",
            span.first,
            span.first + span.layers,
            model.config.layers
        ));
    }
    if span.layers > 0 && (shape.tokens == 0 || shape.tokens >= shape.context) {
        return wrong(format!(
            "a graph of {} tokens has no room for a past in a context of {}",
            shape.tokens, shape.context
        ));
    }
    Ok(())
}

fn describe(program: &Program, report: &mut Report) {
    report.ops += program.ops.len() as u64;
    let types: &mut BTreeMap<String, u64> = &mut report.op_types;
    for op in &program.ops {
        *types.entry(op.ty.clone().into_owned()).or_default() += 1;
    }
}

/// A graph that is too large for the HTP can be cut.
fn with_proposal(mut problem: Diagnostic) -> Diagnostic {
    if problem.notes.iter().any(|note| note.contains("memory usage too large")) {
        problem.help = Some("divide the model into more parts: raise `llm.shards`".to_owned());
    }
    problem
}

/// Writes the embedding table.
fn table(job: &CompileJob, model: &Model, reporter: &mut Reporter<'_>) -> Result<Report> {
    let (table, warning) = embedding_table(model)?;
    if let Some(warning) = warning {
        reporter.warn(warning);
    }
    let path = job.output.as_deref().ok_or_else(|| problem("E0508", "a compile job needs an output path"))?;
    reporter.stage(Stage::Serialize);
    std::fs::write(path, table.bytes())
        .map_err(|e| qnn_types::io_problem("E0605", "cannot write the embedding table", path, &e))?;
    Ok(Report { binary_bytes: table.len() as u64, stage_ms: reporter.finish(), ..Report::default() })
}
