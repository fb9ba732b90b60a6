//! Cases in the HTP emulator: child processes that survive the vendor's crashes, the engine's jobs, the tolerance.

pub mod canonical;
pub mod compare;
pub mod jobs;
pub mod pool;
