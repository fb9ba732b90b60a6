//! One process at a time compiles a key; the others wait for it and then find the entry.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::root::Store;
use crate::error::io_problem;
use crate::files::unique_name;
use crate::job::Diagnostic;
use crate::key::Key;

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

impl Store {
    /// Waits for the right to compile `key`. `waiting` is called once with the id of the process that has it, when there is one.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn lock(&self, key: &Key, waiting: impl FnOnce(Option<u32>)) -> Result<Lock, Diagnostic> {
        let root = self.writable()?;
        let path = root.join("locks").join(key.as_str());
        let problem = |error| io_problem("E0604", "cannot lock", &path, &error);
        let mut waiting = Some(waiting);
        let file = loop {
            // Pruning removes empty folders.
            fs::create_dir_all(root.join("locks")).map_err(problem)?;
            let mut options = OpenOptions::new();
            let mut file =
                options.read(true).write(true).create(true).truncate(false).open(&path).map_err(problem)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    if let Some(waiting) = waiting.take() {
                        let mut pid = String::new();
                        let _ = file.read_to_string(&mut pid);
                        waiting(pid.trim().parse().ok());
                    }
                    file.lock().map_err(problem)?;
                }
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => break None,
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

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |meta: &fs::Metadata| (meta.dev(), meta.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(held), Ok(named)) if id(&held) == id(&named))
}

#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    // An open file cannot be removed there.
    path.exists()
}
