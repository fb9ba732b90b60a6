//! Tensors as the library's C structs, together with the memory that these point to.

use std::ffi::{CString, c_char};

use qnn_sys::types::{
    AxisScaleOffset, BlockScaleStorage, BlockScales, BlockwiseExpansion, BwAxisScaleOffset,
    BwFloatBlockEncoding, DataType as RawDataType, FloatScaleOffset, QuantizeParams, ScaleOffset, Tensor,
    TensorType, TensorV1, TensorV2,
};

use crate::pinned::Pinned;
use crate::{DataType, Error, Quant, Result};

/// A tensor of the library and the memory it points to, except for its data.
pub(crate) struct EncodedTensor {
    pub(crate) raw: Tensor,
    // `raw` points into these; they are never touched again.
    _name: Pinned<c_char>,
    _dims: Pinned<u32>,
    _encoding: EncodingMemory,
}

/// Memory of an encoding, which is only kept alive.
#[derive(Default)]
struct EncodingMemory {
    _scale_offsets: Option<Pinned<ScaleOffset>>,
    _split: Option<(Pinned<f32>, Pinned<i32>)>,
    _blocks: Option<(Pinned<u32>, Pinned<FloatScaleOffset>)>,
    _expansion: Option<(Pinned<BlockwiseExpansion>, Pinned<u8>)>,
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
        let name = Pinned::string(c_string(name)?);
        let dims = Pinned::new(dims);
        let (quantize_params, encoding) = encode(quant);
        let v1 = TensorV1 {
            name: name.as_ptr(),
            tensor_type,
            data_type: RawDataType(dtype.code()),
            quantize_params,
            rank: dims.len() as u32,
            dimensions: dims.as_ptr(),
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
    let mut memory = EncodingMemory::default();
    let params = match quant {
        Quant::PerTensor { scale, offset } => QuantizeParams::scale_offset(*scale, *offset),
        Quant::PerAxis { axis, scale_offsets } => {
            let slice = |(scale, offset): &(f32, i32)| ScaleOffset { scale: *scale, offset: *offset };
            let slices = Pinned::new(scale_offsets.iter().map(slice).collect::<Vec<_>>());
            let params = QuantizeParams::axis_scale_offset(AxisScaleOffset {
                axis: *axis as i32,
                num_scale_offsets: slices.len() as u32,
                scale_offset: slices.as_ptr(),
            });
            memory._scale_offsets = Some(slices);
            params
        }
        Quant::BitWidth { bits, scale, offset } => QuantizeParams::bw_scale_offset(*bits, *scale, *offset),
        Quant::BitWidthPerAxis { bits, axis, scale_offsets } => {
            let scales = Pinned::new(scale_offsets.iter().map(|(scale, _)| *scale).collect::<Vec<_>>());
            let offsets = Pinned::new(scale_offsets.iter().map(|(_, offset)| *offset).collect::<Vec<_>>());
            let params = QuantizeParams::bw_axis_scale_offset(BwAxisScaleOffset {
                bitwidth: *bits,
                axis: *axis as i32,
                num_elements: scales.len() as u32,
                scales: scales.as_ptr(),
                offsets: offsets.as_ptr(),
            });
            memory._split = Some((scales, offsets));
            params
        }
        Quant::FloatBlocks { bits, block, scale_offsets } => {
            let block = Pinned::new(block.as_slice());
            let of = |&(scale, offset): &(f32, f32)| FloatScaleOffset { scale, offset };
            let blocks = Pinned::new(scale_offsets.iter().map(of).collect::<Vec<_>>());
            let params = QuantizeParams::bw_float_block(BwFloatBlockEncoding {
                bitwidth: *bits,
                block_size: block.as_ptr(),
                float_scale_offset: blocks.as_ptr(),
            });
            memory._blocks = Some((block, blocks));
            params
        }
        Quant::BlockExpansion { axis, scales, block_scale_bits, block_scales } => {
            let slices =
                Pinned::new(scales.iter().map(|&scale| ScaleOffset { scale, offset: 0 }).collect::<Vec<_>>());
            let factors = Pinned::new(&**block_scales);
            let expansion = Pinned::new([BlockwiseExpansion {
                axis: *axis as i32,
                scale_offsets: slices.as_ptr(),
                num_blocks_per_axis: (factors.len() / slices.len().max(1)) as u32,
                block_scale_bitwidth: *block_scale_bits,
                block_scale_storage: BlockScaleStorage::STORAGE_8,
                block_scales: BlockScales { scales8: factors.as_ptr() },
            }]);
            let params = QuantizeParams::blockwise_expansion(expansion.as_ptr());
            memory._scale_offsets = Some(slices);
            memory._expansion = Some((expansion, factors));
            params
        }
        // An encoding that was only read is of no use to an execution, and a check before composing refuses it.
        Quant::None | Quant::Other(_) => QuantizeParams::NONE,
    };
    (params, memory)
}

pub(crate) fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::invalid(format!("name {text:?}"), "it contains a NUL byte"))
}
