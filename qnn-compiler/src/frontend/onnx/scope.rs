//! Names and what they stand for, per graph body.

use std::collections::HashMap;
use std::rc::Rc;

use super::proto::{AttributeProto, GraphProto, OperatorSetIdProto, SparseTensorProto, TensorProto};
use crate::graph::ValueId;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A value of the graph being built.
    Value(ValueId),
    /// A sequence of values: its position in [`super::walk::Walker::sequences`].
    Sequence(usize),
    /// An optional parameter of a function that the call leaves out.
    Absent,
    /// The result of a node with a problem, which is reported already.
    Poisoned,
}

/// A weight that has not been read yet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Weight<'a> {
    Dense(&'a TensorProto),
    Sparse(&'a SparseTensorProto),
}

/// The names of one body: the main graph, a branch, or a function.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// Put before the names of values and nodes made for this body.
    pub(super) prefix: String,
    pub(super) names: HashMap<&'a str, Slot>,
    pub(super) weights: HashMap<&'a str, Weight<'a>>,
    pub(super) opsets: Rc<HashMap<&'a str, i64>>,
    /// Attributes of the call, for the nodes of a function that refer to them.
    pub(super) arguments: Rc<HashMap<&'a str, &'a AttributeProto>>,
    /// Whether names of the body around are visible: yes for branches, no for functions.
    pub(super) sees_outside: bool,
    /// The function, where this is the body of one.
    pub(super) function: Option<(&'a str, &'a str, &'a str)>,
}

/// The weights of a graph by name.
pub(super) fn weights(graph: &GraphProto) -> HashMap<&str, Weight<'_>> {
    let dense = graph.initializer.iter().map(|t| (&*t.name, Weight::Dense(t)));
    let sparse =
        graph.sparse_initializer.iter().filter_map(|s| Some((&*s.values.as_ref()?.name, Weight::Sparse(s))));
    dense.chain(sparse).collect()
}

/// Versions by domain; `ai.onnx` is another name of the standard's own.
pub(super) fn opsets(imports: &[OperatorSetIdProto]) -> HashMap<&str, i64> {
    imports.iter().map(|o| (domain(&o.domain), o.version)).collect()
}

/// The one name of a domain.
pub(super) fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}
