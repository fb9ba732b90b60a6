//! The walk over the nodes: each is normalized, typed, and evaluated or appended, in topological order.

use qnn_types::Diagnostic;
use std::collections::HashMap;
use std::rc::Rc;

use super::attributes;
use super::containers;
use super::external::ExternalFiles;
use super::file::OnnxFile;
use super::flex::PREVIEW;
use super::inputs;
use super::normalize::{Step, normalize};
use super::order::{Plan, label};
use super::proto::{FunctionProto, NodeProto};
use super::scope::{Frame, Slot, Weight, domain, opsets};
use super::tensor;
use crate::custom::{Declared, Found, OpPackages};
use crate::frontend::Builder;
use crate::graph::{Attr, Layout, Node, ValueId};
use crate::infer::Reason;
use crate::op::Op;
use crate::problem::problem;
use crate::reference::ReferenceEngine;

/// How many nodes a model may have, functions expanded.
const MOST_NODES: usize = 1 << 18;

/// The state of an import.
pub(super) struct Walker<'a, 'r> {
    pub(super) builder: Builder<'r>,
    pub(super) files: ExternalFiles,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) sequences: Vec<Vec<ValueId>>,
    functions: HashMap<(&'a str, &'a str, &'a str), &'a FunctionProto>,
    model_opsets: Rc<HashMap<&'a str, i64>>,
    pub(super) frames: Vec<Frame<'a>>,
    visited: usize,
    own: &'a OpPackages,
    /// What the main graph says of values, which types results of the app's own operators.
    declared: Declared<'a>,
}

impl<'a, 'r> Walker<'a, 'r> {
    pub(super) fn new(
        file: &'a OnnxFile,
        reference: Option<&'r ReferenceEngine>,
        own: &'a OpPackages,
    ) -> Self {
        let name = file.model.graph.as_ref().map_or("", |graph| &*graph.name);
        let functions = file.model.functions.iter();
        Self {
            builder: Builder::new(name, reference),
            files: ExternalFiles::beside(&file.path),
            problems: Vec::new(),
            warnings: Vec::new(),
            sequences: Vec::new(),
            functions: functions.map(|f| ((domain(&f.domain), &*f.name, &*f.overload), f)).collect(),
            model_opsets: Rc::new(opsets(&file.model.opset_import)),
            frames: Vec::new(),
            visited: 0,
            own,
            declared: file.model.graph.as_ref().map(inputs::static_types).unwrap_or_default(),
        }
    }

    /// Walks the nodes of a body in the order of their plan, and looks its results up.
    pub(super) fn body(
        &mut self,
        frame: Frame<'a>,
        nodes: &'a [NodeProto],
        plan: &Plan<'a>,
        results: &[&'a str],
    ) -> Vec<Option<Slot>> {
        self.frames.push(frame);
        for i in &plan.order {
            self.visited += 1;
            if self.visited > MOST_NODES {
                if self.visited == MOST_NODES + 1 {
                    let message =
                        format!("the model has more than {MOST_NODES} nodes, with its functions expanded");
                    self.problems.push(problem("E0211", message));
                }
                break;
            }
            self.node(&nodes[*i], plan);
        }
        let slots = results.iter().map(|name| self.lookup(name)).collect();
        self.frames.pop();
        slots
    }

    fn frame(&mut self) -> Option<&mut Frame<'a>> {
        self.frames.last_mut()
    }

    /// What a name stands for in the innermost body that has it. Weights are read when they are first asked for.
    fn lookup(&mut self, name: &'a str) -> Option<Slot> {
        for at in (0..self.frames.len()).rev() {
            let frame = &self.frames[at];
            if let Some(slot) = frame.names.get(name) {
                return Some(*slot);
            }
            if let Some(weight) = frame.weights.get(name).copied() {
                let name_here = format!("{}{name}", frame.prefix);
                let slot = self.weight(weight, &name_here);
                self.frames[at].names.insert(name, slot);
                return Some(slot);
            }
            if !frame.sees_outside {
                return None;
            }
        }
        None
    }

    fn weight(&mut self, weight: Weight<'a>, name: &str) -> Slot {
        let read = match weight {
            Weight::Dense(tensor) => tensor::read(tensor, &mut self.files),
            Weight::Sparse(tensor) => tensor::densify(tensor, &mut self.files),
        };
        match read {
            Ok((ty, data)) => {
                self.builder.given += data.len();
                Slot::Value(self.builder.constant(name, ty, data))
            }
            Err(fault) => {
                self.problems.push(problem(fault.code, format!("weight '{name}': {}", fault.text)));
                Slot::Poisoned
            }
        }
    }

