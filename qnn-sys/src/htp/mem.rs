//! Memory shared with the NPU.

c_enum! {
    /// `QnnHtpMem_Type_t`: which member of [`MemValue`] counts.
    MemType, "QNN_HTP_MEM_" {
        QURT = 0,
        SHARED_BUFFER = 1,
        WEIGHTS_BUFFER = 2,
        SHARED_SPILLFILL_BUFFER = 3,
        /// Since core 2.37 at the latest.
        SHARED_VTCMBACKUP_BUFFER = 4,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `QnnHtpMem_SharedBufferConfig_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SharedBufferConfig {
    /// File descriptor of the buffer.
    pub fd: i32,
    /// Start in it, bytes.
    pub offset: u64,
}

/// The memory of a [`MemDescriptor`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union MemValue {
    /// An address on the NPU.
    pub qurt_address: u32,
    /// Every kind but [`MemType::QURT`].
    pub shared_buffer: SharedBufferConfig,
}

/// `QnnMemHtp_Descriptor_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MemDescriptor {
    /// Which member of `value` counts.
    pub mem_type: MemType,
    /// Length, bytes.
    pub size: u64,
    /// The memory.
    pub value: MemValue,
}
