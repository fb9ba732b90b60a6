//! Registered memory.

use std::ffi::{c_char, c_void};

use crate::types::DataType;

/// `Qnn_MemShape_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MemShape {
    /// Number of `dim_size`.
    pub num_dim: u32,
    /// Outermost first.
    pub dim_size: *mut u32,
    /// How the elements lie, or null.
    pub shape_config: *const c_char,
}

c_enum! {
    /// `Qnn_MemType_t`: which member of [`MemInfo`] counts.
    MemType, "QNN_MEM_TYPE_" {
        ION = 1,
        CUSTOM = 2,
        DMA_BUF = 3,
        /// Since core 2.37 at the latest.
        DX12 = 4,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `Qnn_MemIonInfo_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MemIonInfo {
    /// File descriptor.
    pub fd: i32,
}

/// `Qnn_MemDmaBufInfo_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MemDmaBufInfo {
    /// File descriptor.
    pub fd: i32,
    /// Where it is mapped.
    pub data: *mut c_void,
}

/// `Qnn_MemDx12BufInfo_t`. Since core 2.37 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MemDx12BufInfo {
    /// Direct3D 12 resource.
    pub resource: *mut c_void,
}

/// The memory of a [`MemDescriptor`], by [`MemType`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union MemInfo {
    /// [`MemType::ION`]
    pub ion: MemIonInfo,
    /// [`MemType::CUSTOM`]: for the HTP backend a [`crate::htp::MemDescriptor`].
    pub custom: *mut c_void,
    /// [`MemType::DMA_BUF`]
    pub dma_buf: MemDmaBufInfo,
    /// [`MemType::DX12`]
    pub dx12: MemDx12BufInfo,
}

/// `Qnn_MemDescriptor_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MemDescriptor {
    /// Shape of the tensor in it.
    pub shape: MemShape,
    /// Element type.
    pub data_type: DataType,
    /// Which member of `info` counts.
    pub mem_type: MemType,
    /// The memory.
    pub info: MemInfo,
}
