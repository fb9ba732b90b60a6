//! Adds nodes to a graph: each is typed when it is added, and evaluated where it is constant.

use qnn_types::Diagnostic;
use std::collections::HashMap;

use crate::fold::{Folded, fold};
use crate::graph::{DType, Data, Graph, Node, TensorType, ValueId};
use crate::infer::{Answer, Reason, infer};
use crate::reference::ReferenceEngine;

/// The most bytes that constant nodes make of nothing, and how often they may make the model's weights anew.
const MOST_FOLDED: usize = 4 << 30;
const FOLDED_TIMES: usize = 8;

/// A graph under construction. Names of values and of nodes are unique in it.
#[derive(Debug)]
pub struct Builder<'r> {
    /// The graph so far.
    pub graph: Graph,
    values: HashMap<String, u32>,
    nodes: HashMap<String, u32>,
    reference: Option<&'r ReferenceEngine>,
    /// What integers that are quantized by their own range stand for, by the value that they are.
    pub(crate) rounded: HashMap<ValueId, Rounded>,
    /// Bytes of the model's weights that were read, and of what constant nodes made.
    pub(crate) given: usize,
    folded: usize,
    /// What the user should know of what was added.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// The other forms of integers that DynamicQuantizeLinear makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounded {
    /// The real numbers, rounded to the integers' steps.
    pub(crate) real: ValueId,
    /// The length of a step.
    pub(crate) scale: ValueId,
    /// The integer of zero.
    pub(crate) zero: ValueId,
}

impl<'r> Builder<'r> {
    /// An empty graph. The reference engine, where there is one, is asked what the tables do not know.
    pub fn new(name: impl Into<String>, reference: Option<&'r ReferenceEngine>) -> Self {
        Self {
            graph: Graph::new(name),
            values: HashMap::new(),
            nodes: HashMap::new(),
            reference,
            rounded: HashMap::new(),
            given: 0,
            folded: 0,
            warnings: Vec::new(),
        }
    }

    /// A value without data: a graph input.
    pub fn input(&mut self, name: &str, ty: TensorType) -> ValueId {
        let name = unique(&mut self.values, name);
        let id = self.graph.add_value(name, ty);
        self.graph.inputs.push(id);
        id
    }

    /// A constant.
    pub fn constant(&mut self, name: &str, ty: TensorType, data: Data) -> ValueId {
        let name = unique(&mut self.values, name);
        self.graph.add_constant(name, ty, data)
    }

    /// A list of integers as a constant.
    pub fn ints(&mut self, name: &str, values: &[i64]) -> ValueId {
        self.constant(name, TensorType::new(DType::I64, [values.len()]), Data::from_i64(values))
    }

    /// Gives a value another name, or one like it where the name is taken.
    pub fn rename(&mut self, id: ValueId, name: &str) {
        if self.graph.value(id).name != name {
            let name = unique(&mut self.values, name);
            self.graph.value_mut(id).name = name;
        }
    }

    /// Gives a value another name, so that its own is free again.
    pub fn release(&mut self, id: ValueId, name: &str) {
        let old = self.graph.value(id).name.clone();
        self.rename(id, name);
        self.values.remove(&old);
    }

    /// Adds a node. `names` are those of its outputs, empty where one is not wanted; the node's own `outputs` are ignored.
    /// Where all is constant the node is evaluated instead and the outputs are constants.
    ///
    /// # Errors
    ///
    /// The node cannot be typed.
    pub fn emit(&mut self, node: Node, names: &[String]) -> Answer<Vec<Option<ValueId>>> {
        let types = match infer(&self.graph, &node, names.len()) {
            Ok(types) => types,
            Err(reason) => match self.ask(&node, names.len(), reason)? {
                Known::Types(types) => types,
                Known::Values(values) => return Ok(self.constants(names, values)),
            },
        };
        let values = match fold(&self.graph, &node, &types) {
            Folded::Values(values) => Some(types.iter().cloned().zip(values).collect()),
            Folded::NoEvaluator => self.evaluate(&node, &types),
            Folded::Stays => None,
        };
        match values {
            Some(values) => {
                self.folded += values.iter().map(|(ty, _)| ty.bytes()).sum::<usize>();
                let most = MOST_FOLDED.saturating_add(self.given.saturating_mul(FOLDED_TIMES));
                if self.folded > most {
                    return Err(Reason::Unsupported(format!(
                        "what the model's constant nodes make comes to more than {} MiB, this node's result with it: store it as weights",
                        most >> 20
                    )));
                }
                Ok(self.constants(names, values))
            }
            None => Ok(self.append(node, names, types)),
        }
    }

