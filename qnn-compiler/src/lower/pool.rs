//! Pooling over (N, H, W, C).

use qnn_build::job::Diagnostic;

use super::Lower;
use super::conv::Window;
use crate::graph::Node;
use crate::problem::node_problem;

/// MaxPool.
pub(super) fn max(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let x = &lower.input_type(node, 0)?.shape;
    let y = &lower.output_type(node, 0)?.shape;
    let (&[_, h, w, _], &[_, oh, ow, _], Some(&[kh, kw])) = (&x[..], &y[..], node.attrs.ints("kernel_shape"))
    else {
        return Err(node_problem(
            "E0302",
            node,
            format!("pooling of rank {} is not supported; 1-D and 2-D are", x.len()),
        ));
    };
    let window = Window::read(node, [kh as u32, kw as u32], [h, w], [oh, ow])?;
    let [top, bottom, left, right] = window.pads;
    lower
        .simple(node, "PoolMax2d", 1)?
        .u32s("filter_size", &[2], &window.kernel)
        .u32s("stride", &[2], &window.strides)
        .u32s("pad_amount", &[2, 2], &[top, bottom, left, right])
        .u32("rounding_mode", node.attrs.int_or("ceil_mode", 0) as u32)
        .emit();
    Ok(())
}

/// GlobalAveragePool: one window over the whole plane.
pub(super) fn global_average(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let x = &lower.input_type(node, 0)?.shape;
    let &[_, h, w, _] = &x[..] else {
        return Err(node_problem(
            "E0302",
            node,
            format!("global pooling of rank {} is not supported; 1-D and 2-D are", x.len()),
        ));
    };
    let window = [h as u32, w as u32];
    lower
        .simple(node, "PoolAvg2d", 1)?
        .u32s("filter_size", &[2], &window)
        .u32s("stride", &[2], &window)
        .u32s("pad_amount", &[2, 2], &[0; 4])
        .bool("count_pad_for_edges", false)
        .emit();
    Ok(())
}
