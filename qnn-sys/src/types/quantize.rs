//! Quantization encodings: how a stored number `q` means `(q + offset) * scale`.

use super::{DataType, FloatEncoding, Tensor};

c_enum! {
    /// `Qnn_Definition_t`: who defines an encoding.
    Definition, "QNN_DEFINITION_" {
        /// The backend chooses.
        IMPL_GENERATED = 0,
        /// The caller gave one.
        DEFINED = 1,
        /// There is none.
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `Qnn_QuantizationEncoding_t`: which member of [`Encoding`] counts.
    QuantizationEncoding, "QNN_QUANTIZATION_ENCODING_" {
        SCALE_OFFSET = 0,
        AXIS_SCALE_OFFSET = 1,
        BW_SCALE_OFFSET = 2,
        BW_AXIS_SCALE_OFFSET = 3,
        BLOCK = 4,
        BLOCKWISE_EXPANSION = 5,
        VECTOR = 6,
        /// Since core 2.32 at the latest.
        FLOAT_BLOCK = 7,
        /// Since core 2.32 at the latest.
        BW_AXIS_SCALE_OFFSET_MAPPED = 8,
        /// Since core 2.32 at the latest.
        BW_BLOCK_MAPPED = 9,
        /// Since core 2.32 at the latest.
        BW_BLOCKWISE_EXPANSION_MAPPED = 10,
        /// Since core 2.32 at the latest.
        BW_FLOAT_BLOCK = 11,
        /// Since core 2.37 at the latest.
        MICROSCALING = 12,
        /// Since core 2.37 at the latest.
        ARRAY_OF = 13,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `Qnn_QuantizationEncodingMapping_t`: which values the stored bits stand for.
    EncodingMapping, "QNN_QUANTIZATION_ENCODING_MAPPING_" {
        STANDARD_SYMMETRIC = 0,
        ASYMMETRIC_PLUS_ONE = 1,
        LINEAR_SYMMETRIC_EXCLUDE_ZERO = 2,
        UNDEFINED = 0x7FFF_FFFF,
    }
}

c_enum! {
    /// `Qnn_BlockwiseExpansionBlockScaleStorageType_t`: which member of [`BlockScales`] counts.
    BlockScaleStorage, "QNN_BLOCKWISE_EXPANSION_BITWIDTH_SCALE_" {
        STORAGE_8 = 0,
        STORAGE_16 = 1,
        STORAGE_UNDEFINED = 0x7FFF_FFFF,
    }
}

/// `Qnn_ScaleOffset_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScaleOffset {
    /// Step size.
    pub scale: f32,
    /// The negated zero point.
    pub offset: i32,
}

/// `Qnn_AxisScaleOffset_t`: one scale and offset per slice along an axis.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AxisScaleOffset {
    /// The axis, from the outermost.
    pub axis: i32,
    /// Number of slices.
    pub num_scale_offsets: u32,
    /// One per slice.
    pub scale_offset: *mut ScaleOffset,
}

/// `Qnn_BwScaleOffset_t`: per-tensor, with values narrower than their storage.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BwScaleOffset {
    /// Bits used.
    pub bitwidth: u32,
    /// Step size.
    pub scale: f32,
    /// The negated zero point.
    pub offset: i32,
}

/// `Qnn_BwAxisScaleOffset_t`: per-axis, with values narrower than their storage.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BwAxisScaleOffset {
    /// Bits used.
    pub bitwidth: u32,
    /// The axis, from the outermost.
    pub axis: i32,
    /// Number of slices.
    pub num_elements: u32,
    /// One per slice.
    pub scales: *mut f32,
    /// One per slice, or null when all are zero.
    pub offsets: *mut i32,
}

/// `Qnn_BwAxisScaleOffsetMapped_t`. Since core 2.32 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BwAxisScaleOffsetMapped {
    /// Bits used.
    pub bitwidth: u32,
    /// The axis, from the outermost.
    pub axis: i32,
    /// Meaning of the bits.
    pub mapping: EncodingMapping,
    /// Number of slices.
    pub num_elements: u32,
    /// One per slice.
    pub scales: *mut f32,
    /// One per slice, or null when all are zero.
    pub offsets: *mut i32,
}

/// `Qnn_BlockEncoding_t`: one scale and offset per block.
///
/// For weights the HTP backend reads the blocks with the output channel outermost, whatever the axis order of the tensor.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BlockEncoding {
    /// Extent of a block in each dimension of the tensor.
    pub block_size: *mut u32,
    /// One per block.
    pub scale_offset: *mut ScaleOffset,
}

