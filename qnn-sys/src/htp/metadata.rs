//! What a context binary's metadata says about the HTP.

c_enum! {
    /// `QnnHtpSystemContext_GraphInfoBlobVersion_t`.
    GraphBlobVersion, "QNN_SYSTEM_CONTEXT_HTP_GRAPH_INFO_BLOB_" {
        VERSION_V1 = 1,
        /// Since core 2.32 at the latest.
        VERSION_V2 = 2,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `QnnHtpSystemContext_GraphBlobInfoV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GraphBlobInfoV1 {
    /// Buffer for intermediate results that do not fit, bytes.
    pub spill_fill_buffer_size: u64,
    /// Tightly coupled memory the graph was prepared for, bytes.
    pub vtcm_size: u32,
    /// Optimization level.
    pub optimization_level: u32,
    /// 1 when deep-learning bandwidth compression is on.
    pub htp_dlbc: u8,
    /// Vector threads, 0 for the default.
    pub num_hvx_threads: u64,
}

/// `QnnHtpSystemContext_GraphBlobInfo_t`. Version 2.51 of the library writes 112 bytes per graph: this struct (40 bytes, version
/// 1) followed by a [`GraphBlobInfoV2`] (72 bytes).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GraphBlobInfo {
    /// [`GraphBlobVersion::VERSION_V1`].
    pub version: GraphBlobVersion,
    /// The fields.
    pub v1: GraphBlobInfoV1,
}

/// `QnnHtpSystemContext_GraphBlobInfoV2_t`, which follows a [`GraphBlobInfo`]. Since core 2.32 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GraphBlobInfoV2 {
    /// [`GraphBlobVersion::VERSION_V2`].
    pub version: GraphBlobVersion,
    /// Bytes.
    pub native_k_channel_size: u64,
    /// Bytes.
    pub native_v_channel_size: u64,
    /// 1 when inputs and outputs may share memory.
    pub is_safe_share_io: u32,
    /// Inputs and outputs, bytes.
    pub io_tensor_size: u64,
    /// Op data, bytes.
    pub op_data_size: u64,
    /// Constants of this graph alone, bytes.
    pub const_size: u64,
    /// Intermediate tensors in main memory, bytes.
    pub ddr_tensor_size: u64,
    /// Constants shared with other graphs of the context, bytes.
    pub shared_weights_size: u64,
}

/// `QnnHtpSystemContext_ContextBlobInfo_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ContextBlobInfo {
    /// 1.
    pub version: u32,
    /// Generation of the NPU, as [`super::Arch`].
    pub dsp_arch: super::Arch,
}

/// `QnnHtpSystemContext_HwBlobInfoV1_t`, in the metadata of older binaries.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HwBlobInfoV1 {
    /// Which graph.
    pub graph_list_index: u32,
    /// Buffer for intermediate results that do not fit, bytes.
    pub spill_fill_buffer_size: u64,
}

/// `QnnHtpSystemContext_HwBlobInfo_t`, in the metadata of older binaries.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HwBlobInfo {
    /// 1.
    pub version: u32,
    /// The fields.
    pub v1: HwBlobInfoV1,
}
