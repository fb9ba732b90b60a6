//! Patterns of nodes that are one op on HTP. A pattern file matches backwards from its last node and replaces that
//! node; what nobody reads any more is removed at the end.

mod affine;
mod gelu;
mod hard_swish;
mod layer_norm;
mod view;

use std::collections::HashSet;

use crate::graph::{Graph, ValueId};
use crate::problem::Result;
use view::View;

/// Tries to replace the `i`-th node by a fused one; returns whether it did.
type Rule = fn(&mut Graph, &View, usize) -> bool;

/// Every pattern, larger ones first.
const RULES: &[Rule] =
    &[layer_norm::rule, gelu::gelu, gelu::mish, hard_swish::hard_swish, hard_swish::hard_sigmoid];

/// Fuses until nothing changes.
///
/// # Errors
/// None.
pub(super) fn run(graph: &mut Graph) -> Result<()> {
    affine::run(graph);
    for rule in RULES {
        let mut view = View::new(graph);
        for i in 0..graph.nodes.len() {
            if rule(graph, &view, i) {
                view = View::new(graph);
            }
        }
    }
    remove_unread(graph);
    Ok(())
}

/// Removes nodes whose results nobody reads.
fn remove_unread(graph: &mut Graph) {
    let mut read: HashSet<ValueId> = graph.outputs.iter().copied().collect();
    let mut keep = vec![false; graph.nodes.len()];
    for (i, node) in graph.nodes.iter().enumerate().rev() {
        if node.outputs.iter().flatten().any(|o| read.contains(o)) {
            keep[i] = true;
            read.extend(node.inputs.iter().flatten());
        }
    }
    let mut keep = keep.into_iter();
    graph.nodes.retain(|_| keep.next().unwrap_or(true));
}
