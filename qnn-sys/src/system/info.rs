//! What a context binary says about itself. The memory belongs to the System context that was asked.

use std::ffi::{c_char, c_void};

use crate::api::PlatformInfo;
use crate::types::{Tensor, Version};

c_enum! {
    /// `QnnSystemContext_GraphInfoVersion_t`: which member of [`GraphInfoBody`] counts.
    GraphInfoVersion, "QNN_SYSTEM_CONTEXT_GRAPH_INFO_" {
        VERSION_1 = 1,
        VERSION_2 = 2,
        VERSION_3 = 3,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `QnnSystemContext_GraphInfoV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GraphInfoV1 {
    /// Name, for `graphRetrieve`.
    pub name: *const c_char,
    /// Number of `inputs`.
    pub num_inputs: u32,
    /// Input tensors, without data.
    pub inputs: *mut Tensor,
    /// Number of `outputs`.
    pub num_outputs: u32,
    /// Output tensors, without data.
    pub outputs: *mut Tensor,
}

/// `QnnSystemContext_GraphInfoV2_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GraphInfoV2 {
    /// Name, inputs, outputs.
    pub v1: GraphInfoV1,
    /// Number of `updateable_tensors`.
    pub num_updateable_tensors: u32,
    /// Tensors that a binary section can change.
    pub updateable_tensors: *mut Tensor,
}

/// `QnnSystemContext_GraphInfoV3_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GraphInfoV3 {
    /// Name, inputs, outputs, updateable tensors.
    pub v2: GraphInfoV2,
    /// Length of `blob_info`, bytes.
    pub blob_info_size: u32,
    /// For the HTP backend a [`crate::htp::GraphBlobInfo`] and what follows it.
    pub blob_info: *mut c_void,
    /// First op.
    pub start_op_index: u32,
    /// Last op.
    pub end_op_index: u32,
}

/// The fields of a [`GraphInfo`]; each version begins with the fields of the one before.
#[repr(C)]
#[derive(Clone, Copy)]
pub union GraphInfoBody {
    /// [`GraphInfoVersion::VERSION_1`]
    pub v1: GraphInfoV1,
    /// [`GraphInfoVersion::VERSION_2`]
    pub v2: GraphInfoV2,
    /// [`GraphInfoVersion::VERSION_3`]
    pub v3: GraphInfoV3,
}

/// `QnnSystemContext_GraphInfo_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GraphInfo {
    /// Which member of `body` counts.
    pub version: GraphInfoVersion,
    /// The fields.
    pub body: GraphInfoBody,
}

c_enum! {
    /// `QnnSystemContext_BinaryInfoVersion_t`: which member of [`BinaryInfoBody`] counts.
    BinaryInfoVersion, "QNN_SYSTEM_CONTEXT_BINARY_INFO_" {
        VERSION_1 = 1,
        VERSION_2 = 2,
        VERSION_3 = 3,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `QnnSystemContext_BinaryInfoV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BinaryInfoV1 {
    /// [`crate::api::backend_id`]
    pub backend_id: u32,
    /// Build of the library that made the binary.
    pub build_id: *const c_char,
    /// Core API of that library.
    pub core_api_version: Version,
    /// Backend API of that library.
    pub backend_api_version: Version,
    /// Name of the SoC, may be empty.
    pub soc_version: *const c_char,
    /// Version of `hw_info_blob`.
    pub hw_info_blob_version: Version,
    /// Version of the binary's format.
    pub context_blob_version: Version,
    /// Length of `hw_info_blob`, bytes.
    pub hw_info_blob_size: u32,
    /// For the HTP backend a [`crate::htp::HwBlobInfo`], or null.
    pub hw_info_blob: *mut c_void,
    /// Length of the backend's part, bytes.
    pub context_blob_size: u64,
    /// Number of `context_tensors`.
    pub num_context_tensors: u32,
    /// Tensors of the context itself.
    pub context_tensors: *mut Tensor,
    /// Number of `graphs`.
    pub num_graphs: u32,
    /// The graphs.
    pub graphs: *mut GraphInfo,
}

/// `QnnSystemContext_BinaryInfoV2_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BinaryInfoV2 {
    /// All of version 1.
    pub v1: BinaryInfoV1,
    /// What the binary was made for, or null.
    pub platform_info: *mut PlatformInfo,
}

/// `QnnSystemContext_BinaryInfoV3_t`, which has no `hw_info_blob` fields and so is laid out anew.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BinaryInfoV3 {
    /// [`crate::api::backend_id`]
    pub backend_id: u32,
    /// Build of the library that made the binary.
    pub build_id: *const c_char,
    /// Core API of that library.
    pub core_api_version: Version,
    /// Backend API of that library.
    pub backend_api_version: Version,
    /// Name of the SoC, may be empty.
    pub soc_version: *const c_char,
    /// Version of the binary's format.
    pub context_blob_version: Version,
    /// Length of the backend's part, bytes.
    pub context_blob_size: u64,
    /// Number of `context_tensors`.
    pub num_context_tensors: u32,
    /// Tensors of the context itself.
    pub context_tensors: *mut Tensor,
    /// Number of `graphs`.
    pub num_graphs: u32,
    /// The graphs.
    pub graphs: *mut GraphInfo,
    /// What the binary was made for, or null; its devices' `extension` is null.
    pub platform_info: *mut PlatformInfo,
    /// Length of `context_metadata`, bytes.
    pub context_metadata_size: u32,
    /// For the HTP backend a [`crate::htp::ContextBlobInfo`], or null.
    pub context_metadata: *mut c_void,
    /// Id of the SoC that the binary was made for, 0 for none.
    pub soc_model: u32,
}

/// The fields of a [`BinaryInfo`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union BinaryInfoBody {
    /// [`BinaryInfoVersion::VERSION_1`]
    pub v1: BinaryInfoV1,
    /// [`BinaryInfoVersion::VERSION_2`]
    pub v2: BinaryInfoV2,
    /// [`BinaryInfoVersion::VERSION_3`]
    pub v3: BinaryInfoV3,
}

/// `QnnSystemContext_BinaryInfo_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BinaryInfo {
    /// Which member of `body` counts.
    pub version: BinaryInfoVersion,
    /// The fields.
    pub body: BinaryInfoBody,
}
