//! Free dimensions that the manifest fixes by the model's names for them.

use std::collections::BTreeSet;

use qnn_platform::nearest::nearest;

use super::Located;
use super::check::quote;
use crate::source::SourceFacts;
use qnn_manifest::{Model, sizes_of};
use qnn_types::{Diagnostic, GraphSpec};

/// Sizes of dimensions that the model does not have, and those that an input's shape contradicts.
pub(super) fn problems(facts: &SourceFacts, model: &Model, graph: &GraphSpec) -> Vec<Located> {
    let known: BTreeSet<&str> = facts
        .inputs
        .iter()
        .flat_map(|input| (0..input.symbols.len()).filter_map(|axis| input.symbol(axis)))
        .collect();
    let own = model.graphs.get(&graph.name).map(|graph| &graph.dims);
    let mut problems = Vec::new();
    for (name, size) in sizes_of(model, &graph.name) {
        let key = if own.is_some_and(|own| own.contains_key(name)) {
            vec!["graphs".to_owned(), graph.name.clone(), "dims".to_owned(), name.to_owned()]
        } else {
            vec!["dims".to_owned(), name.to_owned()]
        };
        if !known.contains(name) {
            problems.push((key, unknown(name, &known)));
            continue;
        }
        for input in &facts.inputs {
            let shape = graph.inputs.get(&input.name).and_then(|spec| spec.shape.as_ref());
            let said = shape.and_then(|shape| {
                (0..shape.len()).find(|&axis| input.symbol(axis) == Some(name) && shape[axis] != size)
            });
            if let (Some(axis), Some(shape)) = (said, shape) {
                let message = format!(
                    "`dims.{} = {size}`, and `inputs.{}.shape` makes it {}",
                    quote(name),
                    quote(&input.name),
                    shape[axis]
                );
                let problem = Diagnostic::new("E0209", message)
                    .note(format!("the model says {}", input.shape_text().unwrap_or_default()))
                    .help("say it once: leave one of them out");
                problems.push((key.clone(), problem));
            }
        }
    }
    problems
}

fn unknown(name: &str, known: &BTreeSet<&str>) -> Diagnostic {
    let help = match nearest(name, known.iter().copied(), 1).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => {
            "the model has no named dimensions: fix them by `inputs.NAME.shape`".to_owned()
        }
        None => format!("its dimensions: {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
    };
    Diagnostic::new("E0120", format!("no input of the model has a free dimension `{name}`")).help(help)
}

/// `dims` where nothing can be fixed.
pub(super) fn none(model: &Model, what: &str) -> Vec<Located> {
    let problem = || {
        Diagnostic::new("E0104", format!("`dims` cannot change {what}"))
            .help("remove it, or compile from the ONNX file")
    };
    let own = model.graphs.iter().filter(|(_, graph)| !graph.dims.is_empty());
    let own = own.map(|(name, _)| vec!["graphs".to_owned(), name.clone(), "dims".to_owned()]);
    let all = (!model.dims.is_empty()).then(|| vec!["dims".to_owned()]);
    all.into_iter().chain(own).map(|key| (key, problem())).collect()
}