    fn bind(&mut self, name: &'a str, slot: Slot) {
        if !name.is_empty()
            && let Some(frame) = self.frame()
        {
            frame.names.insert(name, slot);
        }
    }

    pub(super) fn bind_all(&mut self, names: &'a [String], slots: impl IntoIterator<Item = Slot>) {
        for (name, slot) in names.iter().zip(slots) {
            self.bind(name, slot);
        }
    }

    pub(super) fn poison(&mut self, node: &'a NodeProto) {
        self.bind_all(&node.output, std::iter::repeat(Slot::Poisoned));
    }

    /// Reports a problem of a node, whose results are poisoned by it.
    pub(super) fn report(&mut self, node: &'a NodeProto, code: &str, message: impl Into<String>) {
        let prefix = self.frames.last().map_or("", |frame| &*frame.prefix);
        let name = Some(format!("{prefix}{}", label(node)));
        let op = Some(node.op_type.clone());
        let help = (code != "E0211").then(|| self.cut(node)).flatten().or_else(|| {
            (code == "E0210").then(|| {
                "export the model so that this shape does not depend on data (a constant size, a fixed number of results), or do this part in Rust"
                    .to_owned()
            })
        });
        self.problems.push(Diagnostic { node: name, op, help, ..problem(code, message) });
        self.poison(node);
    }

    /// How to leave a node of the main graph out: what it computes from becomes the model's output.
    fn cut(&self, node: &NodeProto) -> Option<String> {
        let [frame] = &self.frames[..] else { return None };
        let computed = |name: &&String| match frame.names.get(&***name) {
            Some(Slot::Value(id)) => {
                !self.builder.graph.is_constant(*id) && !self.builder.graph.inputs.contains(id)
            }
            _ => false,
        };
        let names: Vec<String> = node.input.iter().filter(computed).map(|name| format!("{name:?}")).collect();
        let list = names.join(", ");
        (!names.is_empty()).then(|| {
            format!("to compile the part before this node and do the rest in Rust: outputs = [{list}]")
        })
    }

    pub(super) fn refuse(&mut self, node: &'a NodeProto, reason: &Reason) {
        self.report(node, fault_code(reason), reason.to_string());
    }

