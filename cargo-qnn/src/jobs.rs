//! Running jobs in worker processes of this very program.

use std::path::PathBuf;
use std::time::Duration;

use qnn_pipeline::Log;
use qnn_pipeline::driver::{self, JobId, Outcome, RunOptions, Worker};
use qnn_platform::env;
use qnn_types::{Job, Report};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::progress::{Shown, Verbs};
use crate::session::Session;
use crate::term::Verbosity;

/// This program as a worker.
pub(crate) fn worker() -> Result<Worker> {
    let path = std::env::current_exe()
        .map_err(|error| Failure::user("cannot tell where this program is").note(error.to_string()))?;
    Ok(Worker { path, engine: qnn_compiler::ENGINE.to_owned() })
}

/// Runs one job, shows its progress and warnings, and returns its report.
pub(crate) fn run(
    session: &Session,
    job: &Job,
    id: &JobId,
    verbs: Verbs,
    timeout: Option<Duration>,
) -> Result<Report> {
    let vendor = VendorLog::new(session);
    let keep = env::var(&env::QNN_KEEP).map(PathBuf::from);
    let timeout = timeout.or_else(|| driver::Limits::from_env().timeout);
    let options = RunOptions { timeout, log: vendor.log.as_ref(), keep: keep.as_deref() };
    let outcome = driver::run(&worker()?, job, id, options, &Shown::new(&session.term, verbs));
    vendor.show(session);
    report(outcome)
}

/// The report of a job that succeeded, or every problem of one that did not.
pub(crate) fn report(outcome: Outcome) -> Result<Report> {
    outcome.result.map_err(|problems| {
        let exit = problems.last().map_or(Exit::Compile, |problem| Failure::from(problem.clone()).exit);
        Failure { exit, problems }
    })
}

/// With `-vv`, everything that a worker and the vendor library in it write.
struct VendorLog {
    log: Option<Log>,
    _file: Option<tempfile::NamedTempFile>,
}

impl VendorLog {
    fn new(session: &Session) -> Self {
        let wanted = session.term.verbosity >= Verbosity::VeryVerbose;
        let file = wanted.then(|| tempfile::NamedTempFile::new().ok()).flatten();
        Self { log: file.as_ref().map(|file| Log::create(file.path())), _file: file }
    }

    fn show(&self, session: &Session) {
        let text = self.log.as_ref().and_then(Log::path).and_then(|path| std::fs::read_to_string(path).ok());
        for line in text.iter().flat_map(|text| text.lines()) {
            session.term.verbose("Worker", line);
        }
    }
}
