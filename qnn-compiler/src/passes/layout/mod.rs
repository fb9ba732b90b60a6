//! Puts every value into the order of axes that HTP wants, with as few transposes as possible.
//!
//! Each value of the model lives somewhere: in a physical value, in some order of axes. Spatial ops put their results
//! channels-last, element-wise ops keep the order of their largest operand, Transpose only renames axes. A
//! real transpose is made when a consumer wants an order that does not exist yet, once per value and order; one
//! that only moves axes of size one becomes a reshape, one of a constant is done here.
//!
//! The physical form that lowering sees, where it differs from ONNX:
//!
//! | op | form |
//! |---|---|
//! | spatial | `layout` is channels-last; weights are (spatial…, in, out) |
//! | Reduce… | attribute `axes`; one input |
//! | Slice | attributes `starts`, `ends`, `steps`, one entry an axis, non-negative and within the shape; one input |
//! | Pad | attribute `pads`: all begins, then all ends; input 1 is the value, where there is one |
//! | Tile | attribute `repeats`; one input |
//! | Expand, Reshape, Flatten, Squeeze, Unsqueeze | one input; the output's shape tells; the last four are all `Reshape` |
//! | Softmax and its like | attribute `axis` is the innermost axis |
//! | MatMul | attributes `transA`, `transB` |

mod args;
mod perm;
mod rules;

use std::collections::HashMap;

use qnn_types::Diagnostic;

