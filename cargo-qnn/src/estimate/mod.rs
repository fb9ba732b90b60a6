//! What an execution of a model costs, in the vendor library's simulation of a chip.

mod advice;
pub(crate) mod page;
pub(crate) mod trace;

use qnn_platform::soc::{self, Simulated};
use qnn_types::{CompileJob, Target};
use serde::Serialize;

/// A SoC that is simulated in place of another, of which the library has no simulation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StandIn {
    /// The SoC whose binary is simulated.
    pub(crate) soc: &'static str,
    /// The chip that the simulation is of.
    pub(crate) chip: &'static str,
    /// Its architecture.
    pub(crate) arch: u32,
}

/// The job for a SoC that the library simulates, and which that is. `None` where there is none of this architecture.
pub(crate) fn simulated(job: &CompileJob) -> Option<(CompileJob, StandIn)> {
    let row: &Simulated =
        soc::SIMULATED.iter().find(|row| row.id == job.soc.id).or_else(|| soc::simulated(job.soc.arch))?;
    let of = soc::by_id(row.id)?;
    let mut job = job.clone();
    // The chip's own amount is the most that it can plan with.
    let vtcm_mb = job.htp.vtcm_mb.unwrap_or(job.soc.vtcm_mb).min(of.vtcm_mb);
    job.htp.vtcm_mb = Some(vtcm_mb);
    job.soc = Target {
        name: of.name.to_owned(),
        id: of.id,
        arch: of.arch,
        vtcm_mb: of.vtcm_mb,
        // What has no floats is compiled to integers here as well.
        fp16: job.soc.fp16,
    };
    Some((job, StandIn { soc: of.name, chip: row.chip, arch: of.arch }))
}
