//! What each kind of operator does to the order of axes.

use std::cmp::Ordering;

use qnn_types::Diagnostic;

use super::perm::{self, Order};
use super::{Layout, args};
use crate::graph::{Attr, Layout as NodeLayout, Node, ValueId};
use crate::op::{Axes, Op, Operands};
use crate::problem::node_problem;

/// Places one node: rewrites its operands, settles its results, and adds it where it computes something.
pub(super) fn place(pass: &mut Layout<'_>, node: Node) -> Result<(), Diagnostic> {
    match node.op.axes() {
        Axes::Opaque => opaque(pass, node),
        Axes::Spatial(operands) => spatial(pass, node, operands),
        Axes::Elementwise => elementwise(pass, node),
        Axes::Axis => along_axis(pass, node),
        Axes::InnermostAxis => innermost_axis(pass, node),
        Axes::ArgReduce => arg_reduce(pass, node),
        Axes::Reduce => reduce(pass, node),
        Axes::InnermostFrom => innermost_from(pass, node),
        Axes::Slice => slice(pass, node),
        Axes::Pad => pad(pass, node),
        Axes::PerAxis => per_axis(pass, node),
        Axes::Expand => expand(pass, node),
        Axes::Transpose => transpose(pass, node),
        Axes::Reshape => reshape(pass, node),
        Axes::MatMul => matmul(pass, node),
        Axes::Gather => gather(pass, node),
    }
}

fn opaque(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    for input in node.inputs.iter_mut().flatten() {
        *input = pass.want_model_order(*input);
    }
    settle_all(pass, &node, perm::identity);
    pass.nodes.push(node);
    Ok(())
}

/// Settles every output in the order that its rank gets.
fn settle_all(pass: &mut Layout<'_>, node: &Node, order: impl Fn(usize) -> Order) {
    for &output in node.outputs.iter().flatten() {
        let rank = pass.rank(output);
        pass.settle(output, order(rank));
    }
}

fn first_input(node: &Node) -> Result<ValueId, Diagnostic> {
    node.input(0).ok_or_else(|| node_problem("E0302", node, "input 0 is missing"))
}

fn first_output(node: &Node) -> Result<ValueId, Diagnostic> {
    node.output(0).ok_or_else(|| node_problem("E0302", node, "output 0 is missing"))
}

fn spatial(pass: &mut Layout<'_>, mut node: Node, operands: Operands) -> Result<(), Diagnostic> {
    for (i, input) in node.inputs.iter_mut().enumerate() {
        let Some(id) = input else { continue };
        let rank = pass.rank(*id);
        let order: Order = match (i, operands) {
            (0, _) => perm::channels_last(rank),
            (1, Operands::ConvWeight) if rank > 2 => (2..rank).chain([1, 0]).collect(),
            (1, Operands::ConvTransposeWeight) if rank > 2 => (2..rank).chain([0, 1]).collect(),
            _ => perm::identity(rank),
        };
        *input = Some(pass.want(*id, &order));
    }
    settle_all(pass, &node, perm::channels_last);
    node.layout = NodeLayout::ChannelsLast;
    pass.nodes.push(node);
    Ok(())
}

/// The order that operands of `rank` axes shall share: that of the largest computed one. Of equal ones the order that is not the
/// model's, which a spatial op gave; where both have the same innermost axis, the order with the longer rows, since HTP cuts
/// rows well, and takes minutes to cut thousands of short ones.
fn common_order(pass: &Layout<'_>, node: &Node, rank: usize) -> Order {
    let mut best: Option<(usize, Order)> = None;
    for &id in node.inputs.iter().flatten() {
        if pass.rank(id) != rank || pass.graph.is_constant(id) {
            continue;
        }
        let (shape, order) = (pass.shape(id), pass.order(id));
        let size = shape.iter().product::<usize>();
        let better = best.as_ref().is_none_or(|(most, other)| {
            let row = |order: &Order| rank.checked_sub(2).map(|axis| shape[order[axis]]);
            match size.cmp(most) {
                Ordering::Equal if order.last() == other.last() && row(&order) != row(other) => {
                    row(&order) > row(other)
                }
                Ordering::Equal => !order.is_sorted() && other.is_sorted(),
                larger => larger.is_gt(),
            }
        });
        if better {
            best = Some((size, order));
        }
    }
    best.map_or_else(|| perm::identity(rank), |(_, order)| order)
}

fn elementwise(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let rank = pass.rank(first_output(&node)?);
    let order = if is_dequantized_result(pass, &node) {
        perm::identity(rank)
    } else {
        common_order(pass, &node, rank)
    };
    for input in node.inputs.iter_mut().flatten() {
        *input = operand(pass, *input, rank, &order);
    }
    settle_all(pass, &node, |r| if r == rank { order.clone() } else { perm::identity(r) });
    pass.nodes.push(node);
    Ok(())
}

