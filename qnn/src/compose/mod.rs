//! Building graphs and context binaries with the vendor's compiler. The engine's side of the runtime.
//!
//! The order of calls is [`crate::Device::new_context`], [`ContextBuilder::graph`] per graph, [`GraphBuilder::tensor`] and
//! [`GraphBuilder::add`] per tensor and op, [`GraphBuilder::finalize`], then [`ContextBuilder::binary_size`] and
//! [`ContextBuilder::write_binary`].

mod check;
mod context;
mod encode;
mod graph;
mod simulation;

pub use context::{ContextBuilder, ContextConfig};
pub use graph::{CompleteGraph, GraphBuilder, GraphConfig};
pub use simulation::Simulation;

use crate::DataType;
pub use crate::Quant;

/// What a tensor is for.
#[derive(Clone, Copy, Debug)]
pub enum Role<'a> {
    /// Written by the app before each execution.
    Input,
    /// Read by the app after each execution.
    Output,
    /// Between ops.
    Native,
    /// Constant: little-endian, row-major, exactly `dims` long.
    Static(&'a [u8]),
}

/// A tensor to create.
#[derive(Clone, Debug)]
pub struct TensorSpec<'a> {
    /// Unique in its graph.
    pub name: &'a str,
    /// What it is for.
    pub role: Role<'a>,
    /// Element type.
    pub dtype: DataType,
    /// Dimensions, outermost first; at least one, none zero.
    pub dims: &'a [u32],
    /// Quantization.
    pub quant: &'a Quant,
}

/// A tensor of a graph under construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TensorId(pub(crate) usize);

/// A scalar parameter of an op.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// 8-bit boolean.
    Bool(bool),
    /// Unsigned 32-bit.
    U32(u32),
    /// Signed 32-bit.
    I32(i32),
    /// 32-bit float.
    F32(f32),
}

/// A parameter of an op. Tensor parameters are static tensors that belong to the op.
#[derive(Clone, Debug)]
pub enum Param<'a> {
    /// A single value.
    Scalar(&'a str, Scalar),
    /// A constant tensor; its name in the graph is made from the op's.
    Tensor {
        /// Parameter name.
        name: &'a str,
        /// Element type.
        dtype: DataType,
        /// Dimensions.
        dims: &'a [u32],
        /// Little-endian, row-major.
        data: &'a [u8],
    },
}

/// An op to validate or add.
#[derive(Clone, Debug)]
pub struct OpSpec<'a> {
    /// Unique in its graph.
    pub name: &'a str,
    /// Op package, `qti.aisw` for the vendor's own.
    pub package: &'a str,
    /// Op type, for example `Conv2d`.
    pub ty: &'a str,
    /// Inputs in the op definition's order.
    pub inputs: &'a [TensorId],
    /// Outputs in the op definition's order.
    pub outputs: &'a [TensorId],
    /// Parameters.
    pub params: &'a [Param<'a>],
}
