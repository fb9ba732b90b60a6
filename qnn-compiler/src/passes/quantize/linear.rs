//! Quantized sums and linear layers in the forms that HTP gets right.

use crate::graph::{Attr, Data, Graph, TensorType};

/// Gives sums their constants first, and linear layers their weights as (out, in).
pub(super) fn run(graph: &mut Graph) {
    constants_first(graph);
    turn_weights(graph);
}

/// Puts the constant of a sum first: the library drops one that comes second and is added, however later, to the result of a
/// TransposeConv2d (measured on SM8650, 8 and 16 bits).
fn constants_first(graph: &mut Graph) {
    for i in 0..graph.nodes.len() {
        let node = &graph.nodes[i];
        let (Some(a), Some(b)) = (node.input(0), node.input(1)) else { continue };
        let sum = node.op == "Add" && node.domain.is_empty();
        if sum && graph.value(a).encoding.is_some() && graph.is_constant(b) && !graph.is_constant(a) {
            graph.nodes[i].inputs.swap(0, 1);
        }
    }
}

/// Transposes the encoded weights of Gemm nodes that have them as (in, out): with a bias and a scale a channel HTP takes no
/// other form.
fn turn_weights(graph: &mut Graph) {
    for i in 0..graph.nodes.len() {
        let node = &graph.nodes[i];
        let linear = node.op == "Gemm" && node.domain.is_empty() && node.attrs.int_or("transB", 0) == 0;
        let Some(id) = node.input(1).filter(|_| linear) else { continue };
        let value = graph.value(id);
        let (Some(data), Some(encoding), &[rows, columns]) =
            (&value.data, &value.encoding, &value.ty.shape[..])
        else {
            continue;
        };
        let integers = data.to_i64(value.ty.dtype);
        let turned: Vec<i64> =
            (0..rows * columns).map(|at| integers[(at % rows) * columns + at / rows]).collect();
        let mut encoding = encoding.clone();
        encoding.axis = encoding.axis.map(|axis| 1 - axis);
        let ty = TensorType::new(value.ty.dtype, [columns, rows]);
        let (name, data) = (format!("{}.t", value.name), Data::from_ints(&turned, value.ty.dtype));
        let turned = graph.add_constant(name, ty, data);
        graph.value_mut(turned).encoding = Some(encoding);
        let node = &mut graph.nodes[i];
        node.inputs[1] = Some(turned);
        node.attrs.set("transB", Attr::Int(1));
    }
}
