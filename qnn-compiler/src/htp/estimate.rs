//! What an execution costs, as the library simulates it while it compiles.

use std::collections::BTreeMap;
use std::path::Path;

use qnn::Profile;
use qnn::compose::Simulation;
use qnn_platform::soc;
use qnn_types::{Diagnostic, Estimate, Target, io_problem};

use crate::program::{Op, Program};

/// Whether the library has a simulation of this SoC.
pub(super) fn is_simulated(target: &Target) -> bool {
    soc::SIMULATED.iter().any(|row| row.id == target.id)
}

/// What the profile of a compile says of an execution of `graph`.
pub(super) fn of(profile: &Profile, graph: &str, target: &Target) -> Option<Estimate> {
    let found = Simulation::of(profile)?;
    let mut estimate = Estimate::default();
    estimate.graph = graph.to_owned();
    estimate.soc.clone_from(&target.name);
    estimate.cycles = found.cycles;
    estimate.cycles_lower = found.cycles_lower;
    estimate.cycles_upper = found.cycles_upper;
    estimate.microseconds = found.microseconds;
    estimate.spill_bytes = found.intermediate_spill;
    estimate.fill_bytes = found.intermediate_fill;
    estimate.input_bytes = found.input_fill;
    estimate.output_bytes = found.output_spill;
    estimate.ops_without_cost = found.missing_ops;
    Some(estimate)
}

/// Writes the trace of a graph without the header that the library puts before the JSON.
pub(super) fn write_traces(profile: &Profile, graph: &str, folder: &Path) -> Result<(), Diagnostic> {
    let Some(json) = profile.traces.iter().find_map(|bytes| json_of(bytes)) else { return Ok(()) };
    let path = folder.join(format!("{graph}.trace.json"));
    std::fs::write(&path, json).map_err(|error| io_problem("E0605", "cannot write", &path, &error))
}

/// Writes which node of the model each op of a program comes from: `GRAPH.nodes.json`.
pub(crate) fn write_origins(program: &Program, folder: &Path) -> Result<(), Diagnostic> {
    let origin = |op: &Op| (op.origin.node.clone(), op.origin.op.clone());
    let origins: BTreeMap<&str, (String, String)> =
        program.ops.iter().map(|op| (op.name.as_str(), origin(op))).collect();
    let path = folder.join(format!("{}.nodes.json", program.name));
    let written = serde_json::to_vec(&origins).map_err(std::io::Error::other);
    written
        .and_then(|text| std::fs::write(&path, text))
        .map_err(|error| io_problem("E0605", "cannot write", &path, &error))
}

/// The JSON in a trace: its header holds numbers, and the length of the text.
fn json_of(bytes: &[u8]) -> Option<&[u8]> {
    let begin =
        bytes.windows(2).position(|pair| pair[0] == b'{' && matches!(pair[1], b'"' | b'\n' | b' '))?;
    let end = bytes.iter().rposition(|byte| *byte == b'}')?;
    bytes.get(begin..=end)
}
