//! Preprocessing of features: scalers, encoders, imputers.

use super::super::parts::Parts;
use super::super::table::{Row, Written};
use super::{ml, numbers};
use crate::graph::{Attr, DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    ml("ArrayFeatureExtractor", "Gather", extract),
    ml("Binarizer", "Greater", binarize),
    ml("FeatureVectorizer", "Concat", join),
    ml("Imputer", "Where; of NaN by IsNaN", impute),
    ml("Normalizer", "LpNormalization; by the largest ReduceMax, Div", normalize),
    ml("Scaler", "Sub, Mul", scale),
];

fn extract(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, at) = (p.input(0)?, p.input(1)?);
    let count = p.shape(at).iter().product();
    let at = p.reshape(at, &[count])?;
    let y = p.with(Op::Gather, &[x, at], [("axis", Attr::Int(-1))])?;
    let shape = p.types[0].shape.clone();
    Ok(Some(vec![p.reshape(y, &shape)?]))
}

fn binarize(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let threshold = p.scalar(p.dtype(x), p.node.attrs.float_or("threshold", 0.0).into());
    let y = p.op(Op::Greater, &[x, threshold])?;
    Ok(Some(vec![p.cast(y, p.types[0].dtype)?]))
}

fn join(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let rows = p.types[0].shape[0];
    let mut parts = Vec::new();
    for i in 0..p.node.inputs.len() {
        let x = p.input(i)?;
        let x = p.cast(x, DType::F32)?;
        let width = p.shape(x).iter().product::<usize>() / rows.max(1);
        parts.push(p.reshape(x, &[rows, width])?);
    }
    Ok(Some(vec![p.concat(&parts, 1)?]))
}

fn impute(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let (floats, ints) =
        (numbers(&p.node.attrs, "imputed_value_floats"), numbers(&p.node.attrs, "imputed_value_int64s"));
    let values = if p.dtype(x).is_float() { floats } else { ints };
    let missing = p.node.attrs.float_or("replaced_value_float", 0.0);
    let found = if p.dtype(x).is_float() && missing.is_nan() {
        p.op(Op::IsNaN, &[x])?
    } else {
        let number = match p.dtype(x).is_float() {
            true => f64::from(missing),
            false => p.node.attrs.int_or("replaced_value_int64", 0) as f64,
        };
        let number = p.scalar(p.dtype(x), number);
        p.op(Op::Equal, &[x, number])?
    };
    let values = list(p, x, &values)?;
    Ok(Some(vec![p.op(Op::Where, &[found, values, x])?]))
}

/// One number, or one a feature, as a constant of the type of `x`.
fn list(p: &mut Parts<'_, '_>, x: ValueId, values: &[f64]) -> Answer<ValueId> {
    let width = p.shape(x).last().copied().unwrap_or(1);
    match values.len() {
        1 => Ok(p.scalar(p.dtype(x), values[0])),
        n if n == width => Ok(p.floats(p.dtype(x), &[n], values)),
        n => invalid(format!("it has {n} numbers for {width} features")),
    }
}

fn normalize(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let x = p.cast(x, DType::F32)?;
    let last = p.shape(x).len().saturating_sub(1);
    let y = match p.node.attrs.str_or("norm", "MAX") {
        "L1" => lp(p, x, last, 1)?,
        "L2" => lp(p, x, last, 2)?,
        _ => {
            let most = p.reduce(Op::ReduceMax, x, &[last], true)?;
            p.op(Op::Div, &[x, most])?
        }
    };
    Ok(Some(vec![y]))
}

fn lp(p: &mut Parts<'_, '_>, x: ValueId, axis: usize, order: i64) -> Answer<ValueId> {
    p.with(Op::LpNormalization, &[x], [("axis", Attr::Int(axis as i64)), ("p", Attr::Int(order))])
}

fn scale(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let mut y = p.cast(x, DType::F32)?;
    for (name, op) in [("offset", Op::Sub), ("scale", Op::Mul)] {
        let values = numbers(&p.node.attrs, name);
        if !values.is_empty() {
            let values = list(p, y, &values)?;
            y = p.op(op, &[y, values])?;
        }
    }
    Ok(Some(vec![y]))
}
