//! Writes one op into a program.

use std::borrow::Cow;

use qnn::DataType;

use crate::graph::{Data, Node};
use crate::lower::engine::Lower;
use crate::program::{Op, Param, Scalar, TensorId};

/// The vendor's own op package.
pub(in crate::lower) const QTI_AISW: &str = "qti.aisw";

/// An op being written; [`OpBuilder::emit`] adds it to the program.
#[must_use = "an op is added by `emit`"]
pub struct OpBuilder<'l, 'g> {
    lower: &'l mut Lower<'g>,
    op: Op,
}

impl<'l, 'g> OpBuilder<'l, 'g> {
    pub(in crate::lower) fn new(lower: &'l mut Lower<'g>, node: &Node, ty: &'static str) -> Self {
        let name = lower.unique_name(&node.name);
        let op = Op {
            name,
            package: Cow::Borrowed(QTI_AISW),
            ty: Cow::Borrowed(ty),
            inputs: Vec::new(),
            outputs: Vec::new(),
            params: Vec::new(),
            origin: node.origin(),
        };
        Self { lower, op }
    }

    /// Adds inputs.
    pub fn inputs(mut self, inputs: impl IntoIterator<Item = TensorId>) -> Self {
        self.op.inputs.extend(inputs);
        self
    }

    /// Adds outputs.
    pub fn outputs(mut self, outputs: impl IntoIterator<Item = TensorId>) -> Self {
        self.op.outputs.extend(outputs);
        self
    }

    /// Scalar `u32` parameter.
    pub fn u32(mut self, name: &'static str, value: u32) -> Self {
        self.op.params.push(Param::Scalar(name.into(), Scalar::U32(value)));
        self
    }

    /// Scalar `i32` parameter.
    pub fn i32(mut self, name: &'static str, value: i32) -> Self {
        self.op.params.push(Param::Scalar(name.into(), Scalar::I32(value)));
        self
    }

    /// Scalar `f32` parameter.
    pub fn f32(mut self, name: &'static str, value: f32) -> Self {
        self.op.params.push(Param::Scalar(name.into(), Scalar::F32(value)));
        self
    }

    /// Scalar boolean parameter.
    pub fn bool(mut self, name: &'static str, value: bool) -> Self {
        self.op.params.push(Param::Scalar(name.into(), Scalar::Bool(value)));
        self
    }

    /// `u32` tensor parameter.
    pub fn u32s(mut self, name: &'static str, dims: &[u32], values: &[u32]) -> Self {
        let data = Data::new(values.iter().flat_map(|v| v.to_le_bytes()).collect());
        self.op.params.push(Param::Tensor {
            name: name.into(),
            dtype: DataType::Uint32,
            dims: dims.to_vec(),
            data,
        });
        self
    }

    /// `i32` tensor parameter.
    pub fn i32s(mut self, name: &'static str, dims: &[u32], values: &[i32]) -> Self {
        let data = Data::from_i32(values);
        self.op.params.push(Param::Tensor {
            name: name.into(),
            dtype: DataType::Int32,
            dims: dims.to_vec(),
            data,
        });
        self
    }

    /// Adds the op to the program.
    pub fn emit(self) {
        self.lower.push_op(self.op);
    }
}
