//! Convolutions. Activations are (N, H, W, C), weights (H, W, I, O).

use qnn_build::job::Diagnostic;

use super::Lower;
use crate::graph::Node;
use crate::problem::node_problem;

/// Window geometry of a 2-D convolution or pooling.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    /// Kernel height and width.
    pub(super) kernel: [u32; 2],
    /// Strides.
    pub(super) strides: [u32; 2],
    /// Dilations.
    pub(super) dilations: [u32; 2],
    /// Padding: top, bottom, left, right.
    pub(super) pads: [u32; 4],
}

impl Window {
    /// Reads ONNX's window attributes for a 2-D node whose input is (H, W) = `input` and whose output is `output`.
    pub(super) fn read(
        node: &Node,
        kernel: [u32; 2],
        input: [usize; 2],
        output: [usize; 2],
    ) -> Result<Self, Diagnostic> {
        let pair = |name: &str, default: [u32; 2]| -> Result<[u32; 2], Diagnostic> {
            match node.attrs.ints(name) {
                None => Ok(default),
                Some(v) if v.len() == 2 && v.iter().all(|&x| (1..=i64::from(u32::MAX)).contains(&x)) => {
                    Ok([v[0] as u32, v[1] as u32])
                }
                Some(v) => Err(node_problem(
                    "E0302",
                    node,
                    format!("attribute {name} is {v:?}; two positive numbers are needed"),
                )),
            }
        };
        let strides = pair("strides", [1, 1])?;
        let dilations = pair("dilations", [1, 1])?;
        let pads = match node.attrs.str_or("auto_pad", "NOTSET") {
            "VALID" => [0; 4],
            mode @ ("SAME_UPPER" | "SAME_LOWER") => {
                let mut pads = [0u32; 4];
                for i in 0..2 {
                    let span = (output[i] as i64 - 1) * i64::from(strides[i])
                        + i64::from(dilations[i]) * (i64::from(kernel[i]) - 1)
                        + 1;
                    let total = (span - input[i] as i64).max(0) as u32;
                    let (small, large) = (total / 2, total - total / 2);
                    let (begin, end) = if mode == "SAME_UPPER" { (small, large) } else { (large, small) };
                    pads[2 * i] = begin;
                    pads[2 * i + 1] = end;
                }
                pads
            }
            _ => match node.attrs.ints("pads") {
                None => [0; 4],
                Some(&[top, left, bottom, right])
                    if [top, left, bottom, right].iter().all(|p| (0..=i64::from(u32::MAX)).contains(p)) =>
                {
                    [top as u32, bottom as u32, left as u32, right as u32]
                }
                Some(v) => {
                    return Err(node_problem(
                        "E0302",
                        node,
                        format!("attribute pads is {v:?}; four non-negative numbers are needed"),
                    ));
                }
            },
        };
        Ok(Self { kernel, strides, dilations, pads })
    }
}

/// Conv: Conv2d, or DepthWiseConv2d when every channel has its own filters.
pub(super) fn conv(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let x = &lower.input_type(node, 0)?.shape;
    let w = &lower.input_type(node, 1)?.shape;
    let y = &lower.output_type(node, 0)?.shape;
    let (&[_, h, wd, channels], &[kh, kw, _, _], &[_, oh, ow, _]) = (&x[..], &w[..], &y[..]) else {
        return Err(node_problem(
            "E0302",
            node,
            format!("convolution of rank {} is not supported; 1-D and 2-D are", x.len()),
        ));
    };
    let window = Window::read(node, [kh as u32, kw as u32], [h, wd], [oh, ow])?;
    let group = node.attrs.int_or("group", 1).max(1) as u32;
    let bias = node.input(2).is_some();
    let depthwise = group > 1 && group as usize == channels;
    let ty = if depthwise { "DepthWiseConv2d" } else { "Conv2d" };
    let [top, bottom, left, right] = window.pads;
    let op = lower
        .simple(node, ty, if bias { 3 } else { 2 })?
        .u32s("stride", &[2], &window.strides)
        .u32s("pad_amount", &[2, 2], &[top, bottom, left, right])
        .u32s("dilation", &[2], &window.dilations);
    if depthwise {
        op.emit()
    } else {
        op.u32("group", group).emit()
    }
    Ok(())
}
