//! One process at a time compiles a key; the others wait for it and then find the entry.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::root::Store;
use qnn_manifest::files::unique_name;

use crate::files::{Links, open_with};
use crate::key::Key;
use qnn_types::Diagnostic;
use qnn_types::io_problem;

/// The right to compile a key, until dropped. The operating system takes it back from a process that dies.
#[derive(Debug)]
pub struct Lock {
    /// `None` on file systems without locks.
    _file: Option<File>,
    scratch: PathBuf,
}

impl Lock {
    /// A folder for the worker's output, empty. It goes with the lock.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While the lock is still held. What cannot be removed now goes with the next compile of the key.
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

/// How often a lock with a limit on waiting is asked for again.
const POLL: Duration = Duration::from_millis(50);

impl Store {
    /// Waits for the right to compile `key`, for at most `patience` where there is a limit. `waiting` is called once with the id of
    /// the process that has it, when there is one.
    ///
    /// # Errors
    /// The store cannot be written, or the time is over (`E0505`).
    pub fn lock(
        &self,
        key: &Key,
        patience: Option<Duration>,
        waiting: impl FnOnce(Option<u32>),
    ) -> Result<Lock, Diagnostic> {
        let root = self.writable()?;
        let path = root.join("locks").join(key.as_str());
        let problem = |error| io_problem("E0604", "cannot lock", &path, &error);
        let started = Instant::now();
        let mut waiting = Some(waiting);
        let file = loop {
            // Somebody may have removed it by hand.
            fs::create_dir_all(root.join("locks")).map_err(problem)?;
            let mut file = lock_file(&path).map_err(problem)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let holder = holder(&mut file);
                    if let Some(waiting) = waiting.take() {
                        waiting(holder);
                    }
                    match wait(&file, patience.map(|limit| started + limit)) {
                        Ok(true) => {}
                        Ok(false) => return Err(held(holder, started.elapsed(), &path)),
                        Err(error) if has_no_locks(&error) => break None,
                        Err(error) => return Err(problem(error)),
                    }
                }
                Err(TryLockError::Error(error)) if has_no_locks(&error) => break None,
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => continue,
                Err(TryLockError::Error(error)) => return Err(problem(error)),
            }
            // Pruning removes lock files; a lock on a file without a name excludes nobody.
            if same_file(&file, &path) {
                // Only for the message of whoever waits.
                let _ = file
                    .set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| write!(file, "{}", std::process::id()));
                break Some(file);
            }
        };
        let name = match &file {
            Some(_) => key.as_str().to_owned(),
            None => unique_name(&format!("{key}-")),
        };
        let scratch = root.join("tmp").join(name);
        let lock = Lock { _file: file, scratch };
        // What a killed process left.
        let _ = fs::remove_dir_all(&lock.scratch);
        fs::create_dir_all(&lock.scratch)
            .map_err(|error| io_problem("E0604", "cannot create", &lock.scratch, &error))?;
        Ok(lock)
    }
}

/// The lock file at `path`, open. It is not emptied, and a link in its place is not followed: it could lead to a file of the user's.
fn lock_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    open_with(options.read(true).write(true).create(true).truncate(false), path, Links::Refused)
}

/// The process that says it holds the lock.
fn holder(file: &mut File) -> Option<u32> {
    let mut pid = String::new();
    let _ = file.take(20).read_to_string(&mut pid);
    pid.trim().parse().ok()
}

/// Waits for a lock; `false` when it is not free by `end`.
fn wait(file: &File, end: Option<Instant>) -> io::Result<bool> {
    let Some(end) = end else {
        loop {
            match file.lock() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result.map(|()| true),
            }
        }
    };
    while Instant::now() < end {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Interrupted => return Err(error),
            Err(_) => std::thread::sleep(POLL),
        }
    }
    Ok(false)
}

fn held(holder: Option<u32>, waited: Duration, path: &Path) -> Diagnostic {
    let who = holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
    let message = format!("the time limit was reached while {who} compiled the same model");
    Diagnostic::new("E0505", message)
        .note(format!("waited {} s for {}", waited.as_secs(), path.display()))
        .help("wait for that build, or end it; or raise `--timeout` (QNN_TIMEOUT)")
}

/// Whether the file system has no locks: NFS without a lock daemon, FUSE and others say so in several ways.
pub(crate) fn has_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    if matches!(error.raw_os_error(), Some(libc::ENOLCK | libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP)) {
        return true;
    }
    error.kind() == ErrorKind::Unsupported
}

/// What pruning finds where a compile of a key would be.
pub(super) enum Found {
    /// A process compiles it now.
    Busy,
    /// No process does, and none begins while this is held.
    Free(File),
    /// The file system does not tell.
    Unknown,
}

/// Whether a key is being compiled in the store at `root`; keeps others from beginning to where it is not.
pub(super) fn look(root: &Path, key: &str) -> Found {
    let path = root.join("locks").join(key);
    let Ok(file) = lock_file(&path) else { return Found::Unknown };
    match file.try_lock() {
        Ok(()) if same_file(&file, &path) => Found::Free(file),
        Ok(()) | Err(TryLockError::WouldBlock) => Found::Busy,
        Err(TryLockError::Error(_)) => Found::Unknown,
    }
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |meta: &fs::Metadata| (meta.dev(), meta.ino());
    matches!((file.metadata(), fs::symlink_metadata(path)), (Ok(held), Ok(named)) if id(&held) == id(&named))
}

#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    // An open file cannot be removed there.
    path.exists()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn file_systems_without_locks_say_so_in_several_ways() {
        for code in [libc::ENOLCK, libc::EINVAL, libc::ENOSYS, libc::EOPNOTSUPP] {
            assert!(has_no_locks(&io::Error::from_raw_os_error(code)), "{code}");
        }
        for code in [libc::EACCES, libc::EIO, libc::EINTR, libc::EWOULDBLOCK] {
            assert!(!has_no_locks(&io::Error::from_raw_os_error(code)), "{code}");
        }
    }
}
