//! Patterns of nodes that are one op on HTP. A pattern file matches backwards from its last node and replaces that
//! node; what nobody reads any more is removed at the end.

mod affine;
mod angles;
mod bias;
mod constants;
mod expand;
mod exponents;
mod gelu;
mod hard_swish;
mod norm;
mod nothing;
mod shuffle;
mod view;

use std::collections::HashSet;

use crate::graph::{Graph, ValueId};
use view::View;

/// Tries to replace the `i`-th node by a fused one; returns whether it did.
type Rule = fn(&mut Graph, &View, usize) -> bool;

/// Every pattern, larger ones first.
const RULES: &[Rule] = &[
    expand::later,
    angles::outer,
    angles::reduced,
    norm::regroup,
    norm::by_masks,
    norm::root_of_choice,
    norm::normalization,
    norm::unit_vector,
    norm::centred_variance,
    norm::root_of_squares,
    exponents::softmax,
    exponents::log_softmax,
    exponents::log_sum_exp,
    exponents::softplus,
    exponents::sigmoid,
    exponents::tanh,
    exponents::log_sigmoid,
    exponents::hidden_rows,
    gelu::gelu,
    gelu::mish,
    hard_swish::hard_swish,
    hard_swish::hard_sigmoid,
    shuffle::rule,
    bias::rule,
    constants::two_steps,
    constants::large_weights,
    constants::guard,
];

/// Replaces every pattern.
pub(super) fn run(graph: &mut Graph) {
    nothing::run(graph);
    // Before the scales that follow it are folded.
    apply(graph, norm::group_norm);
    affine::run(graph);
    for &rule in RULES {
        apply(graph, rule);
    }
    remove_unread(graph);
}

fn apply(graph: &mut Graph, rule: Rule) {
    let mut view = View::new(graph);
    let mut i = 0;
    while i < graph.nodes.len() {
        let before = graph.nodes.len();
        if rule(graph, &view, i) {
            view = View::new(graph);
            // Nodes that a rule wrote are not for it to see again.
            i += graph.nodes.len().saturating_sub(before);
        }
        i += 1;
    }
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
