//! Lowers a node to the op of its package.

use std::borrow::Cow;

use qnn::DataType;
use qnn_ops::{Datatype, Kind};
use qnn_types::Diagnostic;

use super::Found;
use crate::graph::Node;
use crate::lower::Lower;
use crate::program::{Op, TensorId};

/// The most axes of a tensor that a kernel gets (measured: rank 5 matches no kernel of a package in C).
const MOST_AXES: usize = 4;

impl Found<'_> {
    /// Whether the definition lists a type for an input or output, so that its numbers can be handed over as they are stored.
    pub(crate) fn takes(&self, kind: Kind, i: usize, dtype: DataType) -> bool {
        let name = match kind {
            Kind::Input => self.input(i).map(|input| &input.name),
            _ => self.op.outputs.get(i).map(|output| &output.name),
        };
        let Some(name) = name else { return false };
        let listed = self.definition.datatypes(self.op, kind, name);
        listed.is_empty() || listed.iter().any(|listed| is(*listed, dtype))
    }

    /// Adds the op to the program.
    ///
    /// # Errors
    /// `E0909` for operands of types that the definition does not list.
    pub(crate) fn lower(&self, lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
        let params = self.params(node)?;
        let inputs = (0..node.inputs.len()).map(|i| lower.input(node, i)).collect::<Result<Vec<_>, _>>()?;
        let outputs =
            (0..node.outputs.len()).map(|i| lower.output(node, i)).collect::<Result<Vec<_>, _>>()?;
        for (kind, tensors) in [(Kind::Input, &inputs), (Kind::Output, &outputs)] {
            for (i, id) in tensors.iter().enumerate() {
                self.operand(lower, node, kind, i, *id)?;
            }
        }
        let op = Op {
            name: lower.unique_name(&node.name),
            package: Cow::Owned(self.package.package.clone()),
            ty: Cow::Owned(self.op.name.clone()),
            inputs,
            outputs,
            params,
            origin: node.origin(),
        };
        lower.push_op(op);
        Ok(())
    }

    fn operand(
        &self,
        lower: &Lower<'_>,
        node: &Node,
        kind: Kind,
        i: usize,
        id: TensorId,
    ) -> Result<(), Diagnostic> {
        let tensor = lower.get(id);
        let name = match kind {
            Kind::Input => self.input(i).map(|input| &*input.name),
            _ => self.op.outputs.get(i).map(|output| &*output.name),
        };
        let name = name.unwrap_or_default();
        if tensor.dims.len() > MOST_AXES {
            let message = format!(
                "{kind} `{name}` of {} has shape {:?}; kernels get at most {MOST_AXES} axes",
                self.name(),
                tensor.dims
            );
            return Err(Diagnostic {
                help: Some("join axes by a Reshape before the node, and part them after it".to_owned()),
                ..self.problem(node, "E0909", message)
            });
        }
        if !self.takes(kind, i, tensor.dtype) {
            let listed = self.definition.datatypes(self.op, kind, name);
            let listed: Vec<&str> = listed.iter().map(|datatype| datatype.short()).collect();
            let message = format!(
                "{kind} `{name}` of {} is {}, the definition lists {}",
                self.name(),
                tensor.dtype,
                listed.join(", ")
            );
            return Err(self.problem(node, "E0909", message));
        }
        Ok(())
    }
}

/// Whether a type of the definition is one of the library's. Signed bytes that stand for themselves have the fixed-point type.
fn is(datatype: Datatype, dtype: DataType) -> bool {
    matches!(
        (datatype, dtype),
        (Datatype::Float32, DataType::Float32)
            | (Datatype::Float16, DataType::Float16)
            | (Datatype::Int8 | Datatype::SFixed8, DataType::SFixed8)
            | (Datatype::Int16, DataType::Int16)
            | (Datatype::Int32, DataType::Int32)
            | (Datatype::Uint8, DataType::Uint8)
            | (Datatype::Uint16, DataType::Uint16)
            | (Datatype::Uint32, DataType::Uint32)
            | (Datatype::Bool8, DataType::Bool)
            | (Datatype::SFixed16, DataType::SFixed16)
            | (Datatype::SFixed32, DataType::SFixed32)
            | (Datatype::UFixed8, DataType::UFixed8)
            | (Datatype::UFixed16, DataType::UFixed16)
    )
}
