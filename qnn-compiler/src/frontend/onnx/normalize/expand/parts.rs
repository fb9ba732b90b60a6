//! The operators that a composite is written out in. Each is written in its normal form.

use super::super::table::Draft;
use crate::graph::{Attr, DType, Data, TensorType, ValueId};
use crate::infer::Answer;

impl Draft<'_, '_> {
    /// The result of an operator without attributes.
    pub(super) fn op(&mut self, op: &str, inputs: &[ValueId]) -> Answer<ValueId> {
        self.op_with(op, inputs, &[])
    }

    /// The result of an operator with attributes.
    pub(super) fn op_with(
        &mut self,
        op: &str,
        inputs: &[ValueId],
        attrs: &[(&str, Attr)],
    ) -> Answer<ValueId> {
        let mut node = self.helper(&op.to_lowercase(), op, inputs);
        attrs.iter().for_each(|(name, value)| node.attrs.set(name, value.clone()));
        self.builder.emit_one(node)
    }

    /// Shape of a value.
    pub(super) fn dims(&self, x: ValueId) -> Vec<usize> {
        self.builder.graph.shape(x).to_vec()
    }

    /// Element type of a value.
    pub(super) fn dtype(&self, x: ValueId) -> DType {
        self.builder.graph.dtype(x)
    }

    /// A constant.
    pub(super) fn floats(&mut self, role: &str, dtype: DType, shape: &[usize], values: &[f64]) -> ValueId {
        let name = format!("{}.{role}", self.node.name);
        self.builder.constant(&name, TensorType::new(dtype, shape), Data::from_floats(values, dtype))
    }

    /// A constant of integers or truths.
    pub(super) fn whole(&mut self, role: &str, dtype: DType, shape: &[usize], values: &[i64]) -> ValueId {
        let name = format!("{}.{role}", self.node.name);
        self.builder.constant(&name, TensorType::new(dtype, shape), Data::from_ints(values, dtype))
    }

    /// A value and a number of its type.
    pub(super) fn with(&mut self, op: &str, x: ValueId, number: f64) -> Answer<ValueId> {
        let number = self.floats(&format!("{}.by", op.to_lowercase()), self.dtype(x), &[], &[number]);
        self.op(op, &[x, number])
    }

    /// The same elements in another shape.
    pub(super) fn reshape(&mut self, x: ValueId, shape: &[usize]) -> Answer<ValueId> {
        if self.builder.graph.shape(x) == shape {
            return Ok(x);
        }
        let list: Vec<i64> = shape.iter().map(|d| *d as i64).collect();
        let list = self.builder.ints(&format!("{}.shape", self.node.name), &list);
        self.op("Reshape", &[x, list])
    }

    /// Axes in another order.
    pub(super) fn transpose(&mut self, x: ValueId, perm: &[usize]) -> Answer<ValueId> {
        if perm.is_sorted() {
            return Ok(x);
        }
        let perm = perm.iter().map(|a| *a as i64).collect();
        self.op_with("Transpose", &[x], &[("perm", Attr::Ints(perm))])
    }

    /// Elements `start..end` of an axis.
    pub(super) fn slice(&mut self, x: ValueId, axis: usize, start: usize, end: usize) -> Answer<ValueId> {
        if start == 0 && end == self.builder.graph.shape(x)[axis] {
            return Ok(x);
        }
        let mut inputs = vec![x];
        for (role, value) in [("starts", start), ("ends", end), ("axes", axis), ("steps", 1)] {
            inputs.push(self.builder.ints(&format!("{}.{role}", self.node.name), &[value as i64]));
        }
        self.op("Slice", &inputs)
    }

    /// Equal parts of an axis.
    pub(super) fn parts(&mut self, x: ValueId, axis: usize, count: usize) -> Answer<Vec<ValueId>> {
        let size = self.builder.graph.shape(x)[axis] / count.max(1);
        (0..count).map(|i| self.slice(x, axis, i * size, (i + 1) * size)).collect()
    }

    /// Values one after another along an axis.
    pub(super) fn concat(&mut self, values: &[ValueId], axis: usize) -> Answer<ValueId> {
        match values {
            [only] => Ok(*only),
            _ => self.op_with("Concat", values, &[("axis", Attr::Int(axis as i64))]),
        }
    }

    /// The same numbers in another type.
    pub(super) fn cast(&mut self, x: ValueId, dtype: DType) -> Answer<ValueId> {
        if self.dtype(x) == dtype {
            return Ok(x);
        }
        let to = i64::from(crate::frontend::onnx::element::number(dtype));
        self.op_with("Cast", &[x], &[("to", Attr::Int(to))])
    }

    /// A reduction over one axis, which stays with extent 1.
    pub(super) fn reduce(&mut self, op: &str, x: ValueId, axis: usize) -> Answer<ValueId> {
        let axes = self.builder.ints(&format!("{}.axes", self.node.name), &[axis as i64]);
        self.op_with(op, &[x, axes], &[("keepdims", Attr::Int(1))])
    }

    /// (batch, length, heads · width) as (batch, heads, length, width).
    pub(super) fn split_heads(&mut self, x: ValueId, heads: usize) -> Answer<ValueId> {
        let [batch, length, wide] = self.dims(x)[..] else {
            return crate::infer::invalid("a tensor with heads has not three axes");
        };
        if heads == 0 || wide % heads != 0 {
            return crate::infer::invalid(format!("{wide} elements split into {heads} heads"));
        }
        let split = self.reshape(x, &[batch, length, heads, wide / heads])?;
        self.transpose(split, &[0, 2, 1, 3])
    }

    /// (batch, heads, length, width) as (batch, length, heads · width).
    pub(super) fn join_heads(&mut self, x: ValueId) -> Answer<ValueId> {
        let [batch, heads, length, width] = self.dims(x)[..] else {
            return crate::infer::invalid("a tensor of heads has not four axes");
        };
        let turned = self.transpose(x, &[0, 2, 1, 3])?;
        self.reshape(turned, &[batch, length, heads * width])
    }
}
