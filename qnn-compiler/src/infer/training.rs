//! Losses, and the optimizers of the preview of a training domain.

use super::site::{Answer, Site, dims, invalid};
use crate::graph::TensorType;
use crate::op::Op;

/// Inputs: scores (batch, classes, …), target (batch, …), weights of the classes; outputs: loss, logarithms of probabilities.
pub(crate) fn loss(site: &Site<'_>) -> Answer {
    let (x, target) = (site.ty(0)?, site.ty(1)?);
    let fits = matches!((&x.shape[..], &target.shape[..]), ([n, _, rest @ ..], [m, own @ ..]) if n == m && rest == own);
    if !fits {
        return invalid(format!("a target {} does not fit scores {}", dims(&target.shape), dims(&x.shape)));
    }
    let shape = match site.node.attrs.str_or("reduction", "mean") {
        "none" => target.shape.clone(),
        _ => Vec::new(),
    };
    let mut types = vec![TensorType::new(x.dtype, shape)];
    if site.node.op == Op::SoftmaxCrossEntropyLoss {
        types.push(x.clone());
    }
    Ok(types)
}

/// Inputs: rate, step, then all tensors, all gradients, and `states` states of each; outputs: tensors and states.
pub(crate) fn optimizer(site: &Site<'_>, states: usize) -> Answer {
    let given = site.node.inputs.len().saturating_sub(2);
    let groups = 2 + states;
    if given == 0 || !given.is_multiple_of(groups) {
        return invalid(format!("{given} tensors do not come in {groups} groups"));
    }
    let tensors = given / groups;
    let outputs = (0..tensors).chain(2 * tensors..given);
    outputs.map(|i| site.ty(2 + i).cloned()).collect()
}
