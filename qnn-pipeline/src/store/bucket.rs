//! Buckets of the store: one for each kind of step, in a folder of its own.
//!
//! What a step makes is found by a key over the identity of what makes it, the digests of its inputs, and its parameters. A step that
//! makes a file has a file and a record ([`super::entry`]); a step whose result is small has the sealed record alone ([`Store::result`]).

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

use qnn_types::{Diagnostic, io_problem};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::root::Store;
use super::seal;
use crate::files::{Links, open_with, write_atomic};
use crate::key::Key;

/// A kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What is known of a file: digests, inputs and outputs, sizes.
    Facts,
    /// Objects and libraries of op packages.
    OpPackage,
    /// Ranges that a model's values take over samples.
    Ranges,
    /// Context binaries, and embedding tables of language models.
    Binary,
    /// Builds of packages, for machines without `cargo-qnn`.
    Build,
}

/// A row of the table of buckets.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// The kind of step.
    pub kind: Kind,
    /// Its folder.
    pub folder: &'static str,
    /// What is in it, as listings call it.
    pub what: &'static str,
}

/// All buckets.
pub const BUCKETS: &[Bucket] = &[
    Bucket { kind: Kind::Binary, folder: "artifacts", what: "context binaries" },
    Bucket { kind: Kind::Ranges, folder: "ranges", what: "ranges of values" },
    Bucket { kind: Kind::OpPackage, folder: "op-packages", what: "op packages" },
    Bucket { kind: Kind::Build, folder: qnn_manifest::record::FOLDER, what: "builds of packages" },
    Bucket { kind: Kind::Facts, folder: "memo", what: "facts of files" },
];

impl Kind {
    /// Its folder in the store.
    pub fn folder(self) -> &'static str {
        BUCKETS.iter().find(|bucket| bucket.kind == self).map_or("", |bucket| bucket.folder)
    }
}

/// No result of a step is longer; what is was not written by us.
const LONGEST: u64 = 256 << 20;

/// A result as it is kept.
#[derive(Serialize, serde::Deserialize)]
struct Kept<T> {
    key: String,
    result: T,
}

impl Store {
    /// The result of a step, where an earlier run left it. One that is damaged is none.
    pub fn result<T: DeserializeOwned>(&self, kind: Kind, key: &Key) -> Option<T> {
        self.roots().find_map(|root| {
            let file =
                open_with(OpenOptions::new().read(true), &place(&root, kind, key), Links::Refused).ok()?;
            let mut text = Vec::new();
            file.take(LONGEST).read_to_end(&mut text).ok()?;
            let kept: Kept<T> = seal::is_whole(&text).then(|| serde_json::from_slice(&text).ok())??;
            (kept.key == key.as_str()).then_some(kept.result)
        })
    }

    /// Keeps the result of a step.
    ///
    /// # Errors
    /// `E0603` when the disk is full, else `E0604`.
    pub fn keep<T: Serialize>(&self, kind: Kind, key: &Key, result: &T) -> Result<(), Diagnostic> {
        let path = place(self.root()?, kind, key);
        let problem = |error| io_problem("E0604", "cannot write to the store", &path, &error);
        let text = seal::sealed(&Kept { key: key.as_str().to_owned(), result }).map_err(problem)?;
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).map_err(problem)?;
        write_atomic(&path, &text, false).map_err(problem)
    }
}

fn place(root: &Path, kind: Kind, key: &Key) -> PathBuf {
    root.join(kind.folder()).join(format!("{}.json", key.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_bucket() {
        for kind in [Kind::Facts, Kind::OpPackage, Kind::Ranges, Kind::Binary, Kind::Build] {
            assert_eq!(BUCKETS.iter().filter(|bucket| bucket.kind == kind).count(), 1, "{kind:?}");
        }
    }

    #[test]
    fn a_result_is_what_was_kept_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned(), None);
        let (key, other) = (Key::of_step(&["one"]), Key::of_step(&["two"]));
        store.keep(Kind::Ranges, &key, &vec![1.5, -2.0]).unwrap();
        assert_eq!(store.result(Kind::Ranges, &key), Some(vec![1.5, -2.0]));
        assert_eq!(store.result::<Vec<f64>>(Kind::Ranges, &other), None);
        assert_eq!(store.result::<Vec<f64>>(Kind::Build, &key), None);

        // Under the name of another key, and damaged.
        let path = |key| place(store.root().unwrap(), Kind::Ranges, key);
        fs::copy(path(&key), path(&other)).unwrap();
        assert_eq!(store.result::<Vec<f64>>(Kind::Ranges, &other), None);
        let text = fs::read_to_string(path(&key)).unwrap().replace("1.5", "1.6");
        fs::write(path(&key), text).unwrap();
        assert_eq!(store.result::<Vec<f64>>(Kind::Ranges, &key), None);
    }
}
