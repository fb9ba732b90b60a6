//! Graph to graph, one job each.

pub mod border;
pub mod doubts;
mod fuse;
mod layout;
mod narrow;
mod quantize;
pub mod range;
mod spatial_rank;

use crate::graph::Graph;
use crate::problem::Result;
pub(crate) use quantize::moved_inputs;

/// One pass.
pub struct Pass {
    /// Name, for diagnostics.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&mut Graph) -> Result<()>,
}

/// The passes in order. After the last one the graph is in physical layout, ready to lower.
pub static PASSES: &[Pass] = &[
    Pass { name: "quantize", run: quantize::run },
    Pass { name: "fuse", run: fuse::run },
    Pass { name: "spatial-rank", run: spatial_rank::run },
    Pass { name: "layout", run: layout::run },
    Pass { name: "narrow", run: narrow::run },
];

/// Runs every pass.
///
/// # Errors
/// The problems of the first pass that finds any.
pub fn run(graph: &mut Graph) -> Result<()> {
    PASSES.iter().try_for_each(|pass| (pass.run)(graph))
}

/// Runs the passes up to the one that fuses: what is computed after it is what HTP computes, in the model's own layout.
///
/// # Errors
/// As [`run`].
pub fn run_fusing(graph: &mut Graph) -> Result<()> {
    PASSES[..fused()].iter().try_for_each(|pass| (pass.run)(graph))
}

/// Runs the passes that follow those of [`run_fusing`].
///
/// # Errors
/// As [`run`].
pub fn run_rest(graph: &mut Graph) -> Result<()> {
    PASSES[fused()..].iter().try_for_each(|pass| (pass.run)(graph))
}

/// Runs the passes that bring a graph into physical layout, without looking for patterns: for graphs that are written here.
///
/// # Errors
/// As [`run`].
pub fn run_physical(graph: &mut Graph) -> Result<()> {
    let physical = PASSES.iter().skip_while(|pass| pass.name != "layout");
    physical.into_iter().try_for_each(|pass| (pass.run)(graph))
}

/// Encodes results whose range is known, or follows from those of their operands, for SoCs without floats; between [`run_fusing`] and [`run_rest`].
pub fn run_known_ranges(graph: &mut Graph) {
    quantize::known::run(graph);
    quantize::derive::run(graph);
}

/// How many passes there are up to the one that fuses.
fn fused() -> usize {
    PASSES.iter().position(|pass| pass.name == "fuse").map_or(PASSES.len(), |at| at + 1)
}
