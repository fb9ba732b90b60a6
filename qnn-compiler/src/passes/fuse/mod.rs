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
mod identities;
mod norm;
mod shuffle;
mod view;
mod zeros;

use std::collections::HashSet;

use crate::graph::{Graph, ValueId};
use view::View;

/// A pattern.
struct Rule {
    /// Tries to replace the `i`-th node by a fused one; returns whether it did.
    run: fn(&mut Graph, &View, usize) -> bool,
    /// What becomes of encodings of values inside of it.
    inside: Inside,
}

/// What becomes of the encodings of values inside of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// They say where numbers are rounded, which the pattern would lose: it is not one.
    Kept,
    /// The pattern is replaced as a whole by one op, whose result has an encoding: a quantizer rounds every value because it stands
    /// there, not because the model means it.
    Consumed,
}

const fn kept(run: fn(&mut Graph, &View, usize) -> bool) -> Rule {
    Rule { run, inside: Inside::Kept }
}

const fn whole(run: fn(&mut Graph, &View, usize) -> bool) -> Rule {
    Rule { run, inside: Inside::Consumed }
}

/// Every pattern, larger ones first.
const RULES: &[Rule] = &[
    kept(expand::later),
    kept(angles::outer),
    kept(angles::reduced),
    kept(norm::regroup),
    kept(norm::by_masks),
    kept(norm::root_of_choice),
    whole(norm::normalization),
    whole(norm::unit_vector),
    kept(norm::centred_variance),
    kept(norm::root_of_squares),
    whole(exponents::softmax),
    whole(exponents::log_softmax),
    kept(exponents::log_sum_exp),
    kept(exponents::softplus),
    whole(exponents::sigmoid),
    whole(exponents::tanh),
    kept(exponents::log_sigmoid),
    kept(exponents::hidden_rows),
    whole(gelu::gelu),
    kept(gelu::mish),
    whole(hard_swish::hard_swish),
    whole(hard_swish::hard_sigmoid),
    kept(shuffle::rule),
    kept(bias::rule),
    kept(constants::two_steps),
    kept(constants::large_weights),
    kept(constants::guard),
];

/// Replaces every pattern.
pub(super) fn run(graph: &mut Graph) {
    zeros::run(graph);
    identities::run(graph);
    // Before the scales that follow it are folded.
    apply(graph, &whole(norm::group_norm));
    affine::run(graph);
    for rule in RULES {
        apply(graph, rule);
    }
    remove_unread(graph);
}

fn apply(graph: &mut Graph, rule: &Rule) {
    let mut view = View::new(graph);
    let mut i = 0;
    while i < graph.nodes.len() {
        let before = graph.nodes.len();
        view.begin(graph, i, rule.inside);
        if (rule.run)(graph, &view, i) {
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
