//! Tensors as the library's C structs, together with the memory that these point to.

use std::ffi::CString;

use qnn_sys::types::{
    AxisScaleOffset, BlockScaleStorage, BlockScales, BlockwiseExpansion, BwAxisScaleOffset,
    BwFloatBlockEncoding, DataType as RawDataType, FloatScaleOffset, QuantizeParams, ScaleOffset, Tensor,
    TensorType, TensorV1, TensorV2,
};

use crate::{DataType, Error, Quant, Result};

/// A tensor of the library and the memory it points to, except for its data.
pub(crate) struct EncodedTensor {
    pub(crate) raw: Tensor,
    // `raw` points into these; they are never touched again.
    _name: CString,
    _dims: Box<[u32]>,
    _encoding: EncodingMemory,
}

enum EncodingMemory {
    None,
    ScaleOffsets(#[expect(dead_code, reason = "only kept alive")] Box<[ScaleOffset]>),
    Split(
        #[expect(dead_code, reason = "only kept alive")] Box<[f32]>,
        #[expect(dead_code, reason = "only kept alive")] Box<[i32]>,
    ),
    Blocks(
        #[expect(dead_code, reason = "only kept alive")] Box<[u32]>,
        #[expect(dead_code, reason = "only kept alive")] Box<[FloatScaleOffset]>,
    ),
    Expansion(
        #[expect(dead_code, reason = "only kept alive")] Box<BlockwiseExpansion>,
        #[expect(dead_code, reason = "only kept alive")] Box<[ScaleOffset]>,
        #[expect(dead_code, reason = "only kept alive")] Box<[u8]>,
    ),
}

// SAFETY: the pointers in `raw` lead to memory that this struct owns and never changes, or (data) are filled in per call.
#[expect(unsafe_code, reason = "raw pointers")]
unsafe impl Send for EncodedTensor {}
// SAFETY: as above; shared references only read.
#[expect(unsafe_code, reason = "raw pointers")]
unsafe impl Sync for EncodedTensor {}

impl EncodedTensor {
    /// Encodes a tensor without data, in the layout `version` (1 or 2) of the library's struct.
    pub(crate) fn new(
        name: &str,
        tensor_type: TensorType,
        dtype: DataType,
        dims: &[u32],
        quant: &Quant,
        version: u32,
    ) -> Result<EncodedTensor> {
        let name = c_string(name)?;
        let mut dims: Box<[u32]> = dims.into();
        let (quantize_params, encoding) = encode(quant);
        let v1 = TensorV1 {
            name: name.as_ptr(),
            tensor_type,
            data_type: RawDataType(dtype.code()),
            quantize_params,
            rank: dims.len() as u32,
            dimensions: dims.as_mut_ptr(),
            ..TensorV1::default()
        };
        let mut raw = if version == 2 { Tensor::from_v2(TensorV2::default()) } else { Tensor::from_v1(v1) };
        if let Some(common) = raw.common_mut() {
            *common = v1;
        }
        Ok(EncodedTensor { raw, _name: name, _dims: dims, _encoding: encoding })
    }
}

fn encode(quant: &Quant) -> (QuantizeParams, EncodingMemory) {
    match quant {
        Quant::PerTensor { scale, offset } => {
            (QuantizeParams::scale_offset(*scale, *offset), EncodingMemory::None)
        }
        Quant::PerAxis { axis, scale_offsets } => {
            let slice = |(scale, offset): &(f32, i32)| ScaleOffset { scale: *scale, offset: *offset };
            let mut slices: Box<[ScaleOffset]> = scale_offsets.iter().map(slice).collect();
            let params = QuantizeParams::axis_scale_offset(AxisScaleOffset {
                axis: *axis as i32,
                num_scale_offsets: slices.len() as u32,
                scale_offset: slices.as_mut_ptr(),
            });
            (params, EncodingMemory::ScaleOffsets(slices))
        }
        Quant::BitWidth { bits, scale, offset } => {
            (QuantizeParams::bw_scale_offset(*bits, *scale, *offset), EncodingMemory::None)
        }
        Quant::BitWidthPerAxis { bits, axis, scale_offsets } => {
            let mut scales: Box<[f32]> = scale_offsets.iter().map(|(scale, _)| *scale).collect();
            let mut offsets: Box<[i32]> = scale_offsets.iter().map(|(_, offset)| *offset).collect();
            let params = QuantizeParams::bw_axis_scale_offset(BwAxisScaleOffset {
                bitwidth: *bits,
                axis: *axis as i32,
                num_elements: scales.len() as u32,
                scales: scales.as_mut_ptr(),
                offsets: offsets.as_mut_ptr(),
            });
            (params, EncodingMemory::Split(scales, offsets))
        }
        Quant::FloatBlocks { bits, block, scale_offsets } => {
            let mut block: Box<[u32]> = block.as_slice().into();
            let of = |&(scale, offset): &(f32, f32)| FloatScaleOffset { scale, offset };
            let mut blocks: Box<[FloatScaleOffset]> = scale_offsets.iter().map(of).collect();
            let params = QuantizeParams::bw_float_block(BwFloatBlockEncoding {
                bitwidth: *bits,
                block_size: block.as_mut_ptr(),
                float_scale_offset: blocks.as_mut_ptr(),
            });
            (params, EncodingMemory::Blocks(block, blocks))
        }
        Quant::BlockExpansion { axis, scales, block_scale_bits, block_scales } => {
            let mut slices: Box<[ScaleOffset]> =
                scales.iter().map(|&scale| ScaleOffset { scale, offset: 0 }).collect();
            let mut factors: Box<[u8]> = block_scales.as_ref().into();
            let mut expansion = Box::new(BlockwiseExpansion {
                axis: *axis as i32,
                scale_offsets: slices.as_mut_ptr(),
                num_blocks_per_axis: (factors.len() / slices.len().max(1)) as u32,
                block_scale_bitwidth: *block_scale_bits,
                block_scale_storage: BlockScaleStorage::STORAGE_8,
                block_scales: BlockScales { scales8: factors.as_mut_ptr() },
            });
            let params = QuantizeParams::blockwise_expansion(&raw mut *expansion);
            (params, EncodingMemory::Expansion(expansion, slices, factors))
        }
        // An encoding that was only read is of no use to an execution, and a check before composing refuses it.
        Quant::None | Quant::Other(_) => (QuantizeParams::NONE, EncodingMemory::None),
    }
}

pub(crate) fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::invalid(format!("name {text:?}"), "it contains a NUL byte"))
}
