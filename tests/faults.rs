//! Everything that can go wrong, with the real program, the vendor's real compiler and ONNX Runtime: each ends with its exit
//! code and error code, says what to do, and leaves nothing wrong behind.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "faults/app.rs"]
mod app;
#[path = "faults/artifacts.rs"]
mod artifacts;
#[path = "faults/graphs.rs"]
mod graphs;
#[path = "faults/model.rs"]
mod model;
#[path = "faults/model_files.rs"]
mod model_files;
#[path = "faults/processes.rs"]
mod processes;
#[path = "faults/store.rs"]
mod store;
#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;
