//! Which nodes compute on integers, for people who look.

use std::fmt;

use qnn_types::Target;

use crate::custom::OpPackages;
use crate::graph::{Graph, Node};
use crate::lower::engine::nodes;
use crate::op::Op;
use crate::problem::Problems;

/// What a node computes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Nothing that it reads or makes has an encoding.
    Plain,
    /// Its operands and results are rounded, or given on as floats; nothing is computed.
    Rounds,
    /// The stored integers.
    Integers,
    /// Floats between Dequantize and Quantize, for a reason.
    Floats(String),
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("plain"),
            Self::Rounds => f.write_str("rounds"),
            Self::Integers => f.write_str("integers"),
            Self::Floats(why) => write!(f, "floats: {why}"),
        }
    }
}

/// The placement of every node of a graph in physical layout.
///
/// # Errors
/// What cannot be lowered.
pub fn placements<'g>(graph: &'g Graph, target: &Target) -> Result<Vec<(&'g Node, Placement)>, Problems> {
    let own = OpPackages::default();
    let (lower, problems) = nodes(graph, target, &own);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let place = |node: &'g Node| {
        let mut values = node.inputs.iter().chain(&node.outputs).flatten();
        let placement = match lower.floats.get(&node.name) {
            Some(why) => Placement::Floats(why.clone()),
            None if !values.any(|id| graph.value(*id).encoding.is_some()) => Placement::Plain,
            None if node.op == Op::Identity => Placement::Rounds,
            None => Placement::Integers,
        };
        (node, placement)
    };
    Ok(graph.nodes.iter().map(place).collect())
}
