//! Runs single nodes in ONNX Runtime, where the engine has no type rule or evaluator.

use super::engine::{ReferenceEngine, run};
use super::tensor::{Tensor, type_of};
use crate::frontend::onnx::{to_bytes, to_single};
use crate::graph::{Graph, Node, TensorType, ValueId};

/// Constants up to this size are given by value when types are asked for; the shape of a result may depend on them.
const BY_VALUE: usize = 64 << 10;

impl ReferenceEngine {
    /// Types of a node's outputs.
    ///
    /// # Errors
    ///
    /// Why they are not known.
    pub(crate) fn infer(
        &self,
        graph: &Graph,
        node: &Node,
        outputs: usize,
    ) -> Result<Vec<TensorType>, String> {
        let model = to_bytes(&to_single(graph, node, outputs, BY_VALUE));
        let session = self.session(&model, None).map_err(|e| e.to_string())?;
        let known = |outlet: &ort::value::Outlet| {
            type_of(outlet.dtype())?
                .ok_or_else(|| "ONNX Runtime cannot tell the shape of its result".to_owned())
        };
        let types: Vec<TensorType> = session.outputs().iter().map(known).collect::<Result<_, String>>()?;
        // What it knows nothing of has no axes either.
        let axes = |id: &ValueId| !graph.shape(*id).is_empty();
        if types.iter().any(|ty| ty.shape.is_empty()) && node.inputs.iter().flatten().any(axes) {
            return Err("ONNX Runtime cannot tell the shape of its result".to_owned());
        }
        Ok(types)
    }

    /// Values of the outputs of a node whose inputs are all constant.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub(crate) fn evaluate(&self, graph: &Graph, node: &Node, outputs: usize) -> Result<Vec<Tensor>, String> {
        let model = to_bytes(&to_single(graph, node, outputs, usize::MAX));
        let mut session = self.session(&model, None).map_err(|e| e.to_string())?;
        let names: Vec<String> = (0..outputs).map(|i| format!("o{i}")).collect();
        run(&mut session, &[], &names).map_err(|e| e.to_string())
    }
}
