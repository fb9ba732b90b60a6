//! What the vendor's library expects an execution to cost.

use serde::{Deserialize, Serialize};

/// What an execution of a graph costs in the simulation of the chip that the vendor's library holds. It is a simulation: the best judge
/// there is without a device, and no promise for one.
///
/// The library has a simulation of few SoCs ([`Estimate::soc`]); others are estimated on the one that is nearest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Estimate {
    /// The graph.
    pub graph: String,
    /// The SoC that was simulated.
    pub soc: String,
    /// Cycles of the NPU from the first op to the end of the last.
    pub cycles: u64,
    /// The least that the library thinks possible.
    pub cycles_lower: u64,
    /// The most that the library thinks possible.
    pub cycles_upper: u64,
    /// The cycles at the clock of the simulated chip, microseconds.
    pub microseconds: u64,
    /// Bytes of intermediate values that do not fit in VTCM, and are written to DRAM.
    pub spill_bytes: u64,
    /// Bytes of intermediate values and constants that are read from DRAM.
    pub fill_bytes: u64,
    /// Bytes of inputs that are read from DRAM.
    pub input_bytes: u64,
    /// Bytes of outputs that are written to DRAM.
    pub output_bytes: u64,
    /// Ops that the simulation has no cost of: with any of them, `cycles` is too low.
    pub ops_without_cost: u64,
}
