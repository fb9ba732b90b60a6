//! Values, nodes and the graph that holds them.

use super::{Attr, Attrs, DType, Data, Encoding};
use crate::frontend::onnx::element::number;
use std::collections::HashMap;
use std::sync::Arc;

use crate::op::Op;

/// Names a value of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(u32);

impl ValueId {
    /// Position in the order of creation.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Position of a node in [`Graph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// dtype and static shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorType {
    /// Element type.
    pub dtype: DType,
    /// Dimensions, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
}

impl TensorType {
    /// From its parts.
    pub fn new(dtype: DType, shape: impl Into<Vec<usize>>) -> Self {
        Self { dtype, shape: shape.into() }
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of bytes.
    pub fn bytes(&self) -> usize {
        self.elements() * self.dtype.size()
    }
}

/// An edge of the graph: a graph input, a constant, or the result of a node.
#[derive(Clone, Debug)]
pub struct Value {
    /// Name in the model.
    pub name: String,
    /// dtype and shape.
    pub ty: TensorType,
    /// Constant data.
    pub data: Option<Data>,
    /// Quantization.
    pub encoding: Option<Encoding>,
}

impl Value {
    /// A constant's real numbers, those that its encoding gives where it has one; `None` when it is not constant, or has an encoding
    /// of another shape.
    pub fn reals(&self) -> Option<Vec<f64>> {
        let data = self.data.as_ref()?;
        match &self.encoding {
            None => Some(data.to_f64(self.ty.dtype)),
            Some(encoding) => encoding.dequantize(&data.to_i64(self.ty.dtype), &self.ty.shape).ok(),
        }
    }
}

/// In what order a node's spatial axes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// As the ONNX standard says: channels at axis 1.
    #[default]
    Onnx,
    /// Channels last (N, spatial…, C), weights HWIO: what HTP's spatial ops take.
    ChannelsLast,
}

/// An operation.
#[derive(Clone, Debug)]
pub struct Node {
    /// Name in the model; the first output's name where the model has none.
    pub name: String,
    /// Operator.
    pub op: Op,
    /// Version of the operator's domain that the model imports.
    pub opset: i64,
    /// Inputs; `None` where an optional one is left out.
    pub inputs: Vec<Option<ValueId>>,
    /// Outputs; `None` where an optional one is left out.
    pub outputs: Vec<Option<ValueId>>,
    /// Attributes.
    pub attrs: Attrs,
    /// Layout of spatial operands.
    pub layout: Layout,
    /// The model's node that this one was written for; `None` where it is the model's own, or a pass added it.
    pub part_of: Option<Arc<Origin>>,
}

/// A node of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name.
    pub node: String,
    /// Operator, with its domain where that is not the standard's.
    pub op: String,
}

impl Node {
    /// A standard operator that a pass adds, from one value to another; `origin` is the name of what it is added for.
    pub fn added(op: Op, origin: &str, from: ValueId, to: ValueId, attrs: Attrs) -> Self {
        Self {
            name: format!("{origin}.{}", op.name().to_lowercase()),
            op,
            opset: 13,
            inputs: vec![Some(from)],
            outputs: vec![Some(to)],
            attrs,
            layout: Layout::Onnx,
            part_of: None,
        }
    }

    /// The model's node: this one, or the one that it was written for.
    pub fn origin(&self) -> Arc<Origin> {
        let own = || Arc::new(Origin { node: self.name.clone(), op: self.op.label() });
        self.part_of.clone().unwrap_or_else(own)
    }

    /// The `i`-th input where there is one.
    pub fn input(&self, i: usize) -> Option<ValueId> {
        self.inputs.get(i).copied().flatten()
    }

    /// The `i`-th output where there is one.
    pub fn output(&self, i: usize) -> Option<ValueId> {
        self.outputs.get(i).copied().flatten()
    }
}

/// A model with static shapes. Nodes are in topological order; each value has at most one producer.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Name.
    pub name: String,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// Values that the app provides, in the model's order.
    pub inputs: Vec<ValueId>,
    /// Values that the app reads, in the model's order.
    pub outputs: Vec<ValueId>,
    values: Vec<Value>,
}

impl Graph {
    /// An empty graph.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds a value without data.
    pub fn add_value(&mut self, name: impl Into<String>, ty: TensorType) -> ValueId {
        self.push(Value { name: name.into(), ty, data: None, encoding: None })
    }

