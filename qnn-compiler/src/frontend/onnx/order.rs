//! Which nodes of a graph are needed, and in what order.

use qnn_platform::nearest::nearest;
use qnn_types::Diagnostic;
use std::collections::{HashMap, HashSet};

use super::proto::{GraphProto, NodeProto};
use crate::problem::problem;

/// The nodes that lead to the wanted names.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    /// Positions in the file, each after those whose results it reads; the file's own order where that is one.
    pub(super) order: Vec<usize>,
    /// Every name that is read or wanted.
    pub(super) used: HashSet<&'a str>,
}

/// Plans the nodes of one graph or function body. `known` names exist without a node.
///
/// # Errors
///
/// `E0215` for each value with two producers, `E0207` for each read of a name that nothing produces, `E0206` for a cycle.
pub(super) fn plan<'a>(
    nodes: &'a [NodeProto],
    wanted: &[&'a str],
    known: impl Fn(&str) -> bool,
) -> Result<Plan<'a>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut producers: HashMap<&str, usize> = HashMap::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            if let Some(other) = producers.insert(output, i) {
                let first = title(&nodes[other]);
                problems.push(at(
                    "E0215",
                    node,
                    format!("'{output}' is the result of this node and of {first}"),
                ));
            }
        }
    }
    let mut plan = Plan::default();
    let mut walk =
        Walk { nodes, producers: &producers, marks: vec![Mark::New; nodes.len()], order: Vec::new() };
    for name in wanted {
        plan.used.insert(name);
        match producers.get(name) {
            Some(start) => walk.from(*start, &mut plan.used, &mut problems, &known),
            None if known(name) => {}
            None => problems.push(problem("E0207", format!("output '{name}' is the result of no node"))),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    plan.order = walk.order;
    keep_file_order(nodes, &producers, &mut plan.order);
    Ok(plan)
}

/// Sorts the order by position if no node then precedes one that it reads.
fn keep_file_order(nodes: &[NodeProto], producers: &HashMap<&str, usize>, order: &mut [usize]) {
    let in_order = |i: usize| reads(&nodes[i]).iter().all(|name| producers.get(name).is_none_or(|p| *p < i));
    if order.iter().all(|i| in_order(*i)) {
        order.sort_unstable();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

struct Walk<'a, 'w> {
    nodes: &'a [NodeProto],
    producers: &'w HashMap<&'a str, usize>,
    marks: Vec<Mark>,
    order: Vec<usize>,
}

impl<'a> Walk<'a, '_> {
    /// Depth first, with a stack of its own: models are deeper than thread stacks.
    fn from(
        &mut self,
        start: usize,
        used: &mut HashSet<&'a str>,
        problems: &mut Vec<Diagnostic>,
        known: &impl Fn(&str) -> bool,
    ) {
        if self.marks[start] != Mark::New {
            return;
        }
        self.marks[start] = Mark::Open;
        let mut stack = vec![(start, reads(&self.nodes[start]))];
        while let Some((i, pending)) = stack.last_mut() {
            let i = *i;
            let Some(name) = pending.pop() else {
                self.marks[i] = Mark::Done;
                self.order.push(i);
                stack.pop();
                continue;
            };
            used.insert(name);
            match self.producers.get(name) {
                Some(p) if self.marks[*p] == Mark::New => {
                    self.marks[*p] = Mark::Open;
                    stack.push((*p, reads(&self.nodes[*p])));
                }
                Some(p) if self.marks[*p] == Mark::Open => {
                    let from = stack.iter().position(|(n, _)| n == p).unwrap_or(0);
                    let cycle: Vec<String> =
                        stack[from..].iter().map(|(n, _)| title(&self.nodes[*n])).collect();
                    problems.push(Diagnostic {
                        notes: vec![format!("cycle: {}", abridged(&cycle))],
                        ..at(
                            "E0206",
                            &self.nodes[*p],
                            "the node reads its own result, directly or through others".to_owned(),
                        )
                    });
                }
                Some(_) => {}
                None if known(name) => {}
                None => problems.push(self.unknown(i, name)),
            }
        }
    }

    fn unknown(&self, node: usize, name: &str) -> Diagnostic {
        let near = nearest(name, self.producers.keys().copied(), 1);
        Diagnostic {
            help: near.first().map(|n| format!("the nearest name that there is: '{n}'")),
            ..at(
                "E0207",
                &self.nodes[node],
                format!(
                    "the node reads '{name}', which is neither an input, nor a weight, nor the result of a node"
                ),
            )
        }
    }
}

fn abridged(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let more =
        if names.len() > SHOWN { format!(" (and {} more)", names.len() - SHOWN) } else { String::new() };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}

/// A node as messages call it.
pub(super) fn title(node: &NodeProto) -> String {
    format!("{} '{}'", node.op_type, label(node))
}

/// The node's name, else its first output's.
pub(super) fn label(node: &NodeProto) -> &str {
    match (&*node.name, node.output.iter().find(|o| !o.is_empty())) {
        ("", Some(output)) => output,
        (name, _) => name,
    }
}

fn at(code: &str, node: &NodeProto, message: String) -> Diagnostic {
    Diagnostic {
        node: Some(label(node).to_owned()),
        op: Some(node.op_type.clone()),
        ..problem(code, message)
    }
}

/// Names that a node reads: its inputs, and what the graphs among its attributes take from around them.
fn reads(node: &NodeProto) -> Vec<&str> {
    let mut names: Vec<&str> = node.input.iter().map(|s| &**s).filter(|s| !s.is_empty()).collect();
    for graph in node.attribute.iter().flat_map(|a| a.g.iter().chain(&a.graphs)) {
        captured(graph, &mut names);
    }
    names
}

fn captured<'a>(graph: &'a GraphProto, names: &mut Vec<&'a str>) {
    let own: HashSet<&str> = graph
        .node
        .iter()
        .flat_map(|n| n.output.iter().map(|s| &**s))
        .chain(graph.input.iter().map(|v| &*v.name))
        .chain(graph.initializer.iter().map(|t| &*t.name))
        .chain(graph.sparse_initializer.iter().filter_map(|s| s.values.as_ref()).map(|t| &*t.name))
        .collect();
    let inside = graph.node.iter().flat_map(reads).chain(graph.output.iter().map(|v| &*v.name));
    names.extend(inside.filter(|name| !name.is_empty() && !own.contains(name)));
}
