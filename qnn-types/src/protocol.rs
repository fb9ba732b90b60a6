//! What travels between the driver and a worker process: one [`Job`] in, [`Event`] lines out, both as JSON.
//!
//! The life of a worker, as the driver (`qnn_pipeline::driver`) expects it:
//!
//! 1. `cargo-qnn worker`, the driver's own program, reads **one line** from standard input: a [`Job`] as JSON. It does not wait for the end of the
//!    input: the driver keeps the pipe open for as long as it lives.
//! 2. The worker writes [`Event`] lines to the pipe that was its standard output, each flushed at once, and moves
//!    descriptor 1 to descriptor 2 before it loads the vendor library, whose prints would break the protocol. Standard error
//!    is free text: it goes to the log, and its last lines into the diagnostic of a crash.
//! 3. Once the job is read, a thread of the worker that does nothing else reads standard input; at its end it
//!    ends the process at once (`_exit`, no destructors). So no worker outlives a driver that was killed, on any system.
//! 4. The last line is [`Event::Done`] or [`Event::Failed`], sent when everything the job writes is written: the driver
//!    ends the process at once then, without waiting for the vendor library to take itself down. A worker that is left
//!    alone exits with 0 and 1 respectively; a panic exits with 101, Rust's own code. A line that is no event is taken as text
//!    for the log.
//! 5. The context binary is written to the job's `output`, a path that does not exist yet in a folder of this job alone.
//!    The driver hashes it and moves it into the store; whatever a killed worker leaves there is thrown away.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::jobs::{CompileJob, EvaluateJob, ExecuteJob, ExportJob, ReferenceJob};
use crate::report::Report;

/// Version of this protocol.
pub const PROTOCOL: u32 = 4;

/// A unit of work for one worker process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub enum Job {
    /// Compile a model for one SoC and write the context binary.
    Compile(CompileJob),
    /// Everything a compile does except finalizing: collects every problem of the model.
    Check(CompileJob),
    /// Run the fused graphs of a model on its samples, and report what their values reach. No SoC decides over that.
    Observe(CompileJob),
    /// Name the values of a model's main graph that are still computed after fusion, for a look at each.
    Values(CompileJob),
    /// Execute a context binary (in the HTP emulator on a development machine).
    Execute(ExecuteJob),
    /// Run the source model on the reference engine (ONNX Runtime on the CPU).
    Reference(ReferenceJob),
    /// Write a language model as ONNX or DLC.
    Export(ExportJob),
    /// Compare a language model in the emulator with its dequantized weights on the reference engine, over a text.
    Evaluate(EvaluateJob),
}

/// What a worker is doing; a crash is reported with the last stage it announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Started, not yet at work.
    #[default]
    Start,
    /// Reading and typing the model.
    Import,
    /// Graph passes.
    Optimize,
    /// Mapping nodes to QNN ops.
    Lower,
    /// Loading the vendor library and opening the device.
    Load,
    /// Creating tensors, validating and adding ops.
    Compose,
    /// The vendor's compilation proper.
    Finalize,
    /// Getting the binary from the library and writing it.
    Serialize,
    /// Reading the binary's metadata back.
    Verify,
    /// Executing a graph.
    Execute,
    /// Running the reference engine.
    Reference,
}

/// As words for messages: "while {stage}".
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Start => "starting",
            Stage::Import => "reading the model",
            Stage::Optimize => "optimizing the graph",
            Stage::Lower => "lowering to QNN ops",
            Stage::Load => "loading the QNN library",
            Stage::Compose => "composing the graph",
            Stage::Finalize => "finalizing the graph",
            Stage::Serialize => "writing the context binary",
            Stage::Verify => "reading the context binary back",
            Stage::Execute => "executing the graph",
            Stage::Reference => "running the reference engine",
        })
    }
}

/// One line from a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A stage begins.
    Stage {
        /// Which one.
        stage: Stage,
    },
    /// A step within a stage, for progress bars: `done` of `total`.
    Progress {
        /// Steps finished.
        done: u64,
        /// Steps in all.
        total: u64,
    },
    /// Code of op packages may run from now on: these ops, each as `package::Op` with the node that it comes from where one is
    /// known. A crash is theirs or the vendor's. None when the danger is over.
    AtRisk {
        /// The ops.
        ops: Vec<String>,
    },
    /// Something the user should know that does not stop the job.
    Warning(Diagnostic),
    /// One of possibly many reasons why the job will fail.
    Problem(Diagnostic),
    /// The job succeeded.
    Done(Box<Report>),
    /// The job failed; the problems were sent before.
    Failed {
        /// The problem, where none was sent; else a summary, which is not shown.
        error: Diagnostic,
    },
}
