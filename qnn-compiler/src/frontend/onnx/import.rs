//! ONNX file to [`Graph`]: what surrounds the walk over the nodes.

use qnn_platform::nearest::nearest;
use qnn_types::{Diagnostic, InputSpec};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::compose::scale_sums;
use super::file::OnnxFile;
use super::inputs;
use super::order::plan;
use super::proto::{GraphProto, ModelProto, ValueInfoProto};
use super::scope::{Frame, Slot, opsets, weights};
use super::walk::{Walker, fault_code};
use crate::custom::OpPackages;
use crate::frontend::Builder;
use crate::graph::{Attrs, Graph, Layout, Node, ValueId};
use crate::op::Op;
use crate::problem::{Problems, Result, problem};
use crate::reference::ReferenceEngine;

/// Oldest version of the standard's operators that is read.
const OLDEST_OPSET: i64 = 7;

/// Newest version of the standard's operators that is read.
const NEWEST_OPSET: i64 = 28;

/// How to read a model.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions<'a> {
    /// What the app wants of the model's inputs; their shapes fix free dimensions.
    pub inputs: &'a BTreeMap<String, InputSpec>,
    /// Values to keep as outputs, in this order; the model's own outputs when empty. Any value of the main graph will do.
    pub outputs: &'a [String],
    /// Asked what the front end does not know; loaded only then.
    pub reference: Option<&'a ReferenceEngine>,
    /// Operators of the app's own.
    pub op_packages: &'a OpPackages,
}

/// What came of a model.
#[derive(Debug)]
pub struct Imported {
    /// The model; every dimension static, every node needed by an output.
    pub graph: Graph,
    /// External data files that were read.
    pub files: Vec<PathBuf>,
    /// Inputs of the model that no output depends on, which the graph therefore lacks.
    pub unused_inputs: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<Diagnostic>,
}

/// Opens and imports a model.
///
/// # Errors
///
/// As [`OnnxFile::open`] and [`OnnxFile::import`].
pub fn import(path: &Path, options: &ImportOptions<'_>) -> Result<Imported> {
    OnnxFile::open(path)?.import(options)
}

impl OnnxFile {
    /// Types the model under the given input shapes and keeps what its outputs need: every problem at once.
    ///
    /// # Errors
    ///
    /// Codes `E02xx` for the model itself, `E0111` and `E0112` for inputs and outputs, `E03xx` for what cannot be expressed.
    pub fn import(&self, options: &ImportOptions<'_>) -> Result<Imported> {
        let Some(graph) = &self.model.graph else {
            return Err(problem("E0201", format!("'{}' has no graph", self.path.display())).into());
        };
        check_opset(&self.model)?;
        check_names(graph)?;
        let weights = weights(graph);
        let inputs: Vec<&ValueInfoProto> =
            graph.input.iter().filter(|input| !weights.contains_key(&*input.name)).collect();
        let input_names: HashSet<&str> = inputs.iter().map(|input| &*input.name).collect();
        let known = |name: &str| weights.contains_key(name) || input_names.contains(name);
        let wanted = wanted(graph, options.outputs, known)?;
        let plan = plan(&graph.node, &wanted, known).map_err(Problems)?;

        let mut walker = Walker::new(self, options.reference, options.op_packages);
        let (needed, unread): (Vec<_>, Vec<_>) =
            inputs.iter().partition(|input| plan.used.contains(&*input.name));
        let names: Vec<&str> = inputs.iter().map(|input| &*input.name).collect();
        let typed = inputs::types(&needed, &names, options.inputs);
        walker.problems.extend(typed.problems);
        walker.warnings.extend(typed.warnings);
        if typed.types.iter().any(Option::is_none) {
            return Err(Problems(walker.problems));
        }
        let mut slots = HashMap::new();
        for (input, ty) in needed.iter().zip(typed.types.into_iter().flatten()) {
            slots.insert(&*input.name, Slot::Value(walker.builder.input(&input.name, ty)));
        }
        let frame = Frame {
            prefix: String::new(),
            names: slots,
            weights,
            opsets: Rc::new(opsets(&self.model.opset_import)),
            arguments: Rc::default(),
            sees_outside: false,
            function: None,
        };
        let slots = walker.body(frame, &graph.node, &plan, &wanted);
        if walker.problems.is_empty() {
            for (name, slot) in wanted.iter().zip(slots) {
                match slot {
                    Some(Slot::Value(id)) => output(&mut walker.builder, name, id),
                    Some(Slot::Sequence(_)) => {
                        walker
                            .problems
                            .push(problem("E0216", format!("output '{name}' is a sequence, not a tensor")));
                    }
                    _ => walker
                        .problems
                        .push(problem("E0207", format!("output '{name}' is the result of no node"))),
                }
            }
        }
        if walker.problems.is_empty() {
            let unwritten = scale_sums(&mut walker.builder);
            walker.problems.extend(unwritten.into_iter().map(|(node, reason)| Diagnostic {
                node: Some(node.name),
                op: Some(node.op.label()),
                ..problem(fault_code(&reason), reason.to_string())
            }));
        }
        if !walker.problems.is_empty() {
            return Err(Problems(walker.problems));
        }
        let files = walker.files.paths();
        let mut warnings = walker.warnings;
        warnings.append(&mut walker.builder.warnings);
        let mut graph = walker.builder.graph;
        let mut unused_inputs: Vec<String> = unread.iter().map(|input| input.name.clone()).collect();
        unused_inputs.extend(remove_dead(&mut graph, options.op_packages));
        if !unused_inputs.is_empty() {
            let list = unused_inputs.join("', '");
            warnings.push(problem(
                "E0111",
                format!("no output depends on '{list}': the compiled model has no such input"),
            ));
        }
        Ok(Imported { graph, files, unused_inputs, warnings })
    }
}