    fn node(&mut self, node: &'a NodeProto, plan: &Plan<'a>) {
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            match if name.is_empty() { Some(Slot::Absent) } else { self.lookup(name) } {
                Some(Slot::Poisoned) => return self.poison(node),
                Some(slot) => inputs.push(slot),
                None => {
                    return self.report(
                        node,
                        "E0207",
                        format!("the node reads '{name}' before anything makes it"),
                    );
                }
            }
        }
        while inputs.last() == Some(&Slot::Absent) {
            inputs.pop();
        }
        let domain = domain(&node.domain);
        // A package has kernels for what the model may also describe as a function.
        if let Some(found) = self.own.find(domain, &node.op_type) {
            return self.own_operator(node, found, &inputs, plan);
        }
        if let Some(function) = self.functions.get(&(domain, &*node.op_type, &*node.overload)) {
            return self.call(node, function, &inputs);
        }
        match (domain, &*node.op_type) {
            ("", "If") => self.branch(node, &inputs),
            ("", "Loop" | "Scan" | "SequenceMap") => self.repeat(node, &inputs),
            (PREVIEW, "FlexAttention") => self.flex(node, &inputs),
            ("", "Constant") => self.constant(node),
            ("", op) if containers::handles(op) => self.container(node, &inputs),
            _ => self.operator(node, domain, &inputs, plan),
        }
    }

    /// A node as it is in the graph, without its outputs; `None` when a problem was reported.
    fn build(&mut self, node: &'a NodeProto, domain: &str, inputs: &[Slot]) -> Option<Node> {
        let values = inputs.iter().map(|slot| match slot {
            Slot::Value(id) => Some(Some(*id)),
            Slot::Absent => Some(None),
            Slot::Sequence(_) | Slot::Poisoned => None,
        });
        let Some(inputs) = values.collect::<Option<Vec<_>>>() else {
            self.report(node, "E0216", "it reads a sequence, which is no tensor");
            return None;
        };
        let frame = self.frames.last()?;
        let arguments = Rc::clone(&frame.arguments);
        let attrs = match attributes::read(&node.attribute, &arguments, &mut self.files) {
            Ok(attrs) => attrs,
            Err(fault) => {
                self.report(node, fault.code, fault.text);
                return None;
            }
        };
        let prefix = &frame.prefix;
        Some(Node {
            name: format!("{prefix}{}", label(node)),
            op: Op::of(domain, &node.op_type),
            opset: frame.opsets.get(domain).or_else(|| self.model_opsets.get(domain)).copied().unwrap_or(1),
            inputs,
            outputs: Vec::new(),
            attrs,
            layout: Layout::Onnx,
            part_of: None,
        })
    }

    /// A node of an op package: it stays as it is, typed by its definition.
    fn own_operator(&mut self, node: &'a NodeProto, found: Found<'a>, inputs: &[Slot], plan: &Plan<'a>) {
        let domain = domain(&node.domain);
        let Some(mut built) = self.build(node, domain, inputs) else { return };
        let Some(prefix) = self.frames.last().map(|frame| frame.prefix.clone()) else { return };
        built.op = found.node_op();
        let mut names = self.output_names(node, &prefix, plan);
        // What the model says of an output holds whether or not something reads it.
        let own = |name: &String| if name.is_empty() { String::new() } else { format!("{prefix}{name}") };
        let said: Vec<String> = node.output.iter().map(own).collect();
        match found.types(&self.builder.graph, &built, &said, &self.declared) {
            Ok(types) => {
                // The kernel writes outputs that nothing reads, too.
                names.resize(found.outputs(), String::new());
                for (i, name) in names.iter_mut().enumerate().filter(|(_, name)| name.is_empty()) {
                    *name = format!("{}.out{i}", built.name);
                }
                let values = self.builder.append(built, &names, types);
                let slots = values.into_iter().map(|id| id.map_or(Slot::Absent, Slot::Value));
                self.bind_all(&node.output, slots);
            }
            Err(problem) => {
                self.problems.push(problem);
                self.poison(node);
            }
        }
    }

    fn operator(&mut self, node: &'a NodeProto, domain: &str, inputs: &[Slot], plan: &Plan<'a>) {
        let Some(mut built) = self.build(node, domain, inputs) else { return };
        let Some(prefix) = self.frames.last().map(|frame| frame.prefix.clone()) else { return };
        let names = self.output_names(node, &prefix, plan);
        let of_text = built
            .attrs
            .get("classlabels_strings")
            .is_some_and(|a| matches!(a, Attr::Strs(v) if !v.is_empty()));
        if of_text && names.first().is_some_and(|name| !name.is_empty()) {
            return self.text_label(node);
        }
        let outputs = match normalize(&mut self.builder, &mut built, &names) {
            Ok(Step::Replaced(values)) => Ok(values),
            Ok(Step::Keep) => self.builder.emit(built, &names),
            Err(reason) => Err(reason),
        };
        match outputs {
            Ok(values) => {
                let slots = values.into_iter().map(|id| id.map_or(Slot::Absent, Slot::Value));
                self.bind_all(&node.output, slots);
            }
            Err(reason) => self.refuse(node, &reason),
        }
    }

    /// Refuses a class label that is a text, which no tensor of HTP holds: the scores say as much.
    fn text_label(&mut self, node: &'a NodeProto) {
        self.report(node, "E0302", "its labels are texts, which no tensor of HTP holds");
        if let (Some(problem), Some(scores)) = (self.problems.last_mut(), node.output.get(1)) {
            problem.help =
                Some(format!("keep the scores, and look the label up in Rust: outputs = [{scores:?}]"));
        }
    }

    /// Names for the results of a node; empty for those that nothing reads, but a split has all its parts.
    fn output_names(&self, node: &NodeProto, prefix: &str, plan: &Plan<'_>) -> Vec<String> {
        let split = node.op_type == "Split";
        let name = |(i, name): (usize, &String)| match &**name {
            "" if split => format!("{prefix}{}.{i}", label(node)),
            name if split || plan.used.contains(name) => format!("{prefix}{name}"),
            _ => String::new(),
        };
        let mut names: Vec<String> = node.output.iter().enumerate().map(name).collect();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        names
    }

    fn constant(&mut self, node: &'a NodeProto) {
        let Some(frame) = self.frames.last() else { return };
        let (arguments, prefix) = (Rc::clone(&frame.arguments), frame.prefix.clone());
        match attributes::constant(&node.attribute, &arguments, &mut self.files) {
            Ok((ty, data)) => {
                let id = self.builder.constant(
                    &format!("{prefix}{}", node.output.first().map_or("", |s| s)),
                    ty,
                    data,
                );
                self.bind_all(&node.output, [Slot::Value(id)]);
            }
            Err(fault) => self.report(node, fault.code, fault.text),
        }
    }
}

/// The error code of a reason.
pub(super) fn fault_code(reason: &Reason) -> &'static str {
    match reason {
        Reason::Invalid(_) => "E0211",
        Reason::DataDependent(_) => "E0210",
        Reason::Unsupported(_) => "E0302",
        Reason::Unknown(_) => "E0301",
    }
}
