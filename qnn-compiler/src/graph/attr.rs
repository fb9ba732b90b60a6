//! Node attributes.

use super::{Data, TensorType};
use std::collections::BTreeMap;

/// The value of one attribute.
#[derive(Clone, Debug)]
pub enum Attr {
    /// Integer.
    Int(i64),
    /// Float.
    Float(f32),
    /// UTF-8 string.
    Str(String),
    /// Integers.
    Ints(Vec<i64>),
    /// Floats.
    Floats(Vec<f32>),
    /// Strings.
    Strs(Vec<String>),
    /// Constant tensor.
    Tensor(TensorType, Data),
}

/// Attributes by name. Readers return the given default where an attribute is absent or of another kind.
#[derive(Clone, Debug, Default)]
pub struct Attrs(pub BTreeMap<String, Attr>);

impl Attrs {
    /// The attribute itself.
    pub fn get(&self, name: &str) -> Option<&Attr> {
        self.0.get(name)
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: Attr) {
        self.0.insert(name.to_owned(), value);
    }

    /// Integer attribute.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Attr::Int(v)) => Some(*v),
            _ => None,
        }
    }

    /// Integer attribute or a default.
    pub fn int_or(&self, name: &str, default: i64) -> i64 {
        self.int(name).unwrap_or(default)
    }

    /// Float attribute or a default.
    pub fn float_or(&self, name: &str, default: f32) -> f32 {
        match self.get(name) {
            Some(Attr::Float(v)) => *v,
            Some(Attr::Int(v)) => *v as f32,
            _ => default,
        }
    }

    /// Integer list attribute.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.get(name) {
            Some(Attr::Ints(v)) => Some(v),
            _ => None,
        }
    }

    /// String attribute or a default.
    pub fn str_or<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        match self.get(name) {
            Some(Attr::Str(v)) => v,
            _ => default,
        }
    }
}
