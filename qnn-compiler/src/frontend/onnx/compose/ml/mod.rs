//! Classical machine learning, as scikit-learn, LightGBM and XGBoost are exported: domain ai.onnx.ml.

mod ensemble;
mod features;
mod keys;
mod linear;
mod scores;
mod trees;

use super::table::{Row, Rule, row};
use crate::graph::{Attr, Attrs};

pub(super) const ROWS: &[&[Row]] = &[features::ROWS, keys::ROWS, linear::ROWS, trees::ROWS];

const fn ml(op: &'static str, note: &'static str, rule: Rule) -> Row {
    Row { domain: "ai.onnx.ml", ..row(op, note, rule) }
}

/// A list of numbers; doubles are in a tensor of a name of its own.
fn numbers(attrs: &Attrs, name: &str) -> Vec<f64> {
    let wide = format!("{name}_as_tensor");
    match attrs.get(name).or_else(|| attrs.get(&wide)) {
        Some(Attr::Floats(v)) => v.iter().map(|v| f64::from(*v)).collect(),
        Some(Attr::Ints(v)) => v.iter().map(|v| *v as f64).collect(),
        Some(Attr::Float(v)) => vec![f64::from(*v)],
        Some(Attr::Tensor(ty, data)) => data.to_f64(ty.dtype),
        _ => Vec::new(),
    }
}

/// A list of integers.
fn integers(attrs: &Attrs, name: &str) -> Vec<i64> {
    match attrs.get(name) {
        Some(Attr::Ints(v)) => v.clone(),
        Some(Attr::Tensor(ty, data)) => data.to_i64(ty.dtype),
        _ => Vec::new(),
    }
}
