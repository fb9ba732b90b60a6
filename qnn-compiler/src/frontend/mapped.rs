//! Read-only maps of model files.

#![expect(unsafe_code, reason = "mapping a file")]

use bytes::Bytes;
use std::fs::File;
use std::io;
use std::path::Path;

/// Maps a regular file; the slices of the result share the map and keep it alive.
///
/// # Errors
///
/// As of opening; also where `path` is not a regular file.
pub(crate) fn map(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    if meta.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the map is private and only read. Another process that writes to or truncates the file meanwhile can change
    // or fault what is read; like every compiler this one takes its inputs to stay as they are while it runs, and it runs
    // in a process of its own (a fault ends the job, not the build).
    let map = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Bytes::from_owner(map))
}

/// Maps a part of a file that this process has written; `offset` is a multiple of the page size.
///
/// # Errors
///
/// As of mapping.
pub(crate) fn map_part(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    // SAFETY: as in `map`; the part was written before and is not written again.
    let map = unsafe { memmap2::MmapOptions::new().offset(offset).len(length).map(file)? };
    Ok(Bytes::from_owner(map))
}
