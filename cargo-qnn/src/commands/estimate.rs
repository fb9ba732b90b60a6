//! `cargo qnn estimate`: what an execution takes on the chip, as the vendor's library simulates it.

use std::path::{Path, PathBuf};

use clap::Args;
use qnn_manifest::source_format;
use qnn_pipeline::driver::{self, JobId, RunOptions};
use qnn_pipeline::op_package::Builds;
use qnn_pipeline::package::{self, Package};
use qnn_types::{CompileJob, Estimate, Job};
use serde::Serialize;

use crate::args::{CompileFlags, ConfigArgs, FeatureArgs, JobArgs, LlmFlags, PackageArgs, examples};
use crate::estimate::trace::{self, NodeCost};
use crate::estimate::{StandIn, page, simulated};
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};
use crate::jobs;
use crate::models::Models;
use crate::progress::{COMPILE, Shown};
use crate::session::Session;
use crate::table::columns;
use crate::term::size;
use crate::workspace::Workspace;

/// Arguments of `cargo qnn estimate`.
#[derive(Debug, Args)]
#[command(after_help = examples::ESTIMATE)]
pub(crate) struct EstimateArgs {
    /// A model file, or the name of a model in Cargo.toml
    #[arg(value_name = "FILE|MODEL")]
    model: String,
    /// Write how the execution goes op by op, for Chrome's trace viewer or ui.perfetto.dev; times are cycles
    #[arg(long, value_name = "FILE.json")]
    trace: Option<PathBuf>,
    /// Write a page with the time of each node and the use of VTCM
    #[arg(long, value_name = "FILE.html")]
    html: Option<PathBuf>,
    /// Show the dearest nodes of the model
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) packages: PackageArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    flags: CompileFlags,
    #[command(flatten)]
    llm: LlmFlags,
    #[command(flatten)]
    job: JobArgs,
}

impl EstimateArgs {
    fn traces(&self) -> bool {
        self.trace.is_some() || self.html.is_some() || self.top.is_some()
    }
}

/// A model for a SoC, as `--json` shows it.
#[derive(Serialize)]
struct Answer {
    package: String,
    model: String,
    /// Of a language model.
    #[serde(skip_serializing_if = "String::is_empty")]
    part: String,
    soc: String,
    /// What was simulated in place of the SoC; absent where it was the SoC itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    stand_in: Option<StandIn>,
    estimates: Vec<Estimate>,
    /// Nodes of each graph, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<Nodes>,
}

/// The nodes of a graph.
#[derive(Serialize)]
struct Nodes {
    graph: String,
    /// Part of the busy cycles that belongs to nodes of the model, or to its inputs and outputs.
    named: f64,
    nodes: Vec<NodeCost>,
}

impl Answer {
    /// What was simulated, in words.
    fn on(&self) -> String {
        let what = match &self.stand_in {
            Some(StandIn { soc, chip, arch }) => {
                format!("{soc} (v{arch}, the chip {chip}), which stands for {}", self.soc)
            }
            None => self.soc.clone(),
        };
        format!("simulated by the vendor's library on {what}; no measurement of a device")
    }

    fn name(&self) -> String {
        let package = if self.package.is_empty() { String::new() } else { format!("{}/", self.package) };
        let part = if self.part.is_empty() { String::new() } else { format!(", {}", self.part) };
        format!("{package}{}{part} for {}", self.model, self.soc)
    }
}

pub(crate) fn run(session: &Session, args: &EstimateArgs) -> Result<Exit> {
    let mut models = subjects(session, args)?;
    let mut asked = Vec::new();
    let mut unknown = Vec::new();
    for job in models
        .packages
        .iter_mut()
        .flat_map(|package| &mut package.plan.models)
        .flat_map(|model| &mut model.jobs)
    {
        match simulated(job) {
            Some((instead, stand_in)) => {
                let other = (instead.soc.id != job.soc.id).then_some(stand_in);
                asked.push((job.soc.name.clone(), other));
                *job = instead;
            }
            None => unknown.push(format!("{} (v{})", job.soc.name, job.soc.arch)),
        }
    }
    if !unknown.is_empty() {
        return Err(Failure::user(format!(
            "the library simulates no SoC of the architecture of {}",
            list(unknown)
        )));
    }
    let packages = std::mem::take(&mut models.packages);
    let (built, warnings) =
        package::build(packages, &models.compiler()?, &Shown::new(&session.term, COMPILE))?;
    warnings.iter().for_each(|warning| session.term.warning(warning));
    let made = built.iter().flat_map(|package| {
        package.plan.jobs().zip(&package.artifacts).map(move |((_, job), made)| (package, job, made))
    });
    let mut answers = Vec::new();
    for ((package, job, made), (soc, stand_in)) in made.zip(asked) {
        let JobId { model, part, .. } = JobId::of(&package.name, job);
        let estimates = made.entry.record.report.estimates.clone();
        // A table of numbers is no graph.
        if estimates.is_empty() {
            continue;
        }
        let mut answer = Answer {
            package: package.name.clone(),
            model,
            part,
            soc,
            stand_in,
            estimates,
            nodes: Vec::new(),
        };
        if args.traces() {
            follow(session, args, job, &mut answer, answers.is_empty())?;
        }
        answers.push(answer);
    }
    if args.json {
        session.term.json(&answers)?;
        return Ok(Exit::Ok);
    }
    for answer in &answers {
        session.term.data(text(answer, args.top))?;
    }
    Ok(Exit::Ok)
}

