//! What a check is, and running all of them side by side, each with its own time limit.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Serialize;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// Not needed here, or not applicable; the detail says why.
    Skip,
    /// Works, with a drawback.
    Warn,
    /// Compiling models does not work like this.
    Fail,
}

impl Verdict {
    /// As it is shown.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Skip => "skip",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    /// What was found, or why the check was skipped.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) remedy: Option<String>,
}

impl Finding {
    pub(crate) fn ok(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, detail: detail.into(), remedy: None }
    }

    pub(crate) fn skip(reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skip, detail: reason.into(), remedy: None }
    }

    pub(crate) fn warn(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    pub(crate) fn fail(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    /// The same with something to do, for a check that was skipped because something is missing.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// A check: a row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Check {
    /// Stable id.
    pub(crate) id: &'static str,
    /// What is checked, in a few words.
    pub(crate) title: &'static str,
    limit: Duration,
    run: fn() -> Finding,
}

impl Check {
    pub(crate) const fn new(id: &'static str, title: &'static str, run: fn() -> Finding) -> Self {
        Self { id, title, limit: Duration::from_secs(10), run }
    }

    /// A check that reads much or starts slow programs.
    pub(crate) const fn slow(id: &'static str, title: &'static str, run: fn() -> Finding) -> Self {
        Self { id, title, limit: Duration::from_secs(60), run }
    }
}

/// A check with its finding, as `--json` shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) detail: String,
    pub(crate) remedy: Option<String>,
    /// How long it took, milliseconds.
    pub(crate) ms: u64,
}

/// Runs the checks at the same time; the answers come in the order of the checks.
pub(crate) fn run_all(checks: &[Check]) -> Vec<Answer> {
    let start = Instant::now();
    let running: Vec<(Check, mpsc::Receiver<(Finding, Duration)>)> = checks
        .iter()
        .map(|check| {
            let (sender, receiver) = mpsc::channel();
            let run = check.run;
            // A check that never ends keeps its thread until the process ends, which is soon.
            std::thread::spawn(move || {
                let start = Instant::now();
                let finding = run();
                // Nobody listens any more when the time limit has passed.
                let _ = sender.send((finding, start.elapsed()));
            });
            (*check, receiver)
        })
        .collect();
    running.into_iter().map(|(check, receiver)| answer(&check, &receiver, start)).collect()
}

fn answer(check: &Check, receiver: &mpsc::Receiver<(Finding, Duration)>, start: Instant) -> Answer {
    let (finding, time) =
        receiver.recv_timeout(check.limit.saturating_sub(start.elapsed())).unwrap_or_else(|_| {
            let detail = format!("no answer within {} s", check.limit.as_secs());
            (Finding::warn(detail, "look for a program or disk that hangs"), check.limit)
        });
    let Finding { verdict, detail, remedy } = finding;
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Answer { id: check.id, title: check.title, verdict, detail, remedy, ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick() -> Finding {
        Finding::ok("done")
    }

    fn endless() -> Finding {
        std::thread::sleep(Duration::from_secs(3600));
        Finding::ok("never")
    }

    #[test]
    fn a_check_that_hangs_is_reported_and_holds_nobody_up() {
        let hanging = Check { limit: Duration::from_millis(30), ..Check::new("b", "hangs", endless) };
        let answers = run_all(&[hanging, Check::new("a", "works", quick)]);
        assert_eq!(answers[0].verdict, Verdict::Warn);
        assert_eq!((answers[1].id, answers[1].verdict), ("a", Verdict::Ok));
    }

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<&str> = super::super::CHECKS.iter().map(|check| check.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), super::super::CHECKS.len());
    }
}
