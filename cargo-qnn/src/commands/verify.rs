//! `cargo qnn verify`: does the HTP compute what the model means?

use std::path::{Path, PathBuf};

use clap::Args;
use qnn_build::Memo;
use qnn_build::plan::source_format;
use qnn_build::source::inspect;
use serde::Serialize;

use qnn_build::job::Evaluation;

use crate::args::{CompileFlags, ConfigArgs, FeatureArgs, JobArgs, PackageArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};
use crate::llm;
use crate::models::Models;
use crate::session::Session;
use crate::table::columns;
use crate::target::target;
use crate::toolchain::ensure;
use crate::verify::llm::{Request, evaluate};
use crate::verify::{Comparison, Departure, Inputs, LayerVerdict, Subject, Thresholds, Verdicts, verify};
use crate::workspace::Workspace;

/// Arguments of `cargo qnn verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A model file (.onnx), or the name of a model in Cargo.toml
    #[arg(value_name = "FILE|MODEL")]
    model: String,
    /// Arrays to feed the model with: one per input of the model file, or batches of them; random numbers without it
    #[arg(long, value_name = "FILE.npz")]
    inputs: Option<PathBuf>,
    /// Seed of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Range of the random numbers: LOW,HIGH
    #[arg(long, value_name = "LOW,HIGH", value_parser = parse_range, allow_hyphen_values = true)]
    range: Option<(f64, f64)>,
    /// Compare every value inside the model, and find the first that departs
    #[arg(long)]
    layers: bool,
    /// Least signal-to-noise ratio of every float output, dB
    #[arg(long, value_name = "DB", default_value_t = 30.0)]
    min_sqnr: f64,
    /// Least cosine similarity of every float output
    #[arg(long, value_name = "COSINE")]
    min_cosine: Option<f64>,
    /// Largest absolute difference of every float output
    #[arg(long, value_name = "DIFFERENCE")]
    max_abs: Option<f64>,
    /// Least part of equal elements of every integer output
    #[arg(long, value_name = "PART", default_value_t = 0.99)]
    min_equal: f64,
    /// Text to run a language model over: perplexity and logits in the emulator against dequantized float32 weights
    #[arg(long, value_name = "FILE", help_heading = "Language Models")]
    text: Option<PathBuf>,
    /// Windows of the text, each of the context's length; all without it
    #[arg(long, value_name = "N", requires = "text", help_heading = "Language Models")]
    windows: Option<usize>,
    /// Positions of a window and of the graphs
    #[arg(
        long,
        value_name = "N",
        default_value_t = 512,
        requires = "text",
        help_heading = "Language Models"
    )]
    context: u32,
    /// Tokens per execution [default: 128, or half of --context where that is less]
    #[arg(long, value_name = "N", requires = "text", help_heading = "Language Models")]
    tokens: Option<u32>,
    /// Attention heads: `fused` or `split`
    #[arg(long, value_name = "HEADS", default_value = "split", value_parser = llm::heads, requires = "text", help_heading = "Language Models")]
    heads: qnn_llm::Heads,
    /// What is done with quantized weights: `auto`, `native`, `float-fallback`, `requantize-int8`, `requantize-int4`
    #[arg(long, value_name = "STRATEGY", default_value = "auto", value_parser = llm::strategy, requires = "text", help_heading = "Language Models")]
    strategy: qnn_llm::Strategy,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    packages: PackageArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    flags: CompileFlags,
    #[command(flatten)]
    job: JobArgs,
}

/// The whole answer, as `--json` shows it.
#[derive(Serialize)]
struct Answer<'a> {
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
    if qnn_llm::kind(Path::new(&args.model)).is_some() {
        return Err(Failure::usage("a language model is verified over a text: --text FILE"));
    }
    let subject = subject(session, args)?;
    let inputs = match &args.inputs {
        Some(file) => Inputs::File(file.clone()),
        None => Inputs::Generated { seed: args.seed, range: args.range },
    };
    let limits = Thresholds {
        min_sqnr: args.min_sqnr,
        min_cosine: args.min_cosine,
        max_abs: args.max_abs,
        min_equal: args.min_equal,
    };
    let graphs = verify(session, &subject, &inputs, &limits, args.layers)?;
    let ok = graphs.iter().flat_map(|graph| &graph.outputs).all(|output| output.ok);
    let departure = graphs.iter().find_map(|graph| graph.departure.as_ref());
    if args.json {
        session.term.json(&Answer {
            model: &subject.job.model,
            soc: &subject.job.soc.name,
            ok,
            graphs: &graphs,
            first_departure: departure.map(|found| found.layer.comparison.name.as_str()),
        })?;
    } else {
        for graph in &graphs {
            session.term.data(text(graph))?;
        }
        if let Some(Departure { layer, reason, remedy }) = departure {
            session.term.data(format!(
                "the first value that departs is `{}`, of node `{}` ({}): {}\n  why: {reason}\n  help: {remedy}",
                layer.comparison.name,
                layer.node,
                layer.op,
                layer.comparison.sqnr(),
            ))?;
        } else if args.layers {
            session.term.data("no value inside the model departs")?;
        }
    }
    if !ok {
        let far = graphs.iter().flat_map(|graph| &graph.outputs).filter(|output| !output.ok);
        let far = list(far.map(|output| format!("`{}`", output.name)));
        let failure = Failure::user(format!("too far from the reference: {far}"));
        return Err(if args.layers {
            failure
        } else {
            failure.help("--layers finds the first value that departs")
        });
    }
    Ok(Exit::Ok)
}

