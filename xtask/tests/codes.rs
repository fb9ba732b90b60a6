//! Error codes in the sources: each is a row of the registry, and each row is used.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use qnn_types::codes;

/// Codes that no part gives at present. The list of codes is append-only, and `cargo qnn explain` still explains these: limits that another
/// code tells now, and what the runtime says in words of its own.
const NOT_GIVEN: &[&str] = &["E0308", "E0404", "E0702", "E0704", "E0707"];

/// Rust files of the crates, but for the registry itself.
fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, out);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            out.push(entry);
        }
    }
}

/// Every `"E0123"` of a text.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("\"E0").filter_map(|(at, _)| {
        let code = text.get(at + 1..at + 6)?;
        let is_code = code[1..].bytes().all(|byte| byte.is_ascii_digit()) && text[at + 6..].starts_with('"');
        is_code.then_some(code)
    })
}

#[test]
fn every_code_in_the_sources_has_a_row_and_every_row_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for entry in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.join("Cargo.toml").is_file() && entry.join("src").is_dir() {
            sources(&entry.join("src"), &mut files);
        }
    }
    let registry = root.join("qnn-types/src/codes");
    let mut used: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in files.iter().filter(|file| !file.starts_with(&registry)) {
        let text = fs::read_to_string(file).unwrap();
        used.extend(literals(&text).map(|code| (code.to_owned(), file.clone())));
    }
    let known: BTreeSet<&str> = codes::all().map(|row| row.code).collect();
    // What a test calls by a number that nobody has.
    let unknown: Vec<_> = used.iter().filter(|(code, _)| !known.contains(code.as_str())).collect();
    assert!(unknown.is_empty(), "no row in qnn-types/src/codes: {unknown:#?}");
    let unused: Vec<&str> = known.iter().copied().filter(|code| !used.contains_key(*code)).collect();
    assert_eq!(unused, NOT_GIVEN, "codes that nothing gives");
    assert!(used.len() > 80, "{} codes", used.len());
}
