//! Integers in flight: values between QuantizeLinear and DequantizeLinear, with what moves their elements in between.

use std::collections::HashMap;

use super::params;
use crate::graph::{Encoding, Graph, ValueId};

/// Operators that put elements elsewhere without looking at them; with how many of their inputs are such elements.
const MOVING: &[(&str, usize)] = &[
    ("Concat", usize::MAX),
    ("DepthToSpace", 1),
    ("Expand", 1),
    ("Flatten", 1),
    ("Gather", 1),
    ("Identity", 1),
    ("MaxPool", 1),
    ("Reshape", 1),
    ("Slice", 1),
    ("SpaceToDepth", 1),
    ("Split", 1),
    ("Squeeze", 1),
    ("Tile", 1),
    ("Transpose", 1),
    ("Unsqueeze", 1),
];

/// How many inputs of an operator are elements that it only moves.
pub(super) fn moved_inputs(domain: &str, op: &str) -> usize {
    let row = MOVING.iter().find(|(name, _)| domain.is_empty() && *name == op);
    row.map_or(0, |(_, count)| *count)
}

/// The encodings of integer values that stand for real numbers all their way.
pub(super) fn encodings(graph: &Graph) -> HashMap<ValueId, Encoding> {
    let mut groups = Groups::default();
    for node in &graph.nodes {
        let moved = moved_inputs(&node.domain, &node.op);
        match (node.domain.as_str(), node.op.as_str()) {
            ("", "QuantizeLinear") => {
                if let Some(q) = node.output(0) {
                    groups.says(graph, q, params::read(graph, node, q));
                }
            }
            ("", "DequantizeLinear") => {
                if let Some(q) = node.input(0).filter(|&q| !graph.is_constant(q)) {
                    groups.says(graph, q, params::read(graph, node, q));
                }
            }
            _ if moved > 0 => {
                let parts = node.inputs.iter().take(moved).chain(&node.outputs).flatten();
                let parts: Vec<ValueId> = parts.copied().collect();
                for pair in parts.windows(2) {
                    groups.join(pair[0], pair[1]);
                }
                for &id in node.inputs.iter().skip(moved).flatten() {
                    groups.refuse(id);
                }
            }
            _ => {
                node.inputs.iter().chain(&node.outputs).flatten().for_each(|&id| groups.refuse(id));
            }
        }
    }
    // A constant among the integers has no scale of its own.
    let constants: Vec<ValueId> = groups.parent.keys().copied().filter(|&id| graph.is_constant(id)).collect();
    constants.into_iter().for_each(|id| groups.refuse(id));
    groups.answers()
}

#[derive(Default)]
struct Groups {
    parent: HashMap<ValueId, ValueId>,
    /// What is said of each group, by its root: one encoding, or `None` where it cannot be real.
    said: HashMap<ValueId, Option<Encoding>>,
}

impl Groups {
    fn root(&mut self, id: ValueId) -> ValueId {
        let mut at = id;
        while let Some(&up) = self.parent.get(&at).filter(|&&up| up != at) {
            at = up;
        }
        self.parent.insert(id, at);
        at
    }

    fn set(&mut self, root: ValueId, said: Option<Encoding>) {
        match self.said.get(&root) {
            None => drop(self.said.insert(root, said)),
            Some(old) if *old == said => {}
            Some(_) => drop(self.said.insert(root, None)),
        }
    }

    fn says(&mut self, graph: &Graph, id: ValueId, params: Option<Encoding>) {
        let root = self.root(id);
        let activation = params
            .filter(|encoding| encoding.axis.is_none() && encoding.bits <= 16)
            .filter(|_| !graph.is_constant(id));
        self.set(root, activation);
    }

    fn refuse(&mut self, id: ValueId) {
        let root = self.root(id);
        self.said.insert(root, None);
    }

    fn join(&mut self, a: ValueId, b: ValueId) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        self.parent.insert(a, b);
        if let Some(said) = self.said.remove(&a) {
            self.set(b, said);
        }
    }

    fn answers(mut self) -> HashMap<ValueId, Encoding> {
        let ids: Vec<ValueId> = self.parent.keys().copied().collect();
        let mut answers = HashMap::new();
        for id in ids {
            let root = self.root(id);
            if let Some(Some(encoding)) = self.said.get(&root) {
                answers.insert(id, encoding.clone());
            }
        }
        answers
    }
}
