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

/// An error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// For example `E0103`.
    pub code: &'static str,
    /// What it means, in a few words.
    pub title: &'static str,
    /// Why it happens and what to do, in Markdown.
    pub text: &'static str,
}

/// A subject of codes: its first two digits, its name, its codes.
pub type Group = (&'static str, &'static str, &'static [Code]);

/// Every code by subject, in order.
pub const CODES: &[Group] = &[
    ("E01", "Manifest and plan", manifest::ROWS),
    ("E02", "Model files", model::ROWS),
    ("E03", "What the HTP cannot do", lowering::ROWS),
    ("E04", "QNN libraries and toolchain", vendor::ROWS),
    ("E05", "Worker processes", worker::ROWS),
    ("E06", "Store and output", store::ROWS),
    ("E07", "Device and run time", device::ROWS),
    ("E08", "Command line", command::ROWS),
    ("E09", "Op packages", op_package::ROWS),
];

/// All codes in order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    CODES.iter().flat_map(|(_, _, rows)| rows.iter())
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

const fn row(code: &'static str, title: &'static str, text: &'static str) -> Code {
    Code { code, title, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_in_their_group() {
        for (prefix, name, rows) in CODES {
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
    fn a_code_is_found_in_every_spelling() {
        for spelling in ["E0103", "e0103", "qnn::E0103", "0103", "103", " E0103 "] {
            assert_eq!(find(spelling).map(|row| row.code), Some("E0103"), "{spelling}");
        }
        for nonsense in ["", "E", "E9999", "E01o3", "-1"] {
            assert_eq!(find(nonsense), None, "{nonsense}");
        }
    }
}
