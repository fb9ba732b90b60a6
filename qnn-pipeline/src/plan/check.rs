//! Overrides of inputs against the model file: what can be known before any compile.

use std::collections::{BTreeMap, BTreeSet};

use qnn_platform::nearest::nearest;

use super::{Located, dims};
use crate::source::SourceFacts;
use qnn_manifest::{Model, sizes_of};
use qnn_manifest::{ModelValue, static_shapes};
use qnn_types::{Diagnostic, GraphSpec, InputSpec, SourceFormat};

/// Checks what the manifest says of the model's inputs.
pub(super) fn overrides(
    format: SourceFormat,
    facts: &SourceFacts,
    model: &Model,
    graphs: &[GraphSpec],
) -> Vec<Located> {
    match format {
        SourceFormat::Onnx => onnx(facts, model, graphs),
        SourceFormat::Dlc => dims::none(model, "a DLC, whose shapes are fixed when it is made"),
        SourceFormat::ContextBinary => {
            [ready(model), dims::none(model, "a ready context binary, whose shapes are fixed")].concat()
        }
        SourceFormat::Gguf | SourceFormat::Safetensors => Vec::new(),
    }
}

/// A ready context binary cannot be changed any more.
fn ready(model: &Model) -> Vec<Located> {
    let said = [
        ("inputs", !model.inputs.is_empty()),
        ("outputs", !model.outputs.is_empty()),
        ("graphs", !model.graphs.is_empty()),
    ];
    let said = said.into_iter().filter(|(_, said)| *said);
    said.map(|(key, _)| {
        let message = format!("`{key}` cannot change a ready context binary");
        (
            vec![key.to_owned()],
            Diagnostic::new("E0104", message).help("remove it, or compile from the ONNX file"),
        )
    })
    .collect()
}

fn onnx(facts: &SourceFacts, model: &Model, graphs: &[GraphSpec]) -> Vec<Located> {
    let mut problems: Vec<Located> = Vec::new();
    for graph in graphs {
        // Where in the manifest the user would say something about an input of this graph.
        let place: Vec<String> = if model.graphs.is_empty() {
            vec!["inputs".to_owned()]
        } else {
            vec!["graphs".to_owned(), graph.name.clone(), "inputs".to_owned()]
        };
        for (name, spec) in &graph.inputs {
            let key = if model.graphs.get(&graph.name).is_some_and(|own| own.inputs.contains_key(name)) {
                place.iter().cloned().chain([name.clone()]).collect()
            } else {
                vec!["inputs".to_owned(), name.clone()]
            };
            match facts.inputs.iter().find(|input| input.name == *name) {
                None => problems.push((key, unknown_input(name, facts))),
                Some(input) => problems.extend(fits(input, spec).map(|problem| (key.clone(), problem))),
            }
        }
        problems.extend(dims::problems(facts, model, graph));
        // With fewer outputs some inputs may not be needed; which, only the engine can tell.
        if model.outputs.is_empty() {
            let fixed = |name: &str| graph.inputs.get(name)?.shape.clone();
            let sizes = sizes_of(model, &graph.name);
            let shapes = static_shapes(&facts.inputs, &facts.inputs, &sizes, fixed);
            let dynamic = facts.inputs.iter().zip(shapes).filter(|(_, shape)| shape.is_none());
            problems.extend(
                dynamic.filter_map(|(input, _)| Some((place.clone(), dynamic_input(input, &place, &sizes)?))),
            );
        }
    }
    // What several graphs take from the model's own table is reported once.
    let mut seen: Vec<Located> = Vec::new();
    problems.retain(|problem| {
        let new = !seen.contains(problem);
        if new {
            seen.push(problem.clone());
        }
        new
    });
    problems
}

fn unknown_input(name: &str, facts: &SourceFacts) -> Diagnostic {
    let names: Vec<&str> = facts.inputs.iter().map(|input| input.name.as_str()).collect();
    let help = match nearest(name, names.iter().copied(), 1).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its inputs: {}", names.join(", ")),
    };
    Diagnostic::new("E0111", format!("the model has no input `{name}`")).help(help)
}

fn fits<'a>(input: &'a ModelValue, spec: &'a InputSpec) -> impl Iterator<Item = Diagnostic> + 'a {
    let name = &input.name;
    let shape = match (&spec.shape, &input.shape) {
        (Some(asked), Some(dims)) => {
            let fits = asked.len() == dims.len()
                && asked.iter().zip(dims).all(|(asked, dim)| dim.is_none_or(|dim| dim == *asked));
            (!fits).then(|| {
                let message = format!("shape {asked:?} does not fit input `{name}`");
                let said = input.shape_text().unwrap_or_default();
                Diagnostic::new("E0209", message).note(format!("the model says {said}"))
            })
        }
        _ => None,
    };
    let rank = spec.shape.as_ref().map(Vec::len).or(input.shape.as_ref().map(Vec::len));
    let layout =
        spec.layout.as_ref().zip(rank).filter(|(_, rank)| !(3..=5).contains(rank)).map(|(layout, rank)| {
            let message = format!("layout {layout} for input `{name}`, which has {rank} dimensions");
            Diagnostic::new("E0209", message)
                .note("a layout is for images: batch, channels and one to three spatial dimensions")
        });
    let dims: Option<Vec<Option<u64>>> = match &spec.shape {
        Some(shape) => Some(shape.iter().map(|dim| Some(*dim)).collect()),
        None => input.shape.clone(),
    };
    // Of an input without a declared shape the engine knows no more than this does.
    let normalization = spec
        .normalization()
        .zip(dims)
        .and_then(|(normalization, dims)| normalization.of(name, &input.dtype, &dims).err());
    shape.into_iter().chain(layout).chain(normalization)
}

fn dynamic_input(input: &ModelValue, place: &[String], sizes: &BTreeMap<&str, u64>) -> Option<Diagnostic> {
    let dims = input.shape.as_ref()?;
    let size = |axis: usize| dims[axis].or_else(|| sizes.get(input.symbol(axis)?).copied());
    let open: Vec<usize> = (0..dims.len()).filter(|&axis| size(axis).is_none()).collect();
    let message = format!("input `{}` has a dynamic dimension: {}", input.name, input.shape_text()?);
    let example: Vec<String> = (0..dims.len()).map(|axis| size(axis).unwrap_or(1).to_string()).collect();
    let shape = format!("{}.{}.shape = [{}]", place.join("."), quote(&input.name), example.join(", "));
    let symbols: Option<BTreeSet<&str>> = open.iter().map(|&axis| input.symbol(axis)).collect();
    let help = match symbols {
        None => format!("fix it, for example: {shape}"),
        Some(symbols) => {
            let sizes: Vec<String> = symbols.iter().map(|name| format!("{} = 1", quote(name))).collect();
            let dims = [&place[..place.len().saturating_sub(1)], &["dims".to_owned()]].concat().join(".");
            let plural = if sizes.len() == 1 { "it" } else { "them" };
            format!("fix {plural} in all inputs: {dims} = {{ {} }}; or here alone: {shape}", sizes.join(", "))
        }
    };
    Some(Diagnostic::new("E0112", message).help(help))
}

/// A name as a TOML key.
pub(super) fn quote(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { name.to_owned() } else { format!("{name:?}") }
}
