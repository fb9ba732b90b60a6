//! Linear layers on integers whose weight is in expanded blocks (LPBQ), as convolutions of single elements: HTP's FullyConnected has
//! them for up to 256 outputs only, and says so while it compiles (measured with QNN 2.51).

use crate::graph::{Attr, Attrs, DType, Data, Encoding, Granularity, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// Rewrites every MatMul and Gemm of an encoded value and a matrix in expanded blocks.
pub(super) fn run(graph: &mut Graph) {
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for node in std::mem::take(&mut graph.nodes) {
        match Product::of(graph, &node) {
            Some(product) => product.write(graph, node, &mut nodes),
            None => nodes.push(node),
        }
    }
    graph.nodes = nodes;
}

/// A product with such a matrix.
struct Product {
    x: ValueId,
    y: ValueId,
    /// Of the weight.
    name: String,
    dtype: DType,
    /// (out, in).
    weight: Data,
    encoding: Encoding,
    outputs: usize,
    depth: usize,
}

impl Product {
    fn of(graph: &Graph, node: &Node) -> Option<Self> {
        let turned = match node.op {
            Op::MatMul => false,
            Op::Gemm => node.attrs.int_or("transB", 0) != 0,
            _ => return None,
        };
        let plain = node.attrs.int_or("transA", 0) == 0
            && ["alpha", "beta"].iter().all(|name| node.attrs.float_or(name, 1.0) == 1.0);
        let (x, w, y) = (node.input(0)?, node.input(1)?, node.output(0)?);
        let value = graph.value(w);
        let (data, encoding, shape) = (value.data.as_ref()?, value.encoding.as_ref()?, &value.ty.shape);
        let expanded = matches!(encoding.granularity(), Granularity::BlockExpansion(_));
        let encoded = |id: ValueId| graph.value(id).encoding.is_some() && !graph.is_constant(id);
        let &[first, second] = &shape[..] else { return None };
        // A bias of one number, or of a whole matrix, is another thing than that of a convolution.
        let outputs = if turned { first } else { second };
        let bias = node.input(2).is_none_or(|id| graph.is_constant(id) && graph.shape(id) == [outputs]);
        if !plain || !expanded || !bias || !encoded(x) || !encoded(y) || graph.shape(x).is_empty() {
            return None;
        }
        let (weight, encoding) = match turned {
            true => (data.clone(), encoding.clone()),
            false => (
                data.transposed(value.ty.dtype.size(), shape, &[1, 0]),
                encoding.transposed(shape, &[1, 0]).ok()?,
            ),
        };
        let depth = if turned { second } else { first };
        let (name, dtype) = (value.name.clone(), value.ty.dtype);
        Some(Self { x, y, name, dtype, weight, encoding, outputs, depth })
    }

    /// (rows, in) becomes an image of one line, (1, in, 1, rows); what moves elements only is a relabelling of axes later.
    fn write(self, graph: &mut Graph, node: Node, nodes: &mut Vec<Node>) {
        let Self { x, y, weight, encoding, outputs, depth, dtype, name } = self;
        let weight_name = format!("{name}.kernel");
        let rows: usize = graph.shape(x).iter().rev().skip(1).product();
        let name = node.name.clone();
        let matrix = [outputs, depth];
        let kernel = [outputs, depth, 1, 1];
        let Ok(encoding) = encoding.reshaped(&matrix, &kernel) else {
            nodes.push(node);
            return;
        };
        let w = graph.add_constant(weight_name, TensorType::new(dtype, kernel), weight);
        graph.value_mut(w).encoding = Some(encoding);
        let mut like = |what: &str, of: ValueId, shape: [usize; 4]| {
            let (dtype, encoding) = (graph.dtype(of), graph.value(of).encoding.clone());
            let id = graph.add_value(format!("{name}.{what}"), TensorType::new(dtype, shape));
            graph.value_mut(id).encoding = encoding;
            id
        };
        let line = like("line", x, [1, 1, rows, depth]);
        let image = like("image", x, [1, depth, 1, rows]);
        let made = like("made", y, [1, outputs, 1, rows]);
        let back = like("back", y, [1, 1, rows, outputs]);
        let perm = |order: [i64; 4]| {
            let mut attrs = Attrs::default();
            attrs.set("perm", Attr::Ints(order.to_vec()));
            attrs
        };
        nodes.push(graph.added_reshape(&format!("{name}.in"), x, line));
        nodes.push(Node::added(Op::Transpose, &format!("{name}.in"), line, image, perm([0, 3, 1, 2])));
        let mut attrs = Attrs::default();
        attrs.set("kernel_shape", Attr::Ints(vec![1, 1]));
        let bias = node.input(2);
        nodes.push(Node {
            op: Op::Conv,
            inputs: [Some(image), Some(w)].into_iter().chain(bias.map(Some)).collect(),
            outputs: vec![Some(made)],
            attrs,
            ..node
        });
        nodes.push(Node::added(Op::Transpose, &format!("{name}.out"), made, back, perm([0, 2, 3, 1])));
        nodes.push(graph.added_reshape(&format!("{name}.out"), back, y));
    }
}
