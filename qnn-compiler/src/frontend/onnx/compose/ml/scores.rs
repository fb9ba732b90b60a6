//! Classes and probabilities from scores.

use super::super::parts::Parts;
use super::integers;
use crate::graph::{Attr, DType, ValueId};
use crate::infer::Answer;
use crate::op::Op;

/// What is done to scores at the end.
pub(super) fn transformed(p: &mut Parts<'_, '_>, scores: ValueId, transform: &str) -> Answer<ValueId> {
    match transform {
        "NONE" => Ok(scores),
        "LOGISTIC" => p.op(Op::Sigmoid, &[scores]),
        "SOFTMAX" => p.with(Op::Softmax, &[scores], [("axis", Attr::Int(-1))]),
        other => p.refuse(format!("post_transform {other} is not supported")),
    }
}

/// The labels; their places where they are texts.
fn labels(p: &Parts<'_, '_>) -> Vec<i64> {
    let lists = ["classlabels_ints", "classlabels_int64s"].map(|name| integers(&p.node.attrs, name));
    let count = crate::infer::classes(&p.node.attrs) as i64;
    lists.into_iter().find(|list| !list.is_empty()).unwrap_or_else(|| (0..count).collect())
}

/// The label of the largest score of each row.
pub(super) fn largest(p: &mut Parts<'_, '_>, scores: ValueId) -> Answer<ValueId> {
    let at = p.with(Op::ArgMax, &[scores], [("axis", Attr::Int(1)), ("keepdims", Attr::Int(0))])?;
    let labels = labels(p);
    if labels.iter().enumerate().all(|(i, label)| i as i64 == *label) {
        return Ok(at);
    }
    let labels = p.ints(DType::I64, &[labels.len()], &labels);
    p.rows(labels, at)
}

/// The second label where a row's only score is above a bound, else the first.
pub(super) fn above(p: &mut Parts<'_, '_>, score: ValueId, bound: f64) -> Answer<ValueId> {
    let rows = p.shape(score)[0];
    let score = p.reshape(score, &[rows])?;
    let bound = p.scalar(DType::F32, bound);
    let second = p.op(Op::Greater, &[score, bound])?;
    let labels = labels(p);
    if labels == [0, 1] {
        return p.cast(second, DType::I64);
    }
    let [no, yes] = [0usize, 1].map(|i| labels.get(i).copied().unwrap_or(i as i64));
    let (no, yes) = (p.ints(DType::I64, &[], &[no]), p.ints(DType::I64, &[], &[yes]));
    p.op(Op::Where, &[second, yes, no])
}

/// The scores of two classes from that of the second: with `LOGISTIC` both sigmoids, else the first is `rest` less it.
pub(super) fn both(p: &mut Parts<'_, '_>, score: ValueId, transform: &str, rest: f64) -> Answer<ValueId> {
    let logistic = transform == "LOGISTIC";
    let first = if logistic || rest == 0.0 {
        p.op(Op::Neg, &[score])?
    } else {
        let rest = p.scalar(DType::F32, rest);
        p.op(Op::Sub, &[rest, score])?
    };
    let all = p.concat(&[first, score], 1)?;
    if logistic { p.op(Op::Sigmoid, &[all]) } else { Ok(all) }
}
