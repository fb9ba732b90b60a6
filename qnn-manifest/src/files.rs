//! Writing files so that a reader never sees half of one, and a killed process leaves nothing under a real name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A name that no other process or thread uses: for files and folders that are renamed or removed later.
pub fn unique_name(prefix: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
    format!("{prefix}{}-{count}-{nanos:08x}", std::process::id())
}

/// Writes a file under a temporary name beside `path`, and renames it.
///
/// # Errors
/// It cannot be written; nothing is left then.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let temporary = path.with_file_name(unique_name(".tmp-"));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary)
        .and_then(|mut file| write(&mut file))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Writes a file only when it does not hold these bytes already, so that its modification time means something to cargo.
///
/// # Errors
/// It cannot be written.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::read(path) {
        Ok(found) if found == bytes => Ok(()),
        _ => replace(path, |file| file.write_all(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_file_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let modified = || fs::metadata(&file).unwrap().modified().unwrap();
        write_if_changed(&file, b"one").unwrap();
        File::options().append(true).open(&file).unwrap().set_modified(UNIX_EPOCH).unwrap();
        write_if_changed(&file, b"one").unwrap();
        assert_eq!(modified(), UNIX_EPOCH);
        write_if_changed(&file, b"two").unwrap();
        assert_ne!(modified(), UNIX_EPOCH);
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("folder");
        fs::create_dir(&target).unwrap();
        assert!(replace(&target, |file| file.write_all(b"x")).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
