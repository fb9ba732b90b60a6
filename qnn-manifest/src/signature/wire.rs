//! Reads the protobuf wire format from a file, and skips the fields that are not needed.

use std::io::{self, BufReader, Read, Seek};

/// Why a message cannot be read.
#[derive(Debug)]
pub enum WireError {
    /// The operating system.
    Io(io::Error),
    /// A length reaches past the end of the file; at this byte.
    Truncated(u64),
    /// The bytes are no protobuf message; at this byte, and what is wrong there.
    Malformed(u64, &'static str),
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        WireError::Io(error)
    }
}

pub(super) type Result<T> = std::result::Result<T, WireError>;

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// A number.
    Varint(u64),
    /// Bytes, text or a message, which end at this position.
    Bytes(u64),
    /// A fixed-width number, skipped.
    Fixed,
}

/// A position in a file of messages.
pub(super) struct Reader<R> {
    inner: BufReader<R>,
    position: u64,
    length: u64,
}

impl<R: Read + Seek> Reader<R> {
    /// `length` is that of the whole file.
    pub(super) fn new(inner: R, length: u64) -> Self {
        Self { inner: BufReader::new(inner), position: 0, length }
    }

    /// Calls `each` for every field up to `end`. A field that it does not read is skipped.
    pub(super) fn message(
        &mut self,
        end: u64,
        each: &mut dyn FnMut(&mut Self, u64, Value) -> Result<()>,
    ) -> Result<()> {
        while self.position < end {
            let start = self.position;
            let tag = self.varint(end)?;
            let value = match tag & 7 {
                0 => Value::Varint(self.varint(end)?),
                1 => self.fixed(8, end)?,
                2 => {
                    let length = self.varint(end)?;
                    match self.position.checked_add(length) {
                        Some(stop) if stop <= end => Value::Bytes(stop),
                        Some(stop) if stop > self.length => return Err(WireError::Truncated(start)),
                        _ => return Err(WireError::Malformed(start, "a field is longer than its message")),
                    }
                }
                5 => self.fixed(4, end)?,
                _ => return Err(WireError::Malformed(start, "unknown wire type")),
            };
            if tag >> 3 == 0 {
                return Err(WireError::Malformed(start, "field number 0"));
            }
            each(self, tag >> 3, value)?;
            if let Value::Bytes(stop) = value {
                self.skip_to(stop)?;
            }
        }
        Ok(())
    }

    /// The bytes up to `stop` as text; `limit` bounds what is believed.
    pub(super) fn text(&mut self, stop: u64, limit: u64) -> Result<String> {
        let length = stop.saturating_sub(self.position);
        if length > limit {
            return Err(WireError::Malformed(self.position, "a name is too long"));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.inner.read_exact(&mut bytes)?;
        self.position += length;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn fixed(&mut self, width: u64, end: u64) -> Result<Value> {
        let stop = self.position + width;
        if stop > end {
            return Err(self.past(end));
        }
        self.skip_to(stop)?;
        Ok(Value::Fixed)
    }

    fn varint(&mut self, end: u64) -> Result<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            if self.position >= end {
                return Err(self.past(end));
            }
            let mut byte = [0];
            self.inner.read_exact(&mut byte)?;
            self.position += 1;
            if shift < 64 {
                value |= u64::from(byte[0] & 0x7f) << shift;
            }
            if byte[0] < 0x80 {
                return Ok(value);
            }
        }
        Err(WireError::Malformed(self.position, "a number has more than ten bytes"))
    }

    fn past(&self, end: u64) -> WireError {
        if end == self.length {
            WireError::Truncated(self.position)
        } else {
            WireError::Malformed(self.position, "a number is cut off")
        }
    }

    fn skip_to(&mut self, stop: u64) -> Result<()> {
        // Nobody moves backwards, and files are smaller than 2^63.
        let forward = stop.saturating_sub(self.position);
        self.inner.seek_relative(i64::try_from(forward).unwrap_or(i64::MAX))?;
        self.position = stop;
        Ok(())
    }
}
