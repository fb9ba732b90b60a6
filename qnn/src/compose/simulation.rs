//! What a compile measured of the execution that it simulates.

use qnn_sys::htp::ProfileEvent as Code;

use crate::{Profile, ProfileEvent};

/// An execution in the library's simulation of the chip. Events as those of QNN 2.51; what the library does not say is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Simulation {
    /// From the first op to the end of the last, cycles of the NPU.
    pub cycles: u64,
    /// The least that is thought possible, cycles.
    pub cycles_lower: u64,
    /// The most that is thought possible, cycles.
    pub cycles_upper: u64,
    /// The cycles at the clock of the simulated chip, microseconds.
    pub microseconds: u64,
    /// Inputs, read from DRAM, bytes.
    pub input_fill: u64,
    /// Constants and intermediate values, read from DRAM, bytes.
    pub intermediate_fill: u64,
    /// Intermediate values, written to DRAM, bytes.
    pub intermediate_spill: u64,
    /// Outputs, written to DRAM, bytes.
    pub output_spill: u64,
    /// Ops that the simulation has no cost of.
    pub missing_ops: u64,
}

impl Simulation {
    /// What a profile of a compile says; `None` where the library has no simulation of the SoC.
    pub fn of(profile: &Profile) -> Option<Self> {
        let value = |code: Code| find(&profile.events, code.0);
        let or_nothing = |code: Code| value(code).unwrap_or_default();
        Some(Self {
            cycles: value(Code::GRAPH_FINALIZE_ESTIMATE_CYCLES)?,
            cycles_lower: or_nothing(Code::GRAPH_FINALIZE_ESTIMATE_CYCLES_LOWER),
            cycles_upper: or_nothing(Code::GRAPH_FINALIZE_ESTIMATE_CYCLES_UPPER),
            microseconds: or_nothing(Code::GRAPH_FINALIZE_ESTIMATE_MICROSEC),
            input_fill: or_nothing(Code::GRAPH_FINALIZE_ESTIMATE_INPUT_FILL),
            intermediate_fill: or_nothing(Code::GRAPH_FINALIZE_ESTIMATE_INTERMEDIATE_FILL),
            intermediate_spill: or_nothing(Code::GRAPH_FINALIZE_ESTIMATE_INTERMEDIATE_SPILL),
            output_spill: or_nothing(Code::GRAPH_FINALIZE_ESTIMATE_OUTPUT_SPILL),
            missing_ops: or_nothing(Code::GRAPH_FINALIZE_ESTIMATE_MISSING_OPS),
        })
    }
}

/// The value of the first event of a kind, or of one of its parts.
fn find(events: &[ProfileEvent], code: u32) -> Option<u64> {
    events.iter().find_map(
        |event| {
            if event.code == code { Some(event.value) } else { find(&event.parts, code) }
        },
    )
}
