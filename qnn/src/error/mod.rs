//! Everything that can go wrong, each with what was found and what to do.
//!
//! An error is four things: its kind, for programs; its message, the facts; its help, what to do; and its cause, the error of another
//! library that is behind it. They are put together in one place, `Display` below. The texts are in `texts.rs`.

mod kind;
pub(crate) mod texts;
mod vendor;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

pub use self::kind::ErrorKind;
pub use self::vendor::VendorError;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the runtime.
///
/// Its text has the facts, what another library said about them, and after `help:` the remedy; [`Error::help`] gives the remedy alone. It
/// is printed so by `fn main() -> Result<(), Box<dyn std::error::Error>>`, too: `Debug` is the same text.
///
/// ```
/// let libs = qnn::QnnLibs { dir: "/no/such/folder".into(), source: qnn::LibrarySource::Explicit };
/// let error = qnn::Backend::open(&libs).unwrap_err();
/// assert_eq!(error.kind(), qnn::ErrorKind::Load);
/// assert!(error.to_string().contains("/no/such/folder"));
/// ```
pub struct Error {
    repr: Box<Repr>,
}

struct Repr {
    kind: ErrorKind,
    message: String,
    help: Cow<'static, str>,
    details: Vec<String>,
    cause: Option<Cause>,
}

/// The error behind an error.
enum Cause {
    /// Of the vendor's library: it is said in the message.
    Vendor(Box<VendorError>),
    /// Of another library: it is said after the message.
    Other(Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.repr.kind
    }

    /// What was found, and what another library said about it: all but the remedy.
    pub fn message(&self) -> String {
        let Repr { message, cause, .. } = &*self.repr;
        match cause {
            Some(Cause::Other(cause)) if message.is_empty() => cause.to_string(),
            Some(Cause::Other(cause)) => format!("{message}: {cause}"),
            Some(Cause::Vendor(_)) | None => message.clone(),
        }
    }

    /// What to do, where something can be said.
    pub fn help(&self) -> Option<&str> {
        Some(&*self.repr.help).filter(|help| !help.is_empty())
    }

    /// The particulars that the message lists, one by one; [`ErrorKind`] says of what.
    pub fn details(&self) -> &[String] {
        &self.repr.details
    }

    /// The vendor's error, where one is behind this.
    pub fn vendor(&self) -> Option<&VendorError> {
        match &self.repr.cause {
            Some(Cause::Vendor(error)) => Some(error),
            _ => None,
        }
    }

    /// The error of another library that is behind this, for example a [`std::io::Error`]. It is part of this error's text already, and
    /// therefore not its [`source`](StdError::source): programs that print a chain of errors would say it twice.
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        match &self.repr.cause {
            Some(Cause::Vendor(error)) => Some(&**error),
            Some(Cause::Other(error)) => Some(&**error),
            None => None,
        }
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        let help = Cow::Borrowed("");
        Error {
            repr: Box::new(Repr { kind, message: message.into(), help, details: Vec::new(), cause: None }),
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Error {
        self.repr.help = help.into();
        self
    }

    pub(crate) fn with_details(mut self, details: Vec<String>) -> Error {
        self.repr.details = details;
        self
    }

    fn with_cause(mut self, cause: impl StdError + Send + Sync + 'static) -> Error {
        self.repr.cause = Some(Cause::Other(Box::new(cause)));
        self
    }

    /// Another message in place of this error's.
    #[cfg(feature = "compose")]
    pub(crate) fn with_message(mut self, message: String) -> Error {
        self.repr.message = message;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        self.help().map_or(Ok(()), |help| write!(f, "\nhelp: {help}"))
    }
}

/// The text for people: what `fn main() -> Result<(), Box<dyn std::error::Error>>` prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Error {}
