//! Categories encoded as integers.

use super::super::parts::Parts;
use super::super::table::{Row, Written};
use super::{integers, ml, numbers};
use crate::graph::{Attr, DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    ml("LabelEncoder", "Equal to every key, ArgMax, Gather; numbers only", encode),
    ml("OneHotEncoder", "Equal to every category; numbers only", one_hot),
];

/// Whether each element is each key, along a last axis.
fn matches(p: &mut Parts<'_, '_>, x: ValueId, keys: &[f64]) -> Answer<ValueId> {
    let shape = [p.shape(x), vec![1]].concat();
    let x = p.reshape(x, &shape)?;
    let keys = p.floats(p.dtype(x), &[keys.len()], keys);
    let found = p.op(Op::Equal, &[x, keys])?;
    p.cast(found, DType::F32)
}

fn one_hot(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let keys: Vec<f64> = integers(&p.node.attrs, "cats_int64s").into_iter().map(|k| k as f64).collect();
    Ok(Some(vec![matches(p, x, &keys)?]))
}

fn encode(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let attrs = &p.node.attrs;
    let of = |kind: &str| -> Vec<f64> {
        let lists = ["int64s", "floats", "tensor"].map(|ty| numbers(attrs, &format!("{kind}_{ty}")));
        lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default()
    };
    let (keys, mut values) = (of("keys"), of("values"));
    if keys.is_empty() {
        return p.refuse("keys of text are not supported: encode them in the app");
    }
    if keys.len() != values.len() {
        return invalid(format!("{} keys for {} values", keys.len(), values.len()));
    }
    let other = match p.types[0].dtype {
        DType::F32 => f64::from(attrs.float_or("default_float", 0.0)),
        _ => attrs.int_or("default_int64", -1) as f64,
    };
    let other = numbers(attrs, "default_tensor").first().copied().unwrap_or(other);
    let x = p.input(0)?;
    let found = matches(p, x, &keys)?;
    // Where no key matches, the half that comes last is the largest.
    let last = p.shape(found).len() - 1;
    let mut shape = p.shape(found);
    shape[last] = 1;
    let half = p.floats(DType::F32, &shape, &vec![0.5; shape.iter().product()]);
    let all = p.concat(&[found, half], last)?;
    let at = p.with(Op::ArgMax, &[all], [("axis", Attr::Int(last as i64)), ("keepdims", Attr::Int(0))])?;
    values.push(other);
    let table = p.floats(p.types[0].dtype, &[values.len()], &values);
    Ok(Some(vec![p.rows(table, at)?]))
}
