//! Writes the nodes that a composed operator is replaced by.

use qnn_types::Diagnostic;

use crate::frontend::Builder;
use crate::frontend::builder::Rounded;
use crate::frontend::onnx::element;
use crate::frontend::onnx::normalize::{OPSET, Step, normalize};
use crate::graph::{Attr, Attrs, DType, Data, Encoding, Node, TensorType, ValueId};
use crate::infer::{Answer, Reason, Site};
use crate::op::Op;

/// The node being replaced, and the means to write others. What is written is normalized, typed, and evaluated where it is
/// constant, as a model's own nodes are.
pub(super) struct Parts<'d, 'r> {
    builder: &'d mut Builder<'r>,
    /// The node.
    pub(super) node: &'d Node,
    /// How many outputs of it are wanted.
    pub(super) outputs: usize,
    /// Types of its outputs.
    pub(super) types: &'d [TensorType],
}

impl<'d, 'r> Parts<'d, 'r> {
    pub(super) fn new(
        builder: &'d mut Builder<'r>,
        node: &'d Node,
        outputs: usize,
        types: &'d [TensorType],
    ) -> Self {
        Self { builder, node, outputs, types }
    }

    pub(super) fn site(&self) -> Site<'_> {
        Site { graph: &self.builder.graph, node: self.node, outputs: self.outputs }
    }

    /// The `i`-th input, which the operator requires.
    pub(super) fn input(&self, i: usize) -> Answer<ValueId> {
        self.site().id(i)
    }

    pub(super) fn shape(&self, id: ValueId) -> Vec<usize> {
        self.builder.graph.shape(id).to_vec()
    }

    pub(super) fn dtype(&self, id: ValueId) -> DType {
        self.builder.graph.dtype(id)
    }

    /// Shape of the `i`-th input, which the operator requires.
    pub(super) fn input_shape(&self, i: usize) -> Answer<Vec<usize>> {
        Ok(self.site().ty(i)?.shape.clone())
    }

    /// Elements of a value as integers, where it is constant.
    pub(super) fn known_ints(&self, id: ValueId) -> Option<Vec<i64>> {
        self.builder.graph.const_i64(id)
    }

    /// Elements of a value as floats, where it is constant.
    pub(super) fn known_floats(&self, id: ValueId) -> Option<Vec<f64>> {
        let value = self.builder.graph.value(id);
        value.data.as_ref().map(|data| data.to_f64(value.ty.dtype))
    }

    /// The bytes of a value, where it is constant.
    pub(super) fn known(&self, id: ValueId) -> Option<&Data> {
        self.builder.graph.value(id).data.as_ref()
    }

    /// A constant from its bytes.
    pub(super) fn constant(&mut self, ty: TensorType, data: Data) -> ValueId {
        self.builder.constant(&format!("{}.const", self.node.name), ty, data)
    }

    /// A constant of integers that stand for real numbers.
    pub(super) fn encoded_constant(&mut self, ty: TensorType, data: Data, encoding: Encoding) -> ValueId {
        let id = self.constant(ty, data);
        self.builder.graph.value_mut(id).encoding = Some(encoding);
        id
    }

    /// The other forms of integers that are quantized by their own range.
    pub(super) fn rounded(&self, id: ValueId) -> Option<Rounded> {
        self.builder.rounded.get(&id).copied()
    }

    /// Remembers the other forms of integers.
    pub(super) fn remember(&mut self, id: ValueId, rounded: Rounded) {
        self.builder.rounded.insert(id, rounded);
    }

    /// The node that makes a value; the nearest are found first.
    pub(super) fn maker(&self, id: ValueId) -> Option<&Node> {
        self.builder.graph.nodes.iter().rev().find(|n| n.outputs.contains(&Some(id)))
    }

    /// A node with one output.
    pub(super) fn op(&mut self, op: Op, inputs: &[ValueId]) -> Answer<ValueId> {
        self.with(op, inputs, [])
    }

    /// A node with one output and these attributes.
    pub(super) fn like(&mut self, op: Op, inputs: &[ValueId], attrs: Attrs) -> Answer<ValueId> {
        Ok(self.several(op, inputs, attrs, 1)?[0])
    }

    /// A node with these attributes and `count` outputs.
    fn several(&mut self, op: Op, inputs: &[ValueId], attrs: Attrs, count: usize) -> Answer<Vec<ValueId>> {
        let name = format!("{}.{}", self.node.name, op.name().to_lowercase());
        let names = vec![name.clone(); count];
        let mut node = Node {
            name,
            op,
            opset: OPSET,
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: Vec::new(),
            attrs,
            layout: self.node.layout,
            part_of: Some(self.node.origin()),
        };
        let values = match normalize(self.builder, &mut node, &names)? {
            Step::Replaced(values) => values,
            Step::Keep => self.builder.emit(node, &names)?,
        };
        let values: Vec<ValueId> = values.into_iter().flatten().collect();
        if values.len() < count {
            return Err(Reason::Invalid(format!("{op} has {} outputs of {count}", values.len())));
        }
        Ok(values)
    }

    /// A node with attributes and one output.
    pub(super) fn with<const N: usize>(
        &mut self,
        op: Op,
        inputs: &[ValueId],
        attrs: [(&str, Attr); N],
    ) -> Answer<ValueId> {
        let attrs = attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.like(op, inputs, Attrs(attrs))
    }

    /// A constant from numbers.
    pub(super) fn floats(&mut self, dtype: DType, shape: &[usize], values: &[f64]) -> ValueId {
        let name = format!("{}.const", self.node.name);
        self.builder.constant(&name, TensorType::new(dtype, shape), Data::from_floats(values, dtype))
    }

    /// A constant from integers.
    pub(super) fn ints(&mut self, dtype: DType, shape: &[usize], values: &[i64]) -> ValueId {
        let name = format!("{}.const", self.node.name);
        self.builder.constant(&name, TensorType::new(dtype, shape), Data::from_ints(values, dtype))
    }

    /// One number that broadcasts.
    pub(super) fn scalar(&mut self, dtype: DType, value: f64) -> ValueId {
        self.floats(dtype, &[], &[value])
    }

    /// A binary operator with a number on the right.
    pub(super) fn by(&mut self, op: Op, x: ValueId, value: f64) -> Answer<ValueId> {
        let number = self.scalar(self.dtype(x), value);
        self.op(op, &[x, number])
    }

    /// The same elements in another shape.
    pub(super) fn reshape(&mut self, x: ValueId, shape: &[usize]) -> Answer<ValueId> {
        if self.builder.graph.shape(x) == shape {
            return Ok(x);
        }
        let list: Vec<i64> = shape.iter().map(|d| *d as i64).collect();
        let list = self.ints(DType::I64, &[list.len()], &list);
        self.op(Op::Reshape, &[x, list])
    }

    /// Axes in another order.
    pub(super) fn transpose(&mut self, x: ValueId, perm: &[usize]) -> Answer<ValueId> {
        if perm.is_sorted() {
            return Ok(x);
        }
        self.with(Op::Transpose, &[x], [("perm", Attr::Ints(perm.iter().map(|p| *p as i64).collect()))])
    }

    /// The same numbers in another type.
    pub(super) fn cast(&mut self, x: ValueId, dtype: DType) -> Answer<ValueId> {
        if self.dtype(x) == dtype {
            return Ok(x);
        }
        self.with(Op::Cast, &[x], [("to", Attr::Int(element::number(dtype).into()))])
    }

    /// Elements `start..end` by `step` along an axis; with a negative step `end` may be -1, before the first.
    pub(super) fn slice(&mut self, x: ValueId, axis: usize, [start, end, step]: [i64; 3]) -> Answer<ValueId> {
        let end = if step < 0 && end < 0 { i64::MIN + 1 } else { end };
        let lists = [start, end, axis as i64, step].map(|v| self.ints(DType::I64, &[1], &[v]));
        self.op(Op::Slice, &[x, lists[0], lists[1], lists[2], lists[3]])
    }

    /// Elements `from..to` of an axis.
    pub(super) fn range(&mut self, x: ValueId, axis: usize, from: usize, to: usize) -> Answer<ValueId> {
        self.slice(x, axis, [from as i64, to as i64, 1])
    }

    /// Equal parts of an axis.
    pub(super) fn pieces(&mut self, x: ValueId, axis: usize, count: usize) -> Answer<Vec<ValueId>> {
        let size = self.builder.graph.shape(x)[axis] / count.max(1);
        (0..count).map(|i| self.range(x, axis, i * size, (i + 1) * size)).collect()
    }

    /// Parts of an axis of these sizes, by one node.
    pub(super) fn split(&mut self, x: ValueId, axis: usize, sizes: &[usize]) -> Answer<Vec<ValueId>> {
        if sizes.len() == 1 {
            return Ok(vec![x]);
        }
        let list: Vec<i64> = sizes.iter().map(|size| *size as i64).collect();
        let list = self.ints(DType::I64, &[list.len()], &list);
        let attrs = Attrs([("axis".to_owned(), Attr::Int(axis as i64))].into_iter().collect());
        self.several(Op::Split, &[x, list], attrs, sizes.len())
    }

    /// Parts joined along an axis.
    pub(super) fn concat(&mut self, parts: &[ValueId], axis: usize) -> Answer<ValueId> {
        self.with(Op::Concat, parts, [("axis", Attr::Int(axis as i64))])
    }

    /// A reduction over axes.
    pub(super) fn reduce(&mut self, op: Op, x: ValueId, axes: &[usize], keep: bool) -> Answer<ValueId> {
        if axes.is_empty() {
            return Ok(x);
        }
        let list: Vec<i64> = axes.iter().map(|a| *a as i64).collect();
        let list = self.ints(DType::I64, &[list.len()], &list);
        self.with(op, &[x, list], [("keepdims", Attr::Int(keep.into()))])
    }

    /// Rows of a table at indices.
    pub(super) fn rows(&mut self, table: ValueId, indices: ValueId) -> Answer<ValueId> {
        self.with(Op::Gather, &[table, indices], [("axis", Attr::Int(0))])
    }

    /// Says what the user should know.
    pub(super) fn warn(&mut self, warning: Diagnostic) {
        self.builder.warnings.push(warning);
    }

    /// Says that the node cannot be expressed.
    pub(super) fn refuse<T>(&self, why: impl Into<String>) -> Answer<T> {
        Err(Reason::Unsupported(why.into()))
    }
}