/// Whether a node gives encoded numbers to the app as floats: they are put in order as integers, which loses nothing, and not as
/// floats, which are fp16 once an op has moved them.
fn is_dequantized_result(pass: &Layout<'_>, node: &Node) -> bool {
    let encoded = |id: Option<ValueId>| id.is_some_and(|id| pass.graph.value(id).encoding.is_some());
    let read = node.output(0).is_some_and(|id| pass.graph.outputs.contains(&id));
    node.op == Op::Identity && read && encoded(node.input(0)) && !encoded(node.output(0))
}

/// An operand that broadcasts against tensors in `order`.
fn operand(pass: &mut Layout<'_>, id: ValueId, rank: usize, order: &[usize]) -> ValueId {
    let own = pass.rank(id);
    if pass.shape(id).iter().all(|&d| d == 1) && own <= rank {
        pass.place(id).0
    } else if own == rank {
        pass.want(id, order)
    } else if order.is_sorted() || own > rank {
        pass.want_model_order(id)
    } else {
        let raised = pass.raise(id, rank);
        pass.want(raised, order)
    }
}

/// The model's `axis` attribute of a node.
fn axis_attr(pass: &Layout<'_>, node: &Node, default: i64) -> Result<usize, Diagnostic> {
    args::axis(node, node.attrs.int_or("axis", default), pass.rank(first_input(node)?))
}

fn physical_axis(node: &Node, order: &[usize], axis: usize) -> Result<usize, Diagnostic> {
    perm::position(order, axis)
        .ok_or_else(|| node_problem("E0302", node, format!("axis {axis} is outside the tensor")))
}

fn along_axis(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let rank = pass.rank(first_input(&node)?);
    let axis = axis_attr(pass, &node, 0)?;
    let order = common_order(pass, &node, rank);
    for input in node.inputs.iter_mut().flatten() {
        if pass.rank(*input) == rank {
            *input = pass.want(*input, &order);
        }
    }
    node.attrs.set("axis", Attr::Int(physical_axis(&node, &order, axis)? as i64));
    settle_all(pass, &node, |r| if r == rank { order.clone() } else { perm::identity(r) });
    pass.nodes.push(node);
    Ok(())
}

/// The order of `id` with the model's axes `inner` innermost, in that order.
fn with_innermost(pass: &Layout<'_>, id: ValueId, inner: &[usize]) -> Order {
    let mut order: Order = pass.order(id).into_iter().filter(|a| !inner.contains(a)).collect();
    order.extend(inner);
    order
}

fn innermost_axis(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let x = first_input(&node)?;
    let axis = axis_attr(pass, &node, -1)?;
    let order = with_innermost(pass, x, &[axis]);
    node.inputs[0] = Some(pass.want(x, &order));
    for input in node.inputs.iter_mut().skip(1).flatten() {
        *input = pass.want_model_order(*input);
    }
    node.attrs.set("axis", Attr::Int(order.len() as i64 - 1));
    settle_all(pass, &node, |r| if r == order.len() { order.clone() } else { perm::identity(r) });
    pass.nodes.push(node);
    Ok(())
}

fn innermost_from(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let x = first_input(&node)?;
    let axis = axis_attr(pass, &node, -1)?;
    let rank = pass.rank(x);
    let inner: Vec<usize> = (axis..rank).collect();
    let order = with_innermost(pass, x, &inner);
    node.inputs[0] = Some(pass.want(x, &order));
    for input in node.inputs.iter_mut().skip(1).flatten() {
        *input = pass.want_model_order(*input);
    }
    node.attrs.set("axis", Attr::Int(axis as i64));
    settle_all(pass, &node, |r| if r == rank { order.clone() } else { perm::identity(r) });
    pass.nodes.push(node);
    Ok(())
}

fn arg_reduce(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let axis = axis_attr(pass, &node, 0)?;
    reduced(pass, &mut node, &[axis], "axis")?;
    pass.nodes.push(node);
    Ok(())
}

fn reduce(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let rank = pass.rank(first_input(&node)?);
    let axes = args::axes_or_all(pass, &node, 1, rank)?;
    reduced(pass, &mut node, &axes, "axes")?;
    node.inputs.truncate(1);
    pass.nodes.push(node);
    Ok(())
}

fn reduced(pass: &mut Layout<'_>, node: &mut Node, axes: &[usize], attr: &str) -> Result<(), Diagnostic> {
    let (source, order) = pass.place(first_input(node)?);
    node.inputs[0] = Some(source);
    let mut physical = axes.iter().map(|&a| physical_axis(node, &order, a)).collect::<Result<Vec<_>, _>>()?;
    physical.sort_unstable();
    let value = match (attr, &physical[..]) {
        ("axis", &[axis]) => Attr::Int(axis as i64),
        _ => Attr::Ints(physical.iter().map(|&a| a as i64).collect()),
    };
    node.attrs.set(attr, value);
    let result = if node.attrs.int_or("keepdims", 1) != 0 { order } else { perm::without(&order, axes) };
    settle_all(pass, node, |_| result.clone());
    Ok(())
}

