//! Integers in flight: values between QuantizeLinear and DequantizeLinear, with what moves their elements in between.

use std::collections::HashMap;

use crate::graph::{DType, Data, Encoding, Graph, Node, TensorType, ValueId, params};
use crate::op::{Elements, Op};

/// Which inputs of a node are stored integers like its first result's, if that is one; `None` for operators that compute with them.
fn stored(node: &Node) -> Option<(Vec<usize>, bool)> {
    let (inputs, result) = match node.op.elements() {
        Elements::Moved(count) => return Some(((0..node.inputs.len().min(count)).collect(), true)),
        Elements::Compared { inputs, stored } => (inputs, stored),
        Elements::Computed => return None,
    };
    let added = matches!(node.attrs.str_or("reduction", "none"), "add" | "mul");
    let cubic = node.op == Op::Resize && node.attrs.str_or("mode", "nearest") == "cubic";
    (!added && !cubic).then(|| (inputs.to_vec(), result))
}

/// The results of a node that are stored integers: of a TopK the second is places.
fn results(node: &Node) -> impl Iterator<Item = ValueId> {
    let count = if node.op == Op::TopK { 1 } else { usize::MAX };
    node.outputs.iter().take(count).flatten().copied()
}

/// Says what operators on integers leave unsaid: what they fill with is the integer zero, which need not stand for the number.
pub(super) fn complete(graph: &mut Graph) {
    for i in 0..graph.nodes.len() {
        let node = &graph.nodes[i];
        let Some(x) = node.input(0).filter(|_| node.op.is_standard()) else { continue };
        let dtype = graph.dtype(x);
        if !matches!(dtype, DType::U8 | DType::I8 | DType::U16 | DType::I16) {
            continue;
        }
        let at = match node.op {
            Op::Relu => 1,
            Op::Pad if node.input(2).is_none() && node.attrs.str_or("mode", "constant") == "constant" => 2,
            _ => continue,
        };
        let name = format!("{}.zero", node.name);
        let zero = graph.add_constant(name, TensorType::new(dtype, []), Data::from_ints(&[0], dtype));
        let node = &mut graph.nodes[i];
        if node.op == Op::Relu {
            node.op = Op::Clip;
        }
        node.inputs.resize(node.inputs.len().max(at + 1), None);
        node.inputs[at] = Some(zero);
    }
}

/// The encodings of integer values that stand for real numbers all their way.
pub(super) fn encodings(graph: &Graph) -> HashMap<ValueId, Encoding> {
    let mut groups = Groups::default();
    for node in &graph.nodes {
        match node.op {
            Op::QuantizeLinear => {
                if let Some(q) = node.output(0) {
                    groups.says(graph, q, params::encoding_of(graph, node, q));
                }
            }
            Op::DequantizeLinear => {
                if let Some(q) = node.input(0).filter(|&q| !graph.is_constant(q)) {
                    groups.says(graph, q, params::encoding_of(graph, node, q));
                }
            }
            _ => match stored(node) {
                Some((inputs, result)) => {
                    let made = if result { usize::MAX } else { 0 };
                    let parts = inputs.iter().filter_map(|&at| node.input(at));
                    let parts: Vec<ValueId> =
                        parts.filter(|&id| !graph.is_constant(id)).chain(results(node).take(made)).collect();
                    for pair in parts.windows(2) {
                        groups.join(pair[0], pair[1]);
                    }
                    let aside = node.inputs.iter().enumerate().filter(|(at, _)| !inputs.contains(at));
                    aside.filter_map(|(_, id)| *id).for_each(|id| groups.refuse(id));
                    if node.op == Op::Trilu {
                        groups.zeros.extend(parts.first());
                    }
                }
                None => {
                    node.inputs.iter().chain(&node.outputs).flatten().for_each(|&id| groups.refuse(id));
                }
            },
        }
    }
    for id in std::mem::take(&mut groups.zeros) {
        let root = groups.root(id);
        let zero = |said: &Encoding| said.has_zero_point(0);
        if !groups.said.get(&root).is_some_and(|said| said.as_ref().is_some_and(zero)) {
            groups.refuse(id);
        }
    }
    groups.answers()
}

/// Gives constants among encoded integers their encoding: a table that is looked up, a bound, a filling. Each node gets its own, since
/// integers have a meaning by what they meet.
pub(super) fn encode_constants(graph: &mut Graph, encodings: &HashMap<ValueId, Encoding>) {
    for i in 0..graph.nodes.len() {
        let node = &graph.nodes[i];
        let Some((inputs, _)) = stored(node) else { continue };
        let ids = inputs.iter().filter_map(|&at| node.input(at));
        let Some(encoding) = ids.chain(results(node)).find_map(|id| encodings.get(&id)).cloned() else {
            continue;
        };
        for at in inputs {
            let Some(id) = graph.nodes[i].input(at).filter(|&id| graph.is_constant(id)) else { continue };
            let value = graph.value(id).clone();
            let Some(data) = value.data.filter(|_| value.encoding.is_none()) else { continue };
            let own = graph.add_constant(value.name, value.ty, data);
            graph.value_mut(own).encoding = Some(encoding.clone());
            graph.nodes[i].inputs[at] = Some(own);
        }
    }
}

#[derive(Default)]
struct Groups {
    parent: HashMap<ValueId, ValueId>,
    /// What is said of each group, by its root: one encoding, or `None` where it cannot be real.
    said: HashMap<ValueId, Option<Encoding>>,
    /// Values that are filled with the integer zero.
    zeros: Vec<ValueId>,
}

impl Groups {
    fn root(&mut self, id: ValueId) -> ValueId {
        let mut at = id;
        while let Some(&up) = self.parent.get(&at).filter(|&&up| up != at) {
            at = up;
        }
        self.parent.insert(id, at);
        at
    }

    fn set(&mut self, root: ValueId, said: Option<Encoding>) {
        match self.said.get(&root) {
            None => drop(self.said.insert(root, said)),
            Some(old) if *old == said => {}
            Some(_) => drop(self.said.insert(root, None)),
        }
    }

    fn says(&mut self, graph: &Graph, id: ValueId, params: Option<Encoding>) {
        let root = self.root(id);
        let activation = params
            .filter(|encoding| encoding.per_tensor().is_some() && encoding.bits() <= 16)
            .filter(|_| !graph.is_constant(id));
        self.set(root, activation);
    }

    fn refuse(&mut self, id: ValueId) {
        let root = self.root(id);
        self.said.insert(root, None);
    }

    fn join(&mut self, a: ValueId, b: ValueId) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        self.parent.insert(a, b);
        if let Some(said) = self.said.remove(&a) {
            self.set(b, said);
        }
    }

    fn answers(mut self) -> HashMap<ValueId, Encoding> {
        let ids: Vec<ValueId> = self.parent.keys().copied().collect();
        let mut answers = HashMap::new();
        for id in ids {
            let root = self.root(id);
            if let Some(Some(encoding)) = self.said.get(&root) {
                answers.insert(id, encoding.clone());
            }
        }
        answers
    }
}
