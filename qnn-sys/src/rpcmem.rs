//! `rpcmem_*`: memory that the CPU and the NPU share, from the system's RPC library (`libcdsprpc.so`). On a device only.

use std::ffi::c_int;
use std::ffi::c_void;
use std::ptr::NonNull;

type Alloc = unsafe extern "C" fn(heap: c_int, flags: u32, size: c_int) -> *mut c_void;
type Free = unsafe extern "C" fn(memory: *mut c_void);
type ToFd = unsafe extern "C" fn(memory: *mut c_void) -> c_int;

/// `RPCMEM_HEAP_ID_SYSTEM`.
const SYSTEM_HEAP: c_int = 25;
/// `RPCMEM_DEFAULT_FLAGS`: cached by the CPU.
const DEFAULT_FLAGS: u32 = 1;

/// The three functions of the allocator.
#[derive(Clone, Copy, Debug)]
pub struct Rpcmem {
    alloc: Alloc,
    free: Free,
    to_fd: ToFd,
}

impl Rpcmem {
    /// The system's, loaded by name; `None` where there is none. It is never unloaded. For devices only: elsewhere a library of this name
    /// is somebody else's.
    pub fn open() -> Option<Rpcmem> {
        let name = crate::library_file_name("cdsprpc");
        // SAFETY: a library of the system.
        let library = std::mem::ManuallyDrop::new(unsafe { libloading::Library::new(name) }.ok()?);
        // SAFETY: the types are those of the functions of these names.
        unsafe {
            Some(Rpcmem {
                alloc: *library.get::<Alloc>("rpcmem_alloc").ok()?,
                free: *library.get::<Free>("rpcmem_free").ok()?,
                to_fd: *library.get::<ToFd>("rpcmem_to_fd").ok()?,
            })
        }
    }

    /// An allocator of other functions.
    ///
    /// # Safety
    /// They must do what those of the system do: `alloc` gives null or `size` writable bytes until `free`, `to_fd` a file descriptor.
    pub const unsafe fn from_functions(alloc: Alloc, free: Free, to_fd: ToFd) -> Rpcmem {
        Rpcmem { alloc, free, to_fd }
    }

    /// So many bytes of zeros and their file descriptor; `None` when there is no room.
    pub fn allocate(&self, bytes: usize) -> Option<(NonNull<u8>, i32)> {
        let size = c_int::try_from(bytes).ok()?;
        // SAFETY: heap and flags are the system's defaults.
        let memory = NonNull::new(unsafe { (self.alloc)(SYSTEM_HEAP, DEFAULT_FLAGS, size) })?.cast::<u8>();
        // SAFETY: the allocator gave `bytes` writable bytes.
        unsafe { memory.write_bytes(0, bytes) };
        // SAFETY: memory of this allocator.
        match unsafe { (self.to_fd)(memory.as_ptr().cast()) } {
            fd if fd >= 0 => Some((memory, fd)),
            _ => {
                // SAFETY: as above, and nobody has seen it.
                unsafe { self.free(memory) };
                None
            }
        }
    }

    /// Frees memory.
    ///
    /// # Safety
    /// It must be of [`Rpcmem::allocate`], freed once, and used by nobody any more.
    pub unsafe fn free(&self, memory: NonNull<u8>) {
        // SAFETY: by this function's contract.
        unsafe { (self.free)(memory.as_ptr().cast()) };
    }
}