fn slice(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let x = first_input(&node)?;
    let ranges = args::ranges(pass, &node, pass.shape(x))?;
    let (source, order) = pass.place(x);
    let ranges = perm::apply(&order, &ranges);
    node.inputs = vec![Some(source)];
    node.attrs.set("starts", Attr::Ints(ranges.iter().map(|r| r.start).collect()));
    node.attrs.set("ends", Attr::Ints(ranges.iter().map(|r| r.end).collect()));
    node.attrs.set("steps", Attr::Ints(ranges.iter().map(|r| r.step).collect()));
    settle_all(pass, &node, |_| order.clone());
    pass.nodes.push(node);
    Ok(())
}

fn pad(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let x = first_input(&node)?;
    let (begins, ends) = args::pads(pass, &node, pass.rank(x))?;
    let (source, order) = pass.place(x);
    let mut pads = perm::apply(&order, &begins);
    pads.extend(perm::apply(&order, &ends));
    node.inputs = vec![Some(source), node.input(2)];
    node.attrs.set("pads", Attr::Ints(pads));
    settle_all(pass, &node, |_| order.clone());
    pass.nodes.push(node);
    Ok(())
}

fn per_axis(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let (source, order) = pass.place(first_input(&node)?);
    let repeats = args::ints(pass, &node, 1, "the number of repeats")?
        .filter(|r| r.len() == order.len())
        .ok_or_else(|| node_problem("E0302", &node, "one number of repeats an axis is needed"))?;
    node.inputs = vec![Some(source)];
    node.attrs.set("repeats", Attr::Ints(perm::apply(&order, &repeats)));
    settle_all(pass, &node, |_| order.clone());
    pass.nodes.push(node);
    Ok(())
}

fn expand(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let rank = pass.rank(first_output(&node)?);
    let raised = pass.raise(first_input(&node)?, rank);
    let (source, order) = pass.place(raised);
    node.inputs = vec![Some(source)];
    settle_all(pass, &node, |_| order.clone());
    pass.nodes.push(node);
    Ok(())
}

fn transpose(pass: &mut Layout<'_>, node: Node) -> Result<(), Diagnostic> {
    let (source, order) = pass.place(first_input(&node)?);
    let rank = order.len();
    let axes: Vec<usize> = match node.attrs.ints("perm") {
        None => (0..rank).rev().collect(),
        Some(perm) => perm.iter().map(|&p| args::axis(&node, p, rank)).collect::<Result<_, _>>()?,
    };
    let order = order
        .iter()
        .map(|&axis| {
            perm::position(&axes, axis)
                .ok_or_else(|| node_problem("E0302", &node, "perm does not name every axis once"))
        })
        .collect::<Result<Order, _>>()?;
    pass.place.insert(first_output(&node)?, (source, order));
    Ok(())
}

fn reshape(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let (x, y) = (first_input(&node)?, first_output(&node)?);
    let (source, order) = pass.place(x);
    let through = perm::through_reshape(pass.shape(x), pass.shape(y), &order);
    let (source, result) = match through {
        Some(result) => (source, result),
        None => (pass.want_model_order(x), perm::identity(pass.rank(y))),
    };
    node.inputs = vec![Some(source)];
    node.op = Op::Reshape;
    pass.settle(y, result);
    pass.nodes.push(node);
    Ok(())
}

fn matmul(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    for (i, flag) in ["transA", "transB"].into_iter().enumerate() {
        let Some(id) = node.input(i) else { continue };
        let (source, order) = pass.place(id);
        let rank = order.len();
        let mut swapped = perm::identity(rank);
        if rank >= 2 {
            swapped.swap(rank - 1, rank - 2);
        }
        if rank >= 2 && order == swapped && !pass.graph.is_constant(source) {
            node.inputs[i] = Some(source);
            node.attrs.set(flag, Attr::Int(1));
        } else {
            node.inputs[i] = Some(pass.want_model_order(id));
        }
    }
    for input in node.inputs.iter_mut().skip(2).flatten() {
        *input = pass.want_model_order(*input);
    }
    settle_all(pass, &node, perm::identity);
    pass.nodes.push(node);
    Ok(())
}

fn gather(pass: &mut Layout<'_>, mut node: Node) -> Result<(), Diagnostic> {
    let x = first_input(&node)?;
    let indices = node.input(1).ok_or_else(|| node_problem("E0302", &node, "input 1 is missing"))?;
    let axis = axis_attr(pass, &node, 0)?;
    let result = match pass.rank(indices) {
        0 | 1 => {
            let (source, order) = pass.place(x);
            node.inputs[0] = Some(source);
            node.attrs.set("axis", Attr::Int(physical_axis(&node, &order, axis)? as i64));
            if pass.rank(indices) == 0 { perm::without(&order, &[axis]) } else { order }
        }
        _ => {
            node.inputs[0] = Some(pass.want_model_order(x));
            node.attrs.set("axis", Attr::Int(axis as i64));
            perm::identity(pass.rank(first_output(&node)?))
        }
    };
    node.inputs[1] = Some(pass.want_model_order(indices));
    settle_all(pass, &node, |_| result.clone());
    pass.nodes.push(node);
    Ok(())
}
