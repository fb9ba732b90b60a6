//! HTP's spatial ops are two-dimensional: one-dimensional ones get a height of one around them.

use crate::graph::{Attr, Attrs, Data, Graph, Node, TensorType, ValueId};
use crate::op::{Axes, Op, Operands};
use crate::problem::Result;

/// Attributes with one entry a spatial axis, and the entry that the new axis gets.
const PER_AXIS: &[(&str, i64)] =
    &[("kernel_shape", 1), ("strides", 1), ("dilations", 1), ("output_padding", 0), ("output_shape", 1)];

/// Wraps every 1-D spatial node in reshapes that the layout pass later makes free.
///
/// # Errors
/// None.
pub(super) fn run(graph: &mut Graph) -> Result<()> {
    let nodes = std::mem::take(&mut graph.nodes);
    let mut out = Vec::with_capacity(nodes.len());
    for mut node in nodes {
        let Some(operands) = spatial(&node) else {
            out.push(node);
            continue;
        };
        let Some(x) = node.input(0).filter(|&x| graph.shape(x).len() == 3) else {
            out.push(node);
            continue;
        };
        node.inputs[0] = Some(raise(graph, &mut out, &node, x));
        if operands != Operands::PerChannel
            && let Some(w) = node.input(1)
        {
            node.inputs[1] = Some(raise(graph, &mut out, &node, w));
        }
        raise_attrs(&mut node.attrs);
        if node.op == Op::Resize {
            raise_lists(graph, &mut node);
        }
        let mut lowered = Vec::new();
        for output in node.outputs.iter_mut().flatten() {
            let y = *output;
            if graph.shape(y).len() != 3 {
                continue;
            }
            let ty = raised(&graph.value(y).ty);
            let wide = graph.add_value(format!("{}.2d", graph.value(y).name), ty);
            graph.value_mut(wide).encoding = graph.value(y).encoding.clone();
            *output = wide;
            lowered.push(graph.added_reshape(&node.name, wide, y));
        }
        out.push(node);
        out.extend(lowered);
    }
    graph.nodes = out;
    Ok(())
}

fn spatial(node: &Node) -> Option<Operands> {
    match node.op.axes() {
        Axes::Spatial(operands) => Some(operands),
        _ => None,
    }
}

/// (N, C, W) to (N, C, 1, W).
fn raised(ty: &TensorType) -> TensorType {
    let mut shape = ty.shape.clone();
    shape.insert(2, 1);
    TensorType::new(ty.dtype, shape)
}

fn raise(graph: &mut Graph, out: &mut Vec<Node>, node: &Node, id: ValueId) -> ValueId {
    let value = graph.value(id).clone();
    let name = format!("{}.2d", value.name);
    let ty = raised(&value.ty);
    let encoding = value.encoding.map(|e| e.reshaped(&value.ty.shape, &ty.shape).unwrap_or(e));
    let wide = match value.data {
        Some(data) => graph.add_constant(name, ty, data),
        None => {
            let wide = graph.add_value(name, ty);
            out.push(graph.added_reshape(&node.name, id, wide));
            wide
        }
    };
    graph.value_mut(wide).encoding = encoding;
    wide
}

/// Inputs of a Resize that have numbers for each axis, and those that the new axis gets: region from and to, scales, sizes.
const LISTS: &[(usize, &[f64])] = &[(1, &[0.0, 1.0]), (2, &[1.0]), (3, &[1.0])];

fn raise_lists(graph: &mut Graph, node: &mut Node) {
    for &(at, fills) in LISTS {
        let Some(id) = node.input(at).filter(|id| graph.is_constant(*id)) else { continue };
        let value = graph.value(id).clone();
        let Some(mut numbers) = value.data.map(|data| data.to_f64(value.ty.dtype)) else { continue };
        if numbers.len() != 3 * fills.len() {
            continue;
        }
        for (part, fill) in fills.iter().enumerate().rev() {
            numbers.insert(3 * part + 2, *fill);
        }
        let ty = TensorType::new(value.ty.dtype, [numbers.len()]);
        let data = Data::from_floats(&numbers, ty.dtype);
        node.inputs[at] = Some(graph.add_constant(format!("{}.2d", value.name), ty, data));
    }
}

fn raise_attrs(attrs: &mut Attrs) {
    for &(name, fill) in PER_AXIS {
        if let Some(Attr::Ints(values)) = attrs.0.get_mut(name)
            && values.len() == 1
        {
            values.insert(0, fill);
        }
    }
    if let Some(Attr::Ints(pads)) = attrs.0.get_mut("pads")
        && let [begin, end] = pads[..]
    {
        *pads = vec![0, begin, 0, end];
    }
}
