//! Reading files that are files; links, hashes and states of files. How files are written: [`qnn_manifest::files`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qnn_manifest::files::{replace, unique_name};

/// Writes a file under a temporary name beside `path` and renames it. With `durable` the bytes are on the disk before the
/// name is.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    replace(path, |file| {
        file.write_all(bytes)?;
        if durable { sync(file) } else { Ok(()) }
    })
}

/// Brings a file's bytes to the disk, where its file system has a disk: others refuse the call.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

/// Opens a file for reading. What is no regular file is an error: a FIFO would wait for a writer, a device need not end.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path, Links::Followed)
}

/// Whether the last part of a path may be a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    Followed,
    /// As for files of the store, which makes no links: somebody else would have put one there.
    Refused,
}

/// Opens a regular file; never waits, whatever the path names.
pub(crate) fn open_with(options: &mut OpenOptions, path: &Path, links: Links) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let no_links = if links == Links::Refused { libc::O_NOFOLLOW } else { 0 };
        options.custom_flags(libc::O_NONBLOCK | no_links);
    }
    #[cfg(not(unix))]
    let _ = links;
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

/// Makes `to` the same file as `from`: a hard link where the file system allows it, else a copy. Where `from` has been removed,
/// the copy is made of `held`, which is the same file, opened before.
pub(crate) fn link_or_copy(from: &Path, held: Option<&File>, to: &Path) -> io::Result<()> {
    let temporary: PathBuf = to.with_file_name(unique_name(".tmp-"));
    let made = fs::hard_link(from, &temporary)
        .or_else(|_| fs::copy(from, &temporary).map(drop))
        .or_else(|error| match held {
            Some(held) if error.kind() == io::ErrorKind::NotFound => copy_open(held, &temporary),
            _ => Err(error),
        })
        .and_then(|()| fs::rename(&temporary, to));
    // Renaming one name of a file over another name of the same file does nothing and leaves both.
    let _ = fs::remove_file(&temporary);
    made
}

/// Copies a file that is open, from its beginning.
fn copy_open(mut from: &File, to: &Path) -> io::Result<()> {
    from.rewind()?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(to)?;
    io::copy(&mut from, &mut file).map(drop)
}

/// What tells one state of a file from another without reading it. Times are nanoseconds since 1970, negative before.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Stat {
    bytes: u64,
    modified: i128,
    /// When the file last changed in any way, which no program can set back; 0 where the system does not tell.
    changed: i128,
    /// Device and inode; 0 where the system does not tell.
    identity: (u64, u64),
}

impl Stat {
    pub(crate) fn of(file: &Path) -> io::Result<Self> {
        let meta = fs::metadata(file)?;
        let modified = nanoseconds(meta.modified()?);
        #[cfg(unix)]
        let (changed, identity) = {
            use std::os::unix::fs::MetadataExt;
            let changed = i128::from(meta.ctime()) * 1_000_000_000 + i128::from(meta.ctime_nsec());
            (changed, (meta.dev(), meta.ino()))
        };
        #[cfg(not(unix))]
        let (changed, identity) = (0, (0, 0));
        Ok(Self { bytes: meta.len(), modified, changed, identity })
    }

    /// Whether it is the same state, or one in which only names of the file came or went: a hard link changes a file's last time, too.
    pub(crate) fn is_but_for_links(&self, other: &Self) -> bool {
        Self { changed: other.changed, ..self.clone() } == *other
    }

    /// Whether the file was written within `coarsest`, the step of the clock of its file system: a later write might not show then.
    pub(crate) fn is_fresh(&self, coarsest: Duration) -> bool {
        let step = i128::try_from(coarsest.as_nanos()).unwrap_or(i128::MAX);
        self.modified.max(self.changed).saturating_add(step) > nanoseconds(SystemTime::now())
    }
}

fn nanoseconds(time: SystemTime) -> i128 {
    let count = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
    time.duration_since(UNIX_EPOCH).map_or_else(|before| -count(before.duration()), count)
}

/// Length and blake3 of a file.
pub(crate) fn hash_file(path: &Path) -> io::Result<(u64, blake3::Hash)> {
    hash_open(&open(path)?)
}

/// Length and blake3 of what is left to read of an open file.
pub(crate) fn hash_open(mut file: &File) -> io::Result<(u64, blake3::Hash)> {
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
    fn linking_replaces_what_was_there_and_can_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, b"new").unwrap();
        fs::write(&to, b"old").unwrap();
        for _ in 0..2 {
            link_or_copy(&from, None, &to).unwrap();
            assert_eq!(fs::read(&to).unwrap(), b"new");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_was_removed_after_it_was_opened_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, b"bytes").unwrap();
        let held = open(&from).unwrap();
        hash_open(&held).unwrap();
        fs::remove_file(&from).unwrap();
        assert!(link_or_copy(&from, None, &to).is_err());
        link_or_copy(&from, Some(&held), &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"bytes");
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_regular_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [&fifo, &link, folder.path()] {
            let error = hash_file(path).unwrap_err();
            assert!(error.to_string().contains("not a regular file"), "{}: {error}", path.display());
        }
        let file = folder.path().join("file");
        fs::write(&file, b"x").unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(open(&link).is_ok());
        assert!(open_with(OpenOptions::new().read(true), &link, Links::Refused).is_err());
    }

    /// A file replaced by another of the same length and time, as `cp -p`, `tar -x` and reproducible archives do.
    #[test]
    #[cfg(unix)]
    fn a_file_with_the_length_and_time_of_the_one_before_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let old = UNIX_EPOCH - Duration::from_secs(1000);
        let write = |bytes: &[u8], time| {
            fs::write(&file, bytes).unwrap();
            File::options().append(true).open(&file).unwrap().set_modified(time).unwrap();
            Stat::of(&file).unwrap()
        };
        let before = write(b"one", old);
        std::thread::sleep(Duration::from_millis(20));
        assert_ne!(write(b"two", old), before);
        assert_ne!(write(b"two", old - Duration::from_secs(1)).modified, before.modified);
    }
}
