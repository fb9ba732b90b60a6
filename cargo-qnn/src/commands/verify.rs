//! `cargo qnn verify`: does the HTP compute what the model means?

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use qnn_manifest::{Llm, source_format};
use qnn_pipeline::op_package::Builds;
use qnn_pipeline::package::Package;
use qnn_pipeline::plan::PlannedModel;
use qnn_platform::nearest::nearest;
use serde::Serialize;

use crate::args::{CompileFlags, ConfigArgs, FeatureArgs, JobArgs, LlmFlags, PackageArgs, examples};
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};
use crate::llm;
use crate::models::Models;
use crate::session::Session;
use crate::table::columns;
use crate::verify::llm::{Request, evaluate, failure, table};
use crate::verify::{
    Comparison, Divergence, Inputs, LayerVerdict, Method, Subject, Thresholds, Verdicts, verify,
};
use crate::workspace::Workspace;

/// Arguments of `cargo qnn verify`.
#[derive(Debug, Args)]
#[command(after_help = examples::VERIFY)]
pub(crate) struct VerifyArgs {
    /// A model file (.onnx), or the name of a model in Cargo.toml; without it, every model there for each of its SoCs
    #[arg(value_name = "FILE|MODEL")]
    model: Option<String>,
    /// Arrays to feed the model with: one per input, or batches of them, in the dtype and layout of the model file or in those
    /// that the app uses; random numbers without it
    #[arg(long, value_name = "FILE.npz")]
    inputs: Option<PathBuf>,
    /// Arrays that the outputs should be, by name, where ONNX Runtime cannot compute the model: operators of your own, a DLC
    #[arg(long, value_name = "FILE.npz", requires = "inputs", conflicts_with = "layers")]
    expected: Option<PathBuf>,
    /// Seed of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Range of the random numbers: LOW,HIGH
    #[arg(long, value_name = "LOW,HIGH", value_parser = parse_range, allow_hyphen_values = true)]
    range: Option<(f64, f64)>,
    /// Compare every value inside the model, and find the first that departs; of a language model, what is behind each layer
    #[arg(long)]
    layers: bool,
    /// Smallest signal-to-noise ratio of every float output, dB
    #[arg(long, value_name = "DB", default_value_t = 30.0)]
    min_sqnr: f64,
    /// Smallest cosine similarity of every float output
    #[arg(long, value_name = "COSINE")]
    min_cosine: Option<f64>,
    /// Largest absolute difference of every float output
    #[arg(long, value_name = "DIFFERENCE")]
    max_abs: Option<f64>,
    /// Smallest share of equal elements of every integer output, 0 to 1
    #[arg(long, value_name = "PART", default_value_t = 0.99)]
    min_equal: f64,
    /// Text to run a language model over, with the files that an app would load: perplexity and logits in the emulator against
    /// dequantized float32 weights
    #[arg(long, value_name = "FILE", help_heading = "Language Model Options")]
    text: Option<PathBuf>,
    /// Windows of the text, each of the context's length; all without it
    #[arg(long, value_name = "N", requires = "text", help_heading = "Language Model Options")]
    windows: Option<usize>,
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

/// What `--json` shows of a model: alone where one was named, else in a list.
#[derive(Serialize)]
struct Answer<'a> {
    /// Its package; empty for a file that belongs to none.
    package: &'a str,
    model: &'a str,
    soc: &'a str,
    ok: bool,
    graphs: &'a [Verdicts],
    /// The first value inside the model that is too far from the reference.
    first_departure: Option<&'a str>,
}

