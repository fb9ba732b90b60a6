//! Every error code, with the long explanation that `cargo qnn explain` prints.
//!
//! The list is append-only: a code never changes its meaning and is never given away again. The hundreds tell the
//! subject; each subject has its own file, and a new code is one more row there.

mod command;
mod device;
mod lowering;
mod manifest;
mod model;
mod op_package;
mod store;
mod vendor;
mod worker;

/// What an error stands for to a script: the exit code of `cargo qnn` follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The model, the manifest or a file of the user is wrong, or a comparison missed its threshold.
    User,
    /// The QNN libraries, or another tool that is needed, are missing or damaged.
    Toolchain,
    /// The vendor's compiler refused the model, crashed or ran out of time.
    Compile,
    /// A device could not be reached or refused to run.
    Device,
}

/// An error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// For example `E0103`.
    pub code: &'static str,
    /// What it means, in a few words.
    pub title: &'static str,
    /// Why it happens and what to do, in Markdown.
    pub text: &'static str,
    /// What it stands for, where that is not what its subject stands for.
    class: Option<Class>,
}

/// A subject of codes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Group {
    /// `E` and the first two digits of its codes.
    pub prefix: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its codes stand for, unless a row says otherwise.
    pub class: Class,
    /// Its codes.
    pub codes: &'static [Code],
}

/// Every code by subject, in order.
pub const CODES: &[Group] = &[
    group("E01", "Manifest and plan", Class::User, manifest::ROWS),
    group("E02", "Model files", Class::User, model::ROWS),
    group("E03", "What the HTP cannot do", Class::User, lowering::ROWS),
    group("E04", "QNN libraries and toolchain", Class::Toolchain, vendor::ROWS),
    group("E05", "Worker processes", Class::Compile, worker::ROWS),
    group("E06", "Store and output", Class::User, store::ROWS),
    group("E07", "Device and run time", Class::Device, device::ROWS),
    group("E08", "Command line", Class::User, command::ROWS),
    group("E09", "Op packages", Class::User, op_package::ROWS),
];

/// All codes in order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    CODES.iter().flat_map(|group| group.codes)
}

/// Looks a code up, in any of the spellings `E0103`, `e0103`, `0103`, `103` and `qnn::E0103`.
pub fn find(code: &str) -> Option<&'static Code> {
    let code = code.trim();
    let code = code.strip_prefix("qnn::").unwrap_or(code);
    let digits = code.strip_prefix(['E', 'e']).unwrap_or(code);
    let number: u32 = digits.parse().ok()?;
    let code = format!("E{number:04}");
    all().find(|row| row.code == code)
}

/// What a code stands for; what has no row is the user's to correct.
pub fn class_of(code: &str) -> Class {
    let group = CODES.iter().find(|group| code.starts_with(group.prefix));
    let row = group.and_then(|group| group.codes.iter().find(|row| row.code == code));
    row.and_then(|row| row.class).or(group.map(|group| group.class)).unwrap_or(Class::User)
}

const fn group(prefix: &'static str, name: &'static str, class: Class, codes: &'static [Code]) -> Group {
    Group { prefix, name, class, codes }
}

const fn row(code: &'static str, title: &'static str, text: &'static str) -> Code {
    Code { code, title, text, class: None }
}

impl Code {
    /// A code that stands for something else than its subject.
    const fn class(self, class: Class) -> Self {
        Self { class: Some(class), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_in_their_group() {
        for Group { prefix, name, codes: rows, .. } in CODES {
            assert!(!rows.is_empty(), "{name}");
            assert!(rows.is_sorted_by(|a, b| a.code < b.code), "{name} is not in order");
            for row in *rows {
                assert!(row.code.starts_with(prefix) && row.code.len() == 5, "{}", row.code);
            }
        }
    }

    #[test]
    fn every_code_explains_itself() {
        for row in all() {
            assert!(!row.title.ends_with('.') && row.title.len() < 80, "{}: title", row.code);
            assert!(row.text.ends_with('\n') && row.text.len() > 120, "{}: text", row.code);
            assert!(row.text.lines().all(|line| line.len() <= 100), "{}: line too long", row.code);
        }
    }

    #[test]
    fn a_code_stands_for_what_its_row_says_else_for_what_its_subject_does() {
        for (code, class) in [
            ("E0103", Class::User),
            ("E0306", Class::Compile),
            ("E0401", Class::Toolchain),
            ("E0406", Class::Compile),
            ("E0501", Class::Toolchain),
            ("E0503", Class::Compile),
            ("E0701", Class::Device),
            ("E0911", Class::Compile),
            ("", Class::User),
        ] {
            assert_eq!(class_of(code), class, "{code}");
        }
    }

    #[test]
    fn a_code_is_found_in_every_spelling() {
        for spelling in ["E0103", "e0103", "qnn::E0103", "0103", "103", " E0103 "] {
            assert_eq!(find(spelling).map(|row| row.code), Some("E0103"), "{spelling}");
        }
        for nonsense in ["", "E", "E9999", "E01o3", "-1"] {
            assert_eq!(find(nonsense), None, "{nonsense}");
        }
    }
}
