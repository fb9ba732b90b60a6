//! Writing GGUF files: what tests and measurements need.

use std::io::{self, Write};

use crate::weights::Format;

/// Numbers of the types of metadata values.
const U32: u32 = 4;
const I32: u32 = 5;
const F32: u32 = 6;
const BOOL: u32 = 7;
const TEXT: u32 = 8;
const ARRAY: u32 = 9;

const ALIGNMENT: usize = 32;

/// A GGUF file of version 3 in the making: metadata and tensors are declared, then the data is streamed.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    metadata: Vec<u8>,
    values: u64,
    tensors: Vec<u8>,
    count: u64,
    /// Bytes of each tensor.
    lengths: Vec<usize>,
}

impl Writer {
    fn value(&mut self, key: &str, kind: u32) -> &mut Vec<u8> {
        text(&mut self.metadata, key);
        self.metadata.extend(kind.to_le_bytes());
        self.values += 1;
        &mut self.metadata
    }

    /// A text.
    pub fn text(&mut self, key: &str, value: &str) {
        text(self.value(key, TEXT), value);
    }

    /// A whole number.
    pub fn u32(&mut self, key: &str, value: u32) {
        self.value(key, U32).extend(value.to_le_bytes());
    }

    /// A float.
    pub fn f32(&mut self, key: &str, value: f32) {
        self.value(key, F32).extend(value.to_le_bytes());
    }

    /// Truth.
    pub fn bool(&mut self, key: &str, value: bool) {
        self.value(key, BOOL).push(u8::from(value));
    }

    fn array(&mut self, key: &str, kind: u32, count: usize) -> &mut Vec<u8> {
        let out = self.value(key, ARRAY);
        out.extend(kind.to_le_bytes());
        out.extend((count as u64).to_le_bytes());
        out
    }

    /// Texts.
    pub fn texts<T: AsRef<str>>(&mut self, key: &str, values: &[T]) {
        let out = self.array(key, TEXT, values.len());
        values.iter().for_each(|value| text(out, value.as_ref()));
    }

    /// Whole numbers with a sign.
    pub fn i32s(&mut self, key: &str, values: &[i32]) {
        let out = self.array(key, I32, values.len());
        values.iter().for_each(|value| out.extend(value.to_le_bytes()));
    }

    /// Floats.
    pub fn f32s(&mut self, key: &str, values: &[f32]) {
        let out = self.array(key, F32, values.len());
        values.iter().for_each(|value| out.extend(value.to_le_bytes()));
    }

    /// Declares a tensor; dimensions with the slowest first. Its data is written by [`Self::finish`], in the same order.
    pub fn tensor(&mut self, name: &str, dims: &[usize], format: Format) {
        let elements: usize = dims.iter().product();
        let offset: usize = self.lengths.iter().map(|length| length.next_multiple_of(ALIGNMENT)).sum();
        self.lengths.push(elements / format.block() * format.block_bytes());
        self.count += 1;
        let out = &mut self.tensors;
        text(out, name);
        out.extend((dims.len() as u32).to_le_bytes());
        dims.iter().rev().for_each(|dim| out.extend((*dim as u64).to_le_bytes()));
        out.extend(super::types::number(format).to_le_bytes());
        out.extend((offset as u64).to_le_bytes());
    }

    /// Writes the file. `data` writes the bytes of the tensor with that number, as many as its declaration says.
    pub fn finish<W: Write>(
        self,
        out: &mut W,
        mut data: impl FnMut(usize, &mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut head = super::MAGIC.to_vec();
        head.extend(3u32.to_le_bytes());
        head.extend(self.count.to_le_bytes());
        head.extend(self.values.to_le_bytes());
        head.extend(self.metadata);
        head.extend(self.tensors);
        head.resize(head.len().next_multiple_of(ALIGNMENT), 0);
        out.write_all(&head)?;
        for (index, length) in self.lengths.iter().enumerate() {
            let mut counted = Counted { out, count: 0 };
            data(index, &mut counted)?;
            let written = counted.count;
            if written != *length {
                return Err(io::Error::other(format!("tensor {index}: {written} bytes instead of {length}")));
            }
            out.write_all(&[0; ALIGNMENT][..length.next_multiple_of(ALIGNMENT) - length])?;
        }
        Ok(())
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

struct Counted<'a, W> {
    out: &'a mut W,
    count: usize,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.count += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
