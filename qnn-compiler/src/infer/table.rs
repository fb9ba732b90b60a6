//! The table: which rule types which operator.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::site::{Answer, Reason, Site, volume};
use super::{
    attention, elementwise, linear, ml, quant, recurrent, reduction, shaping, signal, spatial, training,
};
use crate::graph::{Graph, Node, TensorType};
use crate::op::Op;

/// Types every output of a node.
pub(super) type Rule = fn(&Site<'_>) -> Answer;

/// Operator and rule.
pub(super) type Row = (Op, Rule);

/// All rows, one slice an operator family.
const FAMILIES: [&[Row]; 11] = [
    attention::ROWS,
    elementwise::ROWS,
    linear::ROWS,
    ml::ROWS,
    quant::ROWS,
    recurrent::ROWS,
    reduction::ROWS,
    shaping::ROWS,
    signal::ROWS,
    spatial::ROWS,
    training::ROWS,
];

static TABLE: LazyLock<HashMap<Op, Rule>> =
    LazyLock::new(|| FAMILIES.iter().flat_map(|rows| rows.iter()).copied().collect());

/// Types of the first `outputs` outputs of a node whose inputs exist in `graph`.
///
/// Every dimension and every tensor's size in bytes is at most 2^40 in an answer.
///
/// # Errors
///
/// See [`Reason`]; [`Reason::Unknown`] where the table has no row for the operator.
pub fn infer(graph: &Graph, node: &Node, outputs: usize) -> Answer {
    let Some(rule) = TABLE.get(&node.op) else {
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

/// Whether the table has a row for an operator.
#[cfg(test)]
pub(crate) fn is_known(op: Op) -> bool {
    TABLE.contains_key(&op)
}
