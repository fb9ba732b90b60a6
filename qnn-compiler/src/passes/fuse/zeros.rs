//! Branches that are zero whatever the inputs are: a layer whose weights are all zero, and what is made of its result.
//!
//! Training begins residual branches with zeros, and pruning ends some so. Quantizers say of such a result that one of its steps is 1,
//! and HTP's sums of 16 bits with such steps are garbage (-3 dB on SM8650 and QCS6490): a sum with zeros is its other operand.

use std::collections::HashSet;

use crate::graph::{Attrs, Graph, Node, ValueId};
use crate::op::Op;

/// Operators that make zeros of zeros.
const KEEPING: &[Op] = &[
    Op::HardSwish,
    Op::Identity,
    Op::LeakyRelu,
    Op::Relu,
    Op::Reshape,
    Op::Squeeze,
    Op::Tanh,
    Op::Transpose,
    Op::Unsqueeze,
];

/// Lets sums be their other operands.
pub(super) fn run(graph: &mut Graph) {
    let mut zeros: HashSet<ValueId> = HashSet::new();
    for i in 0..graph.nodes.len() {
        let node = &graph.nodes[i];
        let Some(y) = node.output(0).filter(|_| node.op.is_standard()) else { continue };
        if is_zero(graph, node, &zeros) {
            zeros.insert(y);
        } else if let Some(x) = other(graph, node, y, &zeros) {
            let node = &mut graph.nodes[i];
            node.op = Op::Identity;
            node.inputs = vec![Some(x)];
            node.attrs = Attrs::default();
        }
    }
}

/// Whether a node's result is zero, if these values are.
fn is_zero(graph: &Graph, node: &Node, zeros: &HashSet<ValueId>) -> bool {
    let is = |i: usize| node.input(i).is_some_and(|id| zeros.contains(&id));
    match node.op {
        Op::Conv | Op::ConvTranspose | Op::Gemm => {
            let absent = |i: usize| node.input(i).is_none();
            (is(0) || is_nothing(graph, node, 1)) && (absent(2) || is_nothing(graph, node, 2))
        }
        Op::MatMul => is(0) || is(1) || is_nothing(graph, node, 0) || is_nothing(graph, node, 1),
        Op::Mul => is(0) || is(1),
        op => KEEPING.contains(&op) && is(0),
    }
}

/// Whether an operand is a constant of zeros.
fn is_nothing(graph: &Graph, node: &Node, i: usize) -> bool {
    let Some(value) = node.input(i).map(|id| graph.value(id)) else { return false };
    let symmetric = value.encoding.as_ref().is_none_or(|encoding| encoding.is_symmetric());
    symmetric && value.data.as_ref().is_some_and(|data| data.bytes().iter().all(|byte| *byte == 0))
}

/// The operand that a sum with zeros is.
fn other(graph: &Graph, node: &Node, y: ValueId, zeros: &HashSet<ValueId>) -> Option<ValueId> {
    let (a, b) = (node.input(0)?, node.input(1).filter(|_| node.inputs.len() == 2)?);
    let x = match node.op {
        Op::Add if zeros.contains(&a) => b,
        Op::Add | Op::Sub if zeros.contains(&b) => a,
        _ => return None,
    };
    (graph.shape(x) == graph.shape(y) && graph.dtype(x) == graph.dtype(y)).then_some(x)
}
