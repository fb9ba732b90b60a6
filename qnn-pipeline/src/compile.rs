//! From jobs to artifacts: what the store has is taken from it, the rest is compiled, side by side.

use std::path::Path;

use crate::driver::{
    JobId, Limits, Outcome, Progress, ProgressEvent, RunOptions, Task, Worker, memory_estimate, run, run_all,
};
use crate::files::hash_file;
use crate::key::{Key, Makers};
use crate::log::Log;
use crate::source::{SourceFacts, inspect};
use crate::store::{Entry, Lookup, Record, Store};
use qnn_types::{CompileJob, Diagnostic, GraphSpec, Job, LlmPartKind, Report, SourceFormat, io_problem};
use qnn_types::{Error, Result};

/// A compile that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The package it is for; empty for a file that belongs to none.
    pub package: &'a str,
    /// The job; its `output` is not looked at.
    pub job: &'a CompileJob,
    /// What is known of its model file.
    pub facts: &'a SourceFacts,
}

impl Request<'_> {
    fn id(&self) -> JobId {
        JobId::of(self.package, self.job)
    }

    /// What a part of a language model is in work, compared with the other parts: time goes by weights, for each graph anew.
    fn work(&self) -> Option<u64> {
        let (part, facts) = self.job.llm.as_ref().zip(self.facts.llm.as_ref())?;
        Some(facts.elements(&part.what).saturating_mul(self.job.graphs.len() as u64))
    }

    /// Memory that the compile is expected to take, bytes.
    fn memory(&self) -> u64 {
        match (&self.job.llm, &self.facts.llm) {
            (Some(part), Some(facts)) => {
                facts.estimated_memory(part, self.job.soc.arch, self.job.graphs.len())
            }
            _ => memory_estimate(self.facts.total_bytes()),
        }
    }
}

/// A context binary and where it came from.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its key.
    pub key: Key,
    /// Its place in the store, and what was reported of it.
    pub entry: Entry,
    /// Whether the store had it before.
    pub cached: bool,
}

/// Everything that jobs are run with.
#[derive(Debug)]
pub struct Compiler<'a> {
    /// Where artifacts are kept.
    pub store: &'a Store,
    /// The QNN build that compiles.
    pub build_id: &'a str,
    /// Who runs jobs.
    pub worker: Worker,
    /// What bounds the run.
    pub limits: Limits,
    /// Where everything is written down.
    pub log: &'a Log,
    /// Folder in which failed jobs are kept.
    pub keep: Option<&'a Path>,
    /// Whether what the store has is compiled all the same, and compared (`QNN_CHECK_CACHE`).
    pub recheck: bool,
}

