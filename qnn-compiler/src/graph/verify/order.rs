//! Ids, makers, order and the names of the border.

use std::collections::HashSet;

use super::Checker;
use crate::graph::{Node, ValueId};

#[derive(Clone, Copy, Default)]
struct Seen {
    /// Which node makes it.
    maker: Option<usize>,
    input: bool,
}

pub(super) fn check(checker: &mut Checker<'_>) {
    if !ids(checker) {
        return;
    }
    let graph = checker.graph;
    let mut seen = vec![Seen::default(); graph.value_count()];
    for &id in &graph.inputs {
        if std::mem::replace(&mut seen[id.index()].input, true) {
            checker.say(None, Some(id), "is an input twice");
        }
        if graph.is_constant(id) {
            checker.say(None, Some(id), "is an input and a constant");
        }
    }
    for (at, node) in graph.nodes.iter().enumerate() {
        for &id in node.outputs.iter().flatten() {
            let value = &mut seen[id.index()];
            let what = if let Some(first) = value.maker {
                format!("is made by {:?} already", graph.nodes[first].name)
            } else if value.input {
                "is an input of the graph, which no node makes".to_owned()
            } else if graph.is_constant(id) {
                "is a constant, which no node makes".to_owned()
            } else {
                value.maker = Some(at);
                continue;
            };
            checker.say(Some(node), Some(id), what);
        }
        if node.outputs.iter().flatten().next().is_none() {
            checker.say(Some(node), None, "makes nothing; a node has at least one result");
        }
    }
    let exists = |id: ValueId| seen[id.index()].input || graph.is_constant(id);
    for (at, node) in graph.nodes.iter().enumerate() {
        for &id in node.inputs.iter().flatten().filter(|id| !exists(**id)) {
            match seen[id.index()].maker {
                Some(maker) if maker < at => {}
                Some(maker) => {
                    let name = &graph.nodes[maker].name;
                    checker.say(Some(node), Some(id), format!("is read before {name:?} makes it"));
                }
                None => checker.say(Some(node), Some(id), "is read, and nothing makes it"),
            }
        }
    }
    for &id in &graph.outputs {
        if !exists(id) && seen[id.index()].maker.is_none() {
            checker.say(None, Some(id), "is an output of the graph, and nothing makes it");
        }
    }
    names(checker);
}

/// Whether all ids are of this graph; without that nothing else can be asked.
fn ids(checker: &mut Checker<'_>) -> bool {
    let graph = checker.graph;
    let strange = |id: &ValueId| id.index() >= graph.value_count();
    let of = |node: &Node| node.inputs.iter().chain(&node.outputs).copied().flatten().find(strange);
    for node in &graph.nodes {
        if let Some(id) = of(node) {
            checker.say(Some(node), Some(id), format!("is no value: the graph has {}", graph.value_count()));
        }
    }
    if let Some(id) = graph.inputs.iter().chain(&graph.outputs).copied().find(strange) {
        checker.say(None, Some(id), format!("is no value: the graph has {}", graph.value_count()));
    }
    checker.found.is_empty()
}

/// The app finds inputs and outputs by their names.
fn names(checker: &mut Checker<'_>) {
    let graph = checker.graph;
    for ids in [&graph.inputs, &graph.outputs] {
        let mut names = HashSet::new();
        for &id in ids {
            let name = graph.value(id).name.as_str();
            if name.is_empty() {
                checker.say(None, Some(id), "is an input or output of the graph, and needs a name");
            } else if !names.insert(name) {
                checker.say(None, Some(id), "is the name of another input or output, too");
            }
        }
    }
}
