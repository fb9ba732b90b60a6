//! Quantized sums and linear layers in the forms that HTP gets right.

use super::expansion;
use crate::graph::{Attr, Graph, TensorType, ValueId};
use crate::op::Op;

/// Gives sums their constants first, linear layers their weights as (out, in), and those with block expansion as convolutions.
pub(in crate::passes) fn run(graph: &mut Graph) {
    constants_first(graph);
    expansion::run(graph);
    flatten_products(graph);
    turn_weights(graph);
}

/// Products of floats with an encoded matrix become linear layers over rows, which HTP has with weights of few bits.
fn flatten_products(graph: &mut Graph) {
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for mut node in std::mem::take(&mut graph.nodes) {
        let operands = (node.input(0), node.input(1), node.output(0));
        let (Some(x), Some(w), Some(y)) = operands else {
            nodes.push(node);
            continue;
        };
        let float = |id: ValueId| graph.value(id).encoding.is_none() && graph.dtype(id).is_float();
        let matrix = graph.is_constant(w) && !float(w) && graph.shape(w).len() == 2;
        let product = node.op == Op::MatMul && matrix;
        let (from, to) = (graph.shape(x).to_vec(), graph.shape(y).to_vec());
        let (Some((&depth, outer)), Some(&columns)) = (from.split_last(), to.last()) else {
            nodes.push(node);
            continue;
        };
        if !product || !float(x) || !float(y) || outer.is_empty() || graph.is_constant(x) {
            nodes.push(node);
            continue;
        }
        let rows: usize = outer.iter().product();
        let name = node.name.clone();
        let dtype = graph.dtype(x);
        let flat = graph.add_value(format!("{name}.rows"), TensorType::new(dtype, [rows, depth]));
        let made = graph.add_value(format!("{name}.columns"), TensorType::new(dtype, [rows, columns]));
        nodes.push(graph.added_reshape(&format!("{name}.in"), x, flat));
        node.op = Op::Gemm;
        node.inputs[0] = Some(flat);
        node.outputs[0] = Some(made);
        nodes.push(node);
        nodes.push(graph.added_reshape(&format!("{name}.out"), made, y));
    }
    graph.nodes = nodes;
}

/// Puts the constant of a sum first: the library drops one that comes second and is added, however later, to the result of a
/// TransposeConv2d (measured on SM8650, 8 and 16 bits).
fn constants_first(graph: &mut Graph) {
    for i in 0..graph.nodes.len() {
        let node = &graph.nodes[i];
        let (Some(a), Some(b)) = (node.input(0), node.input(1)) else { continue };
        let sum = node.op == Op::Add;
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
        let linear = node.op == Op::Gemm && node.attrs.int_or("transB", 0) == 0;
        let Some(id) = node.input(1).filter(|_| linear) else { continue };
        let value = graph.value(id);
        let (Some(data), Some(encoding), &[rows, columns]) =
            (&value.data, &value.encoding, &value.ty.shape[..])
        else {
            continue;
        };
        let data = data.transposed(value.ty.dtype.size(), &value.ty.shape, &[1, 0]);
        let Ok(encoding) = encoding.transposed(&value.ty.shape, &[1, 0]) else { continue };
        let ty = TensorType::new(value.ty.dtype, [columns, rows]);
        let name = format!("{}.t", value.name);
        let turned = graph.add_constant(name, ty, data);
        graph.value_mut(turned).encoding = Some(encoding);
        let node = &mut graph.nodes[i];
        node.inputs[1] = Some(turned);
        node.attrs.set("transB", Attr::Int(1));
    }
}