/// `Qnn_BwBlockMapped_t`. Since core 2.32 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BwBlockMapped {
    /// Bits used.
    pub bitwidth: u32,
    /// Meaning of the bits.
    pub mapping: EncodingMapping,
    /// Extent of a block in each dimension of the tensor.
    pub block_size: *mut u32,
    /// One per block.
    pub scale_offset: *mut ScaleOffset,
}

/// Block scales of [`BlockwiseExpansion`], by [`BlockScaleStorage`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union BlockScales {
    /// One byte per block.
    pub scales8: *mut u8,
    /// Two bytes per block.
    pub scales16: *mut u16,
}

/// `Qnn_BlockwiseExpansion_t`: low-power block quantization (LPBQ).
///
/// A weight means `q * scale_offsets[c].scale * block_scales[c * num_blocks_per_axis + b]` for output channel `c` and block `b`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BlockwiseExpansion {
    /// The output-channel axis, from the outermost.
    pub axis: i32,
    /// One per output channel.
    pub scale_offsets: *mut ScaleOffset,
    /// Blocks of one output channel.
    pub num_blocks_per_axis: u32,
    /// Bits of a block scale.
    pub block_scale_bitwidth: u32,
    /// Which member of `block_scales` counts.
    pub block_scale_storage: BlockScaleStorage,
    /// Output-channel-major.
    pub block_scales: BlockScales,
}

/// `Qnn_BwBlockwiseExpansionMapped_t`. Since core 2.32 at the latest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BwBlockwiseExpansionMapped {
    /// Bits used.
    pub bitwidth: u32,
    /// Meaning of the bits.
    pub mapping: EncodingMapping,
    /// The output-channel axis, from the outermost.
    pub axis: i32,
    /// One per output channel.
    pub scale_offsets: *mut ScaleOffset,
    /// Blocks of one output channel.
    pub num_blocks_per_axis: u32,
    /// Bits of a block scale.
    pub block_scale_bitwidth: u32,
    /// Which member of `block_scales` counts.
    pub block_scale_storage: BlockScaleStorage,
    /// Output-channel-major.
    pub block_scales: BlockScales,
}

/// `Qnn_VectorEncoding_t`: vector quantization.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VectorEncoding {
    /// Encoding of the codebook's entries.
    pub bw_axis_scale_offset: BwAxisScaleOffset,
    /// Rows of a block.
    pub rows_per_block: u32,
    /// Columns of a block.
    pub columns_per_block: u32,
    /// Elements of a codebook vector.
    pub vector_dimension: u8,
    /// Stride between the elements of a vector.
    pub vector_stride: u8,
    /// Bits of an index.
    pub index_bitwidth: u8,
}

/// `Qnn_FloatScaleOffset_t`. Since core 2.32 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FloatScaleOffset {
    /// Step size.
    pub scale: f32,
    /// Offset.
    pub offset: f32,
}

/// `Qnn_FloatBlockEncoding_t`. Since core 2.32 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FloatBlockEncoding {
    /// Extent of a block in each dimension of the tensor.
    pub block_size: *mut u32,
    /// One per block.
    pub float_scale_offset: *mut FloatScaleOffset,
}

/// `Qnn_BwFloatBlockEncoding_t`. Since core 2.32 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BwFloatBlockEncoding {
    /// Bits used.
    pub bitwidth: u32,
    /// Extent of a block in each dimension of the tensor.
    pub block_size: *mut u32,
    /// One per block.
    pub float_scale_offset: *mut FloatScaleOffset,
}

/// Block scales of [`MicroscalingEncoding`], by its `scale_data_type`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union MicroscalingScales {
    /// Eight-bit scales.
    pub scales8: *mut u8,
    /// Float scales.
    pub scales_float: *mut f32,
}

/// `Qnn_MicroscalingEncoding_t`. Since core 2.37 at the latest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MicroscalingEncoding {
    /// Format of a value.
    pub value_encoding: FloatEncoding,
    /// Number of `block_dimensions`.
    pub block_rank: u32,
    /// Extent of a block in each dimension of the tensor.
    pub block_dimensions: *mut u32,
    /// Number of blocks.
    pub block_count: u32,
    /// Format of a scale.
    pub scale_data_type: DataType,
    /// One per block.
    pub block_scales: MicroscalingScales,
}

/// `Qnn_ArrayOf_t`: an encoding chosen per element by an index tensor. Since core 2.37 at the latest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ArrayOf {
    /// Kind of every element.
    pub quantization_encoding: QuantizationEncoding,
    /// Number of `elements`.
    pub num_elements: u32,
    /// Which element applies where.
    pub index_tensor: *mut Tensor,
    /// The encodings.
    pub elements: *mut *mut QuantizeParams,
}

