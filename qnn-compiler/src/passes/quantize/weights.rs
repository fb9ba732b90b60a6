//! Constants with an encoding that the model puts in another order or shape before it uses them.

use crate::graph::{Encoding, Graph, Node, TensorType, ValueId};
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
            let encoding = match encoding.block {
                0 => {
                    let axis = encoding.axis.and_then(|axis| order.iter().position(|&o| o == axis));
                    Encoding { axis, ..encoding }
                }
                _ => encoding.transposed_blocks(&from.shape, &order),
            };
            (data.transposed(from.dtype.size(), &from.shape, &order), encoding)
        }
        Op::Flatten | Op::Identity | Op::Reshape | Op::Squeeze | Op::Unsqueeze => {
            (data, reshaped(encoding, &from.shape, &shape)?)
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

/// The encoding of elements in another shape: scales along an axis need one of as many slices, with as many elements before it.
fn reshaped(encoding: Encoding, from: &[usize], to: &[usize]) -> Option<Encoding> {
    let Some(axis) = encoding.axis else { return Some(encoding) };
    if from == to {
        return Some(encoding);
    }
    let before: usize = from[..axis].iter().product();
    let extent = *from.get(axis)?;
    let at = (0..to.len()).find(|&at| to[at] == extent && to[..at].iter().product::<usize>() == before)?;
    (encoding.block == 0).then_some(Encoding { axis: Some(at), ..encoding })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_follow_their_axis_into_another_shape() {
        let encoding = Encoding { axis: Some(1), scales: vec![1.0; 6], ..Encoding::default() };
        let axis = |from: &[usize], to: &[usize]| reshaped(encoding.clone(), from, to).map(|e| e.axis);
        assert_eq!(axis(&[4, 6, 3], &[2, 2, 6, 3]), Some(Some(2)));
        assert_eq!(axis(&[4, 6, 1], &[4, 6]), Some(Some(1)));
        assert_eq!(axis(&[4, 6], &[24]), None);
    }
}
