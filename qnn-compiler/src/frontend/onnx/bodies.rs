//! Subgraphs: branches of If, and bodies of functions.

use std::collections::HashMap;
use std::rc::Rc;

use super::attributes;
use super::normalize::OPSET;
use super::order::{Plan, label, plan};
use super::proto::{AttributeProto, FunctionProto, GraphProto, NodeProto};
use super::scope::{Frame, Slot, domain, opsets, weights};
use super::walk::Walker;
use crate::graph::{Attr, Attrs, Layout, Node, ValueId};
use crate::infer::{Answer, Reason};
use crate::op::Op;

/// How deep branches and functions may be nested.
const DEEPEST: usize = 64;

/// The most nodes that the two sides of a branch may have together when both are computed.
const MOST_BOTH: usize = 4096;

/// A graph among a node's attributes.
pub(super) struct Body<'a> {
    pub(super) graph: &'a GraphProto,
    plan: Plan<'a>,
    results: Vec<&'a str>,
}

impl<'a> Walker<'a, '_> {
    /// A branch whose condition is constant is taken at import; else both sides are computed and one is chosen.
    pub(super) fn branch(&mut self, node: &'a NodeProto, inputs: &[Slot]) {
        let Some(Slot::Value(condition)) = inputs.first().copied() else {
            return self.report(node, "E0211", "the branch has no condition");
        };
        let known = match self.builder.graph.const_i64(condition).as_deref() {
            None => None,
            Some([one]) => Some(*one != 0),
            Some(_) => return self.report(node, "E0211", "the condition is not one value"),
        };
        let sides: &[&str] = match known {
            Some(true) => &["then_branch"],
            Some(false) => &["else_branch"],
            None => &["then_branch", "else_branch"],
        };
        let mut bodies = Vec::new();
        for side in sides {
            let Some(body) = self.inner(node, side, &[]) else { return };
            bodies.push(body);
        }
        let nodes: usize = bodies.iter().map(|body| body.plan.order.len()).sum();
        if known.is_none() && nodes > MOST_BOTH {
            let message = format!(
                "which branch is taken is known only when the model runs, and both together have {nodes} nodes: up to \
                 {MOST_BOTH} are computed side by side"
            );
            return self.report(node, "E0210", message);
        }
        let prefix = self.prefix();
        let mut results = Vec::new();
        for body in &bodies {
            let Some(slots) = self.run(node, body, prefix.clone(), &[]) else { return };
            results.push(slots);
        }
        match &results[..] {
            [only] => self.bind_all(&node.output, only.iter().copied()),
            [then, other] => match self.chosen(node, condition, then, other) {
                Ok(slots) => self.bind_all(&node.output, slots),
                Err(reason) => self.refuse(node, &reason),
            },
            _ => self.poison(node),
        }
    }

    /// Results of two sides as one, by the condition.
    fn chosen(
        &mut self,
        node: &NodeProto,
        condition: ValueId,
        then: &[Slot],
        other: &[Slot],
    ) -> Answer<Vec<Slot>> {
        let reason = |why: &str| {
            Err(Reason::DataDependent(format!(
                "which branch is taken is known only when the model runs, and {why}"
            )))
        };
        then.iter()
            .zip(other)
            .zip(&node.output)
            .map(|((then, other), name)| match (*then, *other) {
                (then, other) if then == other || name.is_empty() => Ok(then),
                (Slot::Value(a), Slot::Value(b)) if self.same_type(a, b) => {
                    let name = format!("{}{name}", self.prefix());
                    self.choice(&name, condition, a, b).map(Slot::Value)
                }
                (Slot::Value(_), Slot::Value(_)) => reason("its sides have results of different shapes"),
                _ => reason("its sides have results that are no tensors"),
            })
            .collect()
    }

    pub(super) fn same_type(&self, a: ValueId, b: ValueId) -> bool {
        self.builder.graph.value(a).ty == self.builder.graph.value(b).ty
    }

    /// `a` where the condition, which has one element, holds, else `b`.
    pub(super) fn choice(
        &mut self,
        name: &str,
        condition: ValueId,
        a: ValueId,
        b: ValueId,
    ) -> Answer<ValueId> {
        let scalar = self.builder.ints(&format!("{name}.scalar"), &[]);
        let condition = self.emit(&format!("{name}.condition"), Op::Reshape, &[condition, scalar], &[])?;
        self.emit(name, Op::Where, &[condition, a, b], &[])
    }

    /// A value with its two innermost axes swapped.
    pub(super) fn turned(&mut self, name: &str, x: ValueId) -> Answer<ValueId> {
        let rank = self.builder.graph.shape(x).len() as i64;
        let mut perm: Vec<i64> = (0..rank).collect();
        perm.swap(rank as usize - 2, rank as usize - 1);
        let mut node = Self::standard(&format!("{name}.turned"), Op::Transpose, &[x]);
        node.attrs.set("perm", Attr::Ints(perm));
        self.builder.emit_one(node)
    }

    /// A node of the standard that an expansion needs.
    pub(super) fn emit(
        &mut self,
        name: &str,
        op: Op,
        inputs: &[ValueId],
        attrs: &[(&str, i64)],
    ) -> Answer<ValueId> {
        let mut node = Self::standard(name, op, inputs);
        attrs.iter().for_each(|(name, value)| node.attrs.set(name, Attr::Int(*value)));
        self.builder.emit_one(node)
    }

    fn standard(name: &str, op: Op, inputs: &[ValueId]) -> Node {
        Node {
            name: name.to_owned(),
            op,
            opset: OPSET,
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: Vec::new(),
            attrs: Attrs::default(),
            layout: Layout::Onnx,
            part_of: None,
        }
    }

    /// What is put before the names of the innermost body.
    pub(super) fn prefix(&self) -> String {
        self.frames.last().map_or_else(String::new, |frame| frame.prefix.clone())
    }

    /// The graph that a node has as an attribute, ready to run with as many inputs as are named; reports what is wrong with it.
    pub(super) fn inner(&mut self, node: &'a NodeProto, attribute: &str, more: &[&str]) -> Option<Body<'a>> {
        let frame = self.frames.last()?;
        let found = node.attribute.iter().find(|a| a.name == attribute);
        let graph = found.and_then(|a| attributes::resolve(a, &frame.arguments)).and_then(|a| a.g.as_ref());
        let Some(graph) = graph else {
            self.report(node, "E0211", format!("attribute {attribute} is missing"));
            return None;
        };
        if self.frames.len() >= DEEPEST {
            self.report(node, "E0211", "branches and functions are nested too deeply");
            return None;
        }
        let results: Vec<&str> = graph.output.iter().map(|output| &*output.name).collect();
        let weights = weights(graph);
        let outer = &self.frames;
        let visible = |name: &str| {
            let seen = |f: &Frame<'_>| f.names.contains_key(name) || f.weights.contains_key(name);
            let border = outer.iter().rposition(|f| !f.sees_outside).unwrap_or(0);
            weights.contains_key(name) || more.contains(&name) || outer[border..].iter().any(seen)
        };
        match plan(&graph.node, &results, visible) {
            Ok(plan) => Some(Body { graph, plan, results }),
            Err(problems) => {
                self.problems.extend(problems);
                self.poison(node);
                None
            }
        }
    }

    /// Walks a body with these inputs: its results, or nothing where it had a problem, which is reported.
    pub(super) fn run(
        &mut self,
        node: &'a NodeProto,
        body: &Body<'a>,
        prefix: String,
        inputs: &[Slot],
    ) -> Option<Vec<Slot>> {
        let outer = self.frames.last()?;
        let names = body.graph.input.iter().map(|input| &*input.name).zip(inputs.iter().copied());
        let frame = Frame {
            prefix,
            names: names.collect(),
            weights: weights(body.graph),
            opsets: Rc::clone(&outer.opsets),
            arguments: Rc::clone(&outer.arguments),
            sees_outside: true,
            function: None,
        };
        let before = self.problems.len();
        let slots = self.body(frame, &body.graph.node, &body.plan, &body.results);
        let slots: Option<Vec<Slot>> =
            slots.into_iter().map(|slot| slot.filter(|slot| *slot != Slot::Poisoned)).collect();
        if slots.is_none() || self.problems.len() > before {
            self.poison(node);
            return None;
        }
        slots
    }

    /// The body of a function takes the place of its call.
    pub(super) fn call(&mut self, node: &'a NodeProto, function: &'a FunctionProto, inputs: &[Slot]) {
        let key = (domain(&function.domain), &*function.name, &*function.overload);
        if self.frames.iter().any(|frame| frame.function == Some(key)) {
            return self.report(node, "E0206", format!("function {} calls itself", function.name));
        }
        if self.frames.len() >= DEEPEST {
            return self.report(node, "E0211", "branches and functions are nested too deeply");
        }
        let Some(outer) = self.frames.last() else { return };
        let given: HashMap<&str, &AttributeProto> = node
            .attribute
            .iter()
            .filter_map(|a| Some((&*a.name, attributes::resolve(a, &outer.arguments)?)))
            .collect();
        let defaults = function.attribute_proto.iter().map(|a| (&*a.name, a));
        let arguments: HashMap<&str, &AttributeProto> = defaults.chain(given).collect();
        let slots = inputs.iter().copied().chain(std::iter::repeat(Slot::Absent));
        let names: HashMap<&str, Slot> = function.input.iter().map(|s| &**s).zip(slots).collect();
        let results: Vec<&str> = function.output.iter().map(|s| &**s).collect();
        let plan = match plan(&function.node, &results, |name| names.contains_key(name)) {
            Ok(plan) => plan,
            Err(problems) => {
                self.problems.extend(problems);
                return self.poison(node);
            }
        };
        let frame = Frame {
            prefix: format!("{}{}/", outer.prefix, label(node)),
            names,
            weights: HashMap::new(),
            opsets: Rc::new(opsets(&function.opset_import)),
            arguments: Rc::new(arguments),
            sees_outside: false,
            function: Some(key),
        };
        let slots = self.body(frame, &function.node, &plan, &results);
        self.bind_all(&node.output, slots.into_iter().map(|slot| slot.unwrap_or(Slot::Poisoned)));
    }
}
