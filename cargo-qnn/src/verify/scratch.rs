//! Folders for what a command needs only while it runs. One that a killed command left behind is removed by the next.

use std::fs::{self, File};
use std::path::Path;

use tempfile::TempDir;

use crate::failure::{Failure, Result};

/// What their names begin with.
const PREFIX: &str = "cargo-qnn-verify-";
/// Held while the folder is in use: the system lets go of it when the process ends, however that happens.
const LOCK: &str = ".lock";

/// A folder that is gone with this value.
pub(crate) struct Scratch {
    folder: TempDir,
    _lock: Option<File>,
}

impl Scratch {
    /// A new folder in the system's folder for temporary files.
    pub(crate) fn new() -> Result<Self> {
        let parent = std::env::temp_dir();
        remove_abandoned(&parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent);
        let folder = folder.map_err(|error| Failure::io("cannot write to", &parent, &error))?;
        // Without locks nothing tells the folder from an abandoned one, and none is ever removed.
        let lock = File::create(folder.path().join(LOCK)).ok().filter(|file| file.try_lock().is_ok());
        Ok(Self { folder, _lock: lock })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes folders whose lock is not held. Those of other users cannot be removed, which is right.
fn remove_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        // A folder without a lock is one that was just made, or is on a file system without locks.
        let lock = File::options().write(true).open(entry.path().join(LOCK));
        if lock.is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = parent.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&folder).unwrap();
            folder
        };
        let (held, abandoned, fresh) = (folder("held"), folder("abandoned"), folder("fresh"));
        let lock = File::create(held.join(LOCK)).unwrap();
        lock.try_lock().unwrap();
        fs::write(abandoned.join(LOCK), "").unwrap();
        fs::write(abandoned.join("model.bin"), "x").unwrap();
        remove_abandoned(parent.path());
        assert!(held.exists() && fresh.exists() && !abandoned.exists());
    }
}
