//! Keeps the time of each stage and tells the driver where the job is.

use std::time::Instant;

use qnn_types::{Diagnostic, Event, Stage};

/// Sends events and measures stages.
pub(crate) struct Reporter<'a> {
    send: &'a mut dyn FnMut(Event),
    current: Option<(Stage, Instant)>,
    stages: Vec<(Stage, f64)>,
}

impl<'a> Reporter<'a> {
    /// Events go to `send` as they happen.
    pub(crate) fn new(send: &'a mut dyn FnMut(Event)) -> Self {
        Self { send, current: None, stages: Vec::new() }
    }

    /// A stage begins, and the one before it ends.
    pub(crate) fn stage(&mut self, stage: Stage) {
        self.close();
        self.current = Some((stage, Instant::now()));
        (self.send)(Event::Stage { stage });
    }

    /// A step within the stage is done.
    pub(crate) fn progress(&mut self, done: usize, total: usize) {
        (self.send)(Event::Progress { done: done as u64, total: total as u64 });
    }

    /// Code of op packages runs from now on, and a crash may be theirs; with no ops, no longer.
    pub(crate) fn at_risk(&mut self, ops: Vec<String>) {
        (self.send)(Event::AtRisk { ops });
    }

    /// Something that the user should know.
    pub(crate) fn warn(&mut self, warning: Diagnostic) {
        (self.send)(Event::Warning(warning));
    }

    /// Milliseconds of each stage, in order; a stage that came twice is summed.
    pub(crate) fn finish(&mut self) -> Vec<(Stage, f64)> {
        self.close();
        std::mem::take(&mut self.stages)
    }

    fn close(&mut self) {
        let Some((stage, since)) = self.current.take() else { return };
        let ms = since.elapsed().as_secs_f64() * 1e3;
        match self.stages.iter_mut().find(|(s, _)| *s == stage) {
            Some((_, total)) => *total += ms,
            None => self.stages.push((stage, ms)),
        }
    }
}
