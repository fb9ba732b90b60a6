//! Ranges of a model's values over samples: measured once for each graph, however many SoCs ask, and kept in the store.

use crate::compile::{Compiler, Request, changed};
use crate::driver::{JobId, Outcome, Progress, ProgressEvent, run};
use crate::key::Key;
use crate::source::inspect;
use crate::store::Kind;
use qnn_types::{CompileJob, Diagnostic, GraphSpec, Job, Observed, SourceFormat, ValueRange};

impl Compiler<'_> {
    /// What the values of each graph of a request reach on its samples: from the store, else measured now. Nothing for a request without
    /// samples, and nothing where the store cannot be written to, or what it has is to be checked: the compile measures then.
    ///
    /// # Errors
    /// All problems of all graphs.
    pub(crate) fn observed(
        &self,
        request: &Request<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<Observed>, Vec<Diagnostic>> {
        let job = request.job;
        let has_samples = job.samples.is_some() && job.format == SourceFormat::Onnx;
        if !has_samples || self.recheck || self.store.root().is_err() {
            return Ok(Vec::new());
        }
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        for spec in &job.graphs {
            match self.observed_graph(request, spec, progress) {
                Ok(values) => all.push(Observed { graph: spec.name.clone(), values }),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(all) } else { Err(problems) }
    }

    fn observed_graph(
        &self,
        request: &Request<'_>,
        spec: &GraphSpec,
        progress: &dyn Progress,
    ) -> Result<Vec<ValueRange>, Vec<Diagnostic>> {
        let one = |problem: Diagnostic| vec![problem.model(&request.job.model)];
        let key = self.ranges_key(request.job, spec, request.facts).map_err(one)?;
        if let Some(known) = self.store.result(Kind::Ranges, &key) {
            return Ok(known);
        }
        let id = id(request, spec);
        let lock = self.store.lock(&key, self.limits.timeout, |pid| {
            // Another SoC of this very run shows what it is at.
            if pid != Some(std::process::id()) {
                progress.event(&id, ProgressEvent::Waiting { pid });
            }
        });
        let _lock = lock.map_err(one)?;
        // Somebody else may have measured it in the meantime.
        if let Some(known) = self.store.result(Kind::Ranges, &key) {
            return Ok(known);
        }
        let job = CompileJob { graphs: vec![spec.clone()], output: None, ..request.job.clone() };
        let Outcome { result, .. } =
            run(&self.worker, &Job::Observe(job), &id, self.options(), &Observing(progress));
        let Some(Observed { values, .. }) = result?.ranges.pop() else {
            return Err(one(Diagnostic::new("E0506", "the worker reports success and measured nothing")));
        };
        self.are_unchanged(request, spec, &key).map_err(one)?;
        self.store.keep(Kind::Ranges, &key, &values).map_err(one)?;
        Ok(values)
    }

    /// The files that the key was made from are what they were, as for a compile.
    fn are_unchanged(&self, request: &Request<'_>, spec: &GraphSpec, key: &Key) -> Result<(), Diagnostic> {
        let facts = inspect(&request.job.source, request.job.format, &self.store.memo());
        let now = facts.as_ref().ok().and_then(|facts| self.ranges_key(request.job, spec, facts).ok());
        if now.is_some_and(|now| now == *key) { Ok(()) } else { Err(changed(request.job)) }
    }
}

/// Observing, as a person would name it: no SoC has a part in it.
fn id(request: &Request<'_>, spec: &GraphSpec) -> JobId {
    let several = request.job.graphs.len() > 1;
    let part = if several { format!("graph {}", spec.name) } else { String::new() };
    JobId { soc: String::new(), part, ..JobId::of(request.package, request.job) }
}

/// Tells the start and the end of observing from those of a compile.
struct Observing<'p>(&'p dyn Progress);

impl Progress for Observing<'_> {
    fn event(&self, job: &JobId, event: ProgressEvent<'_>) {
        let event = match event {
            ProgressEvent::Started => ProgressEvent::Observing,
            ProgressEvent::Finished { report, elapsed } => {
                let values = report.ranges.iter().map(|observed| observed.values.len()).sum();
                ProgressEvent::Observed { values, elapsed }
            }
            other => other,
        };
        self.0.event(job, event);
    }
}
