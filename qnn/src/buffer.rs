//! Memory of tensors that this crate allocates.

use std::fmt;

use crate::pinned::Pinned;
use crate::shared_memory::SharedMemory;

/// A piece of memory, aligned for every element type and for the NPU's cache.
#[derive(Clone, Copy)]
#[repr(C, align(128))]
struct Line([u8; 128]);

/// The memory of one tensor, zeros at first. It stays where it is, so that the library can be told its address once.
pub(crate) struct Buffer {
    memory: Memory,
    /// Bytes of the tensor.
    len: usize,
}

enum Memory {
    Own(Pinned<Line>),
    Shared(SharedMemory),
}

impl Buffer {
    /// Ordinary memory.
    pub(crate) fn new(len: usize) -> Buffer {
        let lines = vec![Line([0; 128]); len.div_ceil(size_of::<Line>())];
        Buffer { memory: Memory::Own(Pinned::new(lines)), len }
    }

    /// Memory that the NPU shares, at least `len` bytes of it.
    pub(crate) fn shared(memory: SharedMemory, len: usize) -> Buffer {
        Buffer { memory: Memory::Shared(memory), len }
    }

    /// Where it begins.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        match &self.memory {
            Memory::Own(lines) => lines.as_ptr().cast(),
            Memory::Shared(memory) => memory.as_ptr(),
        }
    }

    /// The memory, if the NPU shares it.
    pub(crate) fn as_shared(&self) -> Option<&SharedMemory> {
        match &self.memory {
            Memory::Own(_) => None,
            Memory::Shared(memory) => Some(memory),
        }
    }

    #[expect(unsafe_code, reason = "views memory that is owned by address")]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the memory has `len` initialized bytes and lives as long as `self`, which is borrowed; the library writes it only in
        // executions, which borrow it exclusively.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len) }
    }

    #[expect(unsafe_code, reason = "views memory that is owned by address")]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr(), self.len) }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.as_shared().is_some() { "shared" } else { "own" };
        write!(f, "Buffer({} bytes, {kind})", self.len)
    }
}
