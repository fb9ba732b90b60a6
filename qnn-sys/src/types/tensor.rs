//! Tensors.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::{ContextHandle, DataType, ErrorHandle, GraphHandle, MemHandle, QuantizeParams};

c_enum! {
    /// `Qnn_TensorType_t`: who writes and reads a tensor.
    TensorType, "QNN_TENSOR_TYPE_" {
        APP_WRITE = 0,
        APP_READ = 1,
        APP_READWRITE = 2,
        NATIVE = 3,
        STATIC = 4,
        NULL = 5,
        UPDATEABLE_STATIC = 6,
        UPDATEABLE_NATIVE = 7,
        UPDATEABLE_APP_WRITE = 8,
        UPDATEABLE_APP_READ = 9,
        UPDATEABLE_APP_READWRITE = 10,
        OPTIONAL_APP_WRITE = 11,
        OPTIONAL_APP_READ = 12,
        OPTIONAL_APP_READWRITE = 13,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `Qnn_TensorDataFormat_t`: how the elements lie in memory.
    TensorDataFormat, "QNN_TENSOR_DATA_FORMAT_" {
        DENSE = 0,
        SPARSE = 1,
        CODEBOOK = 2,
        MX = 3,
        UBWC_RGBA8888 = 4,
        UBWC_NV12 = 5,
        UBWC_NV12_Y = 6,
        UBWC_NV12_UV = 7,
        HMX_WEIGHT_LAYOUT = 8,
        UBWC_NV124R = 9,
        UBWC_NV124R_Y = 10,
        UBWC_NV124R_UV = 11,
        UBWC_P010 = 12,
        UBWC_P010_Y = 13,
        UBWC_P010_UV = 14,
        UBWC_P016 = 15,
        UBWC_P016_Y = 16,
        UBWC_P016_UV = 17,
        UBWC_TP10 = 18,
        UBWC_TP10_Y = 19,
        UBWC_TP10_UV = 20,
        BATCH_ALIGNED_256 = 37,
    }
}

c_enum! {
    /// `Qnn_TensorMemType_t`: which member of [`TensorData`] counts.
    TensorMemType, "QNN_TENSORMEMTYPE_" {
        RAW = 0,
        MEMHANDLE = 1,
        RETRIEVE_RAW = 2,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `Qnn_ClientBuffer_t`: memory of the caller.
///
/// `graphExecute` does not compare `data_size` with the tensor's size: a short buffer is overrun.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ClientBuffer {
    /// Start.
    pub data: *mut c_void,
    /// Length, bytes.
    pub data_size: u32,
}

impl ClientBuffer {
    /// No buffer.
    pub const NULL: Self = Self { data: ptr::null_mut(), data_size: 0 };
}

/// `Qnn_GetTensorRawDataFn_t`: hands the library the data of tensor `id`.
pub type GetTensorRawDataFn = unsafe extern "C" fn(
    context: ContextHandle,
    graph: GraphHandle,
    id: u64,
    client_buffer: *mut ClientBuffer,
) -> ErrorHandle;
/// `Qnn_FreeTensorRawDataFn_t`: the library is done with the data of tensor `id`.
pub type FreeTensorRawDataFn =
    unsafe extern "C" fn(context: ContextHandle, graph: GraphHandle, id: u64) -> ErrorHandle;

/// `Qnn_TensorRetrieveRaw_t`: data fetched when the library needs it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TensorRetrieveRaw {
    /// Called to get the data.
    pub get: Option<GetTensorRawDataFn>,
    /// Called when the library is done with it.
    pub free: Option<FreeTensorRawDataFn>,
}

/// The data of a tensor, by [`TensorMemType`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union TensorData {
    /// [`TensorMemType::RAW`]
    pub client_buffer: ClientBuffer,
    /// [`TensorMemType::MEMHANDLE`]
    pub mem_handle: MemHandle,
    /// [`TensorMemType::RETRIEVE_RAW`], in a [`TensorV2`] only.
    pub retrieve_raw: *mut TensorRetrieveRaw,
}

/// `Qnn_TensorV1_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TensorV1 {
    /// Given by the library when the tensor is created.
    pub id: u32,
    /// Unique in its graph.
    pub name: *const c_char,
    /// Who writes and reads it.
    pub tensor_type: TensorType,
    /// How the elements lie in memory.
    pub data_format: TensorDataFormat,
    /// Element type.
    pub data_type: DataType,
    /// Quantization.
    pub quantize_params: QuantizeParams,
    /// Number of dimensions.
    pub rank: u32,
    /// Outermost first.
    pub dimensions: *mut u32,
    /// Which member of `data` counts.
    pub mem_type: TensorMemType,
    /// The data.
    pub data: TensorData,
}

impl Default for TensorV1 {
    /// No name, shape or data; type and data type undefined, memory raw.
    fn default() -> Self {
        Self {
            id: 0,
            name: ptr::null(),
            tensor_type: TensorType::UNDEFINED,
            data_format: TensorDataFormat::DENSE,
            data_type: DataType::UNDEFINED,
            quantize_params: QuantizeParams::NONE,
            rank: 0,
            dimensions: ptr::null_mut(),
            mem_type: TensorMemType::RAW,
            data: TensorData { client_buffer: ClientBuffer::NULL },
        }
    }
}

