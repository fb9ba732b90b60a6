//! Adds nodes to a graph: each is typed when it is added, and evaluated where it is constant.

use std::collections::HashMap;

use crate::fold::{Folded, fold};
use crate::graph::{DType, Data, Graph, Node, TensorType, ValueId};
use crate::infer::{Answer, Reason, infer};

/// A graph under construction. Names of values and of nodes are unique in it.
#[derive(Debug)]
pub struct Builder {
    /// The graph so far.
    pub graph: Graph,
    values: HashMap<String, u32>,
    nodes: HashMap<String, u32>,
}

impl Builder {
    /// An empty graph.
    pub fn new(name: impl Into<String>) -> Self {
        Self { graph: Graph::new(name), values: HashMap::new(), nodes: HashMap::new() }
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
        let types = infer(&self.graph, &node, names.len())?;
        if let Folded::Values(values) = fold(&self.graph, &node, &types) {
            let outputs = names.iter().zip(types.into_iter().zip(values));
            return Ok(outputs
                .map(|(name, (ty, data))| (!name.is_empty()).then(|| self.constant(name, ty, data)))
                .collect());
        }
        Ok(self.append(node, names, types))
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