fn check_opset(model: &ModelProto) -> Result<()> {
    let version = opsets(&model.opset_import).get("").copied().unwrap_or(OLDEST_OPSET);
    if (OLDEST_OPSET..=NEWEST_OPSET).contains(&version) {
        return Ok(());
    }
    Err(Diagnostic {
        help: Some("export the model again with opset_version=17, or convert it by onnx.version_converter".to_owned()),
        ..problem(
            "E0208",
            format!("the model is written in opset {version}; opsets {OLDEST_OPSET} to {NEWEST_OPSET} are supported"),
        )
    }
    .into())
}

/// Every name stands for one thing. Of a name's two nodes the plan tells.
fn check_names(graph: &GraphProto) -> Result<()> {
    let mut problems = Vec::new();
    let mut twice = |kind: &str, name: &str| {
        problems.push(problem("E0215", format!("{kind} '{name}' has the name of another value")));
    };
    let mut inputs: HashSet<&str> = HashSet::new();
    for input in &graph.input {
        if !inputs.insert(&input.name) {
            twice("input", &input.name);
        }
    }
    let mut names: HashSet<&str> = HashSet::new();
    let sparse = graph.sparse_initializer.iter().filter_map(|s| s.values.as_ref());
    for weight in graph.initializer.iter().chain(sparse) {
        if !names.insert(&weight.name) {
            twice("weight", &weight.name);
        }
    }
    names.extend(inputs);
    for output in graph.node.iter().flat_map(|node| &node.output) {
        if !output.is_empty() && names.contains(&**output) {
            twice("the result of a node", output);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

/// Names of the outputs to keep.
fn wanted<'a>(
    graph: &'a GraphProto,
    asked: &'a [String],
    known: impl Fn(&str) -> bool,
) -> Result<Vec<&'a str>> {
    if asked.is_empty() {
        let mut names: Vec<&str> = Vec::new();
        for output in &graph.output {
            if output.name.is_empty() || names.contains(&&*output.name) {
                return Err(problem(
                    "E0215",
                    format!("output '{}' is there twice or has no name", output.name),
                )
                .into());
            }
            names.push(&output.name);
        }
        return Ok(names);
    }
    let produced: HashSet<&str> = graph.node.iter().flat_map(|n| n.output.iter().map(|s| &**s)).collect();
    let unknown =
        asked.iter().filter(|name| name.is_empty() || (!produced.contains(&***name) && !known(name)));
    let problems: Vec<Diagnostic> = unknown
        .map(|name| {
            let outputs: Vec<&str> = graph.output.iter().map(|o| &*o.name).collect();
            let near = nearest(name, outputs.iter().chain(&produced).copied(), 1);
            Diagnostic {
                notes: vec![format!("outputs of the model: {}", outputs.join(", "))],
                help: near.first().map(|n| format!("did you mean '{n}'?")),
                ..problem("E0111", format!("the model has no output or value '{name}'"))
            }
        })
        .collect();
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let mut seen = HashSet::new();
    Ok(asked.iter().map(|s| &**s).filter(|name| seen.insert(*name)).collect())
}

/// Makes a value an output under its name. An output is the result of a node and no other output's value: where it is not, an
/// Identity makes it one.
fn output(builder: &mut Builder<'_>, name: &str, id: ValueId) {
    let graph = &builder.graph;
    let plain = !graph.is_constant(id) && !graph.inputs.contains(&id) && !graph.outputs.contains(&id);
    let id = if plain {
        builder.rename(id, name);
        id
    } else {
        if graph.value(id).name == name && graph.is_constant(id) {
            builder.release(id, &format!("{name}.constant"));
        }
        let node = Node {
            name: name.to_owned(),
            op: Op::Identity,
            opset: super::normalize::OPSET,
            inputs: vec![Some(id)],
            outputs: Vec::new(),
            attrs: Attrs::default(),
            layout: Layout::Onnx,
            part_of: None,
        };
        let ty = builder.graph.value(id).ty.clone();
        builder.append(node, &[name.to_owned()], vec![ty])[0].unwrap_or(id)
    };
    builder.graph.outputs.push(id);
}

/// Removes nodes and outputs of nodes that nothing needs, and inputs that nothing reads; the names of the latter.
fn remove_dead(graph: &mut Graph, own: &OpPackages) -> Vec<String> {
    let mut live: HashSet<ValueId> = graph.outputs.iter().copied().collect();
    let mut keep = vec![false; graph.nodes.len()];
    for (i, node) in graph.nodes.iter().enumerate().rev() {
        if node.outputs.iter().flatten().any(|id| live.contains(id)) {
            keep[i] = true;
            live.extend(node.inputs.iter().flatten());
        }
    }
    let mut keep = keep.into_iter();
    graph.nodes.retain(|_| keep.next().unwrap_or(true));
    // A split has all its parts, read or not: their number is told by its outputs. So has an op of a package: its kernel writes them.
    for node in graph.nodes.iter_mut().filter(|node| node.op != Op::Split && own.of_node(node).is_none()) {
        for output in &mut node.outputs {
            *output = output.filter(|id| live.contains(id));
        }
        while node.outputs.last() == Some(&None) {
            node.outputs.pop();
        }
    }
    let dead: Vec<ValueId> = graph.inputs.iter().copied().filter(|id| !live.contains(id)).collect();
    graph.inputs.retain(|id| live.contains(id));
    dead.into_iter().map(|id| graph.value(id).name.clone()).collect()
}
