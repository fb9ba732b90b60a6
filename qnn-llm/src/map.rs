//! Files mapped into memory: only pages that are used are read.

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;

use crate::problem::Problem;

/// Maps a file into memory.
pub(crate) fn map(path: &Path) -> Result<Bytes, Problem> {
    open(path).map_err(|error| Problem::unreadable(path, &error))
}

#[expect(unsafe_code, reason = "maps a file")]
fn open(path: &Path) -> io::Result<Bytes> {
    // Before it is opened: a FIFO would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the map is private and only read. Another process that writes to or truncates the file meanwhile can change
    // or fault what is read; like every compiler this one takes its inputs to stay as they are while it runs.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Bytes::from_owner(map))
}
