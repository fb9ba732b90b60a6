//! The table: which rule rewrites which operator.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{axes, pads, removal, resize, rewrite, windows};
use crate::frontend::Builder;
use crate::frontend::onnx::compose::compose;
use crate::graph::{Attr, DType, Data, Node, TensorType, ValueId};
use crate::infer::{Answer, Site};
use crate::op::Op;

/// The opset that normalized nodes are written in: the oldest that has their form, which ONNX Runtime has most kernels for.
/// Operators that are younger are as their first version has them.
pub const OPSET: i64 = 21;

/// What a rule made of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::frontend::onnx) enum Step {
    /// The node stays, possibly changed.
    Keep,
    /// The node vanishes; these values take the place of its outputs.
    Replaced(Vec<Option<ValueId>>),
}

impl Step {
    /// The node's only output is this value.
    pub(super) fn alias(id: ValueId) -> Self {
        Self::Replaced(vec![Some(id)])
    }
}

/// Rewrites a node whose inputs are typed.
pub(super) type Rule = fn(&mut Draft<'_, '_>) -> Answer<Step>;

/// One normalization.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Operator domain.
    pub domain: &'static str,
    /// Operator.
    pub op: &'static str,
    /// What is made of it.
    pub note: &'static str,
    pub(super) rule: Rule,
}

/// A row of the standard's domain.
pub(super) const fn row(op: &'static str, note: &'static str, rule: Rule) -> Row {
    Row { domain: "", op, note, rule }
}

const FAMILIES: [&[Row]; 6] =
    [axes::ROWS, pads::ROWS, removal::ROWS, resize::ROWS, rewrite::ROWS, windows::ROWS];

static TABLE: LazyLock<HashMap<(&'static str, &'static str), Rule>> =
    LazyLock::new(|| rows().map(|row| ((row.domain, row.op), row.rule)).collect());

/// Every normalization, for the documentation.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|rows| rows.iter())
}

/// Rewrites a node into the one form of its operator, or into the operators that it is written as. `names` are those of its outputs, empty where one is not wanted.
pub(in crate::frontend::onnx) fn normalize(
    builder: &mut Builder<'_>,
    node: &mut Node,
    names: &[String],
) -> Answer<Step> {
    let known = builder.graph.value_count();
    let step = match TABLE.get(&(node.op.domain(), node.op.name())) {
        Some(rule) => rule(&mut Draft { builder, node, outputs: names.len() })?,
        None => Step::Keep,
    };
    if node.op.is_standard() {
        node.opset = OPSET;
    }
    let step = match step {
        Step::Keep => compose(builder, node, names.len())?,
        replaced => replaced,
    };
    if let Step::Replaced(values) = &step {
        // What a rule makes in place of an output has that output's name; what was there before keeps its own.
        for (id, name) in values.iter().zip(names).filter(|(_, name)| !name.is_empty()) {
            if let Some(id) = id.filter(|id| id.index() >= known && !builder.graph.is_constant(*id)) {
                builder.rename(id, name);
            }
        }
    }
    Ok(step)
}

/// A node being rewritten.
pub(super) struct Draft<'a, 'r> {
    pub(super) builder: &'a mut Builder<'r>,
    pub(super) node: &'a mut Node,
    pub(super) outputs: usize,
}

impl Draft<'_, '_> {
    pub(super) fn site(&self) -> Site<'_> {
        Site { graph: &self.builder.graph, node: self.node, outputs: self.outputs }
    }

    /// Shape of the `i`-th input, which the operator requires.
    pub(super) fn shape(&self, i: usize) -> Answer<Vec<usize>> {
        Ok(self.site().ty(i)?.shape.clone())
    }

    /// Makes a constant the `i`-th input; `role` names it.
    pub(super) fn set_constant(&mut self, i: usize, role: &str, ty: TensorType, data: Data) {
        let id = self.builder.constant(&format!("{}.{role}", self.node.name), ty, data);
        if self.node.inputs.len() <= i {
            self.node.inputs.resize(i + 1, None);
        }
        self.node.inputs[i] = Some(id);
    }

    /// Makes a list of integers the `i`-th input, if it is not that already.
    pub(super) fn set_ints(&mut self, i: usize, role: &str, values: &[i64]) {
        let same = self.node.input(i).is_some_and(|id| {
            self.builder.graph.dtype(id) == DType::I64
                && self.builder.graph.shape(id).len() == 1
                && self.builder.graph.const_i64(id).is_some_and(|v| v == values)
        });
        if !same {
            self.set_constant(i, role, TensorType::new(DType::I64, [values.len()]), Data::from_i64(values));
        }
    }

    /// Drops the inputs from the `i`-th on.
    pub(super) fn truncate(&mut self, i: usize) {
        self.node.inputs.truncate(i);
    }

    /// Moves an attribute with integers, as opsets before `since` have it, to the `i`-th input.
    pub(super) fn ints_to_input(&mut self, name: &str, i: usize) {
        let values = match self.node.attrs.0.remove(name) {
            Some(Attr::Ints(values)) => values,
            Some(Attr::Int(value)) => vec![value],
            _ => return,
        };
        if self.node.input(i).is_none() {
            self.set_ints(i, name, &values);
        }
    }

    /// A node of the standard's domain that takes part in replacing this one.
    pub(super) fn helper(&self, role: &str, op: Op, inputs: &[ValueId]) -> Node {
        Node {
            name: format!("{}.{role}", self.node.name),
            op,
            opset: OPSET,
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: Vec::new(),
            attrs: crate::graph::Attrs::default(),
            layout: self.node.layout,
            part_of: self.node.part_of.clone(),
        }
    }
}
