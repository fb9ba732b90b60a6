//! Which nodes would run on the device, found by names only: for models whose types cannot be inferred.

use std::collections::HashSet;

use super::containers;
use super::file::OnnxFile;
use super::flex::PREVIEW;
use super::order::{label, plan};
use super::proto::{FunctionProto, NodeProto};
use super::scope::{domain, weights};
use crate::problem::NodeName;

/// Operators that read nothing of their input but its type: what follows from them alone is constant.
const OF_TYPES: [&str; 4] = ["OptionalHasElement", "SequenceLength", "Shape", "Size"];

/// Operators that the import replaces by others, or by the nodes inside them.
const REPLACED: [&str; 8] =
    ["Dropout", "If", "Identity", "Loop", "Scan", "Scatter", "SequenceMap", "Upsample"];

impl OnnxFile {
    /// Nodes of the main graph that the outputs need and that depend on the values of inputs. Nodes that the import replaces
    /// are left out. Empty for a model whose nodes have no order.
    pub(crate) fn at_run_time(&self, outputs: &[String]) -> Vec<NodeName<'_>> {
        let Some(graph) = &self.model.graph else { return Vec::new() };
        let weights = weights(graph);
        let inputs = graph.input.iter().map(|input| &*input.name);
        let mut variable: HashSet<&str> = inputs.filter(|name| !weights.contains_key(name)).collect();
        let known = |name: &str| weights.contains_key(name) || variable.contains(name);
        let own = graph.output.iter().map(|output| &*output.name);
        let made: HashSet<&str> = graph.node.iter().flat_map(|n| n.output.iter().map(|s| &**s)).collect();
        let wanted: Vec<&str> = if outputs.is_empty() {
            own.collect()
        } else {
            made.into_iter().filter(|name| outputs.iter().any(|o| o == name)).collect()
        };
        let Ok(plan) = plan(&graph.node, &wanted, known) else { return Vec::new() };
        let mut found = Vec::new();
        for node in plan.order.iter().map(|i| &graph.node[*i]) {
            let (domain, op) = (domain(&node.domain), &*node.op_type);
            let of_types = domain.is_empty() && OF_TYPES.contains(&op);
            if of_types || !node.input.iter().any(|name| variable.contains(&**name)) {
                continue;
            }
            variable.extend(node.output.iter().map(|s| &**s).filter(|name| !name.is_empty()));
            if !self.replaces(node) {
                found.push(NodeName { node: label(node), domain, op });
            }
        }
        found
    }

    fn replaces(&self, node: &NodeProto) -> bool {
        let called = |f: &FunctionProto| {
            domain(&f.domain) == domain(&node.domain) && f.name == node.op_type && f.overload == node.overload
        };
        let op = &*node.op_type;
        let at_import = REPLACED.contains(&op) || containers::handles(op);
        let flex = domain(&node.domain) == PREVIEW && op == "FlexAttention";
        (domain(&node.domain).is_empty() && at_import) || flex || self.model.functions.iter().any(called)
    }
}
