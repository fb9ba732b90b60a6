//! Quantization operators become encodings of values: what follows sees real numbers, and where they are rounded.
//!
//! A QuantizeLinear and the DequantizeLinear behind it vanish, and the float between them carries the encoding. Where that
//! float is needed unrounded too, or has another encoding already, an Identity stays between the two values: lowering
//! makes it the Quantize, Dequantize or Convert that it is. Weights stay the integers that the model has.

pub(crate) mod derive;
mod groups;
pub(crate) mod known;
mod limit;
mod linear;
mod moves;
mod propagate;
mod qdq;
mod tighten;
mod weights;

use crate::graph::Graph;
use crate::problem::Result;
pub(crate) use groups::moved_inputs;

/// Turns quantization operators into encodings.
///
/// # Errors
/// None.
pub(super) fn run(graph: &mut Graph) -> Result<()> {
    let quantization = ["QuantizeLinear", "DequantizeLinear"];
    if graph.nodes.iter().any(|n| n.domain.is_empty() && quantization.contains(&&*n.op)) {
        qdq::run(graph);
    }
    if graph.value_ids().any(|id| graph.value(id).encoding.is_some()) {
        limit::run(graph);
        tighten::run(graph);
        propagate::run(graph);
        moves::run(graph);
        linear::run(graph);
    }
    Ok(())
}
