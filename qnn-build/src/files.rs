//! Writing files so that a reader never sees half of one, and a killed process leaves nothing under a real name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A name that no other process or thread uses: for files and folders that are renamed or removed later.
pub(crate) fn unique_name(prefix: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
    format!("{prefix}{}-{count}-{nanos:08x}", std::process::id())
}

/// Writes a file under a temporary name beside `path` and renames it. With `durable` the bytes are on the disk before the
/// name is.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = folder.join(unique_name(".tmp-"));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        if durable {
            file.sync_all()?;
        }
        drop(file);
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Writes a file only when it does not hold these bytes already, so that its modification time means something to cargo.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::read(path) {
        Ok(found) if found == bytes => Ok(()),
        _ => write_atomic(path, bytes, false),
    }
}

/// Makes `to` the same file as `from`: a hard link where the file system allows it, else a copy.
pub(crate) fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    let temporary: PathBuf = to.with_file_name(unique_name(".tmp-"));
    let made = fs::hard_link(from, &temporary)
        .or_else(|_| fs::copy(from, &temporary).map(drop))
        .and_then(|()| fs::rename(&temporary, to));
    // Renaming one name of a file over another name of the same file does nothing and leaves both.
    let _ = fs::remove_file(&temporary);
    made
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Stat {
    bytes: u64,
    modified: u128,
    inode: u64,
}

impl Stat {
    pub(crate) fn of(file: &Path) -> io::Result<Self> {
        let meta = fs::metadata(file)?;
        let modified = meta.modified()?.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        Ok(Self { bytes: meta.len(), modified, inode: inode(&meta) })
    }

    /// Whether the file was written so recently that a later write might not show in its modification time.
    pub(crate) fn is_fresh(&self) -> bool {
        const COARSEST_CLOCK_NS: u128 = 2_000_000_000;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        self.modified + COARSEST_CLOCK_NS > now
    }
}

#[cfg(unix)]
fn inode(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

/// Length and blake3 of a file.
pub(crate) fn hash_file(path: &Path) -> io::Result<(u64, blake3::Hash)> {
    use io::Read;
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    // Large enough for the hash to use its widest kernel on every call.
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hasher.count(), hasher.finalize())),
            Ok(n) => hasher.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_file_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        write_if_changed(&file, b"one").unwrap();
        let before = Stat::of(&file).unwrap();
        write_if_changed(&file, b"one").unwrap();
        assert_eq!(Stat::of(&file).unwrap(), before);
        write_if_changed(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn linking_replaces_what_was_there_and_can_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, b"new").unwrap();
        fs::write(&to, b"old").unwrap();
        for _ in 0..2 {
            link_or_copy(&from, &to).unwrap();
            assert_eq!(fs::read(&to).unwrap(), b"new");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("folder");
        fs::create_dir(&target).unwrap();
        assert!(write_atomic(&target, b"x", true).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
