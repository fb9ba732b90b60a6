//! Convolutions and poolings: everything about the window explicit.

use super::table::{Draft, Row, Step, row};
use crate::graph::Attr;
use crate::infer::{Answer, Window, invalid, transposed_padding};
use crate::op::Op;

const WINDOW: &str = "`kernel_shape`, `strides`, `dilations` and `pads` explicit, `auto_pad` resolved";

pub(super) const ROWS: &[Row] = &[
    row("AveragePool", WINDOW, |d| window(d, None)),
    row(
        "Conv",
        "`group`, `kernel_shape`, `strides`, `dilations` and `pads` explicit, `auto_pad` resolved",
        |d| window(d, Some(1)),
    ),
    row("ConvInteger", WINDOW, |d| window(d, Some(1))),
    row("ConvTranspose", "as Conv; `output_padding` explicit, `output_shape` resolved", |d| {
        window(d, Some(1))
    }),
    row("LpPool", WINDOW, |d| window(d, None)),
    row("MaxPool", WINDOW, |d| window(d, None)),
    row("QLinearConv", WINDOW, |d| window(d, Some(3))),
];

fn window(draft: &mut Draft<'_, '_>, weights: Option<usize>) -> Answer<Step> {
    let shape = draft.shape(0)?;
    let kernel = weights.map(|i| draft.shape(i)).transpose()?;
    let (Some(extents), Some(kernel)) =
        (shape.get(2..), kernel.as_deref().map(|k| k.get(2..)).map_or(Some(None), |k| k.map(Some)))
    else {
        return invalid("the input or the weights have no batch and channels");
    };
    if kernel.is_some_and(|k| k.len() != extents.len()) {
        return invalid("the input and the weights have different ranks");
    }
    let mut window = Window::read(&draft.site(), extents, kernel)?;
    if weights.is_none() && draft.node.attrs.int_or("ceil_mode", 0) != 0 {
        (0..extents.len()).for_each(|axis| window.clip(axis, extents[axis]));
    }
    let mut pads = window.pads();
    if draft.node.op == Op::ConvTranspose {
        let [begins, ends, extra] = transposed_padding(&draft.site(), extents, &window)?;
        pads = [begins, ends].concat();
        draft.node.attrs.0.remove("output_shape");
        draft.node.attrs.set("output_padding", Attr::Ints(extra));
    }
    let attrs = &mut draft.node.attrs;
    attrs.0.remove("auto_pad");
    attrs.set("kernel_shape", Attr::Ints(window.kernel));
    attrs.set("strides", Attr::Ints(window.strides));
    attrs.set("dilations", Attr::Ints(window.dilations));
    attrs.set("pads", Attr::Ints(pads));
    if weights.is_some() {
        let group = attrs.int_or("group", 1);
        attrs.set("group", Attr::Int(group));
    }
    Ok(Step::Keep)
}
