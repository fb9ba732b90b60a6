//! Types a node by the rule of its operator.

use super::site::{Answer, Reason, Site, volume};
use crate::graph::{Graph, Node, TensorType};
use crate::op::Types;

/// Types every output of a node.
pub(crate) type Rule = fn(&Site<'_>) -> Answer;

/// Types of the first `outputs` outputs of a node whose inputs exist in `graph`.
///
/// Every dimension and every tensor's size in bytes is at most 2^40 in an answer.
///
/// # Errors
///
/// See [`Reason`]; [`Reason::Unknown`] where there is no row for the operator.
pub fn infer(graph: &Graph, node: &Node, outputs: usize) -> Answer {
    let Types::By(rule) = node.op.types() else {
        let domain = match node.op.domain() {
            "" => String::new(),
            domain => format!(" of domain {domain}"),
        };
        return Err(Reason::Unknown(format!(
            "there is no type inference for operator {}{domain}",
            node.op.name()
        )));
    };
    let types = rule(&Site { graph, node, outputs })?;
    if types.len() < outputs {
        return super::invalid(format!("the operator has {} outputs, the node {outputs}", types.len()));
    }
    for TensorType { dtype, shape } in &types {
        volume(shape)?.checked_mul(dtype.size()).filter(|bytes| *bytes as u64 <= super::LIMIT).ok_or_else(
            || Reason::Invalid(format!("a tensor of shape {} is too large", super::dims(shape))),
        )?;
    }
    Ok(types)
}
