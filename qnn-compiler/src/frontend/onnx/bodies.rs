//! Bodies inside bodies: branches that are taken and functions that are called.

use std::collections::HashMap;
use std::rc::Rc;

use super::attributes;
use super::order::{label, plan};
use super::proto::{AttributeProto, FunctionProto, GraphProto, NodeProto};
use super::scope::{Frame, Slot, domain, opsets, weights};
use super::walk::Walker;

/// How deep branches and functions may be nested.
const DEEPEST: usize = 64;

impl<'a> Walker<'a, '_> {
    /// A branch is taken at import: its condition must be constant.
    pub(super) fn branch(&mut self, node: &'a NodeProto, inputs: &[Slot]) {
        let condition = match inputs {
            [Slot::Value(id), ..] => self.builder.graph.const_i64(*id),
            _ => None,
        };
        let Some([condition]) = condition.as_deref() else {
            return self.report(node, "E0210", "which branch is taken is known only when the model runs");
        };
        let side = if *condition != 0 { "then_branch" } else { "else_branch" };
        let Some(frame) = self.frames.last() else { return };
        let attribute = node.attribute.iter().find(|a| a.name == side);
        let Some(graph) =
            attribute.and_then(|a| attributes::resolve(a, &frame.arguments)).and_then(|a| a.g.as_ref())
        else {
            return self.report(node, "E0211", format!("attribute {side} is missing"));
        };
        if self.frames.len() >= DEEPEST {
            return self.report(node, "E0211", "branches and functions are nested too deeply");
        }
        let inner = Frame {
            prefix: frame.prefix.clone(),
            names: HashMap::new(),
            weights: weights(graph),
            opsets: Rc::clone(&frame.opsets),
            arguments: Rc::clone(&frame.arguments),
            sees_outside: true,
            function: None,
        };
        self.graph_body(node, graph, inner);
    }

    fn graph_body(&mut self, node: &'a NodeProto, graph: &'a GraphProto, frame: Frame<'a>) {
        let results: Vec<&str> = graph.output.iter().map(|output| &*output.name).collect();
        let outer = &self.frames;
        let visible = |name: &str| {
            let seen = |f: &Frame<'_>| f.names.contains_key(name) || f.weights.contains_key(name);
            let border = outer.iter().rposition(|f| !f.sees_outside).unwrap_or(0);
            frame.weights.contains_key(name) || outer[border..].iter().any(seen)
        };
        match plan(&graph.node, &results, visible) {
            Ok(plan) => {
                let slots = self.body(frame, &graph.node, &plan, &results);
                self.bind_all(&node.output, slots.into_iter().map(|slot| slot.unwrap_or(Slot::Poisoned)));
            }
            Err(problems) => {
                self.problems.extend(problems);
                self.poison(node);
            }
        }
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