    fn constants(&mut self, names: &[String], values: Vec<(TensorType, Data)>) -> Vec<Option<ValueId>> {
        let outputs = names.iter().zip(values);
        outputs.map(|(name, (ty, data))| (!name.is_empty()).then(|| self.constant(name, ty, data))).collect()
    }

    /// Asks the reference engine about a node that the table cannot type.
    fn ask(&self, node: &Node, outputs: usize, reason: Reason) -> Answer<Known> {
        let Some(reference) = self.reference else { return Err(reason) };
        let constant = node.inputs.iter().flatten().all(|id| self.graph.is_constant(*id));
        match reason {
            Reason::Unknown(why) => match reference.infer(&self.graph, node, outputs) {
                Ok(types) => Ok(Known::Types(types)),
                Err(more) => Err(Reason::Unknown(format!("{why}; {more}"))),
            },
            Reason::DataDependent(why) if constant => match reference.evaluate(&self.graph, node, outputs) {
                Ok(values) => Ok(Known::Values(values.into_iter().map(|v| (v.ty, v.data)).collect())),
                Err(more) => Err(Reason::DataDependent(format!("{why}; {more}"))),
            },
            reason => Err(reason),
        }
    }

    /// Values of a constant node that has no evaluator here. Where the engine fails the node stays for the device.
    fn evaluate(&self, node: &Node, types: &[TensorType]) -> Option<Vec<(TensorType, Data)>> {
        let values = self.reference?.evaluate(&self.graph, node, types.len()).ok()?;
        let fits = values.len() == types.len() && values.iter().zip(types).all(|(value, ty)| value.ty == *ty);
        fits.then(|| values.into_iter().map(|v| (v.ty, v.data)).collect())
    }

    /// Adds a node whose outputs have the given types, as it is.
    pub fn append(
        &mut self,
        mut node: Node,
        names: &[String],
        types: Vec<TensorType>,
    ) -> Vec<Option<ValueId>> {
        node.name = unique(&mut self.nodes, &node.name);
        let mut outputs = Vec::with_capacity(names.len());
        for (name, ty) in names.iter().zip(types) {
            outputs.push((!name.is_empty()).then(|| {
                let name = unique(&mut self.values, name);
                self.graph.add_value(name, ty)
            }));
        }
        node.outputs = outputs.clone();
        self.graph.nodes.push(node);
        outputs
    }

    /// Adds a node with one output, named after it.
    ///
    /// # Errors
    ///
    /// The node cannot be typed.
    pub fn emit_one(&mut self, node: Node) -> Answer<ValueId> {
        let name = node.name.clone();
        match self.emit(node, &[name])?.first() {
            Some(Some(id)) => Ok(*id),
            _ => Err(Reason::Invalid("the node has no output".to_owned())),
        }
    }
}

/// What the reference engine says of a node.
enum Known {
    Types(Vec<TensorType>),
    Values(Vec<(TensorType, Data)>),
}

/// `name`, or `name.1` and so on where it is taken.
fn unique(taken: &mut HashMap<String, u32>, name: &str) -> String {
    let Some(count) = taken.get_mut(name) else {
        taken.insert(name.to_owned(), 0);
        return name.to_owned();
    };
    let mut next = *count;
    loop {
        next += 1;
        let candidate = format!("{name}.{next}");
        if !taken.contains_key(&candidate) {
            taken.insert(name.to_owned(), next);
            taken.insert(candidate.clone(), 0);
            return candidate;
        }
    }
}
