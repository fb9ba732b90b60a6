//! Draws what happens to jobs: one line with a spinner each on a terminal, one line at the end of each otherwise.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use qnn_pipeline::driver::{JobId, Progress, ProgressEvent};

use crate::term::{Terminal, elapsed, size};
use qnn_platform::text::shown;

/// The words for one kind of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verbs {
    /// While it runs: `Compiling`.
    pub(crate) doing: &'static str,
    /// When it is done: `Compiled`.
    pub(crate) done: &'static str,
}

pub(crate) const COMPILE: Verbs = Verbs { doing: "Compiling", done: "Compiled" };
pub(crate) const OBSERVE: Verbs = Verbs { doing: "Measuring", done: "Measured" };
pub(crate) const CHECK: Verbs = Verbs { doing: "Checking", done: "Checked" };
pub(crate) const READ: Verbs = Verbs { doing: "Reading", done: "Read" };
pub(crate) const EXECUTE: Verbs = Verbs { doing: "Executing", done: "Executed" };
pub(crate) const EXPORT: Verbs = Verbs { doing: "Exporting", done: "Exported" };
pub(crate) const EVALUATE: Verbs = Verbs { doing: "Evaluating", done: "Evaluated" };
pub(crate) const REFERENCE: Verbs = Verbs { doing: "Running", done: "Ran" };

/// Shows the progress of jobs on a terminal.
pub(crate) struct Shown<'t> {
    term: &'t Terminal,
    verbs: Verbs,
    lines: Mutex<HashMap<JobId, Line>>,
    work: Mutex<Work>,
}

/// A time that is only estimated: `40 s`, `12 min`.
fn about(time: Duration) -> String {
    match time.as_secs_f64().round() {
        seconds if seconds < 90.0 => format!("{} s", seconds.max(1.0)),
        seconds => format!("{} min", (seconds / 60.0).round()),
    }
}

/// How far the parts of models are.
#[derive(Default)]
struct Work {
    queued: HashMap<JobId, u64>,
    total: u64,
    done: u64,
    started: Option<Instant>,
}

impl Work {
    fn queue(&mut self, job: &JobId, work: u64) {
        self.started.get_or_insert_with(Instant::now);
        self.queued.insert(job.clone(), work);
        self.total += work;
    }

    /// Counts a part that is done; about how long the others will take, where there are some.
    fn finish(&mut self, job: &JobId) -> Option<Duration> {
        self.done += self.queued.remove(job)?;
        // What every part takes beside its weights would be taken for the time of weights.
        if self.done < self.total / 10 || self.done == 0 || self.done >= self.total {
            return None;
        }
        let left = (self.total - self.done) as f64 / self.done as f64;
        Some(self.started?.elapsed().mul_f64(left))
    }
}

/// The line of a job on a terminal.
struct Line {
    bar: ProgressBar,
    /// What the job is at, in words.
    stage: String,
}

impl<'t> Shown<'t> {
    pub(crate) fn new(term: &'t Terminal, verbs: Verbs) -> Self {
        Self { term, verbs, lines: Mutex::default(), work: Mutex::default() }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<JobId, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, job: &JobId, verbs: Verbs) {
        if self.term.is_interactive() {
            let bar = self.term.spinner(verbs.doing, &job.to_string());
            self.lines().insert(job.clone(), Line { bar, stage: String::new() });
        } else {
            self.term.status(verbs.doing, job.to_string());
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
                self.term
                    .status("Blocking", format!("{name}: waiting for {who}, which compiles the same model"));
            }
            ProgressEvent::Queued { work } => self.work().queue(job, work),
            ProgressEvent::Started => self.start(job, self.verbs),
            ProgressEvent::Observing => self.start(job, OBSERVE),
            ProgressEvent::Stage { stage, .. } => {
                if let Some(line) = self.lines().get_mut(job) {
                    line.stage = format!("{name}: {stage}");
                    line.bar.set_message(shown(&line.stage).into_owned());
                }
            }
            ProgressEvent::Step { done, total } => {
                if let Some(line) = self.lines().get(job) {
                    line.bar.set_message(format!("{} ({done}/{total})", shown(&line.stage)));
                }
            }
            ProgressEvent::Warning(warning) => self.term.warning(warning),
            ProgressEvent::Finished { report, elapsed: time } => {
                self.stop(job);
                let bytes = (report.binary_bytes > 0).then(|| size(report.binary_bytes));
                let ops = (report.ops > 0)
                    .then(|| format!("{} op{}", report.ops, if report.ops == 1 { "" } else { "s" }));
                let made: Vec<String> = bytes.into_iter().chain(ops).collect();
                let made = if made.is_empty() { String::new() } else { format!(": {}", made.join(", ")) };
                let left = self.work().finish(job);
                let left = left.map_or(String::new(), |left| format!(", about {} left", about(left)));
                self.term.status(self.verbs.done, format!("{name} in {}{made}{left}", elapsed(time)));
            }
            ProgressEvent::Observed { values, elapsed: time } => {
                self.stop(job);
                let text = format!("{name} on its samples in {}: ranges of {values} values", elapsed(time));
                self.term.status(OBSERVE.done, text);
            }
            ProgressEvent::Failed { .. } => self.stop(job),
            // Events of a later version are ignored.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_from_what_is_done() {
        let id = |part: &str| JobId { part: part.to_owned(), ..JobId::default() };
        let mut work = Work::default();
        for (part, size) in [("a", 10), ("b", 30), ("c", 0)] {
            work.queue(&id(part), size);
        }
        work.started = Some(Instant::now() - Duration::from_secs(10));
        assert_eq!(work.finish(&id("unknown")), None);
        assert_eq!(work.finish(&id("c")), None, "nothing is done yet");
        let left = work.finish(&id("a")).unwrap();
        assert!((30.0..31.0).contains(&left.as_secs_f64()), "{left:?}");
        assert_eq!(work.finish(&id("b")), None, "nothing is left");
        assert_eq!(
            [0.2, 30.4, 89.4, 700.0].map(|s| about(Duration::from_secs_f64(s))),
            ["1 s", "30 s", "89 s", "12 min"]
        );
    }
}