impl Compiler<'_> {
    /// The key of a request.
    ///
    /// # Errors
    /// A file that the job names cannot be read.
    pub fn key(&self, request: &Request<'_>) -> std::result::Result<Key, Diagnostic> {
        self.key_with(request.job, request.facts)
    }

    fn key_with(&self, job: &CompileJob, facts: &SourceFacts) -> std::result::Result<Key, Diagnostic> {
        Key::new(job, facts, self.makers(), &self.store.memo())
    }

    /// The key of what the values of a graph reach on the job's samples.
    pub(crate) fn ranges_key(
        &self,
        job: &CompileJob,
        spec: &GraphSpec,
        facts: &SourceFacts,
    ) -> std::result::Result<Key, Diagnostic> {
        Key::of_ranges(job, spec, facts, self.makers(), &self.store.memo())
    }

    fn makers(&self) -> Makers<'_> {
        Makers { engine: &self.worker.engine, build_id: self.build_id }
    }

    /// Compiles what the store does not have. The results are in the order of the requests; warnings of all of them come with
    /// it, those of cached artifacts as well.
    ///
    /// # Errors
    /// All problems of all jobs. Artifacts that were made are in the store then.
    pub fn compile(
        &self,
        requests: &[Request<'_>],
        progress: &dyn Progress,
    ) -> Result<(Vec<Compiled>, Vec<Diagnostic>)> {
        let mut warnings = Vec::new();
        let mut results: Vec<Option<Compiled>> = Vec::new();
        let mut missing = Vec::new();
        for (index, request) in requests.iter().enumerate() {
            let key = self.key(request).map_err(|problem| problem.model(&request.job.model))?;
            let found = match self.store.get(&key) {
                Lookup::Hit(_) if self.recheck => {
                    missing.push((index, key));
                    None
                }
                Lookup::Hit(entry) => {
                    self.log.line(&format!(
                        "[{} {}] {key} is in the store",
                        request.job.model, request.job.soc.name
                    ));
                    progress.event(&request.id(), ProgressEvent::Cached);
                    Some(Compiled { key, entry: *entry, cached: true })
                }
                Lookup::Damaged(warning) => {
                    warnings.push(warning.model(&request.job.model));
                    missing.push((index, key));
                    None
                }
                Lookup::Miss => {
                    missing.push((index, key));
                    None
                }
            };
            results.push(found);
        }
        let mut problems = Vec::new();
        if !missing.is_empty() {
            for request in missing.iter().map(|(index, _)| &requests[*index]) {
                if let Some(work) = request.work() {
                    progress.event(&request.id(), ProgressEvent::Queued { work });
                }
            }
            let tasks = missing.iter().map(|(index, key)| {
                let request = &requests[*index];
                Task {
                    memory: request.memory(),
                    run: Box::new(move || self.compile_one(request, key, progress)),
                }
            });
            let outcomes = run_all(tasks.collect(), &self.limits);
            for ((index, _), outcome) in missing.iter().zip(outcomes) {
                match outcome {
                    Ok(compiled) => results[*index] = Some(compiled),
                    Err(found) => problems.extend(found),
                }
            }
        }
        warnings.extend(self.store.warnings());
        let compiled: Vec<Compiled> = results.into_iter().flatten().collect();
        warnings.extend(compiled.iter().flat_map(|compiled| compiled.entry.record.warnings.iter().cloned()));
        warnings = distinct(warnings);
        match Error::from_problems(distinct(problems)) {
            Some(error) => Err(Error { warnings, log: self.log.path().map(Path::to_owned), ..error }),
            None => Ok((compiled, warnings)),
        }
    }

    fn compile_one(
        &self,
        request: &Request<'_>,
        key: &Key,
        progress: &dyn Progress,
    ) -> std::result::Result<Compiled, Vec<Diagnostic>> {
        let id = request.id();
        let lock = self.store.lock(key, self.limits.timeout, |pid| {
            let who = pid.map_or("another process".to_owned(), |pid| format!("process {pid}"));
            self.log.line(&format!("[{} {}] waiting for {who}, which compiles the same", id.model, id.soc));
            progress.event(&id, ProgressEvent::Waiting { pid });
        });
        let lock = lock.map_err(|problem| vec![problem])?;
        // Somebody else may have compiled it in the meantime.
        let known = match self.store.get(key) {
            Lookup::Hit(entry) if !self.recheck => {
                progress.event(&id, ProgressEvent::Cached);
                return Ok(Compiled { key: key.clone(), entry: *entry, cached: true });
            }
            Lookup::Hit(entry) => Some(*entry),
            Lookup::Miss | Lookup::Damaged(_) => None,
        };
        let output = lock.scratch().join("out.bin");
        let ranges = self.observed(request, progress)?;
        let job = Job::Compile(CompileJob { output: Some(output.clone()), ranges, ..request.job.clone() });
        let Outcome { result, warnings } = run(&self.worker, &job, &id, self.options(), progress);
        let report = result?;
        if !output.is_file() {
            let problem = Diagnostic::new("E0506", "the worker reports success and wrote no context binary");
            return Err(vec![problem.model(&id.model).note(format!("{} does not exist", output.display()))]);
        }
        self.is_build(request.job, &report).map_err(|problem| vec![problem.model(&id.model)])?;
        self.is_unchanged(request, key).map_err(|problem| vec![problem.model(&id.model)])?;
        if let Some(entry) = known {
            is_same(&entry, &output).map_err(|problem| vec![problem.model(&id.model)])?;
            return Ok(Compiled { key: key.clone(), entry, cached: true });
        }
        let engine = self.worker.engine.clone();
        let record = Record { model: id.model, soc: id.soc, engine, report, warnings, ..Record::default() };
        let entry = self.store.insert(&lock, key, &output, record).map_err(|problem| vec![problem])?;
        Ok(Compiled { key: key.clone(), entry, cached: false })
    }

    /// The files that the key was made from are what they were: else nobody knows which of their states was compiled, and the
    /// result must not be found by that key.
    fn is_unchanged(&self, request: &Request<'_>, key: &Key) -> std::result::Result<(), Diagnostic> {
        let facts = inspect(&request.job.source, request.job.format, &self.store.memo());
        let now = facts.as_ref().ok().and_then(|facts| self.key_with(request.job, facts).ok());
        if now.is_some_and(|now| now == *key) {
            return Ok(());
        }
        Err(changed(request.job))
    }

    /// The key has the build that the toolchain's record names: a binary of another build must not be found by it.
    fn is_build(&self, job: &CompileJob, report: &Report) -> std::result::Result<(), Diagnostic> {
        let ready = job.format == SourceFormat::ContextBinary;
        let table = job.llm.as_ref().is_some_and(|part| part.what == LlmPartKind::Embedding);
        if ready || table || report.build_id == self.build_id {
            return Ok(());
        }
        let place = job.toolchain.qnn_lib_dir.display();
        Err(Diagnostic::new("E0405", format!("the QNN library in {place} is not the one that is recorded"))
            .note(format!(
                "the record says build {}, the library is build {}",
                self.build_id, report.build_id
            ))
            .help("install the toolchain again: cargo qnn toolchain install --force"))
    }

    /// Runs the checks of every request: everything a compile does but finalizing. Of what it finds only ranges over samples are stored.
    ///
    /// # Errors
    /// All problems of all jobs.
    pub fn check(
        &self,
        requests: &[Request<'_>],
        progress: &dyn Progress,
    ) -> Result<(Vec<Report>, Vec<Diagnostic>)> {
        let tasks = requests.iter().map(|request| {
            let check = move || {
                let ranges = match self.observed(request, progress) {
                    Ok(ranges) => ranges,
                    Err(found) => return Outcome { result: Err(found), warnings: Vec::new() },
                };
                let job = Job::Check(CompileJob { output: None, ranges, ..request.job.clone() });
                run(&self.worker, &job, &request.id(), self.options(), progress)
            };
            Task { memory: request.memory(), run: Box::new(check) }
        });
        let outcomes = run_all(tasks.collect(), &self.limits);
        let (mut reports, mut warnings, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for outcome in outcomes {
            warnings.extend(outcome.warnings);
            match outcome.result {
                Ok(report) => reports.push(report),
                Err(found) => problems.extend(found),
            }
        }
        match Error::from_problems(distinct(problems)) {
            Some(error) => {
                let warnings = distinct(warnings);
                Err(Error { warnings, log: self.log.path().map(Path::to_owned), ..error })
            }
            None => Ok((reports, distinct(warnings))),
        }
    }

    pub(crate) fn options(&self) -> RunOptions<'_> {
        RunOptions { timeout: self.limits.timeout, log: Some(self.log), keep: self.keep }
    }
}

/// What is said of a model that somebody writes.
pub(crate) fn changed(job: &CompileJob) -> Diagnostic {
    Diagnostic::new("E0608", "the model's files were changed while they were compiled")
        .at(job.source.display().to_string())
        .note("the model, its external data, samples, encodings and op packages count; nothing was stored")
        .help("build again when whatever writes them has finished")
}

/// Holds what was compiled again against what the store has under the same key.
fn is_same(entry: &Entry, output: &Path) -> std::result::Result<(), Diagnostic> {
    let read = |error| io_problem("E0604", "cannot read what was compiled", output, &error);
    let (_, hash) = hash_file(output).map_err(read)?;
    if hash.to_hex().as_str() == entry.record.blake3 {
        return Ok(());
    }
    Err(Diagnostic::new("E0609", "compiled again, a model has other bytes than the store has of it")
        .at(entry.path.display().to_string())
        .note(format!("the store has blake3 {}, this compile made {}", entry.record.blake3, hash.to_hex()))
        .help("this is a fault of cargo-qnn: report it with the model; `cargo qnn cache prune --all` removes the entry"))
}

/// What several SoCs of a model say alike is said once.
fn distinct(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    for diagnostic in diagnostics {
        if !out.contains(&diagnostic) {
            out.push(diagnostic);
        }
    }
    out
}
