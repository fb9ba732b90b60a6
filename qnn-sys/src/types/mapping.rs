//! Which source ops and tensors a graph's ops and tensors came from, as a DLC file records it.

use std::ffi::c_char;

c_enum! {
    /// `Qnn_MappingType_t`.
    MappingType, "QNN_OP_MAPPING_TYPE_" {
        TENSOR = 0,
        OP = 1,
    }
}

/// `Qnn_OpMappingPair_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OpMappingPair {
    /// Name in the source model.
    pub name: *const c_char,
    /// What the name names.
    pub mapping_type: MappingType,
}

/// `Qnn_Mapping_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// Name in the graph.
    pub name: *const c_char,
    /// Sources.
    pub pairs: *mut OpMappingPair,
    /// Number of `pairs`.
    pub num_pairs: u32,
}

/// `Qnn_OpMappingV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OpMappingV1 {
    /// The graph.
    pub graph_name: *const c_char,
    /// One per op.
    pub op_mappings: *mut Mapping,
    /// Number of `op_mappings`.
    pub num_op_mappings: u32,
    /// One per tensor.
    pub tensor_mappings: *mut Mapping,
    /// Number of `tensor_mappings`.
    pub num_tensor_mappings: u32,
}

/// `Qnn_OpMapping_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OpMapping {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: *mut OpMappingV1,
}
