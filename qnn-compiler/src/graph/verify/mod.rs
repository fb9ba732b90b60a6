//! Whether a graph is one: what every pass may rely on, and must leave.
//!
//! * Ids are of this graph, and nodes are in topological order: what a node reads is an input, a constant, or made by a node before it.
//! * Each value has one maker. Inputs and constants have none; every node makes something.
//! * Inputs and outputs have names, each its own: they are the app's. Names of other values and of nodes are for people, and may repeat.
//! * A node's results have the dtypes and shapes that the inference table gives them, where it has a row for the operator. An encoded
//!   constant counts as the float that it stands for.
//! * A constant has as many bytes as its type says. Its encoding is one of integers that its dtype holds; the encoding of a computed value
//!   is one of a float. Scales are positive, and as many as the axis or the blocks ask for.
//! * What a [`Dialect`] says of layout, of constants that became attributes, and of dtypes.
//!
//! Values that nothing reads or makes may stay behind: passes do not renumber.

mod dialect;
mod order;
mod site;
mod types;
mod values;

use std::fmt;

use super::{Graph, Node, ValueId};

/// The form that a graph is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// As the front end leaves it: the ONNX standard's order of axes.
    Model,
    /// As the layout pass leaves it: the order of axes that the device sees; `passes/layout` lists the forms of operators.
    Physical,
    /// Physical, with the 32-bit numbers that HTP has: ready to lower.
    Device,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The node's name.
    pub node: Option<String>,
    /// The value's name.
    pub value: Option<String>,
    /// What is found, and what was expected.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(node) = &self.node {
            write!(f, "node {node:?}: ")?;
        }
        if let Some(value) = &self.value {
            write!(f, "value {value:?}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// Checks a graph.
///
/// # Errors
/// Everything that is wrong with it, in the order of the nodes.
pub fn verify(graph: &Graph, dialect: Dialect) -> Result<(), Vec<Violation>> {
    let mut checker = Checker { graph, dialect, found: Vec::new() };
    order::check(&mut checker);
    // With ids of another graph there is nothing to look at.
    if checker.found.is_empty() {
        values::check(&mut checker);
        dialect::check(&mut checker);
        types::check(&mut checker);
    }
    if checker.found.is_empty() { Ok(()) } else { Err(checker.found) }
}

struct Checker<'g> {
    graph: &'g Graph,
    dialect: Dialect,
    found: Vec<Violation>,
}

impl Checker<'_> {
    fn say(&mut self, node: Option<&Node>, value: Option<ValueId>, what: impl Into<String>) {
        let known = value.filter(|id| id.index() < self.graph.value_count());
        let value = match (known, value) {
            (Some(id), _) => Some(self.graph.value(id).name.clone()),
            (None, id) => id.map(|id| format!("#{}", id.index())),
        };
        self.found.push(Violation { node: node.map(|node| node.name.clone()), value, what: what.into() });
    }
}
