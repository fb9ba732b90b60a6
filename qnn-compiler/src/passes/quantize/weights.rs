//! Constants with an encoding that the model puts in another order or shape before it uses them.

use crate::graph::{Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// The constant that a node makes of one with an encoding by moving its elements; `None` where it does something else, or no encoding
/// says what it makes.
pub(super) fn moved(graph: &mut Graph, node: &Node) -> Option<ValueId> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let value = graph.value(x);
    let (data, encoding, from) = (value.data.clone()?, value.encoding.clone()?, value.ty.clone());
    let shape = graph.shape(y).to_vec();
    let (data, encoding) = match node.op {
        Op::Transpose => {
            let rank = from.shape.len();
            let order: Vec<usize> = match node.attrs.ints("perm") {
                None => (0..rank).rev().collect(),
                Some(perm) => {
                    perm.iter().map(|&a| crate::infer::axis(a, rank)).collect::<Result<_, _>>().ok()?
                }
            };
            let encoding = encoding.transposed(&from.shape, &order).ok()?;
            (data.transposed(from.dtype.size(), &from.shape, &order), encoding)
        }
        Op::Flatten | Op::Identity | Op::Reshape | Op::Squeeze | Op::Unsqueeze => {
            (data, encoding.reshaped(&from.shape, &shape).ok()?)
        }
        // Scales of another float type than the one that the model computes with.
        Op::Cast if graph.dtype(y).is_float() => (data, encoding),
        _ => return None,
    };
    let name = graph.value(y).name.clone();
    let id = graph.add_constant(name, TensorType::new(from.dtype, shape), data);
    graph.value_mut(id).encoding = Some(encoding);
    Some(id)
}
