//! From a graph to text.

use std::collections::HashMap;
use std::fmt::Write;

use super::constant::{Elements, float};
use super::lex::{is_bare, quoted};
use super::{encoding, encoding::list};
use crate::graph::{Attr, DType, Data, Graph, Layout, Node, TensorType, Value, ValueId};

/// How much of constants and lists is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// What a reader can look through; `...` for the rest.
    #[default]
    Short,
    /// Everything: the text stands for this very graph.
    Whole,
}

impl Detail {
    /// The longest list that is written out.
    pub(super) fn most(self) -> usize {
        match self {
            Self::Short => 16,
            Self::Whole => usize::MAX,
        }
    }
}

/// Writes a graph: inputs, constants where they are read first, nodes, outputs. Values that nothing reads or makes are not written.
pub fn print(graph: &Graph, detail: Detail) -> String {
    let mut printer = Printer {
        graph,
        detail,
        opset: opset(graph),
        names: names(graph),
        known: vec![false; graph.value_count()],
        out: String::new(),
    };
    printer.graph();
    printer.out
}

/// The opset that most nodes have; of equally many the newest.
fn opset(graph: &Graph) -> i64 {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    graph.nodes.iter().for_each(|node| *counts.entry(node.opset).or_default() += 1);
    counts.into_iter().max_by_key(|&(opset, count)| (count, opset)).map_or(13, |(opset, _)| opset)
}

/// How each value is called; values of one name are numbered as they come in the text.
fn names(graph: &Graph) -> Vec<String> {
    let mut names = vec![String::new(); graph.value_count()];
    let mut taken: HashMap<&str, usize> = HashMap::new();
    let nodes = graph.nodes.iter().flat_map(|node| node.inputs.iter().chain(&node.outputs).flatten());
    for id in graph.inputs.iter().chain(nodes).chain(&graph.outputs) {
        let Some(called) = names.get_mut(id.index()).filter(|called| called.is_empty()) else { continue };
        let name = &graph.value(*id).name;
        let count = taken.entry(name).or_default();
        *count += 1;
        let which = if *count > 1 { format!("#{count}") } else { String::new() };
        *called = if is_bare(name) { format!("%{name}{which}") } else { format!("%{}{which}", quoted(name)) };
    }
    names
}

struct Printer<'g> {
    graph: &'g Graph,
    detail: Detail,
    opset: i64,
    names: Vec<String>,
    /// Which values are written already.
    known: Vec<bool>,
    out: String,
}

