//! Entries: a context binary and what was reported of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use qnn_platform::checksum::Checksum;
use serde::{Deserialize, Serialize};

use super::lock::Lock;
use super::root::Store;
use super::seal;
use crate::files::{Links, hash_open, open_with, sync, write_atomic};
use crate::key::Key;
use qnn_types::io_problem;
use qnn_types::{Diagnostic, Report};

/// Up to this size an entry's bytes are hashed at every use; above, only when its file changed since the last time.
const ALWAYS_HASHED: u64 = 32 << 20;
/// No record is longer; what is was not written by us.
const LONGEST_RECORD: u64 = 256 << 20;

/// What the store knows of an artifact.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// The key, for those who look into the folder.
    pub key: String,
    /// The model it was compiled from, by the name it had then.
    pub model: String,
    /// The SoC it was compiled for.
    pub soc: String,
    /// Identity of the engine that compiled it.
    #[serde(default)]
    pub engine: String,
    /// blake3 of the context binary, hexadecimal.
    pub blake3: String,
    /// Length of the context binary, bytes.
    pub bytes: u64,
    /// Checksum of the context binary, which the app holds against the file it loads: [`qnn_platform::checksum`], hexadecimal.
    pub checksum: String,
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
    /// The context binary, open: pruning that removes its name does not take it from a build that has found it.
    pub(crate) held: Option<Arc<File>>,
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
        let json = match read_record(&side) {
            Ok(json) => json,
            // Something else lies in its place: a FIFO, a link.
            Err(error) if fs::symlink_metadata(&side).is_ok_and(|meta| !meta.is_file()) => {
                Vec::from(error.to_string())
            }
            Err(_) => return Ok(None),
        };
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
        if !seal::is_whole(&json) || record.key != key.as_str() {
            return Err(damage("its record is not the one that was written".to_owned()));
        }
        let held = match open_with(OpenOptions::new().read(true), &path, Links::Refused) {
            Ok(file) => Arc::new(file),
            Err(error) => return Err(damage(error.to_string())),
        };
        match self.verify(&path, &held, record.bytes) {
            Ok((bytes, hash)) if bytes == record.bytes && hash == record.blake3 => {
                // For pruning by last use. Also in vain in a read-only store.
                let _ = OpenOptions::new()
                    .append(true)
                    .open(&side)
                    .and_then(|file| file.set_modified(SystemTime::now()));
                Ok(Some(Entry { path, record, held: Some(held) }))
            }
            Ok((bytes, _)) if bytes != record.bytes => {
                Err(damage(format!("it has {bytes} bytes, {} were written", record.bytes)))
            }
            Ok(_) => Err(damage("its bytes are not those that were written".to_owned())),
            Err(error) => Err(damage(error.to_string())),
        }
    }

    fn verify(&self, path: &Path, file: &File, bytes: u64) -> io::Result<(u64, String)> {
        let hash = || hash_open(file).map(|(bytes, hash)| (bytes, hash.to_hex().to_string()));
        if bytes <= ALWAYS_HASHED { hash() } else { self.memo().fact("store", path, hash) }
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
        let file = open_with(OpenOptions::new().read(true), binary, Links::Refused)
            .map(Arc::new)
            .map_err(problem)?;
        let (hashed, synced) = thread::scope(|scope| {
            let disk = scope.spawn(|| sync(&file));
            let hashed = hash_both(&file);
            (
                hashed,
                disk.join().unwrap_or_else(|_| Err(io::Error::other("the thread that syncs the file ended"))),
            )
        });
        synced.map_err(problem)?;
        let (bytes, hash, checksum) = hashed.map_err(problem)?;
        record.key = key.as_str().to_owned();
        record.bytes = bytes;
        record.blake3 = hash.to_hex().to_string();
        record.checksum = checksum;
        record.report.files.clear();
        let json = seal::sealed(&record).map_err(problem)?;
        (|| {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            protect(binary)?;
            fs::rename(binary, &path)?;
            write_atomic(&side, &json, true)
        })()
        .map_err(problem)?;
        Ok(Entry { path, record, held: Some(file) })
    }
}

/// The bytes of a record. Whatever lies in its place, this ends.
fn read_record(side: &Path) -> io::Result<Vec<u8>> {
    let file = open_with(OpenOptions::new().read(true), side, Links::Refused)?;
    let mut json = Vec::new();
    file.take(LONGEST_RECORD).read_to_end(&mut json)?;
    Ok(json)
}

/// Length, blake3 and checksum of an open file.
fn hash_both(mut file: &File) -> io::Result<(u64, blake3::Hash, String)> {
    let (mut hasher, mut checksum) = (blake3::Hasher::new(), Checksum::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hasher.count(), hasher.finalize(), checksum.finish().to_string())),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                checksum.update(&buffer[..n]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
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
