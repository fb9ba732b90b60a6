//! Environment variables and error codes.

use std::collections::BTreeSet;

use crate::texts;

/// Runs of these characters.
fn runs(text: &str, of: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |c: char| !of(c)).filter(|run| !run.is_empty())
}

#[test]
fn every_variable_that_pages_name_is_read() {
    let read: BTreeSet<&str> = qnn_platform::env::ALL.iter().map(|var| var.name).collect();
    // Constants of the vendor's headers and of ours for op packages look alike; the file tests read a variable of their own.
    let declared: String = texts::all(&[".rs", ".h", ".c"])
        .into_iter()
        .filter(|file| {
            ["qnn-sys", "qnn/src", "qnn-ops", "op-package", "qnn-compiler/tests/filetests.rs"]
                .iter()
                .any(|at| file.path.starts_with(at))
        })
        .map(|file| file.text)
        .collect();
    let mut found = Vec::new();
    for page in texts::pages().into_iter().filter(|page| !page.path.ends_with("GENERATED.md")) {
        for name in runs(&page.text, |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
            let ours = ["QNN_", "CARGO_QNN", "ORT_"].iter().any(|prefix| name.starts_with(prefix));
            if ours && !name.ends_with('_') && !read.contains(name) && !declared.contains(name) {
                found.push(format!("{}: {name}", page.path.display()));
            }
        }
    }
    texts::none(&found);
}

#[test]
fn every_error_code_that_is_named_has_an_explanation() {
    let known: BTreeSet<&str> = qnn_types::codes::all().map(|row| row.code).collect();
    let mut found = Vec::new();
    for file in texts::all(&[".md", ".rs"]) {
        for word in runs(&file.text, |c| c.is_ascii_alphanumeric() || c == '_') {
            let digits = word
                .strip_prefix('E')
                .filter(|rest| rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_digit()));
            if digits.is_some_and(|digits| digits.starts_with('0')) && !known.contains(word) {
                found.push(format!("{}: {word}", file.path.display()));
            }
        }
    }
    texts::none(&found);
}
