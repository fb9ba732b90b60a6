//! Evaluates a node by what the row of its operator says.

use crate::graph::{Data, Graph, Node, TensorType, ValueId};
use crate::infer::Site;
use crate::op::{Fold, Op};

/// What an evaluator sees: the node and the types its outputs are inferred to have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) types: &'a [TensorType],
}

impl<'a> Call<'a> {
    /// Type and data of the `i`-th input; `None` where it is left out or not constant.
    pub(crate) fn input(&self, i: usize) -> Option<(&'a TensorType, &'a Data)> {
        let value = self.site.graph.value(self.site.node.input(i)?);
        Some((&value.ty, value.data.as_ref()?))
    }

    /// Type of the first output.
    pub(crate) fn out(&self) -> &'a TensorType {
        &self.types[0]
    }
}

/// Values of all outputs; `None` where the evaluator does not cover the case.
pub(crate) type Evaluator = fn(&Call<'_>) -> Option<Vec<Data>>;

/// The most bytes a result may have and still be made at import; larger ones stay nodes.
const LARGEST: usize = 2 << 30;

/// What a result may have in any case, and what it may grow to from its inputs: a mask or a table of positions is worth a
/// constant, a small tensor repeated without end is not.
const SMALL: usize = 64 << 20;
const GROWTH: usize = 4;

/// What became of an attempt to evaluate a node.
#[derive(Clone, Debug)]
pub enum Folded {
    /// The node stays: an input is not constant, or the operator is not to be evaluated.
    Stays,
    /// Everything is constant, but there is no evaluator for this case.
    NoEvaluator,
    /// The values of all outputs.
    Values(Vec<Data>),
}

/// The most bytes that a result of the node may have.
fn most_bytes(graph: &Graph, node: &Node) -> usize {
    // Stands for a weight where a file is to be small.
    if node.op == Op::ConstantOfShape {
        return LARGEST;
    }
    let inputs: usize = node.inputs.iter().flatten().map(|id| graph.value(*id).ty.bytes()).sum();
    inputs.saturating_mul(GROWTH).clamp(SMALL, LARGEST)
}

/// Whether a node makes one number of a stored integer: a value to pad with, a bound, an exponent, which others read as constants.
fn is_number(graph: &Graph, node: &Node) -> bool {
    let one = |id: &ValueId| graph.value(*id).ty.elements() == 1 && graph.shape(*id).len() < 2;
    node.inputs.iter().flatten().all(one)
}

/// Evaluates a node whose outputs have the given types.
pub fn fold(graph: &Graph, node: &Node, types: &[TensorType]) -> Folded {
    let how = node.op.fold();
    let stays = match how {
        Fold::Never => true,
        Fold::Number(_) => !is_number(graph, node),
        _ => false,
    };
    if stays || types.iter().any(|ty| ty.bytes() > most_bytes(graph, node)) {
        return Folded::Stays;
    }
    let of_shape = matches!(how, Fold::OfShape(_));
    if !of_shape && node.inputs.iter().flatten().any(|id| !graph.is_constant(*id)) {
        return Folded::Stays;
    }
    let (Fold::By(evaluate) | Fold::Division(evaluate) | Fold::OfShape(evaluate) | Fold::Number(evaluate)) =
        how
    else {
        return Folded::NoEvaluator;
    };
    if types.is_empty() {
        return Folded::NoEvaluator;
    }
    match evaluate(&Call { site: Site { graph, node, outputs: types.len() }, types }) {
        Some(values) if values.iter().zip(types).all(|(data, ty)| data.len() == ty.bytes()) => {
            Folded::Values(values)
        }
        // Integers that are divided by zero end the process of ONNX Runtime.
        _ if matches!(how, Fold::Division(_)) && types.iter().all(|ty| !ty.dtype.is_float()) => Folded::Stays,
        _ => Folded::NoEvaluator,
    }
}
