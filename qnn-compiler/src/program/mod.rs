//! The program for the vendor's library, as plain data: the output of lowering.

mod quant;
mod text;

use std::borrow::Cow;
use std::sync::Arc;

use qnn::DataType;
pub use qnn::compose::{Quant, Scalar};
pub use quant::{described, quant, stored_type};

use crate::graph::{Data, Origin};
pub use text::print;

/// Names a tensor of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TensorId(pub usize);

/// What a tensor is for.
#[derive(Clone, Debug)]
pub enum Role {
    /// Written by the app.
    Input,
    /// Read by the app.
    Output,
    /// Between ops.
    Native,
    /// Constant.
    Static(Data),
}

/// A tensor.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Unique name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Element type.
    pub dtype: DataType,
    /// Dimensions, at least one.
    pub dims: Vec<u32>,
    /// Quantization.
    pub quant: Quant,
}

/// A parameter of an op.
#[derive(Clone, Debug)]
pub enum Param {
    /// A single value.
    Scalar(Cow<'static, str>, Scalar),
    /// A constant tensor that belongs to the op.
    Tensor {
        /// Parameter name.
        name: Cow<'static, str>,
        /// Element type.
        dtype: DataType,
        /// Dimensions.
        dims: Vec<u32>,
        /// Elements.
        data: Data,
    },
}

/// An op of an op package.
#[derive(Clone, Debug)]
pub struct Op {
    /// Unique name.
    pub name: String,
    /// Op package.
    pub package: Cow<'static, str>,
    /// Op type.
    pub ty: Cow<'static, str>,
    /// Inputs.
    pub inputs: Vec<TensorId>,
    /// Outputs.
    pub outputs: Vec<TensorId>,
    /// Parameters.
    pub params: Vec<Param>,
    /// The model's node that this op comes from.
    pub origin: Arc<Origin>,
}

/// One QNN graph.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Graph name.
    pub name: String,
    /// Tensors; inputs and outputs in the model's order.
    pub tensors: Vec<Tensor>,
    /// Ops in an order in which every tensor is made before it is read.
    pub ops: Vec<Op>,
    /// What the library may do to activations.
    pub activated: Activated,
}

/// What the library may do to a graph's activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activated {
    /// They are joined with the layers before them.
    pub joined: bool,
    /// A sigmoid that is an op of its own has digits below 1e-3, at nine times the cost.
    pub precise_sigmoid: bool,
}

impl Default for Activated {
    fn default() -> Self {
        Self { joined: false, precise_sigmoid: true }
    }
}

impl Program {
    /// The tensor of an id of this program.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.0]
    }

    /// Frees the elements of constants.
    pub fn release(&mut self) {
        let freed = || Data::new(bytes::Bytes::new());
        for tensor in &mut self.tensors {
            if let Role::Static(data) = &mut tensor.role {
                *data = freed();
            }
        }
        for param in self.ops.iter_mut().flat_map(|op| &mut op.params) {
            if let Param::Tensor { data, .. } = param {
                *data = freed();
            }
        }
    }
}