c_enum! {
    /// `Qnn_SparseLayoutType_t`.
    SparseLayoutType, "QNN_SPARSE_LAYOUT_" {
        HYBRID_COO = 0,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `Qnn_SparseLayoutHybridCoo_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SparseLayoutHybridCoo {
    /// Elements that are stored.
    pub num_specified_elements: u32,
    /// Leading dimensions that are sparse.
    pub num_sparse_dimensions: u32,
}

/// `Qnn_SparseParams_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SparseParams {
    /// Kind of layout.
    pub layout: SparseLayoutType,
    /// The only layout there is.
    pub hybrid_coo: SparseLayoutHybridCoo,
}

/// `Qnn_TensorV2_t`: [`TensorV1`] and what dynamic and sparse tensors need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TensorV2 {
    /// Given by the library when the tensor is created.
    pub id: u32,
    /// Unique in its graph.
    pub name: *const c_char,
    /// Who writes and reads it.
    pub tensor_type: TensorType,
    /// How the elements lie in memory.
    pub data_format: TensorDataFormat,
    /// Element type.
    pub data_type: DataType,
    /// Quantization.
    pub quantize_params: QuantizeParams,
    /// Number of dimensions.
    pub rank: u32,
    /// Outermost first.
    pub dimensions: *mut u32,
    /// Which member of `data` counts.
    pub mem_type: TensorMemType,
    /// The data.
    pub data: TensorData,
    /// Per dimension 1 when it may change, or null when none may.
    pub is_dynamic_dimensions: *mut u8,
    /// For [`TensorDataFormat::SPARSE`].
    pub sparse_params: SparseParams,
    /// Set by the library for an optional output: 1 when it was written.
    pub is_produced: u8,
}

impl Default for TensorV2 {
    /// No name, shape or data; type and data type undefined, memory raw, dense and static.
    fn default() -> Self {
        let v1 = TensorV1::default();
        Self {
            id: v1.id,
            name: v1.name,
            tensor_type: v1.tensor_type,
            data_format: v1.data_format,
            data_type: v1.data_type,
            quantize_params: v1.quantize_params,
            rank: v1.rank,
            dimensions: v1.dimensions,
            mem_type: v1.mem_type,
            data: v1.data,
            is_dynamic_dimensions: ptr::null_mut(),
            sparse_params: SparseParams {
                layout: SparseLayoutType::UNDEFINED,
                hybrid_coo: SparseLayoutHybridCoo::default(),
            },
            is_produced: 0,
        }
    }
}

c_enum! {
    /// `Qnn_TensorVersion_t`: which member of [`TensorBody`] counts.
    TensorVersion, "QNN_TENSOR_" {
        VERSION_1 = 1,
        VERSION_2 = 2,
        VERSION_UNDEFINED = 0x7FFF_FFFF,
    }
}

/// The fields of a tensor, by [`TensorVersion`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union TensorBody {
    /// [`TensorVersion::VERSION_1`]
    pub v1: TensorV1,
    /// [`TensorVersion::VERSION_2`]
    pub v2: TensorV2,
}

/// `Qnn_Tensor_t`.
///
/// The fields of both versions lie at the same offsets up to and including `data`, so [`Tensor::common`] reads any tensor.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Tensor {
    /// Which member of `body` counts. A context binary stores it.
    pub version: TensorVersion,
    /// The fields.
    pub body: TensorBody,
}

impl Tensor {
    /// A tensor of version 1.
    pub fn from_v1(v1: TensorV1) -> Self {
        // The larger member first, so that the bytes after `v1` are initialised.
        let mut body = TensorBody { v2: TensorV2::default() };
        body.v1 = v1;
        Self { version: TensorVersion::VERSION_1, body }
    }

    /// A tensor of version 2.
    pub fn from_v2(v2: TensorV2) -> Self {
        Self { version: TensorVersion::VERSION_2, body: TensorBody { v2 } }
    }

    /// The fields that both versions have; `None` for a version this crate does not know.
    pub fn common(&self) -> Option<&TensorV1> {
        if matches!(self.version, TensorVersion::VERSION_1 | TensorVersion::VERSION_2) {
            // SAFETY: both members are plain data, and version 2 begins with the fields of version 1 at the same offsets
            // (asserted by the layout tests).
            Some(unsafe { &self.body.v1 })
        } else {
            None
        }
    }

    /// The fields that both versions have, to change; `None` for a version this crate does not know.
    pub fn common_mut(&mut self) -> Option<&mut TensorV1> {
        if matches!(self.version, TensorVersion::VERSION_1 | TensorVersion::VERSION_2) {
            // SAFETY: as in `common`; a write through the reference changes only bytes that version 2 reads the same way.
            Some(unsafe { &mut self.body.v1 })
        } else {
            None
        }
    }
}

/// `Qnn_TensorSetV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TensorSetV1 {
    /// Number of `inputs`.
    pub num_inputs: u32,
    /// Input tensors.
    pub inputs: *mut Tensor,
    /// Number of `outputs`.
    pub num_outputs: u32,
    /// Output tensors.
    pub outputs: *mut Tensor,
}

/// `Qnn_TensorSet_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TensorSet {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: TensorSetV1,
}
