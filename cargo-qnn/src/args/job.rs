//! What bounds compile jobs.

use std::time::Duration;

use clap::Args;

use crate::failure::{Failure, Result};

/// Limits of every job of a run.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Model Options")]
pub(crate) struct JobArgs {
    /// Seconds one compile may take
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<f64>,
    /// Memory that compiles running side by side may use together, MiB
    #[arg(long, value_name = "MIB")]
    pub(crate) mem_limit: Option<u64>,
}

impl JobArgs {
    /// The time limit of a job.
    pub(crate) fn timeout(&self) -> Result<Option<Duration>> {
        let seconds = self.timeout.map(Duration::try_from_secs_f64).transpose();
        seconds
            .map_err(|error| Failure::usage("--timeout is not a number of seconds").note(error.to_string()))
    }
}
