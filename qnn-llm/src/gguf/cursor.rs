//! A bounds-checked position in a slice of bytes.

use crate::problem::Problem;

/// Reads little-endian values one after another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()) }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next bytes; `what` is named where the file ends before.
    pub(super) fn take(&mut self, count: u64, what: &str) -> Result<&'a [u8], Problem> {
        let end = usize::try_from(count).ok().and_then(|count| self.at.checked_add(count));
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| {
            Problem::damaged(format!(
                "the file ends within {what}: {count} bytes at offset {} of {} bytes",
                self.at,
                self.bytes.len()
            ))
            .help("fetch or copy the file again and compare its size with the original")
        })?;
        self.at += taken.len();
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Problem> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64, what)?);
        Ok(array)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, Problem> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, Problem> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// Bytes behind their number.
    pub(super) fn string(&mut self, what: &str) -> Result<&'a [u8], Problem> {
        let length = self.u64(what)?;
        self.take(length, what)
    }

    /// A count of things that take `least` bytes each: more than are left cannot be, and would be allocated for.
    pub(super) fn count(&mut self, least: usize, what: &str) -> Result<usize, Problem> {
        let count = self.u64(what)?;
        self.fits(count, least, what)
    }

    pub(super) fn fits(&self, count: u64, least: usize, what: &str) -> Result<usize, Problem> {
        let most = self.left() / least;
        usize::try_from(count).ok().filter(|count| *count <= most).ok_or_else(|| {
            Problem::damaged(format!(
                "the file says that it has {count} {what}, and has room for {most} at most"
            ))
        })
    }
}
