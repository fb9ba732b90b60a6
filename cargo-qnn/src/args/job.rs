//! Limits of compile jobs: time, memory, number.

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
    /// The time limit of a job, where the command line or the environment says one.
    pub(crate) fn timeout(&self) -> Result<Option<Duration>> {
        let Some(seconds) = self.timeout else {
            return qnn_pipeline::driver::timeout().map_err(|text| {
                Failure::usage(format!("QNN_TIMEOUT is `{text}`, which is no time"))
                    .help("set it to seconds, more than 0, or unset it: without it there is no limit")
            });
        };
        match Duration::try_from_secs_f64(seconds) {
            Ok(limit) if !limit.is_zero() => Ok(Some(limit)),
            _ => Err(Failure::usage(format!("--timeout {seconds} is no time"))
                .help("it takes seconds, more than 0; without it there is no limit")),
        }
    }
}
