//! Loading a context binary piece by piece through callbacks. Since core 2.32 at the latest.

use std::ffi::c_void;

use super::MemDmaBufInfo;
use crate::types::{ContextBinarySize, ErrorHandle};

/// `Qnn_ContextBinaryDataRequest_t`: a part of the binary.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BinaryDataRequest {
    /// Start in the binary, bytes.
    pub offset: ContextBinarySize,
    /// Length, bytes.
    pub size: ContextBinarySize,
    /// 1 when the backend maps the memory itself.
    pub is_backend_mapping_needed: u8,
}

/// `Qnn_ContextBinaryRawDataResponse_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RawDataResponse {
    /// Memory with the part in it.
    pub mem: *mut c_void,
    /// Where the part starts in `mem`, bytes.
    pub data_start_offset: ContextBinarySize,
    /// Length of `mem`, bytes.
    pub aligned_size: ContextBinarySize,
}

/// `Qnn_ContextBinaryDmaDataResponse_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DmaDataResponse {
    /// Memory with the part in it.
    pub dma_buffer: MemDmaBufInfo,
    /// Where the part starts in it, bytes.
    pub data_start_offset: ContextBinarySize,
    /// Length of the memory, bytes.
    pub aligned_size: ContextBinarySize,
}

/// `Qnn_ContextBinaryRawDataMem_t`: memory the backend is done with.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RawDataMem {
    /// Start.
    pub mem: *mut c_void,
    /// Length, bytes.
    pub mem_size: ContextBinarySize,
}

/// `Qnn_ContextBinaryDmaDataMem_t`: memory the backend is done with.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DmaDataMem {
    /// The buffer.
    pub dma_buffer: MemDmaBufInfo,
    /// Length, bytes.
    pub mem_size: ContextBinarySize,
}

/// `Qnn_ContextBinaryRawDataProviderFn_t`
pub type RawDataProviderFn = unsafe extern "C" fn(
    request: BinaryDataRequest,
    response: *mut RawDataResponse,
    notify_param: *mut c_void,
) -> ErrorHandle;
/// `Qnn_ContextBinaryDmaDataProviderFn_t`
pub type DmaDataProviderFn = unsafe extern "C" fn(
    request: BinaryDataRequest,
    response: *mut DmaDataResponse,
    notify_param: *mut c_void,
) -> ErrorHandle;
/// `Qnn_ContextBinaryRawDataReleaseFn_t`
pub type RawDataReleaseFn = unsafe extern "C" fn(mem: RawDataMem, notify_param: *mut c_void) -> ErrorHandle;
/// `Qnn_ContextBinaryDmaDataReleaseFn_t`
pub type DmaDataReleaseFn = unsafe extern "C" fn(mem: DmaDataMem, notify_param: *mut c_void) -> ErrorHandle;

/// `Qnn_ContextBinaryRawBufferCallbackV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RawBufferCallbackV1 {
    /// Gives a part.
    pub provide: Option<RawDataProviderFn>,
    /// Takes it back.
    pub release: Option<RawDataReleaseFn>,
    /// Handed to both.
    pub notify_param: *mut c_void,
}

/// `Qnn_ContextBinaryDmaBufferCallbackV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DmaBufferCallbackV1 {
    /// Gives a part.
    pub provide: Option<DmaDataProviderFn>,
    /// Takes it back.
    pub release: Option<DmaDataReleaseFn>,
    /// Handed to both.
    pub notify_param: *mut c_void,
}

/// `Qnn_ContextBinaryRawBufferCallback_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RawBufferCallback {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: RawBufferCallbackV1,
}

/// `Qnn_ContextBinaryDmaBufferCallback_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DmaBufferCallback {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: DmaBufferCallbackV1,
}

c_enum! {
    /// `Qnn_ContextBinaryCallbackType_t`: which member of [`BufferCallback`] counts.
    CallbackType, "QNN_CONTEXT_CALLBACK_" {
        RAW_BUFFER = 1,
        DMA_BUFFER = 2,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// The callbacks of a [`ContextBinaryCallback`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union BufferCallback {
    /// [`CallbackType::RAW_BUFFER`]
    pub raw: RawBufferCallback,
    /// [`CallbackType::DMA_BUFFER`]
    pub dma: DmaBufferCallback,
}

/// `Qnn_ContextBinaryCallback_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ContextBinaryCallback {
    /// Which member of `callback` counts.
    pub callback_type: CallbackType,
    /// The callbacks.
    pub callback: BufferCallback,
}
