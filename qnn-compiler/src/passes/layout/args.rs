//! Reads what ONNX keeps in constant inputs: axes, slices, pads, repeats.

use qnn_types::Diagnostic;

use super::Layout;
use crate::graph::Node;
use crate::problem::node_problem;

/// A constant integer input; `None` when it is left out.
pub(super) fn ints(
    pass: &Layout<'_>,
    node: &Node,
    i: usize,
    what: &str,
) -> Result<Option<Vec<i64>>, Diagnostic> {
    match node.input(i) {
        None => Ok(None),
        Some(id) => match pass.graph.const_i64(id) {
            Some(values) => Ok(Some(values)),
            None => {
                let mut p = node_problem("E0307", node, format!("{what} of {} must be constant", node.op));
                p.help =
                    Some("HTP graphs have static shapes; export the model with this input fixed".to_owned());
                Err(p)
            }
        },
    }
}

/// An axis as the model counts it, negative ones from the end.
pub(super) fn axis(node: &Node, axis: i64, rank: usize) -> Result<usize, Diagnostic> {
    let signed = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(signed)
        .ok()
        .filter(|&a| a < rank)
        .ok_or_else(|| node_problem("E0302", node, format!("axis {axis} is outside a tensor of rank {rank}")))
}

/// A list of axes; all of them when the list is absent or empty.
pub(super) fn axes_or_all(
    pass: &Layout<'_>,
    node: &Node,
    i: usize,
    rank: usize,
) -> Result<Vec<usize>, Diagnostic> {
    let listed = match ints(pass, node, i, "the list of axes")? {
        Some(axes) => axes,
        None => node.attrs.ints("axes").unwrap_or_default().to_vec(),
    };
    if listed.is_empty() {
        return Ok((0..rank).collect());
    }
    listed.into_iter().map(|a| axis(node, a, rank)).collect()
}

/// Start, end and step of one axis of a slice, within the shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub start: i64,
    /// One past the last element; -1 where a negative step runs through element 0.
    pub end: i64,
    pub step: i64,
}

/// The range of every axis of a Slice node, in the model's order.
pub(super) fn ranges(pass: &Layout<'_>, node: &Node, shape: &[usize]) -> Result<Vec<Range>, Diagnostic> {
    let missing = || node_problem("E0302", node, "starts or ends are missing");
    let starts = ints(pass, node, 1, "the start")?.ok_or_else(missing)?;
    let ends = ints(pass, node, 2, "the end")?.ok_or_else(missing)?;
    let axes = ints(pass, node, 3, "the list of axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = ints(pass, node, 4, "the step")?.unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return Err(node_problem("E0302", node, "starts, ends, axes and steps have different lengths"));
    }
    let mut ranges: Vec<Range> = shape.iter().map(|&d| Range { start: 0, end: d as i64, step: 1 }).collect();
    for (((&start, &end), &a), &step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let a = axis(node, a, shape.len())?;
        let dim = shape[a] as i64;
        let from_end = |v: i64| if v < 0 { v.saturating_add(dim) } else { v };
        ranges[a] = match step {
            0 => return Err(node_problem("E0302", node, "a step of zero")),
            1.. => Range { start: from_end(start).clamp(0, dim), end: from_end(end).clamp(0, dim), step },
            _ => Range {
                start: from_end(start).clamp(0, dim - 1),
                end: from_end(end).clamp(-1, dim - 1),
                step,
            },
        };
    }
    Ok(ranges)
}

/// Begin and end padding of every axis of a Pad node, in the model's order.
pub(super) fn pads(pass: &Layout<'_>, node: &Node, rank: usize) -> Result<(Vec<i64>, Vec<i64>), Diagnostic> {
    let pads = match ints(pass, node, 1, "the padding")? {
        Some(pads) => pads,
        None => node.attrs.ints("pads").unwrap_or_default().to_vec(),
    };
    let axes = match ints(pass, node, 3, "the list of axes")? {
        Some(axes) => axes.into_iter().map(|a| axis(node, a, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(node_problem(
            "E0302",
            node,
            format!("{} pads for {} axes; two an axis are needed", pads.len(), axes.len()),
        ));
    }
    let (mut begins, mut ends) = (vec![0; rank], vec![0; rank]);
    for (i, &a) in axes.iter().enumerate() {
        begins[a] = pads[i];
        ends[a] = pads[i + axes.len()];
    }
    Ok((begins, ends))
}
