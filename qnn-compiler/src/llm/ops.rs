//! Nodes of a decoder's graph, typed as they are written.

use crate::graph::{Attr, Attrs, DType, Data, Graph, Layout, Node, TensorType, ValueId};
use crate::op::Op;

/// Writes nodes. Every value that is computed has the same float type.
pub(super) struct Ops {
    pub(super) graph: Graph,
    /// Type of computed values.
    pub(super) float: DType,
    /// Domain of RotaryEmbedding: the vendor's op, or ONNX's.
    pub(super) rotary: Op,
}

impl Ops {
    /// An input of the graph.
    pub(super) fn input(&mut self, name: impl Into<String>, dtype: DType, shape: &[usize]) -> ValueId {
        let id = self.graph.add_value(name, TensorType::new(dtype, shape));
        self.graph.inputs.push(id);
        id
    }

    /// Gives a value the name of an output.
    pub(super) fn output(&mut self, id: ValueId, name: impl Into<String>) {
        self.graph.value_mut(id).name = name.into();
        self.graph.outputs.push(id);
    }

    /// A node with one result of this shape, named after it.
    pub(super) fn node(
        &mut self,
        op: Op,
        name: &str,
        inputs: &[ValueId],
        shape: &[usize],
        attrs: &[(&str, Attr)],
    ) -> ValueId {
        let out = self.graph.add_value(name, TensorType::new(self.float, shape));
        let mut all = Attrs::default();
        attrs.iter().for_each(|(key, value)| all.set(key, value.clone()));
        self.graph.nodes.push(Node {
            name: name.to_owned(),
            op,
            opset: 23,
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: vec![Some(out)],
            attrs: all,
            layout: Layout::Onnx,
            part_of: None,
        });
        out
    }

    pub(super) fn shape(&self, id: ValueId) -> Vec<usize> {
        self.graph.shape(id).to_vec()
    }

    /// The same elements in another shape; the value itself where it has that shape.
    pub(super) fn reshape(&mut self, name: &str, x: ValueId, shape: &[usize]) -> ValueId {
        if self.graph.shape(x) == shape {
            return x;
        }
        let dims: Vec<i64> = shape.iter().map(|&d| d as i64).collect();
        let ty = TensorType::new(DType::I64, [shape.len()]);
        let dims = self.graph.add_constant(format!("{name}.shape"), ty, Data::from_i64(&dims));
        self.node(Op::Reshape, name, &[x, dims], shape, &[])
    }

    /// Axes in another order.
    pub(super) fn transpose(&mut self, name: &str, x: ValueId, perm: &[i64]) -> ValueId {
        let from = self.shape(x);
        let shape: Vec<usize> = perm.iter().map(|&p| from[p as usize]).collect();
        self.node(Op::Transpose, name, &[x], &shape, &[("perm", Attr::Ints(perm.to_vec()))])
    }

    /// An operation on two values, the second of the first's shape, or spread to it.
    pub(super) fn binary(&mut self, op: Op, name: &str, a: ValueId, b: ValueId) -> ValueId {
        let shape = self.shape(a);
        self.node(op, name, &[a, b], &shape, &[])
    }

    /// Joined along an axis.
    pub(super) fn concat(&mut self, name: &str, parts: &[ValueId], axis: usize) -> ValueId {
        if let [only] = parts {
            return *only;
        }
        let mut shape = self.shape(parts[0]);
        shape[axis] = parts.iter().map(|&p| self.graph.shape(p)[axis]).sum();
        self.node(Op::Concat, name, parts, &shape, &[("axis", Attr::Int(axis as i64))])
    }

    /// The product of matrices (1, h, m, k) and (1, h, k, n).
    pub(super) fn product(&mut self, name: &str, a: ValueId, b: ValueId) -> ValueId {
        let (mut shape, other) = (self.shape(a), self.shape(b));
        shape[3] = other[3];
        self.node(Op::MatMul, name, &[a, b], &shape, &[])
    }

    /// x (rows, in) times a weight (out, in), and a bias.
    pub(super) fn linear(
        &mut self,
        name: &str,
        x: ValueId,
        weight: ValueId,
        bias: Option<ValueId>,
    ) -> ValueId {
        let (rows, columns) = (self.graph.shape(x)[0], self.graph.shape(weight)[0]);
        let inputs: Vec<ValueId> = [x, weight].into_iter().chain(bias).collect();
        self.node(Op::Gemm, name, &inputs, &[rows, columns], &[("transB", Attr::Int(1))])
    }

    /// Each row over the root of its mean of squares, times gains.
    pub(super) fn rms_norm(&mut self, name: &str, x: ValueId, gains: ValueId, epsilon: f32) -> ValueId {
        let shape = self.shape(x);
        let attrs = [("axis", Attr::Int(-1)), ("epsilon", Attr::Float(epsilon))];
        self.node(Op::RMSNormalization, name, &[x, gains], &shape, &attrs)
    }

    /// x (1, heads, tokens, size) turned by the positions' angles.
    pub(super) fn rotate(&mut self, name: &str, x: ValueId, [cos, sin]: [ValueId; 2]) -> ValueId {
        let shape = self.shape(x);
        self.node(self.rotary, name, &[x, cos, sin], &shape, &[("interleaved", Attr::Int(0))])
    }

    /// Softmax over the last axis.
    pub(super) fn softmax(&mut self, name: &str, x: ValueId) -> ValueId {
        let shape = self.shape(x);
        self.node(Op::Softmax, name, &[x], &shape, &[("axis", Attr::Int(-1))])
    }

    /// One number.
    pub(super) fn number(&mut self, name: &str, number: f64) -> ValueId {
        let data = Data::from_floats(&[number], self.float);
        self.graph.add_constant(name, TensorType::new(self.float, [1]), data)
    }
}
