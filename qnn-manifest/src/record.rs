//! What a build of a package made, kept in the store: a machine without `cargo-qnn` takes it from there.
//!
//! A record is found by what the manifest asks for, and believed when every model file has the bytes that it had then. It names the files
//! of the store that the app needs, each with its checksum.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use qnn_platform::checksum::{Checksum, checksum};
use qnn_types::{ArtifactManifest, Diagnostic};
use serde::{Deserialize, Serialize};

use crate::load::Manifest;

/// The store's bucket for artifacts and records of this format.
pub const BUCKET: &str = "v1";
/// Folder of records in the bucket; files that no job compiled are in it as well.
pub const FOLDER: &str = "scripts";
/// Version of the record, and a part of its key.
const VERSION: &str = "1";

/// A build of a package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Files that were read, by their paths from the package's folder.
    pub inputs: Vec<Bytes>,
    /// Files of the build's folder, by their paths from the store's bucket.
    pub files: Vec<Placed>,
    /// The generated code.
    pub code: String,
    /// The artifact manifest.
    pub artifacts: ArtifactManifest,
    /// What the user should know.
    pub warnings: Vec<Diagnostic>,
}

/// A file of the store that belongs into a build's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Its name there.
    pub name: String,
    /// Where it is in the store.
    #[serde(flatten)]
    pub from: Bytes,
}

/// A file and what its bytes are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Its XXH64, hexadecimal.
    pub checksum: String,
}

impl Bytes {
    /// What the bytes of `folder/path` are.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(folder: &Path, path: PathBuf) -> io::Result<Self> {
        let mut file = File::open(folder.join(&path))?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let (mut sum, mut buffer, mut bytes) = (Checksum::new(), vec![0; 1 << 20], 0);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Self { path, bytes, checksum: sum.finish().to_string() }),
                count => {
                    sum.update(&buffer[..count]);
                    bytes += count as u64;
                }
            }
        }
    }

    /// The same bytes in another file.
    #[must_use]
    pub fn at(&self, path: PathBuf) -> Self {
        Self { path, ..self.clone() }
    }

    /// Whether the file in `folder` has these bytes.
    pub fn is_in(&self, folder: &Path) -> bool {
        // The length first: it costs nothing.
        std::fs::metadata(folder.join(&self.path)).is_ok_and(|meta| meta.len() == self.bytes)
            && Self::of(folder, self.path.clone()).is_ok_and(|found| found == *self)
    }
}

/// The name of a record: of what the manifest says, wherever the package lies, and of the target.
pub fn key(manifest: &Manifest, target: Option<&str>, host: Option<&str>) -> String {
    let config = serde_json::to_string(&manifest.config).unwrap_or_default();
    // Paths in a loaded manifest are absolute.
    let folder = manifest.folder();
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let config = config.replace(&*folder.to_string_lossy(), ".");
    let local = target.is_none() || target == host;
    let text =
        [VERSION, &manifest.package, &config, target.unwrap_or_default(), if local { "local" } else { "" }];
    let text = text.map(|part| format!("{} {part}\n", part.len())).concat();
    let mut second = Checksum::with_seed(1);
    second.update(text.as_bytes());
    format!("{}{}", checksum(text.as_bytes()), second.finish())
}

/// `record` as the text of its file: its checksum, then JSON.
///
/// # Errors
/// It has no JSON.
pub fn to_text(record: &Record) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(record).map_err(io::Error::other)?;
    Ok([format!("{}\n", checksum(&json)).as_bytes(), &json].concat())
}

/// The record in a file's text; `None` where it is not the one that was written.
pub fn from_text(text: &[u8]) -> Option<Record> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let (sum, json) = (text.get(..end)?, text.get(end + 1..)?);
    (sum == checksum(json).to_string().as_bytes()).then(|| serde_json::from_slice(json).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_was_changed_is_none() {
        let record = Record { code: "mod a {}".to_owned(), ..Record::default() };
        let mut text = to_text(&record).unwrap();
        assert_eq!(from_text(&text), Some(record));
        let last = text.len() - 3;
        text[last] ^= 1;
        assert_eq!(from_text(&text), None);
        assert_eq!(from_text(b""), None);
    }

    #[test]
    fn a_file_is_known_by_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("m"), b"model").unwrap();
        let bytes = Bytes::of(folder.path(), "m".into()).unwrap();
        assert!(bytes.is_in(folder.path()));
        std::fs::write(folder.path().join("m"), b"mode1").unwrap();
        assert!(!bytes.is_in(folder.path()));
    }
}