/// Runs a language model over a text, and compares.
fn language_model(session: &Session, args: &VerifyArgs, text: &Path) -> Result<Exit> {
    let [soc] = &args.config.soc[..] else {
        return Err(Failure::usage("name the SoC to verify for: --soc SM8650"));
    };
    let evaluation = evaluate(
        session,
        &Request {
            source: llm::source(Path::new(&args.model))?,
            soc: target(soc)?,
            text: text.to_owned(),
            context: args.context,
            tokens: args.tokens.unwrap_or(128.min(args.context / 2)),
            windows: args.windows,
            heads: args.heads,
            strategy: args.strategy,
            optimization: args.flags.optimization,
            timeout: args.job.timeout()?,
        },
    )?;
    let ok = evaluation.sqnr_db >= args.min_sqnr && evaluation.decode_db.is_none_or(|db| db >= SAME_PATH);
    if args.json {
        session.term.json(&evaluation)?;
    } else {
        session.term.data(evaluation_text(&evaluation))?;
    }
    if ok {
        return Ok(Exit::Ok);
    }
    let departs = evaluation.layers.iter().find(|(_, db)| *db < args.min_sqnr);
    let failure = Failure::user(format!(
        "too far from the reference: logits {:.1} dB, single tokens {:.1} dB from prefill",
        evaluation.sqnr_db,
        evaluation.decode_db.unwrap_or(f64::INFINITY)
    ));
    Err(match departs {
        Some((layer, db)) => failure.note(format!("the first layer that departs is `{layer}`: {db:.1} dB")),
        None => failure,
    })
}

/// How near the logits of single tokens have to be to those of prefill, dB.
const SAME_PATH: f64 = 40.0;

fn evaluation_text(evaluation: &Evaluation) -> String {
    let mut rows = vec![
        ("tokens predicted".to_owned(), evaluation.predicted.to_string()),
        ("perplexity".to_owned(), format!("{:.3}", evaluation.perplexity)),
        ("  of the reference".to_owned(), format!("{:.3}", evaluation.reference_perplexity)),
        ("logits".to_owned(), format!("{:.1} dB", evaluation.sqnr_db)),
        ("same most likely token".to_owned(), format!("{:.2} %", 100.0 * evaluation.same_top)),
    ];
    if let Some(db) = evaluation.decode_db {
        rows.push(("single tokens against prefill".to_owned(), format!("{db:.1} dB")));
    }
    rows.extend(evaluation.layers.iter().map(|(layer, db)| (layer.clone(), format!("{db:.1} dB"))));
    columns(&rows.into_iter().map(|(name, value)| vec![name, value]).collect::<Vec<_>>())
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

/// A file when there is one of that name, else a model of the manifest.
fn subject(session: &Session, args: &VerifyArgs) -> Result<Subject> {
    let timeout = args.job.timeout()?;
    let file = Path::new(&args.model);
    if file.is_file() {
        if args.config.soc.len() != 1 {
            return Err(Failure::usage("name the SoC to verify for: --soc SM8650"));
        }
        let toolchain = ensure(session)?.for_job();
        let jobs = args.flags.jobs(session, file, &args.config.soc, &toolchain)?;
        let job = jobs.into_iter().next().ok_or_else(|| Failure::usage("no SoC to verify for"))?;
        let facts = inspect(file, source_format(file)?, &Memo::default());
        let facts = facts.map_err(|problems| Failure { exit: Exit::User, problems })?;
        return Ok(Subject { job, facts, timeout });
    }
    if args.flags.given() {
        return Err(Failure::usage(format!("there is no file `{}`", args.model)).help(
            "options of the compile belong to a file; for a model of the manifest use --config KEY=VALUE",
        ));
    }
    // A model is named: whatever features it needs are meant.
    let every = FeatureArgs { all_features: true, ..FeatureArgs::default() };
    let workspace = Workspace::resolve(session, &args.packages, &every).map_err(|failure| {
        failure.note(format!("`{}` is no file, so a model of that name was looked for", args.model))
    })?;
    let models = Models::plan(session, &workspace, &args.config, &args.job, None, None)?;
    let all = models.packages.iter().flat_map(|package| &package.plan.models);
    let found = all.clone().find(|model| model.name == args.model).and_then(|model| {
        let job = model.jobs.first()?.clone();
        Some(Subject { job, facts: model.facts.clone(), timeout })
    });
    found.ok_or_else(|| {
        Failure::usage(format!("`{}` is neither a file nor a model of the manifest", args.model))
            .help(format!("its models: {}", list(all.map(|model| &model.name))))
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
