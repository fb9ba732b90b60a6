//! The view of a node that a type rule gets, and the results that it may return.

use crate::graph::{DType, Graph, Node, TensorType, ValueId};
use thiserror::Error;

/// Why the types of a node's outputs cannot be told.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Reason {
    /// The node contradicts the operator's definition.
    #[error("{0}")]
    Invalid(String),
    /// The result's shape depends on values that are only known when the model runs.
    #[error("{0}")]
    DataDependent(String),
    /// What the operator does cannot be expressed in a static graph.
    #[error("{0}")]
    Unsupported(String),
    /// There is no rule for the operator.
    #[error("{0}")]
    Unknown(String),
}

/// Result of a rule.
pub type Answer<T = Vec<TensorType>> = Result<T, Reason>;

/// [`Reason::Invalid`] as an error.
pub(crate) fn invalid<T>(message: impl Into<String>) -> Answer<T> {
    Err(Reason::Invalid(message.into()))
}

/// The largest extent of an axis and the most bytes of a tensor that are believed: 2^40. Keeps every sum and product of
/// the rules inside 64 bits.
pub(crate) const LIMIT: u64 = 1 << 40;

/// The largest kernel, stride, dilation or padding that is believed.
const WINDOW_LIMIT: u64 = 1 << 20;

/// A node whose inputs are all typed; `outputs` of it are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The graph the inputs live in.
    pub graph: &'a Graph,
    /// The node; its outputs need not exist yet.
    pub node: &'a Node,
    /// How many outputs the node has.
    pub outputs: usize,
}

impl<'a> Site<'a> {
    /// Type of the `i`-th input, which the operator requires.
    pub fn ty(&self, i: usize) -> Answer<&'a TensorType> {
        match self.opt(i) {
            Some(ty) => Ok(ty),
            None => invalid(format!("input {i} is missing")),
        }
    }

    /// Type of the `i`-th input where there is one.
    pub fn opt(&self, i: usize) -> Option<&'a TensorType> {
        self.node.input(i).map(|id| &self.graph.value(id).ty)
    }

    /// The `i`-th input, which the operator requires.
    pub fn id(&self, i: usize) -> Answer<ValueId> {
        match self.node.input(i) {
            Some(id) => Ok(id),
            None => invalid(format!("input {i} is missing")),
        }
    }

    /// Number of axes of the `i`-th input.
    pub fn rank(&self, i: usize) -> Answer<usize> {
        Ok(self.ty(i)?.shape.len())
    }

    /// The `i`-th input's elements, which must be constant because the result's shape depends on them.
    pub fn ints(&self, i: usize) -> Answer<Vec<i64>> {
        let id = self.id(i)?;
        match self.graph.const_i64(id) {
            Some(values) => Ok(values),
            None => Err(Reason::DataDependent(format!(
                "the shape of its result depends on the values of '{}', which is not constant",
                self.graph.value(id).name
            ))),
        }
    }

    /// As [`Site::ints`], `None` where the input is left out.
    pub fn opt_ints(&self, i: usize) -> Answer<Option<Vec<i64>>> {
        match self.node.input(i) {
            Some(_) => self.ints(i).map(Some),
            None => Ok(None),
        }
    }

    /// The only element of a constant input.
    pub fn int(&self, i: usize) -> Answer<i64> {
        match self.ints(i)?[..] {
            [value] => Ok(value),
            ref values => invalid(format!("input {i} must have one element, it has {}", values.len())),
        }
    }

    /// An integer attribute that counts something, with its default.
    pub fn count(&self, name: &str, default: i64) -> Answer<usize> {
        let value = self.node.attrs.int_or(name, default);
        match usize::try_from(value) {
            Ok(v) if v as u64 <= LIMIT => Ok(v),
            _ => invalid(format!("attribute {name} is {value}")),
        }
    }

    /// An axis attribute as an index below `rank`.
    pub fn axis(&self, name: &str, default: i64, rank: usize) -> Answer<usize> {
        axis(self.node.attrs.int_or(name, default), rank)
    }

    /// An attribute with one number per spatial axis.
    pub fn window(&self, name: &str, axes: usize, default: i64) -> Answer<Vec<i64>> {
        let values = match self.node.attrs.ints(name) {
            Some(v) if !v.is_empty() => v.to_vec(),
            _ => vec![default; axes],
        };
        if values.len() != axes {
            return invalid(format!("attribute {name} has {} entries for {axes} axes", values.len()));
        }
        if let Some(v) = values.iter().find(|v| v.unsigned_abs() > WINDOW_LIMIT) {
            return invalid(format!("attribute {name} has the absurd entry {v}"));
        }
        Ok(values)
    }
}

/// A possibly negative axis as an index below `rank`.
pub fn axis(axis: i64, rank: usize) -> Answer<usize> {
    let r = rank as i64;
    let index = if axis < 0 { axis.saturating_add(r) } else { axis };
    if (0..r).contains(&index) {
        Ok(index as usize)
    } else {
        invalid(format!("axis {axis} of a tensor with {rank} axes"))
    }
}

/// Axes as distinct indices below `rank`, ascending.
pub fn axes(list: &[i64], rank: usize) -> Answer<Vec<usize>> {
    let mut out = list.iter().map(|a| axis(*a, rank)).collect::<Answer<Vec<_>>>()?;
    out.sort_unstable();
    if out.windows(2).any(|w| w[0] == w[1]) {
        return invalid(format!("axes {list:?} name an axis twice"));
    }
    Ok(out)
}

/// The most axes of a tensor that are believed: HTP has five, models that are written for others up to eight or so.
const MOST_AXES: usize = 16;

/// Number of elements; an error above 2^40, or 16 axes.
pub fn volume(shape: &[usize]) -> Answer<usize> {
    if shape.len() > MOST_AXES {
        return invalid(format!("a tensor has {} axes; up to {MOST_AXES} are supported", shape.len()));
    }
    let mut n: usize = 1;
    for d in shape {
        n = match n.checked_mul(*d) {
            Some(n) if n as u64 <= LIMIT && *d as u64 <= LIMIT => n,
            _ => return invalid(format!("a tensor of shape {} is too large", dims(shape))),
        };
    }
    Ok(n)
}

/// A dimension computed in 64 bits.
pub fn dim(value: i64) -> Answer<usize> {
    match usize::try_from(value) {
        Ok(v) if v as u64 <= LIMIT => Ok(v),
        _ => invalid(format!("a dimension of the result would be {value}")),
    }
}

/// Shape for messages: `1x3x224x224`, `scalar` without axes.
pub fn dims(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "scalar".to_owned();
    }
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// The common shape of operands under the standard's (numpy's) broadcasting.
pub fn broadcast<'s>(shapes: impl IntoIterator<Item = &'s [usize]>) -> Answer<Vec<usize>> {
    let mut out: Vec<usize> = Vec::new();
    for shape in shapes {
        if shape.len() > out.len() {
            let missing = shape.len() - out.len();
            out.splice(0..0, std::iter::repeat_n(1, missing));
        }
        let skip = out.len() - shape.len();
        for i in 0..shape.len() {
            let (have, new) = (out[skip + i], shape[i]);
            if have == 1 {
                out[skip + i] = new;
            } else if new != 1 && new != have {
                return invalid(format!("shapes {} and {} do not broadcast", dims(&out), dims(shape)));
            }
        }
    }
    Ok(out)
}

/// One output of that type.
pub(crate) fn one(dtype: DType, shape: impl Into<Vec<usize>>) -> Answer {
    Ok(vec![TensorType::new(dtype, shape)])
}