/// Compiles once more with a trace, and writes what was asked for. Files are of the first graph of the `first` answer.
fn follow(
    session: &Session,
    args: &EstimateArgs,
    job: &CompileJob,
    answer: &mut Answer,
    first: bool,
) -> Result<()> {
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::user(format!("cannot make a folder for the trace: {error}")))?;
    let work = CompileJob {
        output: Some(folder.path().join("out.bin")),
        trace: Some(folder.path().to_owned()),
        ..job.clone()
    };
    let id = JobId::of(&answer.package, job);
    let options = RunOptions { timeout: args.job.timeout()?, log: None, keep: None };
    let shown = Shown::new(&session.term, COMPILE);
    jobs::report(driver::run(&jobs::worker()?, &Job::Compile(work), &id, options, &shown))?;
    for (index, estimate) in answer.estimates.iter().enumerate() {
        let Some(traced) = trace::read(folder.path(), &estimate.graph)? else { continue };
        if first && index == 0 {
            if let Some(path) = &args.trace {
                let json = serde_json::to_vec(&traced.chrome).unwrap_or_default();
                write(path, &json)?;
            }
            if let Some(path) = &args.html {
                write(path, page::html(&answer.name(), &answer.on(), estimate, &traced).as_bytes())?;
            }
        }
        let nodes = traced.nodes.into_iter().take(args.top.unwrap_or(usize::MAX)).collect();
        answer.nodes.push(Nodes { graph: estimate.graph.clone(), named: traced.named, nodes });
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes)
        .map_err(|error| Failure::user(format!("cannot write {}: {error}", path.display())))
}

fn text(answer: &Answer, top: Option<usize>) -> String {
    let mut rows = vec![
        ["GRAPH", "TIME", "CYCLES", "LEAST", "MOST", "SPILLED", "READ", "UNPRICED"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(answer.estimates.iter().map(|found| {
        vec![
            found.graph.clone(),
            format!("{} µs", found.microseconds),
            found.cycles.to_string(),
            found.cycles_lower.to_string(),
            found.cycles_upper.to_string(),
            size(found.spill_bytes),
            size(found.fill_bytes),
            found.ops_without_cost.to_string(),
        ]
    }));
    let mut text = format!("{}: {}\n{}", answer.name(), answer.on(), columns(&rows));
    if answer.estimates.iter().any(|found| found.ops_without_cost > 0) {
        text += "\n  UNPRICED: ops that the simulation has no cost of; with any, the cycles are too low";
    }
    for graph in answer.nodes.iter().filter(|_| top.is_some()) {
        let mut rows = vec![["NODE", "OP", "BUSY CYCLES", "PART", "BECAME"].map(str::to_owned).to_vec()];
        rows.extend(graph.nodes.iter().map(|node| {
            let internal: Vec<&str> = node.internal.iter().take(2).map(|(op, _)| op.as_str()).collect();
            vec![
                node.node.clone(),
                node.op.clone(),
                node.busy_cycles.to_string(),
                format!("{:.1} %", node.share * 100.0),
                internal.join(", "),
            ]
        }));
        text += &format!("\n\ndearest nodes of graph {}\n{}", graph.graph, columns(&rows));
        let mut said: Vec<&str> = Vec::new();
        for node in graph.nodes.iter().filter(|node| node.share >= 0.05) {
            if let Some(advice) = node.advice.filter(|advice| !said.contains(advice)) {
                text += &format!("\n  {} ({}): {advice}", node.node, node.op);
                said.push(advice);
            }
        }
    }
    text
}

/// The model's jobs, in packages that have no other.
fn subjects(session: &Session, args: &EstimateArgs) -> Result<Models> {
    let file = Path::new(&args.model);
    if file.is_file() || qnn_llm::kind(file).is_some() || source_format(file).is_ok() {
        return of_file(session, args, file);
    }
    if args.flags.given() || args.llm.given() {
        return Err(Failure::usage(format!("there is no file `{}`", args.model)).help(
            "options of the compile belong to a file; for a model of the manifest use --config KEY=VALUE",
        ));
    }
    let every = FeatureArgs { all_features: true, ..FeatureArgs::default() };
    let workspace = Workspace::resolve(session, &args.packages, &every).map_err(|failure| {
        failure.note(format!("`{}` is no file, so a model of that name was looked for", args.model))
    })?;
    let mut models = Models::plan(session, &workspace, &args.config, &args.job, None, None)?;
    let names: Vec<String> = models
        .packages
        .iter()
        .flat_map(|package| package.plan.models.iter().map(|model| model.name.clone()))
        .collect();
    for package in &mut models.packages {
        package.plan.models.retain(|model| model.name == args.model);
    }
    models.packages.retain(|package| !package.plan.models.is_empty());
    if models.packages.is_empty() {
        let message = format!("`{}` is neither a file nor a model of the manifest", args.model);
        return Err(Failure::usage(message).help(format!("its models: {}", list(names))));
    }
    Ok(models)
}

fn of_file(session: &Session, args: &EstimateArgs, file: &Path) -> Result<Models> {
    if args.config.soc.is_empty() {
        return Err(Failure::usage("name the SoC to estimate for: --soc SM8650"));
    }
    source_format(file)?;
    let llm = args.llm.options().map_err(Failure::usage)?;
    let plan = |builds: &Builds<'_>| {
        let toolchain = &builds.resolved.toolchain;
        let plan = args.flags.plan(session, file, &args.config.soc, llm, toolchain, builds.memo)?;
        Ok(vec![Package { name: String::new(), plan, op_packages: Vec::new(), warnings: Vec::new() }])
    };
    let fallback = std::env::current_dir().unwrap_or_default().join("target").join("qnn-cache");
    Models::of(session, Some(fallback), &args.job, None, plan)
}