pub(crate) fn run(session: &Session, args: &VerifyArgs) -> Result<Exit> {
    if let Some(text) = &args.text {
        return language_model(session, args, text);
    }
    if args.llm.given() {
        return Err(over_a_text().note("options of language models are given"));
    }
    let (models, subjects) = subjects(session, args)?;
    let several = args.model.is_none() || subjects.len() > 1;
    if several
        && args.inputs.is_some()
        && subjects.iter().any(|subject| subject.job.model != subjects[0].job.model)
    {
        return Err(Failure::usage("--inputs are those of one model: name it"));
    }
    let method = Method {
        inputs: match &args.inputs {
            Some(file) => Inputs::File(file.clone()),
            None => Inputs::Generated { seed: args.seed, range: args.range },
        },
        limits: Thresholds {
            min_sqnr: args.min_sqnr,
            min_cosine: args.min_cosine,
            max_abs: args.max_abs,
            min_equal: args.min_equal,
        },
        layers: args.layers,
        expected: args.expected.clone(),
    };
    let mut verified = Vec::new();
    let mut failed: Option<Failure> = None;
    for subject in &subjects {
        match verify(session, &models, subject, &method) {
            Ok(graphs) => {
                let verified_one = Verified { subject, graphs };
                if !args.json {
                    show(session, &verified_one, several, args.layers)?;
                }
                verified.push(verified_one);
            }
            // The others are verified all the same.
            Err(failure) if several => match &mut failed {
                Some(all) => all.problems.extend(failure.problems),
                None => failed = Some(failure),
            },
            Err(failure) => return Err(failure),
        }
    }
    if args.json {
        let answers: Vec<Answer<'_>> = verified.iter().map(Verified::answer).collect();
        match &answers[..] {
            [one] if !several => session.term.json(one)?,
            all => session.term.json(&all)?,
        }
    }
    let far = verified.iter().filter_map(|one| one.failure(several, args.layers));
    for failure in far {
        match &mut failed {
            Some(all) => all.problems.extend(failure.problems),
            None => failed = Some(failure),
        }
    }
    failed.map_or(Ok(Exit::Ok), Err)
}

/// A model with what came of it.
struct Verified<'a> {
    subject: &'a Subject,
    graphs: Vec<Verdicts>,
}

impl Verified<'_> {
    fn departure(&self) -> Option<&Divergence> {
        self.graphs.iter().find_map(|graph| graph.departure.as_ref())
    }

    fn answer(&self) -> Answer<'_> {
        Answer {
            package: &self.subject.package,
            model: &self.subject.job.model,
            soc: &self.subject.job.soc.name,
            ok: self.graphs.iter().flat_map(|graph| &graph.outputs).all(|output| output.ok),
            graphs: &self.graphs,
            first_departure: self.departure().map(|found| found.layer.comparison.name.as_str()),
        }
    }

    /// The outputs that are too far, as a failure.
    fn failure(&self, several: bool, layers: bool) -> Option<Failure> {
        let far = self.graphs.iter().flat_map(|graph| &graph.outputs).filter(|output| !output.ok);
        let far = list(far.map(|output| format!("`{}`", output.name)));
        if far.is_empty() {
            return None;
        }
        let of = if several { format!("{}: ", self.name()) } else { String::new() };
        let failure = Failure::user(format!("{of}too far from the reference: {far}"));
        Some(if layers { failure } else { failure.help("--layers finds the first value that departs") })
    }

    fn name(&self) -> String {
        let Subject { package, job, .. } = self.subject;
        let package = if package.is_empty() { String::new() } else { format!("{package}/") };
        format!("{package}{} ({})", job.model, job.soc.name)
    }
}

fn show(session: &Session, verified: &Verified<'_>, several: bool, layers: bool) -> Result<()> {
    if several {
        session.term.data(format!("model {}", verified.name()))?;
    }
    for graph in &verified.graphs {
        session.term.data(text(graph))?;
    }
    if let Some(Divergence { layer, reason, remedy }) = verified.departure() {
        session.term.data(format!(
            "the first value that departs is `{}`, of node `{}` ({}): {}\n  why: {reason}\n  help: {remedy}",
            layer.comparison.name,
            layer.node,
            layer.op,
            layer.comparison.sqnr(),
        ))?;
    } else if layers {
        session.term.data("no value inside the model departs")?;
    }
    Ok(())
}

/// Runs a language model over a text, and compares.
fn language_model(session: &Session, args: &VerifyArgs, text: &Path) -> Result<Exit> {
    let Some(name) = &args.model else {
        return Err(Failure::usage("name the language model to run over the text"));
    };
    let (models, request) = match Path::new(name).exists() && source_format(Path::new(name)).is_ok() {
        true => text_of_file(session, args, Path::new(name), text)?,
        false => text_of_manifest(session, args, name, text)?,
    };
    let request =
        Request { windows: args.windows, layers: args.layers, timeout: args.job.timeout()?, ..request };
    let evaluation = evaluate(session, &models, &request)?;
    if args.json {
        session.term.json(&evaluation)?;
    } else {
        session.term.data(table(&evaluation))?;
    }
    failure(&evaluation, args.min_sqnr).map_or(Ok(Exit::Ok), Err)
}

