//! Spatial ops without arithmetic of their own: depth and space exchanged, channels shuffled, samples taken at computed places.

use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::window::four;
use crate::lower::engine::{Lower, Ops};

/// Order in which channels fill a block: depth first.
const DEPTH_COLUMN_ROW: u32 = 0;
/// Order in which channels fill a block: block first.
const COLUMN_ROW_DEPTH: u32 = 1;

/// DepthToSpace.
pub(crate) fn depth_to_space(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    blocks(lower, node, "DepthToSpace")
}

/// SpaceToDepth.
pub(crate) fn space_to_depth(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    blocks(lower, node, "SpaceToDepth")
}

fn blocks(lower: &mut Lower<'_>, node: &Node, ty: &'static str) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let mode = match node.attrs.str_or("mode", "DCR") {
        "CRD" => COLUMN_ROW_DEPTH,
        _ => DEPTH_COLUMN_ROW,
    };
    four(&ops, 0)?;
    let block = u32::try_from(node.attrs.int_or("blocksize", 0)).ok().filter(|&b| b > 0);
    let block = block.ok_or_else(|| ops.refuse("attribute blocksize is not a positive number"))?;
    let x = ops.input(0)?;
    let (dtype, shape) = (ops.dtype(x), ops.output_type(0)?.shape.clone());
    let y = ops
        .step(ty, &[x], dtype, &shape, |op| op.u32s("block_size", &[2], &[block, block]).u32("mode", mode));
    ops.output(0, y)
}

/// ChannelShuffle: channels of each group in turn.
pub(crate) fn channel_shuffle(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    four(&ops, 0)?;
    let groups = node.attrs.int_or("group", 1) as u32;
    let x = ops.input(0)?;
    let y = ops.unary_with("ChannelShuffle", x, |op| op.u32("num_groups", groups).u32("axis", 3));
    ops.output(0, y)
}

/// GridSample. Places are fp16 on HTP: of a plane 64 wide they are known to 1/32 of an element.
pub(crate) fn grid_sample(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    four(&ops, 0)?;
    let mode = match node.attrs.str_or("mode", "linear") {
        "linear" | "bilinear" => 0,
        "nearest" => 1,
        other => return Err(ops.refuse(format!("mode {other:?} is not supported; linear and nearest are"))),
    };
    let padding = match node.attrs.str_or("padding_mode", "zeros") {
        "zeros" => 0,
        "border" => 1,
        "reflection" => 2,
        other => return Err(ops.refuse(format!("padding_mode {other:?} is not known"))),
    };
    let align = node.attrs.int_or("align_corners", 0) != 0;
    let (x, grid) = (ops.input(0)?, ops.input(1)?);
    let (dtype, shape) = (ops.dtype(x), ops.output_type(0)?.shape.clone());
    let y = ops.step("GridSample", &[x, grid], dtype, &shape, |op| {
        op.bool("align_corners", align).u32("mode", mode).u32("padding_mode", padding)
    });
    ops.output(0, y)
}
