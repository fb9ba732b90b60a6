//! What is wrong with a model.

use std::fmt;
use std::path::Path;

use qnn_types::Diagnostic;

/// What kind of thing is wrong; each has a code in [`qnn_types::codes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The operating system did not give the file.
    Unreadable,
    /// The file is empty, cut off, or says what cannot be.
    Damaged,
    /// No row of [`crate::arch::ARCHITECTURES`].
    UnknownArchitecture,
    /// Tensors that the architecture needs are missing or have another shape.
    Tensors,
    /// Sizes contradict each other, or the model needs what is not supported.
    Config,
    /// A tensor that is needed has a type that is not read.
    UnsupportedType,
    /// The tokenizer cannot be converted.
    Tokenizer,
}

impl Class {
    /// Its code in the error index.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "E0214",
            Self::Damaged => "E0230",
            Self::UnknownArchitecture => "E0231",
            Self::Tensors => "E0232",
            Self::Config => "E0233",
            Self::UnsupportedType => "E0234",
            Self::Tokenizer => "E0235",
        }
    }
}

/// Something wrong with a model: what, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing.
    pub class: Class,
    /// One sentence without a final stop.
    pub message: String,
    /// What was found: further lines.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with a message: one sentence without a final stop.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), notes: Vec::new(), help: None }
    }

    /// Adds a line of what was found.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn damaged(message: impl Into<String>) -> Self {
        Self::new(Class::Damaged, message)
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(Class::Config, message)
    }

    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::new(Class::Unreadable, format!("{} cannot be read", path.display())).note(error.to_string())
    }

    /// Says which file is meant.
    pub(crate) fn of_file(mut self, path: &Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        self.notes.iter().try_for_each(|note| write!(out, "; {note}"))
    }
}

impl std::error::Error for Problem {}

/// With its code.
impl From<Problem> for Diagnostic {
    fn from(problem: Problem) -> Self {
        let diagnostic = Self::new(problem.class.code(), problem.message);
        Self { notes: problem.notes, help: problem.help, ..diagnostic }
    }
}

/// First bytes of the file that Git has instead of a large one.
pub(crate) const LFS: &[u8] = b"version https://git-lfs";

pub(crate) fn lfs_pointer() -> Problem {
    Problem::damaged("this is a Git LFS pointer, not the file itself").help("fetch it: `git lfs pull`")
}

/// All problems of a model that were found; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        out.write_str(&texts.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// The first of many names, and how many more there are: a message that stays readable.
pub(crate) fn some<T: fmt::Display>(names: &[T], most: usize) -> String {
    let shown: Vec<String> = names.iter().take(most).map(T::to_string).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