/// The encoding of [`QuantizeParams`], by [`QuantizationEncoding`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union Encoding {
    /// [`QuantizationEncoding::SCALE_OFFSET`]
    pub scale_offset: ScaleOffset,
    /// [`QuantizationEncoding::AXIS_SCALE_OFFSET`]
    pub axis_scale_offset: AxisScaleOffset,
    /// [`QuantizationEncoding::BW_SCALE_OFFSET`]
    pub bw_scale_offset: BwScaleOffset,
    /// [`QuantizationEncoding::BW_AXIS_SCALE_OFFSET`]
    pub bw_axis_scale_offset: BwAxisScaleOffset,
    /// [`QuantizationEncoding::BLOCK`]
    pub block: BlockEncoding,
    /// [`QuantizationEncoding::BLOCKWISE_EXPANSION`]
    pub blockwise_expansion: *mut BlockwiseExpansion,
    /// [`QuantizationEncoding::VECTOR`]
    pub vector: *mut VectorEncoding,
    /// [`QuantizationEncoding::FLOAT_BLOCK`]
    pub float_block: FloatBlockEncoding,
    /// [`QuantizationEncoding::BW_AXIS_SCALE_OFFSET_MAPPED`]
    pub bw_axis_scale_offset_mapped: *mut BwAxisScaleOffsetMapped,
    /// [`QuantizationEncoding::BW_BLOCK_MAPPED`]
    pub bw_block_mapped: *mut BwBlockMapped,
    /// [`QuantizationEncoding::BW_BLOCKWISE_EXPANSION_MAPPED`]
    pub bw_blockwise_expansion_mapped: *mut BwBlockwiseExpansionMapped,
    /// [`QuantizationEncoding::BW_FLOAT_BLOCK`]
    pub bw_float_block: BwFloatBlockEncoding,
    /// [`QuantizationEncoding::MICROSCALING`]
    pub microscaling: *mut MicroscalingEncoding,
    /// [`QuantizationEncoding::ARRAY_OF`]
    pub array_of: *mut ArrayOf,
    /// All bytes, to leave none uninitialised.
    pub raw: [u64; 4],
}

/// `Qnn_QuantizeParams_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct QuantizeParams {
    /// Who defines the encoding.
    pub definition: Definition,
    /// Which member of `encoding` counts.
    pub encoding_type: QuantizationEncoding,
    /// The encoding.
    pub encoding: Encoding,
}

impl QuantizeParams {
    /// No quantization.
    pub const NONE: Self = Self {
        definition: Definition::UNDEFINED,
        encoding_type: QuantizationEncoding::UNDEFINED,
        encoding: Encoding { raw: [0; 4] },
    };

    const fn defined(encoding_type: QuantizationEncoding) -> Self {
        Self { definition: Definition::DEFINED, encoding_type, ..Self::NONE }
    }

    /// One scale and offset for the tensor.
    pub const fn scale_offset(scale: f32, offset: i32) -> Self {
        let mut params = Self::defined(QuantizationEncoding::SCALE_OFFSET);
        params.encoding.scale_offset = ScaleOffset { scale, offset };
        params
    }

    /// One scale and offset per slice along an axis. The array must outlive every call that is given the tensor.
    pub const fn axis_scale_offset(encoding: AxisScaleOffset) -> Self {
        let mut params = Self::defined(QuantizationEncoding::AXIS_SCALE_OFFSET);
        params.encoding.axis_scale_offset = encoding;
        params
    }

    /// One scale and offset for the tensor, values narrower than their storage.
    pub const fn bw_scale_offset(bitwidth: u32, scale: f32, offset: i32) -> Self {
        let mut params = Self::defined(QuantizationEncoding::BW_SCALE_OFFSET);
        params.encoding.bw_scale_offset = BwScaleOffset { bitwidth, scale, offset };
        params
    }

    /// Per axis, values narrower than their storage. The arrays must outlive every call that is given the tensor.
    pub const fn bw_axis_scale_offset(encoding: BwAxisScaleOffset) -> Self {
        let mut params = Self::defined(QuantizationEncoding::BW_AXIS_SCALE_OFFSET);
        params.encoding.bw_axis_scale_offset = encoding;
        params
    }

    /// Float scales and offsets by block. The arrays must outlive every call that is given the tensor.
    pub const fn bw_float_block(encoding: BwFloatBlockEncoding) -> Self {
        let mut params = Self::defined(QuantizationEncoding::BW_FLOAT_BLOCK);
        params.encoding.bw_float_block = encoding;
        params
    }

    /// Low-power block quantization. The struct and its arrays must outlive every call that is given the tensor.
    pub const fn blockwise_expansion(encoding: *mut BlockwiseExpansion) -> Self {
        let mut params = Self::defined(QuantizationEncoding::BLOCKWISE_EXPANSION);
        params.encoding.blockwise_expansion = encoding;
        params
    }
}
