//! Language models: decoders of the Llama family as graphs of prefill and decode.
//!
//! `decoder` writes a graph from a model's sizes; `weights` brings the file's weights into it in the encoding that the
//! strategy and the SoC ask for.

mod decoder;
mod evaluate;
mod export;
mod job;
mod ops;
mod requantize;
mod spill;
mod weights;

pub(crate) use evaluate::evaluate;
pub(crate) use export::export;
pub(crate) use job::{check, compile};

pub use decoder::{Shape, Span, build, layer_output};
pub use spill::Spill;
pub use weights::{Target, Weights, embedding_table};

use std::collections::BTreeMap;

use qnn_types::{self as jobs, Diagnostic};

use crate::graph::Graph;
use crate::passes::{self, Phase, Setting};
use crate::problem::Result;

/// Parts of the way that graphs written here do not go: their encodings are in place, nothing is left to find for the fusing passes, and
/// whatever looks at constants would look at gigabytes of them.
const SKIPPED: &[Phase] = &[Phase::Read, Phase::Fuse, Phase::Assign, Phase::Refine];

/// Brings a graph that was written here into physical layout.
fn physical(graph: &mut Graph, soc: &jobs::Target, warn: &mut dyn FnMut(Diagnostic)) -> Result<()> {
    let inputs = BTreeMap::new();
    passes::run(graph, &mut Setting { skipped: SKIPPED, ..Setting::new(soc, &inputs, warn) })
}