    /// Adds a constant. `data` must hold exactly `ty.bytes()` bytes.
    pub fn add_constant(&mut self, name: impl Into<String>, ty: TensorType, data: Data) -> ValueId {
        debug_assert_eq!(data.len(), ty.bytes());
        self.push(Value { name: name.into(), ty, data: Some(data), encoding: None })
    }

    fn push(&mut self, value: Value) -> ValueId {
        let id = ValueId(self.values.len() as u32);
        self.values.push(value);
        id
    }

    /// The value of an id of this graph.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0 as usize]
    }

    /// The value of an id of this graph, to change.
    pub fn value_mut(&mut self, id: ValueId) -> &mut Value {
        &mut self.values[id.0 as usize]
    }

    /// All ids in the order of their creation, used or not.
    pub fn value_ids(&self) -> impl Iterator<Item = ValueId> + use<> {
        (0..self.values.len() as u32).map(ValueId)
    }

    /// How many values there are, used or not.
    pub fn value_count(&self) -> usize {
        self.values.len()
    }

    /// Shape of a value.
    pub fn shape(&self, id: ValueId) -> &[usize] {
        &self.value(id).ty.shape
    }

    /// dtype of a value.
    pub fn dtype(&self, id: ValueId) -> DType {
        self.value(id).ty.dtype
    }

    /// Whether a value is constant.
    pub fn is_constant(&self, id: ValueId) -> bool {
        self.value(id).data.is_some()
    }

    /// A constant's elements as integers; `None` when the value is not constant, or stands for real numbers by an encoding.
    pub fn const_i64(&self, id: ValueId) -> Option<Vec<i64>> {
        let v = self.value(id);
        v.data.as_ref().filter(|_| v.encoding.is_none()).map(|d| d.to_i64(v.ty.dtype))
    }

    /// A constant's elements as floats, the real numbers where it has an encoding; `None` when the value is not constant.
    pub fn const_f32(&self, id: ValueId) -> Option<Vec<f32>> {
        let v = self.value(id);
        match &v.encoding {
            None => v.data.as_ref().map(|d| d.to_f32(v.ty.dtype)),
            Some(_) => Some(v.reals()?.into_iter().map(|r| r as f32).collect()),
        }
    }

    /// A constant with exactly one element; `None` otherwise.
    pub fn const_scalar(&self, id: ValueId) -> Option<f32> {
        let v = self.value(id);
        if v.ty.elements() != 1 {
            return None;
        }
        match v.encoding {
            Some(_) => v.reals()?.first().map(|&real| real as f32),
            None => self.const_f32(id)?.first().copied(),
        }
    }

    /// A Cast that a pass adds, to the dtype that `to` has.
    pub fn added_cast(&self, origin: &str, from: ValueId, to: ValueId) -> Node {
        let mut attrs = Attrs::default();
        attrs.set("to", Attr::Int(number(self.dtype(to)).into()));
        Node::added(Op::Cast, origin, from, to, attrs)
    }

    /// A Reshape that a pass adds to a graph in the model's order of axes, to the shape that `to` has.
    pub fn added_reshape(&mut self, origin: &str, from: ValueId, to: ValueId) -> Node {
        let dims: Vec<i64> = self.shape(to).iter().map(|&d| d as i64).collect();
        let name = format!("{}.shape", self.value(to).name);
        let shape = self.add_constant(name, TensorType::new(DType::I64, [dims.len()]), Data::from_i64(&dims));
        let mut node = Node::added(Op::Reshape, origin, from, to, Attrs::default());
        node.inputs.push(Some(shape));
        node
    }

    /// Which node makes each value.
    pub fn producers(&self) -> HashMap<ValueId, NodeId> {
        let mut map = HashMap::new();
        for (i, node) in self.nodes.iter().enumerate() {
            for output in node.outputs.iter().flatten() {
                map.insert(*output, NodeId(i));
            }
        }
        map
    }

    /// Which nodes read each value, in order; a node that reads it twice is there twice.
    pub fn consumers(&self) -> HashMap<ValueId, Vec<NodeId>> {
        let mut map: HashMap<ValueId, Vec<NodeId>> = HashMap::new();
        for (i, node) in self.nodes.iter().enumerate() {
            for input in node.inputs.iter().flatten() {
                map.entry(*input).or_default().push(NodeId(i));
            }
        }
        map
    }
}