fn text_of_file(session: &Session, args: &VerifyArgs, file: &Path, text: &Path) -> Result<(Models, Request)> {
    let file = llm::source(file)?;
    if args.config.soc.len() != 1 {
        return Err(Failure::usage("name the SoC to verify for: --soc SM8650"));
    }
    let mut models = plan_of_file(session, args, &file, args.llm.options().map_err(Failure::usage)?)?;
    let planned =
        models.packages.iter_mut().flat_map(|package| std::mem::take(&mut package.plan.models)).next();
    let model = planned.ok_or_else(|| Failure::user("nothing was planned"))?;
    Ok((models, Request::one_soc("", model, text.to_owned())))
}

fn text_of_manifest(
    session: &Session,
    args: &VerifyArgs,
    name: &str,
    text: &Path,
) -> Result<(Models, Request)> {
    let models = plan_of_manifest(session, args, Some(name))?;
    let (package, model) = named(&models, name)?;
    if model.facts.llm.is_none() {
        let message = format!("model `{name}` is no language model, and a text is given");
        return Err(Failure::usage(message).help("--inputs takes arrays for it"));
    }
    let request = Request::one_soc(&package.name, model.clone(), text.to_owned());
    Ok((models, request))
}

fn text(graph: &Verdicts) -> String {
    let table = |comparisons: &mut dyn Iterator<Item = &Comparison>| {
        let header = Comparison::HEADER.map(str::to_owned).to_vec();
        columns(&std::iter::once(header).chain(comparisons.map(Comparison::row)).collect::<Vec<_>>())
    };
    let mut text = format!("graph {}\n{}", graph.graph, table(&mut graph.outputs.iter()));
    if !graph.layers.is_empty() {
        // Compiled with every value as an output, a model computes slightly differently: fewer ops are fused.
        let header = ["NODE", "OP", "VALUE", "FROM", "TO", "SQNR", "VERDICT"].map(str::to_owned).to_vec();
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(graph.layers.iter().map(row)).collect();
        text += &format!("\n\nvalues inside the model, each as an output\n{}\n", columns(&rows));
    }
    text
}

/// A value inside the model as a row.
fn row(layer: &LayerVerdict) -> Vec<String> {
    let LayerVerdict { node, op, comparison } = layer;
    let (low, high) = comparison.range;
    let verdict = if comparison.ok { "ok" } else { "TOO FAR" };
    let (low, high) = (format!("{low:.3e}"), format!("{high:.3e}"));
    let name = comparison.name.clone();
    vec![node.clone(), op.clone(), name, low, high, comparison.sqnr(), verdict.to_owned()]
}

/// A file when there is one of that name, else models of the manifest.
fn subjects(session: &Session, args: &VerifyArgs) -> Result<(Models, Vec<Subject>)> {
    match &args.model {
        Some(name) if Path::new(name).is_file() => of_file(session, args, Path::new(name)),
        // A folder is a language model only where it has the files of one.
        Some(name) if qnn_llm::kind(Path::new(name)).is_some() => Err(over_a_text()),
        name => of_manifest(session, args, name.as_deref()),
    }
}

fn over_a_text() -> Failure {
    Failure::usage("a language model is verified over a text: --text FILE")
}

fn of_file(session: &Session, args: &VerifyArgs, file: &Path) -> Result<(Models, Vec<Subject>)> {
    if qnn_llm::kind(file).is_some() {
        return Err(over_a_text());
    }
    if args.config.soc.is_empty() {
        return Err(Failure::usage("name the SoC to verify for: --soc SM8650"));
    }
    let models = plan_of_file(session, args, file, None)?;
    let timeout = args.job.timeout()?;
    let planned = models.packages.iter().flat_map(|package| &package.plan.models);
    let subjects = planned.flat_map(|model| each_soc("", model, timeout)).collect();
    Ok((models, subjects))
}

fn plan_of_file(session: &Session, args: &VerifyArgs, file: &Path, llm: Option<Llm>) -> Result<Models> {
    let plan = |builds: &Builds<'_>| {
        let toolchain = &builds.resolved.toolchain;
        let plan = args.flags.plan(session, file, &args.config.soc, llm, toolchain, builds.memo)?;
        Ok(vec![Package { name: String::new(), plan, op_packages: Vec::new(), warnings: Vec::new() }])
    };
    Models::of(session, Some(fallback()), &args.job, None, plan)
}

