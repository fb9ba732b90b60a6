//! What a file's first line asks for.

use std::collections::BTreeMap;
use std::fmt::Write;

use qnn_compiler::custom::OpPackages;
use qnn_compiler::graph::Graph;
use qnn_compiler::graph::text::{self, Detail};
use qnn_compiler::graph::verify::{Dialect, verify};
use qnn_compiler::passes::{self, STAGES, Setting, Stage};
use qnn_compiler::problem::Problems;
use qnn_compiler::{lower, program};
use qnn_types::{Diagnostic, InputSpec, Target};

/// The SoC of tests that name none.
const SOC: &str = "SM8650";

/// Runs a command on a text; the output is text too, problems among it.
pub(crate) fn run(command: &str, input: &str) -> Result<String, String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let Some((&first, rest)) = words.split_first() else { return Err("`; test` says nothing".to_owned()) };
    let graph = match text::parse(input) {
        Ok(graph) => graph,
        Err(error) if first == "parse" => return Ok(format!("{error}\n")),
        Err(error) => return Err(error.to_string()),
    };
    round_trip(&graph)?;
    match first {
        "parse" => Ok(text::print(&graph, Detail::Short)),
        "verify" => {
            let dialect = match rest {
                [] | ["model"] => Dialect::Model,
                ["physical"] => Dialect::Physical,
                ["device"] => Dialect::Device,
                other => return Err(format!("{other:?} is no dialect")),
            };
            Ok(match verify(&graph, dialect) {
                Ok(()) => "ok\n".to_owned(),
                Err(found) => found.iter().map(|violation| format!("{violation}\n")).collect(),
            })
        }
        "place" => program_of(graph, rest, |graph, target| {
            let places = lower::placements(graph, target)?;
            Ok(places.iter().map(|(node, place)| format!("{} = {}: {place}\n", node.name, node.op)).collect())
        }),
        "lower" => program_of(graph, rest, |graph, target| {
            Ok(program::print(&lower::lower(graph, target, &OpPackages::default())?))
        }),
        _ => stages(graph, &words),
    }
}

/// A graph is the same after it was written and read; the short form is a graph, too.
fn round_trip(graph: &Graph) -> Result<(), String> {
    let read = |written: &str| {
        text::parse(written).map_err(|error| format!("what is printed is not read: {error}\n{written}"))
    };
    read(&text::print(graph, Detail::Short))?;
    let written = text::print(graph, Detail::Whole);
    let again = text::print(&read(&written)?, Detail::Whole);
    if written == again {
        return Ok(());
    }
    Err(format!("what is printed and read is another graph:\n{written}\nand\n{again}"))
}

fn target(name: &str) -> Result<Target, String> {
    let soc = qnn_platform::soc::find(name).map_err(|error| error.to_string())?;
    Ok(Target { name: soc.name.to_owned(), id: soc.id, arch: soc.arch, vtcm_mb: soc.vtcm_mb, fp16: soc.fp16 })
}

/// All stages, and what follows them, on a SoC.
fn program_of(
    mut graph: Graph,
    words: &[&str],
    then: impl Fn(&Graph, &Target) -> Result<String, Problems>,
) -> Result<String, String> {
    let target = target(words.first().ok_or("a SoC is expected")?)?;
    let (inputs, mut out) = (BTreeMap::new(), String::new());
    let mut warn = |warning| describe(&mut out, "warning", &warning);
    let run = passes::run(&mut graph, &mut Setting::new(&target, &inputs, &mut warn));
    match run.and_then(|()| then(&graph, &target)) {
        Ok(text) => out.push_str(&text),
        Err(problems) => problems.0.iter().for_each(|problem| describe(&mut out, "error", problem)),
    }
    Ok(out)
}

/// The stages that are named, one after the other. `SOC`, `INPUT.dtype=…`, `INPUT.layout=…` and `VALUE=LARGEST` say what these know
/// beside the graph.
fn stages(mut graph: Graph, words: &[&str]) -> Result<String, String> {
    let mut names = Vec::new();
    let (mut soc, mut inputs, mut ranges) = (target(SOC)?, BTreeMap::<String, InputSpec>::new(), None);
    for word in words {
        match word.split_once('=') {
            None => match STAGES.iter().find(|stage| stage.name == *word) {
                Some(stage) => names.push(stage),
                None => soc = target(word)?,
            },
            Some((name, text)) => match name.rsplit_once('.') {
                Some((input, "dtype")) => {
                    inputs.entry(input.to_owned()).or_default().dtype = Some(text.to_owned())
                }
                Some((input, "layout")) => {
                    inputs.entry(input.to_owned()).or_default().layout = Some(text.to_owned())
                }
                _ => {
                    let largest: f64 = text.parse().map_err(|_| format!("{word:?} is no range"))?;
                    let made = graph.nodes.iter().flat_map(|node| node.outputs.iter().flatten());
                    let mut named = made.filter(|id| graph.value(**id).name == name);
                    let id = *named.next().ok_or_else(|| format!("no node makes {name}"))?;
                    ranges.get_or_insert_with(passes::rescale::Ranges::new).insert(id, (-largest, largest));
                }
            },
        }
    }
    if names.is_empty() {
        let known: Vec<&str> = STAGES.iter().map(|stage: &Stage| stage.name).collect();
        return Err(format!("no stage of {known:?} is named"));
    }
    let mut out = String::new();
    let mut warn = |warning| describe(&mut out, "warning", &warning);
    let mut setting = Setting { ranges, ..Setting::new(&soc, &inputs, &mut warn) };
    let done = names.iter().try_for_each(|stage| stage.apply(&mut graph, &mut setting));
    match done {
        Ok(()) => {
            round_trip(&graph)?;
            out.push_str(&text::print(&graph, Detail::Short));
        }
        Err(problems) => problems.0.iter().for_each(|problem| describe(&mut out, "error", problem)),
    }
    Ok(out)
}

fn describe(out: &mut String, kind: &str, problem: &Diagnostic) {
    let node = problem.node.as_ref().map_or_else(String::new, |node| format!(" {node}:"));
    let _ = writeln!(out, "{kind} {}:{node} {}", problem.code, problem.message);
    for note in &problem.notes {
        let _ = writeln!(out, "  {note}");
    }
}
