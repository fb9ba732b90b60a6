//! Failed calls of the vendor's library.

use std::fmt;

use super::{Cause, Error, ErrorKind};
use crate::codes::Code;

/// A call of the vendor's library that failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VendorError {
    /// The vendor's name of the function, for example `graphFinalize`.
    pub call: &'static str,
    /// What the call was about, for example ``op `conv1` (Conv2d)``; may be empty.
    pub subject: String,
    /// The decoded error code: number, name, cause, remedy.
    pub code: Code,
    /// What the library logged during the call, oldest first: errors and warnings.
    pub log: Vec<String>,
}

impl fmt::Display for VendorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Code { code, name, cause, .. } = self.code;
        write!(f, "{} failed", self.call)?;
        if !self.subject.is_empty() {
            write!(f, " for {}", self.subject)?;
        }
        write!(f, ": {code} {name}: {cause}")?;
        self.log.iter().try_for_each(|line| write!(f, "\n  log: {line}"))
    }
}

impl std::error::Error for VendorError {}

impl From<VendorError> for Error {
    fn from(error: VendorError) -> Error {
        let mut made = Error::new(ErrorKind::Vendor, error.to_string()).with_help(error.code.remedy);
        made.repr.cause = Some(Cause::Vendor(Box::new(error)));
        made
    }
}

impl Error {
    /// Adds a line to what the library logged.
    pub(crate) fn with_log_line(mut self, line: String) -> Error {
        if let Some(Cause::Vendor(error)) = &mut self.repr.cause {
            error.log.push(line);
            self.repr.message = error.to_string();
        }
        self
    }
}
