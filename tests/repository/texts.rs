//! The texts of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// One file, with its path from the repository's root.
pub(crate) struct Text {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// All files of these kinds, by the ends of their names, but what is built and what others wrote.
pub(crate) fn all(kinds: &[&str]) -> Vec<Text> {
    let root = root();
    let beside = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0
            || (name != "target" && name != "corpus" && (name == ".ci" || !name.starts_with('.')))
    };
    let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(beside).flatten();
    let files = files.filter(|entry| entry.file_type().is_file());
    let named =
        files.filter(|entry| kinds.iter().any(|kind| entry.file_name().to_string_lossy().ends_with(kind)));
    let texts: Vec<Text> = named
        .map(|entry| Text {
            path: entry.path().strip_prefix(&root).unwrap().to_owned(),
            text: fs::read_to_string(entry.path()).unwrap(),
        })
        .collect();
    assert!(texts.len() > 10, "found only {} files of {kinds:?}", texts.len());
    texts
}

/// Pages: what people read.
pub(crate) fn pages() -> Vec<Text> {
    all(&[".md"])
}

/// Fails with all that was found.
pub(crate) fn none(found: &[String]) {
    assert!(found.is_empty(), "{} times:\n{}", found.len(), found.join("\n"));
}
