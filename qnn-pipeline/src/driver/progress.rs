//! Progress of running jobs, for a display.

use std::fmt;
use std::time::Duration;

use qnn_types::{CompileJob, Diagnostic, LlmPartKind, Report, Stage};

/// A job, as a person would name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct JobId {
    /// The package the model belongs to.
    pub package: String,
    /// The model.
    pub model: String,
    /// The SoC; empty for jobs that have none.
    pub soc: String,
    /// The part of a language model; empty for other models.
    pub part: String,
}

impl JobId {
    /// The id of a compile for a package; the package is empty for a file that belongs to none.
    pub fn of(package: &str, job: &CompileJob) -> Self {
        let part = job.llm.as_ref().map(|part| &part.what);
        let soc = match part {
            // A table of numbers is for all SoCs.
            Some(LlmPartKind::Embedding) => String::new(),
            _ => job.soc.name.clone(),
        };
        let part = part.map(ToString::to_string).unwrap_or_default();
        Self { package: package.to_owned(), model: job.model.clone(), soc, part }
    }
}

/// `digits (SM8650)`, `tinylm (SM8650) layers 0-6`.
impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.model)?;
        if !self.soc.is_empty() {
            write!(f, " ({})", self.soc)?;
        }
        if !self.part.is_empty() {
            write!(f, " {}", self.part)?;
        }
        Ok(())
    }
}

/// Something that happens to a job.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ProgressEvent<'a> {
    /// The store has the artifact; nothing is compiled.
    Cached,
    /// The job is one of several parts of a model and will be run; how much work it is compared with the others, so that an
    /// estimate of the time can be given.
    Queued {
        /// Weights times graphs.
        work: u64,
    },
    /// Another process compiles the same; its id, where it is known.
    Waiting {
        /// Process id of the one that compiles.
        pid: Option<u32>,
    },
    /// The worker starts.
    Started,
    /// The worker begins a stage.
    Stage {
        /// Which one.
        stage: Stage,
        /// Time since the worker started.
        elapsed: Duration,
    },
    /// A step within a stage: `done` of `total`.
    Step {
        /// Steps finished.
        done: u64,
        /// Steps in all.
        total: u64,
    },
    /// A worker starts to run the model on its samples; it ends with [`ProgressEvent::Observed`] or [`ProgressEvent::Failed`].
    Observing,
    /// It is known what the values of a graph reach.
    Observed {
        /// How many values.
        values: usize,
        /// Time since the worker started.
        elapsed: Duration,
    },
    /// Something the user should know.
    Warning(&'a Diagnostic),
    /// The job succeeded.
    Finished {
        /// What the worker reported.
        report: &'a Report,
        /// Time since the worker started.
        elapsed: Duration,
    },
    /// The job failed; its problems are in the result.
    Failed {
        /// Time since the worker started.
        elapsed: Duration,
    },
}

/// Receives what happens. Called from several threads, in order for each job.
pub trait Progress: Sync {
    /// Something happened to `job`.
    fn event(&self, job: &JobId, event: ProgressEvent<'_>);
}

/// Ignores everything: what a build script uses, which has nowhere to show progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: &JobId, _: ProgressEvent<'_>) {}
}
