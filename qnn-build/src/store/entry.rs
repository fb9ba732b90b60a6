//! Entries: a context binary and what was reported of it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::lock::Lock;
use super::root::Store;
use crate::error::io_problem;
use crate::files::{hash_file, write_atomic};
use crate::job::{Diagnostic, Report};
use crate::key::Key;

/// Up to this size an entry's bytes are hashed at every use; above, only when its file changed since the last time.
const ALWAYS_HASHED: u64 = 32 << 20;

/// What the store knows of an artifact.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// The key, for those who look into the folder.
    pub key: String,
    /// The model it was compiled from, by the name it had then.
    pub model: String,
    /// The SoC it was compiled for.
    pub soc: String,
    /// blake3 of the context binary, hexadecimal.
    pub blake3: String,
    /// Length of the context binary, bytes.
    pub bytes: u64,
    /// What the worker reported, without names of files.
    pub report: Report,
    /// What the worker warned of; a build that finds the entry says it again.
    #[serde(default)]
    pub warnings: Vec<Diagnostic>,
}

/// An artifact in the store.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The context binary.
    pub path: PathBuf,
    /// What is known of it.
    pub record: Record,
}

/// What looking for an entry finds.
#[derive(Debug)]
pub enum Lookup {
    /// The entry, with its bytes verified.
    Hit(Box<Entry>),
    /// Nothing.
    Miss,
    /// An entry that was damaged, and is gone now; the warning to show.
    Damaged(Diagnostic),
}

impl Store {
    /// Looks an artifact up and verifies its bytes.
    pub fn get(&self, key: &Key) -> Lookup {
        let mut damaged = None;
        for root in self.roots() {
            match self.get_in(&root, key) {
                Ok(Some(entry)) => return Lookup::Hit(Box::new(entry)),
                Ok(None) => {}
                Err(warning) => damaged = Some(warning),
            }
        }
        damaged.map_or(Lookup::Miss, Lookup::Damaged)
    }

    fn get_in(&self, root: &Path, key: &Key) -> Result<Option<Entry>, Diagnostic> {
        let (path, side) = files(root, key);
        let Ok(json) = fs::read(&side) else { return Ok(None) };
        let damage = |what: String| {
            // In this order, so that there is no moment with a record and no binary. A read-only store keeps both.
            let _ = fs::remove_file(&side).and_then(|()| fs::remove_file(&path));
            Diagnostic::new("E0601", "a store entry is damaged; it is compiled again")
                .at(path.display().to_string())
                .note(what)
        };
        let record: Record = match serde_json::from_slice(&json) {
            Ok(record) => record,
            Err(error) => return Err(damage(format!("its record cannot be read: {error}"))),
        };
        match self.verify(&path, record.bytes) {
            Ok((bytes, hash)) if bytes == record.bytes && hash == record.blake3 => {
                // For pruning by last use. Also in vain in a read-only store.
                let _ = OpenOptions::new()
                    .append(true)
                    .open(&side)
                    .and_then(|file| file.set_modified(SystemTime::now()));
                Ok(Some(Entry { path, record }))
            }
            Ok((bytes, _)) if bytes != record.bytes => {
                Err(damage(format!("it has {bytes} bytes, {} were written", record.bytes)))
            }
            Ok(_) => Err(damage("its bytes are not those that were written".to_owned())),
            Err(error) => Err(damage(error.to_string())),
        }
    }

    fn verify(&self, path: &Path, bytes: u64) -> io::Result<(u64, String)> {
        let hash = || hash_file(path).map(|(bytes, hash)| (bytes, hash.to_hex().to_string()));
        if bytes <= ALWAYS_HASHED { hash() } else { self.memo().fact("store-1", path, hash) }
    }

    /// Moves a finished context binary from the scratch folder of `lock` into the store. `record` gets its hash and length.
    ///
    /// # Errors
    /// `E0603` when the disk is full, else `E0604`; the store is as before then.
    pub fn insert(
        &self,
        _lock: &Lock,
        key: &Key,
        binary: &Path,
        mut record: Record,
    ) -> Result<Entry, Diagnostic> {
        let root = self.writable()?;
        let (path, side) = files(root, key);
        let problem = |error| io_problem("E0604", "cannot write the store entry", &path, &error);
        // The disk writes while the bytes are hashed.
        let (hashed, synced) = thread::scope(|scope| {
            let disk = scope.spawn(|| File::open(binary)?.sync_all());
            let hashed = hash_file(binary);
            (
                hashed,
                disk.join().unwrap_or_else(|_| Err(io::Error::other("the thread that syncs the file ended"))),
            )
        });
        synced.map_err(problem)?;
        let (bytes, hash) = hashed.map_err(problem)?;
        record.key = key.as_str().to_owned();
        record.bytes = bytes;
        record.blake3 = hash.to_hex().to_string();
        record.report.files.clear();
        let json = serde_json::to_vec_pretty(&record).map_err(|error| problem(io::Error::other(error)))?;
        (|| {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            protect(binary)?;
            fs::rename(binary, &path)?;
            write_atomic(&side, &json, true)
        })()
        .map_err(problem)?;
        Ok(Entry { path, record })
    }
}

/// Builds hard-link entries into their own folders: nobody shall write through such a link.
fn protect(file: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(file, fs::Permissions::from_mode(0o444))?;
    }
    let _ = file;
    Ok(())
}

/// The binary and the record of a key.
fn files(root: &Path, key: &Key) -> (PathBuf, PathBuf) {
    let key = key.as_str();
    let folder = root.join("artifacts").join(&key[..2]);
    (folder.join(format!("{key}.bin")), folder.join(format!("{key}.json")))
}
