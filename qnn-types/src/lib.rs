//! Types that the qnn crates, and programs that read their JSON, have in common: plain data, no work.
//!
//! * [`Diagnostic`] is a message of any of them; [`codes`] is the registry of its codes. [`Error`] is all that was found of one step.
//! * [`Message`] is a line of `cargo qnn build --message-format json`; [`ArtifactManifest`] is `qnn-manifest.json`.
//! * [`Job`] goes to a worker process as JSON, [`Event`] lines come back; [`protocol`] describes the way of both.
//! * [`Report`] says what a job made: [`GraphInfo`] and [`TensorInfo`] are what an app sees of a context binary.
//! * [`quant`] is how stored integers stand for real numbers: the one encoding, with its arithmetic.
//! * [`InputSpec`], [`HtpOptions`] and the like are options as Cargo.toml has them.

mod artifacts;
pub mod codes;
mod diagnostic;
mod error;
mod estimate;
mod jobs;
mod llm;
mod messages;
mod normalization;
mod options;
pub mod protocol;
pub mod quant;
mod ranges;
mod report;
mod target;

pub use artifacts::{
    ARTIFACT_MANIFEST, ArtifactKind, ArtifactManifest, ArtifactRecord, Embed, OpPackageRecord,
};
pub use diagnostic::Diagnostic;
pub use error::{Error, Result, io_problem};
pub use estimate::Estimate;
pub use jobs::{
    CompileJob, EvaluateJob, Evaluated, ExecuteJob, ExportJob, OpPackage, ReferenceJob, Samples,
    SourceFormat, Toolchain,
};
pub use llm::{Heads, KvType, LlmPart, LlmPartKind, Strategy};
pub use messages::{Failed, Message, PlannedJob};
pub use normalization::{Affine, Normalization};
pub use options::{Accuracy, GraphSpec, HtpOptions, InputSpec, PerChannel, Precision};
pub use protocol::{Event, Job, PROTOCOL, Stage};
pub use ranges::{Observed, ValueRange};
pub use report::{Activations, ComputedValue, Evaluation, GraphInfo, Report, TensorInfo, WeightReport};
pub use target::Target;
