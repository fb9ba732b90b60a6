//! Linear models.

use super::super::parts::Parts;
use super::super::table::{Row, Written};
use super::{ml, numbers, scores};
use crate::graph::{Attr, DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    ml(
        "LinearClassifier",
        "Gemm, Sigmoid or Softmax, ArgMax; labels of text as outputs are refused",
        classify,
    ),
    ml("LinearRegressor", "Gemm", regress),
];

/// Rows of features as floats.
pub(super) fn rows(p: &mut Parts<'_, '_>) -> Answer<ValueId> {
    let x = p.input(0)?;
    let width = p.shape(x).last().copied().unwrap_or(1);
    let count = p.shape(x).iter().product::<usize>() / width.max(1);
    let x = p.reshape(x, &[count, width])?;
    p.cast(x, DType::F32)
}

fn product(p: &mut Parts<'_, '_>) -> Answer<ValueId> {
    let x = rows(p)?;
    let width = p.shape(x)[1];
    let coefficients = numbers(&p.node.attrs, "coefficients");
    if width == 0 || !coefficients.len().is_multiple_of(width) {
        return invalid(format!("{} coefficients for {width} features", coefficients.len()));
    }
    let targets = coefficients.len() / width;
    let mut operands = vec![x, p.floats(DType::F32, &[targets, width], &coefficients)];
    let intercepts = numbers(&p.node.attrs, "intercepts");
    match intercepts.len() {
        0 => {}
        n if n == targets => operands.push(p.floats(DType::F32, &[n], &intercepts)),
        n => return invalid(format!("{n} intercepts for {targets} targets")),
    }
    p.with(Op::Gemm, &operands, [("transB", Attr::Int(1))])
}

fn regress(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let y = product(p)?;
    let transform = p.node.attrs.str_or("post_transform", "NONE").to_owned();
    Ok(Some(vec![scores::transformed(p, y, &transform)?]))
}

fn classify(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let y = product(p)?;
    let transform = p.node.attrs.str_or("post_transform", "NONE").to_owned();
    let (label, scores) = if p.shape(y)[1] == 1 && p.types[1].shape[1] == 2 {
        (scores::above(p, y, 0.0)?, scores::both(p, y, &transform, 1.0)?)
    } else {
        (scores::largest(p, y)?, scores::transformed(p, y, &transform)?)
    };
    let mut values = vec![label, scores];
    values.truncate(p.outputs.max(1));
    Ok(Some(values))
}