/// Where context binaries go when the cache cannot be written to. Nobody else may write there.
fn fallback() -> PathBuf {
    std::env::current_dir().unwrap_or_default().join("target").join("qnn-cache")
}

fn plan_of_manifest(session: &Session, args: &VerifyArgs, name: Option<&str>) -> Result<Models> {
    if args.flags.given() || args.llm.given() {
        let failure = match name {
            Some(name) => Failure::usage(format!("there is no file `{name}`")),
            None => Failure::usage("no model file is named"),
        };
        return Err(failure.help(
            "options of the compile belong to a file; for a model of the manifest use --config KEY=VALUE",
        ));
    }
    // Whatever features the models need are meant.
    let every = FeatureArgs { all_features: true, ..FeatureArgs::default() };
    let workspace = Workspace::resolve(session, &args.packages, &every).map_err(|failure| match name {
        Some(name) => failure.note(format!("`{name}` is no file, so a model of that name was looked for")),
        None => failure,
    })?;
    Models::plan(session, &workspace, &args.config, &args.job, None, None)
}

/// All models with their packages.
fn all(models: &Models) -> impl Iterator<Item = (&Package, &PlannedModel)> {
    models.packages.iter().flat_map(|package| package.plan.models.iter().map(move |model| (package, model)))
}

/// The model of a name.
fn named<'m>(models: &'m Models, name: &str) -> Result<(&'m Package, &'m PlannedModel)> {
    let found: Vec<(&Package, &PlannedModel)> = all(models).filter(|(_, model)| model.name == name).collect();
    if let [(first, _), (second, _), ..] = &found[..] {
        let message = format!("packages `{}` and `{}` both have a model `{name}`", first.name, second.name);
        return Err(Failure::usage(message).help(format!("name one of them: -p {}", first.name)));
    }
    found.first().copied().ok_or_else(|| {
        let failure = Failure::usage(format!("`{name}` is neither a file nor a model of the manifest"));
        let names: Vec<&str> = all(models).map(|(_, model)| model.name.as_str()).collect();
        match nearest(name, names.iter().copied(), 1).first() {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help(format!("its models: {}", list(names))),
        }
    })
}

fn of_manifest(session: &Session, args: &VerifyArgs, name: Option<&str>) -> Result<(Models, Vec<Subject>)> {
    let models = plan_of_manifest(session, args, name)?;
    let timeout = args.job.timeout()?;
    let Some(name) = name else {
        let (texts, others): (Vec<_>, Vec<_>) =
            all(&models).partition(|(_, model)| model.facts.llm.is_some());
        for (_, model) in texts {
            let message =
                format!("model `{}` is left out: a language model is verified over a text", model.name);
            session.term.warning(
                &qnn_types::Diagnostic::new("", message)
                    .help(format!("cargo qnn verify {} --soc SOC --text FILE", model.source.display())),
            );
        }
        let subjects =
            others.into_iter().flat_map(|(package, model)| each_soc(&package.name, model, timeout));
        let subjects = subjects.collect();
        return Ok((models, subjects));
    };
    let (package, model) = named(&models, name)?;
    if model.facts.llm.is_some() {
        return Err(
            over_a_text().help(format!("cargo qnn verify {} --soc SOC --text FILE", model.source.display()))
        );
    }
    // The first SoC stands for the model, unless others are named.
    let count = if args.config.soc.len() > 1 { usize::MAX } else { 1 };
    let subjects = each_soc(&package.name, model, timeout).take(count).collect();
    Ok((models, subjects))
}

/// A model for each of its SoCs.
fn each_soc<'a>(
    package: &'a str,
    model: &'a PlannedModel,
    timeout: Option<Duration>,
) -> impl Iterator<Item = Subject> + use<'a> {
    model.jobs.iter().map(move |job| Subject {
        package: package.to_owned(),
        job: job.clone(),
        facts: model.facts.clone(),
        timeout,
    })
}

fn parse_range(text: &str) -> Result<(f64, f64), String> {
    let parsed = text
        .split_once(',')
        .and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
    parsed
        .filter(|(low, high): &(f64, f64)| low < high)
        .ok_or_else(|| "expected LOW,HIGH, for example 0,1".to_owned())
}
