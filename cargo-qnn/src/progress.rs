//! Draws what happens to jobs: one line with a spinner each on a terminal, one line at the end of each otherwise.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;
use qnn_build::driver::{JobId, Progress, ProgressEvent};

use crate::term::{Terminal, elapsed, size};

/// The words for one kind of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verbs {
    /// While it runs: `Compiling`.
    pub(crate) doing: &'static str,
    /// When it is done: `Compiled`.
    pub(crate) done: &'static str,
}

pub(crate) const COMPILE: Verbs = Verbs { doing: "Compiling", done: "Compiled" };
pub(crate) const CHECK: Verbs = Verbs { doing: "Checking", done: "Checked" };
pub(crate) const EXECUTE: Verbs = Verbs { doing: "Executing", done: "Executed" };
pub(crate) const REFERENCE: Verbs = Verbs { doing: "Running", done: "Ran" };

/// Shows the progress of jobs on a terminal.
pub(crate) struct Shown<'t> {
    term: &'t Terminal,
    verbs: Verbs,
    lines: Mutex<HashMap<JobId, Line>>,
}

/// The line of a job on a terminal.
struct Line {
    bar: ProgressBar,
    /// What the job is at, in words.
    stage: String,
}

impl<'t> Shown<'t> {
    pub(crate) fn new(term: &'t Terminal, verbs: Verbs) -> Self {
        Self { term, verbs, lines: Mutex::default() }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<JobId, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, job: &JobId) {
        if self.term.is_interactive() {
            let bar = self.term.spinner(self.verbs.doing, &job.to_string());
            self.lines().insert(job.clone(), Line { bar, stage: String::new() });
        } else {
            self.term.status(self.verbs.doing, job.to_string());
        }
    }

    fn stop(&self, job: &JobId) {
        if let Some(line) = self.lines().remove(job) {
            line.bar.finish_and_clear();
        }
    }
}

impl Progress for Shown<'_> {
    fn event(&self, job: &JobId, event: ProgressEvent<'_>) {
        let name = job.to_string();
        match event {
            ProgressEvent::Cached => self.term.verbose("Fresh", name),
            ProgressEvent::Waiting { pid } => {
                let who = pid.map_or("another process".to_owned(), |pid| format!("process {pid}"));
                self.term.status("Blocking", format!("{name}: {who} compiles the same"));
            }
            ProgressEvent::Started => self.start(job),
            ProgressEvent::Stage { stage, .. } => {
                if let Some(line) = self.lines().get_mut(job) {
                    line.stage = format!("{name}: {stage}");
                    line.bar.set_message(line.stage.clone());
                }
            }
            ProgressEvent::Step { done, total } => {
                if let Some(line) = self.lines().get(job) {
                    line.bar.set_message(format!("{} ({done}/{total})", line.stage));
                }
            }
            ProgressEvent::Warning(warning) => self.term.warning(warning),
            ProgressEvent::Finished { report, elapsed: time } => {
                self.stop(job);
                let bytes = if report.ops > 0 {
                    format!(": {}, {} ops", size(report.binary_bytes), report.ops)
                } else {
                    String::new()
                };
                self.term.status(self.verbs.done, format!("{name} in {}{bytes}", elapsed(time)));
            }
            ProgressEvent::Failed { .. } => self.stop(job),
            // What a later version tells, nobody draws yet.
            _ => {}
        }
    }
}
