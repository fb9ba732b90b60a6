//! Runs jobs in worker processes: `cargo-qnn worker`, one fresh process per job.
//!
//! The vendor's library can end its process in many ways. Here each of them becomes a diagnostic that names the model
//! and what was being done.

mod death;
mod memory;
mod process;
mod progress;
mod schedule;
mod worker;

pub use process::{Outcome, RunOptions, run};
pub use progress::{JobId, Progress, ProgressEvent, Silent};
pub use schedule::{Limits, Task, run_all, timeout};
pub use worker::Worker;

/// Memory that compiling a model of this size takes, bytes: the library takes about 5 to 6 times the weights, and 130 MB
/// for itself (measured with QNN 2.51).
pub fn memory_estimate(model_bytes: u64) -> u64 {
    (200 << 20) + model_bytes.saturating_mul(6)
}