use crate::graph::{Attr, Attrs, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;
use crate::problem::{Problems, Result};
use perm::Order;

/// Rewrites the graph into physical layout.
///
/// # Errors
/// Nodes whose axes, pads or slices are not constant.
pub(super) fn run(graph: &mut Graph) -> Result<()> {
    let nodes = std::mem::take(&mut graph.nodes);
    let logical = graph.value_ids().map(|id| graph.shape(id).to_vec()).collect();
    let mut pass = Layout {
        graph,
        logical,
        place: HashMap::new(),
        cache: HashMap::new(),
        raised: HashMap::new(),
        nodes: Vec::new(),
    };
    let mut problems: Vec<Diagnostic> = Vec::new();
    for node in nodes {
        problems.extend(rules::place(&mut pass, node).err());
    }
    pass.outputs();
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

struct Layout<'g> {
    graph: &'g mut Graph,
    /// Shape of each value in the model's order.
    logical: Vec<Vec<usize>>,
    /// Where a value of the model lives; in itself and in the model's order when absent.
    place: HashMap<ValueId, (ValueId, Order)>,
    /// Physical values in other orders: by source and permutation.
    cache: HashMap<(ValueId, Vec<usize>), ValueId>,
    /// Values with leading unit axes.
    raised: HashMap<(ValueId, usize), ValueId>,
    nodes: Vec<Node>,
}

impl Layout<'_> {
    fn shape(&self, id: ValueId) -> &[usize] {
        &self.logical[id.index()]
    }

    fn rank(&self, id: ValueId) -> usize {
        self.shape(id).len()
    }

    fn place(&self, id: ValueId) -> (ValueId, Order) {
        self.place.get(&id).cloned().unwrap_or_else(|| (id, perm::identity(self.rank(id))))
    }

    fn order(&self, id: ValueId) -> Order {
        self.place(id).1
    }

    /// Says that a node's result is in this order.
    fn settle(&mut self, id: ValueId, order: Order) {
        let shape = perm::apply(&order, self.shape(id));
        self.graph.value_mut(id).ty.shape = shape;
        self.place.insert(id, (id, order));
    }

    /// The physical value that holds `id` in the wanted order.
    fn want(&mut self, id: ValueId, want: &[usize]) -> ValueId {
        let (source, have) = self.place(id);
        let perm = perm::between(&have, want);
        self.permuted(source, perm)
    }

    /// The physical value that holds `id` in the model's order.
    fn want_model_order(&mut self, id: ValueId) -> ValueId {
        self.want(id, &perm::identity(self.rank(id)))
    }

    fn permuted(&mut self, source: ValueId, perm: Vec<usize>) -> ValueId {
        if perm.is_sorted() {
            return source;
        }
        let key = (source, perm);
        if let Some(&id) = self.cache.get(&key) {
            return id;
        }
        let value = self.graph.value(source).clone();
        let shape = perm::apply(&key.1, &value.ty.shape);
        let ty = TensorType::new(value.ty.dtype, shape);
        let name =
            format!("{}.{}", value.name, key.1.iter().map(ToString::to_string).collect::<Vec<_>>().join(""));
        let id = match &value.data {
            Some(data) => {
                let data = data.transposed(value.ty.dtype.size(), &value.ty.shape, &key.1);
                self.constant(name, ty, data)
            }
            None => {
                let id = self.value(name, ty);
                let node = if perm::moves_nothing(&key.1, &value.ty.shape) {
                    Node::added(Op::Reshape, &value.name, source, id, Attrs::default())
                } else {
                    let mut attrs = Attrs::default();
                    attrs.set("perm", Attr::Ints(key.1.iter().map(|&p| p as i64).collect()));
                    Node::added(Op::Transpose, &value.name, source, id, attrs)
                };
                self.nodes.push(node);
                id
            }
        };
        self.graph.value_mut(id).encoding =
            value.encoding.map(|e| e.transposed(&value.ty.shape, &key.1).unwrap_or(e));
        self.cache.insert(key, id);
        id
    }

    /// `id` with unit axes in front, so that it has `rank` axes.
    fn raise(&mut self, id: ValueId, rank: usize) -> ValueId {
        if self.rank(id) == rank {
            return id;
        }
        if let Some(&raised) = self.raised.get(&(id, rank)) {
            return raised;
        }
        let source = self.want_model_order(id);
        let value = self.graph.value(source).clone();
        let mut shape = vec![1; rank - value.ty.shape.len()];
        shape.extend(&value.ty.shape);
        let ty = TensorType::new(value.ty.dtype, shape);
        let name = format!("{}.r{rank}", value.name);
        let encoding = value.encoding.map(|e| e.reshaped(&value.ty.shape, &ty.shape).unwrap_or(e));
        let raised = match value.data {
            Some(data) => self.constant(name, ty, data),
            None => {
                let raised = self.value(name, ty);
                self.nodes.push(Node::added(Op::Reshape, &value.name, source, raised, Attrs::default()));
                raised
            }
        };
        self.graph.value_mut(raised).encoding = encoding;
        self.raised.insert((id, rank), raised);
        raised
    }

    fn value(&mut self, name: String, ty: TensorType) -> ValueId {
        self.logical.push(ty.shape.clone());
        self.graph.add_value(name, ty)
    }

    fn constant(&mut self, name: String, ty: TensorType, data: Data) -> ValueId {
        self.logical.push(ty.shape.clone());
        self.graph.add_constant(name, ty, data)
    }

    /// The app reads the model's order, under the model's names.
    fn outputs(mut self) {
        for i in 0..self.graph.outputs.len() {
            let id = self.graph.outputs[i];
            let physical = self.want_model_order(id);
            // An input, a constant or another output that is passed on keeps its own name.
            let taken = self.graph.inputs.contains(&physical)
                || self.graph.is_constant(physical)
                || self.graph.outputs[..i].contains(&physical);
            if physical == id && !taken {
                continue;
            }
            let name = self.graph.value(id).name.clone();
            let out = if taken {
                let ty = self.graph.value(physical).ty.clone();
                let out = self.value(name.clone(), ty);
                self.graph.value_mut(out).encoding = self.graph.value(physical).encoding.clone();
                self.nodes.push(Node::added(Op::Identity, &name, physical, out, Attrs::default()));
                out
            } else {
                physical
            };
            if !self.graph.inputs.contains(&id) {
                self.graph.value_mut(id).name = format!("{name}.inner");
            }
            self.graph.value_mut(out).name = name;
            self.graph.outputs[i] = out;
        }
        self.graph.nodes = self.nodes;
    }
}
