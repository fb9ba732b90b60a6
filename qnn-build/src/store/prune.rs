//! How large the store is, and making it smaller.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use super::entry::Record;
use super::root::Store;
use crate::error::io_problem;
use crate::job::Diagnostic;

/// What killed processes left in `tmp` is removed after this time, whatever else is asked for.
const STALE: Duration = Duration::from_secs(3 * 24 * 3600);

/// Size of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of artifacts.
    pub entries: usize,
    /// Bytes of artifacts.
    pub bytes: u64,
    /// Bytes of everything else in the cache folder.
    pub other_bytes: u64,
}

/// What to remove.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prune {
    /// Everything.
    pub all: bool,
    /// Artifacts that were not used for this long.
    pub unused_for: Option<Duration>,
    /// The longest unused artifacts, until the rest takes at most this many bytes.
    pub max_bytes: Option<u64>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Number of artifacts.
    pub entries: usize,
    /// Bytes in all.
    pub bytes: u64,
}

/// An artifact in a listing of the store.
#[derive(Clone, Debug)]
pub struct EntryInfo {
    /// What is known of it; its bytes are not verified.
    pub record: Record,
    /// When it was last used.
    pub used: SystemTime,
    side: PathBuf,
}

impl Store {
    /// Every artifact, the longest unused first.
    pub fn entries(&self) -> Vec<EntryInfo> {
        let mut entries: Vec<EntryInfo> = self
            .roots()
            .flat_map(|root| files_below(&root.join("artifacts")))
            .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "json"))
            .filter_map(|(side, meta)| {
                let record = serde_json::from_slice(&fs::read(&side).ok()?).ok()?;
                Some(EntryInfo { record, used: meta.modified().ok()?, side })
            })
            .collect();
        entries.sort_by(|a, b| (a.used, &a.side).cmp(&(b.used, &b.side)));
        entries
    }

    /// How large the store is.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for (path, meta) in files_below(self.cache()) {
            if path.extension().is_some_and(|extension| extension == "bin") {
                usage.entries += 1;
                usage.bytes += meta.len();
            } else {
                usage.other_bytes += meta.len();
            }
        }
        usage
    }

    /// Removes artifacts. Those that are being compiled stay; those that a build has linked into its own folder stay there.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn prune(&self, what: Prune) -> Result<Pruned, Diagnostic> {
        let mut pruned = Pruned::default();
        let now = SystemTime::now();
        let entries = self.entries();
        let mut left: u64 = entries.iter().map(|entry| entry.record.bytes).sum();
        for entry in &entries {
            let unused = now.duration_since(entry.used).unwrap_or_default();
            let goes = what.all
                || what.unused_for.is_some_and(|limit| unused >= limit)
                || what.max_bytes.is_some_and(|limit| left > limit);
            if goes {
                left -= entry.record.bytes;
                pruned.entries += 1;
                pruned.bytes += remove(&entry.side)? + remove(&entry.side.with_extension("bin"))?;
            }
        }
        for (path, meta) in files_below(self.cache()) {
            let age = meta.modified().ok().and_then(|time| now.duration_since(time).ok()).unwrap_or_default();
            let in_tmp = path.components().any(|part| part.as_os_str() == "tmp");
            let is_tag = path.file_name().is_some_and(|name| name == "CACHEDIR.TAG");
            let in_use = path.parent().is_some_and(|folder| folder.ends_with("locks")) && is_locked(&path)
                || in_tmp && age < STALE && self.is_being_compiled(&path);
            if (what.all && !is_tag && !in_use) || (in_tmp && age >= STALE) {
                pruned.bytes += remove(&path)?;
            }
        }
        remove_empty_folders(self.cache());
        Ok(pruned)
    }

    /// Whether a file in `tmp/<key>/` belongs to a process that compiles now.
    fn is_being_compiled(&self, path: &Path) -> bool {
        let key = path.parent().and_then(Path::file_name).unwrap_or_default();
        self.roots().any(|root| is_locked(&root.join("locks").join(key)))
    }
}

fn is_locked(path: &Path) -> bool {
    match fs::File::open(path) {
        Ok(file) => matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)),
        Err(_) => false,
    }
}

fn remove(file: &Path) -> Result<u64, Diagnostic> {
    let bytes = fs::metadata(file).map_or(0, |meta| meta.len());
    match fs::remove_file(file) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(io_problem("E0604", "cannot remove", file, &error)),
    }
}

fn files_below(folder: &Path) -> impl Iterator<Item = (PathBuf, fs::Metadata)> + use<> {
    let walk = WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    walk.filter_map(|entry| Some((entry.path().to_owned(), entry.metadata().ok()?)))
}

fn remove_empty_folders(root: &Path) {
    let folders = WalkDir::new(root).min_depth(2).contents_first(true).into_iter().flatten();
    for folder in folders.filter(|entry| entry.file_type().is_dir()) {
        // Folders that are not empty stay.
        let _ = fs::remove_dir(folder.path());
    }
}
