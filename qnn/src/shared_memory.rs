//! Memory that the NPU reads and writes where it is: allocated by the system's RPC library, made known to a context.
//!
//! The emulator has none: its `memRegister` answers 1000 (not supported), measured with QNN 2.51. What is here was therefore run against
//! the fake library of the tests only, not on a device.

use std::ptr::{self, NonNull};
use std::sync::Arc;

use qnn_sys::api::{MemDescriptor, MemInfo, MemIonInfo, MemShape, MemType};
use qnn_sys::rpcmem::Rpcmem;
use qnn_sys::types::{DataType as RawDataType, MemHandle};

use crate::context::OwnedContext;
use crate::gate::vendor;
use crate::{Result, TensorInfo};

/// A piece of such memory, registered with a context for one tensor.
pub(crate) struct SharedMemory {
    rpcmem: Rpcmem,
    address: NonNull<u8>,
    /// What the context calls it.
    pub(crate) handle: MemHandle,
    /// Where it is registered.
    context: Arc<OwnedContext>,
}

// SAFETY: the memory is owned by address, and used through the buffer that owns this; the handle is an opaque address.
#[expect(unsafe_code, reason = "owns memory by address")]
unsafe impl Send for SharedMemory {}
// SAFETY: as above; shared references only read.
#[expect(unsafe_code, reason = "owns memory by address")]
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Allocates memory for a tensor, fills it with zeros and registers it. `None` when there is no memory of this kind left.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor) when the context does not take it.
    #[expect(unsafe_code, reason = "calls the library")]
    pub(crate) fn new(
        rpcmem: Rpcmem,
        context: &Arc<OwnedContext>,
        tensor: &TensorInfo,
    ) -> Result<Option<SharedMemory>> {
        let Some((address, fd)) = rpcmem.allocate(tensor.byte_len()) else { return Ok(None) };
        // Owns the memory from here on.
        let mut memory = SharedMemory { rpcmem, address, handle: ptr::null_mut(), context: context.clone() };
        let mut dims = tensor.dims.clone();
        let descriptor = MemDescriptor {
            shape: MemShape {
                num_dim: dims.len() as u32,
                dim_size: dims.as_mut_ptr(),
                shape_config: ptr::null(),
            },
            data_type: RawDataType(tensor.dtype.code()),
            mem_type: MemType::ION,
            info: MemInfo { ion: MemIonInfo { fd } },
        };
        let mut handle: MemHandle = ptr::null_mut();
        // SAFETY: the context is alive; the descriptor and its dimensions live until the call returns; there is room for one handle.
        unsafe {
            vendor!(
                &context.backend,
                Exclusive,
                mem_register(context.handle, &descriptor, 1, &mut handle),
                "memory of tensor `{}`",
                tensor.name
            )
        }?;
        memory.handle = handle;
        Ok(Some(memory))
    }

    /// Where it begins.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.address.as_ptr()
    }
}

impl Drop for SharedMemory {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // SAFETY: the handle is ours, of a context that is alive, and no execution uses it. Nothing can be done about a failure
            // here, and the library logs it.
            let _ = unsafe { vendor!(&self.context.backend, Exclusive, mem_deregister(&self.handle, 1)) };
        }
        // SAFETY: allocated by this, freed once, and known to the library no more.
        unsafe { self.rpcmem.free(self.address) };
    }
}