impl Printer<'_> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn graph(&mut self) {
        let graph = self.graph;
        let bare = is_bare(&graph.name) && graph.name.starts_with(|c: char| c.is_ascii_alphabetic());
        let name = if bare { graph.name.clone() } else { quoted(&graph.name) };
        let opset = if self.opset == 13 { String::new() } else { format!(" opset {}", self.opset) };
        self.line(&format!("graph {name}{opset}"));
        for &id in &graph.inputs {
            let line = format!("input {}: {}", self.name(id), self.ty(id));
            self.known(id);
            self.line(&line);
        }
        let mut made = vec![false; graph.value_count()];
        for id in graph.nodes.iter().flat_map(|node| node.outputs.iter().flatten()) {
            made[id.index()] = true;
        }
        for node in &graph.nodes {
            node.inputs.iter().flatten().for_each(|id| self.declare(*id, &made));
            let line = self.node(node);
            self.line(&line);
        }
        graph.outputs.iter().for_each(|id| self.declare(*id, &made));
        let outputs: Vec<String> = graph.outputs.iter().map(|id| self.name(*id)).collect();
        if !outputs.is_empty() {
            self.line(&format!("output {}", outputs.join(", ")));
        }
    }

    /// Marks a value as written; says whether it was.
    fn known(&mut self, id: ValueId) -> bool {
        self.known.get_mut(id.index()).is_none_or(|known| std::mem::replace(known, true))
    }

    /// Writes a constant, or a value that nothing makes, before it is read.
    fn declare(&mut self, id: ValueId, made: &[bool]) {
        let constant = self.value(id).is_some_and(|value| value.data.is_some());
        if (made.get(id.index()) == Some(&true) && !constant) || self.known(id) {
            return;
        }
        let line = match self.value(id).and_then(|value| Some((value.data.as_ref()?, value.ty.dtype))) {
            Some((data, dtype)) => {
                format!("const {}: {} = {}", self.name(id), self.ty(id), self.elements(data, dtype))
            }
            None => format!("value {}: {}", self.name(id), self.ty(id)),
        };
        self.line(&line);
    }

    fn value(&self, id: ValueId) -> Option<&Value> {
        (id.index() < self.graph.value_count()).then(|| self.graph.value(id))
    }

    fn name(&self, id: ValueId) -> String {
        // An id of another graph: what the verifier finds can be printed too.
        self.names.get(id.index()).cloned().unwrap_or_else(|| format!("%unknown-{}", id.index()))
    }

    fn ty(&self, id: ValueId) -> String {
        let Some(value) = self.value(id) else { return "float32[]".to_owned() };
        let mut text = ty(&value.ty);
        if let Some(encoding) = &value.encoding {
            let _ = write!(text, " as {}", encoding::print(encoding, self.detail));
        }
        text
    }

    fn elements(&self, data: &Data, dtype: DType) -> String {
        match Elements::of(data, dtype, self.detail.most()) {
            Elements::Splat(one) => one,
            Elements::List(items) => format!("[{}]", items.join(", ")),
            Elements::Random(seed) => format!("random({seed})"),
            Elements::Elided => "...".to_owned(),
        }
    }

    fn node(&mut self, node: &Node) -> String {
        let outputs: Vec<String> = node
            .outputs
            .iter()
            .map(|output| match output {
                None => "_".to_owned(),
                Some(id) => {
                    self.known(*id);
                    format!("{}: {}", self.name(*id), self.ty(*id))
                }
            })
            .collect();
        let inputs: Vec<String> = node
            .inputs
            .iter()
            .map(|input| input.map_or_else(|| "_".to_owned(), |id| self.name(id)))
            .collect();
        let opset = if node.opset == self.opset { String::new() } else { format!("@{}", node.opset) };
        let mut line = format!("{} = {}{opset}({})", outputs.join(", "), node.op, inputs.join(", "));
        if !node.attrs.0.is_empty() {
            let attrs: Vec<String> =
                node.attrs.0.iter().map(|(name, attr)| format!("{name}={}", self.attribute(attr))).collect();
            let _ = write!(line, " {{{}}}", attrs.join(", "));
        }
        if node.layout == Layout::ChannelsLast {
            line.push_str(" channels-last");
        }
        let default =
            node.outputs.iter().flatten().next().map_or(node.op.name(), |id| &self.graph.value(*id).name);
        if node.name != default {
            let _ = write!(line, " {}", quoted(&node.name));
        }
        line
    }

    fn attribute(&self, attr: &Attr) -> String {
        let texts = |items: &mut dyn Iterator<Item = String>| list(&items.collect::<Vec<_>>(), self.detail);
        match attr {
            Attr::Int(int) => int.to_string(),
            Attr::Float(value) => float(*value),
            Attr::Str(text) => quoted(text),
            Attr::Ints(ints) => texts(&mut ints.iter().map(ToString::to_string)),
            Attr::Floats(floats) if floats.is_empty() => "floats[]".to_owned(),
            Attr::Floats(floats) => texts(&mut floats.iter().copied().map(float)),
            Attr::Strs(all) => {
                format!("strings[{}]", all.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
            }
            Attr::Tensor(tensor, data) => format!("{} = {}", ty(tensor), self.elements(data, tensor.dtype)),
        }
    }
}

/// `float32[1,3,8,8]`.
fn ty(ty: &TensorType) -> String {
    let dims: Vec<String> = ty.shape.iter().map(ToString::to_string).collect();
    format!("{}[{}]", ty.dtype, dims.join(","))
}
