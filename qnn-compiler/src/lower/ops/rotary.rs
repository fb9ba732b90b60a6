//! Rotary position embedding.

use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::engine::{Lower, Ops};

/// x (1, heads, tokens, size) turned by angles whose cosines and sines are (1, tokens, size / 2). HTP takes them with three axes
/// only.
pub(crate) fn rotary(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let inputs = [ops.input(0)?, ops.input(1)?, ops.input(2)?];
    let (dtype, shape) = (ops.dtype(inputs[0]), ops.shape(inputs[0]));
    let [1, _, tokens, size] = shape[..] else {
        return Err(ops.refuse(format!("input 0 of shape {shape:?} is not (1, heads, tokens, size)")));
    };
    if inputs[1..].iter().any(|&t| ops.shape(t) != [1, tokens, size / 2]) {
        return Err(ops.refuse(format!("the angles are not (1, {tokens}, {})", size / 2)));
    }
    let interleaved = node.attrs.int_or("interleaved", 0) != 0;
    let y = ops.step("RotaryEmbedding", &inputs, dtype, &shape, |op| {
        op.bool("interleaved", interleaved).u32("rotary_embedding_dim", size as u32)
    });
    ops.output(0, y)
}
