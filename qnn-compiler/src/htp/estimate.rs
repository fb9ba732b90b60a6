//! What an execution costs, as the library simulates it while it compiles.

use qnn::Profile;
use qnn::compose::Simulation;
use qnn_platform::soc;
use qnn_types::{Estimate, Target};

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
