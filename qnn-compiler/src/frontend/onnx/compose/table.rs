//! The table: which operator is written as which others.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::parts::Parts;
use super::{
    algebra, attention, bits, cache, causal, crop, dynamic, extremes, fill, fused, grouped, linear_attention,
    loss, ml, multi_head, n_bits, norm, placement, quant, recurrent, refused, rotary, sample, select, signal,
    sums, training, volume,
};
use crate::frontend::Builder;
use crate::frontend::onnx::normalize::Step;
use crate::graph::{Node, ValueId};
use crate::infer::{Answer, Reason, infer};

/// What became of a node: the values of its outputs, or `None` where it stays as it is.
pub(super) type Written = Option<Vec<ValueId>>;

/// Writes a node as others.
pub(super) type Rule = fn(&mut Parts<'_, '_>) -> Answer<Written>;

/// One composed operator.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Operator domain.
    pub domain: &'static str,
    /// Operator.
    pub op: &'static str,
    /// What it is made of, and what is refused.
    pub note: &'static str,
    pub(super) rule: Rule,
}

/// A row of the standard's domain.
pub(super) const fn row(op: &'static str, note: &'static str, rule: Rule) -> Row {
    Row { domain: "", op, note, rule }
}

const FAMILIES: [&[Row]; 31] = [
    algebra::ROWS,
    attention::ROWS,
    bits::ROWS,
    cache::ROWS,
    causal::ROWS,
    crop::ROWS,
    dynamic::ROWS,
    extremes::ROWS,
    fill::ROWS,
    fused::ROWS,
    grouped::ROWS,
    linear_attention::ROWS,
    loss::ROWS,
    ml::ROWS[0],
    ml::ROWS[1],
    ml::ROWS[2],
    ml::ROWS[3],
    multi_head::ROWS,
    n_bits::ROWS,
    norm::ROWS,
    placement::ROWS,
    quant::ROWS,
    recurrent::ROWS,
    refused::ROWS,
    rotary::ROWS,
    sample::ROWS,
    select::ROWS,
    signal::ROWS,
    sums::ROWS,
    training::ROWS,
    volume::ROWS,
];

static TABLE: LazyLock<HashMap<(&'static str, &'static str), Rule>> =
    LazyLock::new(|| rows().map(|row| ((row.domain, row.op), row.rule)).collect());

/// Every composed operator, for the documentation.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|rows| rows.iter())
}

/// Whether an operator is written as others, in some of its forms at least.
pub fn is_composed(domain: &str, op: &str) -> bool {
    TABLE.contains_key(&(domain, op))
}

/// Writes a normalized node as others, where it is an operator of the table.
pub(in crate::frontend::onnx) fn compose(
    builder: &mut Builder<'_>,
    node: &Node,
    outputs: usize,
) -> Answer<Step> {
    let Some(rule) = TABLE.get(&(node.op.domain(), node.op.name())) else { return Ok(Step::Keep) };
    let types = infer(&builder.graph, node, outputs)?;
    let Some(values) = rule(&mut Parts::new(builder, node, outputs, &types))? else { return Ok(Step::Keep) };
    for (value, ty) in values.iter().zip(&types) {
        let made = &builder.graph.value(*value).ty;
        if made != ty {
            let message =
                format!("written as {} {:?} instead of {} {:?}", made.dtype, made.shape, ty.dtype, ty.shape);
            return Err(Reason::Unsupported(message));
        }
    }
    Ok(Step::Replaced(values.into_iter().map(Some).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Op, Types};

    #[test]
    fn every_operator_that_is_written_as_others_is_typed_first() {
        let untyped: Vec<&str> = rows()
            .filter(|row| matches!(Op::of(row.domain, row.op).types(), Types::Unknown))
            .map(|row| row.op)
            .collect();
        assert_eq!(untyped, [""; 0]);
    }
}
