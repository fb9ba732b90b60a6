//! The library's metadata structs as this crate's types. Everything is copied, every pointer is checked for null.

use std::ffi::{CStr, c_char, c_void};

use qnn_sys::api::backend_id;
use qnn_sys::htp::{ContextBlobInfo, GraphBlobInfo, GraphBlobInfoV2, GraphBlobVersion};
use qnn_sys::system::{self as raw, BinaryInfoVersion, GraphInfoVersion};
use qnn_sys::types::{
    BlockScaleStorage, BlockwiseExpansion, Definition, QuantizationEncoding, QuantizeParams,
    Tensor as RawTensor,
};

use super::{BinaryInfo, GraphInfo, GraphSizes, HtpGraphInfo};
use crate::{DataType, Error, Quant, Result, TensorInfo};

/// # Safety
/// `info` is null or what the System library returned for a binary, alive.
#[expect(unsafe_code, reason = "reads C structs")]
pub(super) unsafe fn binary_info(info: *const raw::BinaryInfo) -> Result<BinaryInfo> {
    // SAFETY: by this function's contract.
    let info = unsafe { info.as_ref() }.ok_or_else(|| unreadable("the library returned nothing"))?;
    let version = info.version;
    let known = [BinaryInfoVersion::VERSION_1, BinaryInfoVersion::VERSION_2, BinaryInfoVersion::VERSION_3];
    if !known.contains(&version) {
        return Err(unreadable(&format!("its version is {}; 1 to 3 are known", version.0)));
    }
    if version == BinaryInfoVersion::VERSION_3 {
        // SAFETY: the version says that this member is the one in use.
        let v3 = unsafe { &info.body.v3 };
        let blob = v3.context_metadata.cast::<ContextBlobInfo>();
        let is_blob = v3.backend_id == backend_id::HTP
            && !blob.is_null()
            && v3.context_metadata_size as usize >= size_of::<ContextBlobInfo>();
        // SAFETY: of the HTP backend the metadata is this struct, and it is long enough.
        let blob = is_blob.then(|| unsafe { blob.read_unaligned() }).filter(|blob| blob.version == 1);
        return Ok(BinaryInfo {
            version: version.0,
            backend_id: v3.backend_id,
            // SAFETY: null or a C string of the struct.
            build_id: unsafe { text(v3.build_id) },
            core_api_version: v3.core_api_version,
            backend_api_version: v3.backend_api_version,
            context_blob_version: v3.context_blob_version,
            context_blob_bytes: v3.context_blob_size,
            soc_id: (v3.soc_model != 0).then_some(v3.soc_model),
            arch: blob.map(|blob| blob.dsp_arch.0).filter(|arch| *arch != 0),
            // SAFETY: the struct has `num_graphs` graphs at `graphs`.
            graphs: unsafe { graphs(v3.graphs, v3.num_graphs, v3.backend_id) }?,
        });
    }
    // SAFETY: versions 1 and 2 both begin with the fields of version 1.
    let v1 = unsafe { &info.body.v1 };
    Ok(BinaryInfo {
        version: version.0,
        backend_id: v1.backend_id,
        // SAFETY: null or a C string of the struct.
        build_id: unsafe { text(v1.build_id) },
        core_api_version: v1.core_api_version,
        backend_api_version: v1.backend_api_version,
        context_blob_version: v1.context_blob_version,
        context_blob_bytes: v1.context_blob_size,
        soc_id: None,
        arch: None,
        // SAFETY: the struct has `num_graphs` graphs at `graphs`.
        graphs: unsafe { graphs(v1.graphs, v1.num_graphs, v1.backend_id) }?,
    })
}

/// # Safety
/// `infos` is null or `count` graph infos of the System library, alive.
#[expect(unsafe_code, reason = "reads C structs")]
pub(crate) unsafe fn graphs(
    infos: *const raw::GraphInfo,
    count: u32,
    backend_id: u32,
) -> Result<Vec<GraphInfo>> {
    // SAFETY: by this function's contract.
    let infos = unsafe { list(infos, count) };
    infos
        .iter()
        .map(|info| {
            let known =
                [GraphInfoVersion::VERSION_1, GraphInfoVersion::VERSION_2, GraphInfoVersion::VERSION_3];
            if !known.contains(&info.version) {
                return Err(unreadable(&format!(
                    "a graph's version is {}; 1 to 3 are known",
                    info.version.0
                )));
            }
            // SAFETY: every version begins with the fields of version 1.
            let v1 = unsafe { &info.body.v1 };
            let htp =
                (info.version == GraphInfoVersion::VERSION_3 && backend_id == backend_id::HTP).then(|| {
                    // SAFETY: the version says that this member is the one in use; its blob has the length it says.
                    unsafe { htp_graph(info.body.v3.blob_info, info.body.v3.blob_info_size as usize) }
                });
            Ok(GraphInfo {
                // SAFETY: null or a C string of the struct.
                name: unsafe { text(v1.name) },
                // SAFETY: the struct has that many tensors.
                inputs: unsafe { tensors(v1.inputs, v1.num_inputs) }?,
                // SAFETY: as above.
                outputs: unsafe { tensors(v1.outputs, v1.num_outputs) }?,
                htp: htp.flatten(),
            })
        })
        .collect()
}

/// # Safety
/// `blob` is null or `len` bytes that the HTP backend recorded about a graph.
#[expect(unsafe_code, reason = "reads C structs")]
unsafe fn htp_graph(blob: *const c_void, len: usize) -> Option<HtpGraphInfo> {
    if blob.is_null() || len < size_of::<GraphBlobInfo>() {
        return None;
    }
    // SAFETY: long enough, by the check above.
    let first = unsafe { blob.cast::<GraphBlobInfo>().read_unaligned() };
    if first.version != GraphBlobVersion::VERSION_V1 {
        return None;
    }
    let rest = len - size_of::<GraphBlobInfo>();
    let sizes = (rest >= size_of::<GraphBlobInfoV2>())
        // SAFETY: the second struct follows the first, and there are enough bytes for it.
        .then(|| unsafe { blob.cast::<GraphBlobInfo>().add(1).cast::<GraphBlobInfoV2>().read_unaligned() })
        .filter(|second| second.version == GraphBlobVersion::VERSION_V2);
    Some(HtpGraphInfo {
        vtcm_bytes: u64::from(first.v1.vtcm_size),
        spill_fill_bytes: first.v1.spill_fill_buffer_size,
        optimization: first.v1.optimization_level,
        dlbc: first.v1.htp_dlbc != 0,
        hvx_threads: first.v1.num_hvx_threads,
        sizes: sizes.map(|second| GraphSizes {
            io: second.io_tensor_size,
            op_data: second.op_data_size,
            constants: second.const_size,
            ddr: second.ddr_tensor_size,
            shared_weights: second.shared_weights_size,
        }),
    })
}

/// # Safety
/// `infos` is null or `count` tensors of the System library, alive.
#[expect(unsafe_code, reason = "reads C structs")]
unsafe fn tensors(infos: *const RawTensor, count: u32) -> Result<Vec<TensorInfo>> {
    // SAFETY: by this function's contract.
    let infos = unsafe { list(infos, count) };
    infos
        .iter()
        .map(|info| {
            let common = info.common().ok_or_else(|| {
                unreadable(&format!("a tensor's version is {}; 1 and 2 are known", info.version.0))
            })?;
            // SAFETY: null or a C string of the struct.
            let name = unsafe { text(common.name) };
            let code = common.data_type.0;
            let dtype = DataType::from_code(code)
                .ok_or_else(|| unreadable(&format!("tensor `{name}` has the unknown type {code:#x}")))?;
            // SAFETY: null or `rank` dimensions of the struct.
            let dims = unsafe { list(common.dimensions, common.rank) }.to_vec();
            // SAFETY: the encoding belongs to the struct, which has these dimensions.
            let quant = unsafe { quant(&common.quantize_params, &dims) };
            TensorInfo::new(name, common.id, dtype, dims, quant, info.version.0)
        })
        .collect()
}

/// # Safety
/// `params` belongs to a tensor of the System library, alive.
#[expect(unsafe_code, reason = "reads C structs")]
unsafe fn quant(params: &QuantizeParams, dims: &[u32]) -> Quant {
    if params.definition != Definition::DEFINED {
        return Quant::None;
    }
    let kind = params.encoding_type;
    // SAFETY: `encoding_type` says which member is in use, and its lists have the lengths it says.
    unsafe {
        match kind {
            QuantizationEncoding::SCALE_OFFSET => {
                let one = params.encoding.scale_offset;
                Quant::PerTensor { scale: one.scale, offset: one.offset }
            }
            QuantizationEncoding::AXIS_SCALE_OFFSET => {
                let axis = params.encoding.axis_scale_offset;
                let slices = list(axis.scale_offset, axis.num_scale_offsets);
                let scale_offsets = slices.iter().map(|slice| (slice.scale, slice.offset)).collect();
                Quant::PerAxis { axis: axis.axis as u32, scale_offsets }
            }
            QuantizationEncoding::BW_SCALE_OFFSET => {
                let one = params.encoding.bw_scale_offset;
                Quant::BitWidth { bits: one.bitwidth, scale: one.scale, offset: one.offset }
            }
            QuantizationEncoding::BW_AXIS_SCALE_OFFSET => {
                let axis = params.encoding.bw_axis_scale_offset;
                let scales = list(axis.scales, axis.num_elements);
                let offsets = list(axis.offsets, axis.num_elements);
                let offset = |index: usize| offsets.get(index).copied().unwrap_or(0);
                let scale_offsets =
                    scales.iter().enumerate().map(|(index, scale)| (*scale, offset(index))).collect();
                Quant::BitWidthPerAxis { bits: axis.bitwidth, axis: axis.axis as u32, scale_offsets }
            }
            QuantizationEncoding::BLOCKWISE_EXPANSION => {
                expansion(params.encoding.blockwise_expansion, dims).unwrap_or(Quant::Other(kind.0))
            }
            other => Quant::Other(other.0),
        }
    }
}

/// `None` for one of another form than [`Quant::BlockExpansion`].
///
/// # Safety
/// `expansion` is null or belongs to a tensor of the System library of these dimensions, alive.
#[expect(unsafe_code, reason = "reads C structs")]
unsafe fn expansion(expansion: *const BlockwiseExpansion, dims: &[u32]) -> Option<Quant> {
    // SAFETY: by this function's contract.
    let expansion = unsafe { expansion.as_ref() }?;
    let axis = u32::try_from(expansion.axis).ok()?;
    // The struct does not say how many slices there are: as many as the axis has.
    let slices = dims.get(axis as usize).copied()?;
    let blocks = slices.checked_mul(expansion.num_blocks_per_axis)?;
    if expansion.block_scale_storage != BlockScaleStorage::STORAGE_8 {
        return None;
    }
    // SAFETY: a scale for every slice.
    let scales = unsafe { list(expansion.scale_offsets, slices) };
    // SAFETY: the storage says which member is in use; an integer for every block of every slice.
    let block_scales = unsafe { list(expansion.block_scales.scales8, blocks) };
    scales.iter().all(|slice| slice.offset == 0).then(|| Quant::BlockExpansion {
        axis,
        scales: scales.iter().map(|slice| slice.scale).collect(),
        block_scale_bits: expansion.block_scale_bitwidth,
        block_scales: block_scales.into(),
    })
}

fn unreadable(why: &str) -> Error {
    Error::invalid("metadata of the context binary", why)
}

/// # Safety
/// `text` is null or a C string.
#[expect(unsafe_code, reason = "reads a C string")]
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by this function's contract.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// # Safety
/// `items` is null or `count` items that live as long as `'a`.
#[expect(unsafe_code, reason = "reads a C array")]
unsafe fn list<'a, T>(items: *const T, count: u32) -> &'a [T] {
    if items.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: by this function's contract.
    unsafe { std::slice::from_raw_parts(items, count as usize) }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "hands structs to the functions under test")]
mod tests {
    use std::ptr;

    use qnn_sys::system::{BinaryInfoBody, BinaryInfoV1, GraphInfoBody, GraphInfoV1};
    use qnn_sys::types::{DataType as RawDataType, TensorV1, Version};

    use super::*;

    /// Metadata as a library before version 3 reports it, with nothing behind its pointers.
    fn old(graphs: &mut [raw::GraphInfo]) -> raw::BinaryInfo {
        let v1 = BinaryInfoV1 {
            backend_id: backend_id::HTP,
            build_id: c"v2.36.0".as_ptr(),
            core_api_version: Version::new(2, 27),
            backend_api_version: Version::new(5, 36),
            soc_version: ptr::null(),
            hw_info_blob_version: Version::default(),
            context_blob_version: Version::new(3, 2),
            hw_info_blob_size: 0,
            hw_info_blob: ptr::null_mut(),
            context_blob_size: 4096,
            num_context_tensors: 3,
            context_tensors: ptr::null_mut(),
            num_graphs: graphs.len() as u32,
            graphs: graphs.as_mut_ptr(),
        };
        raw::BinaryInfo { version: BinaryInfoVersion::VERSION_1, body: BinaryInfoBody { v1 } }
    }

    fn graph(inputs: &mut [RawTensor]) -> raw::GraphInfo {
        let v1 = GraphInfoV1 {
            name: c"main".as_ptr(),
            num_inputs: inputs.len() as u32,
            inputs: inputs.as_mut_ptr(),
            num_outputs: 1,
            outputs: ptr::null_mut(),
        };
        raw::GraphInfo { version: GraphInfoVersion::VERSION_1, body: GraphInfoBody { v1 } }
    }

    fn read(info: &raw::BinaryInfo) -> Result<BinaryInfo> {
        // SAFETY: the struct and what its pointers lead to are alive.
        unsafe { binary_info(info) }
    }

    #[test]
    fn old_metadata_is_read_and_null_pointers_are_empty_lists() {
        let mut inputs = [RawTensor::from_v1(TensorV1 {
            data_type: RawDataType::FLOAT_16,
            rank: 4,
            ..Default::default()
        })];
        let mut graphs = [graph(&mut inputs)];
        for version in [BinaryInfoVersion::VERSION_1, BinaryInfoVersion::VERSION_2] {
            let info = read(&raw::BinaryInfo { version, ..old(&mut graphs) }).unwrap();
            assert_eq!(
                (info.version, info.build_id.as_str(), info.soc_id, info.arch),
                (version.0, "v2.36.0", None, None)
            );
            let graph = &info.graphs[0];
            assert_eq!((graph.name.as_str(), graph.htp, graph.outputs.len()), ("main", None, 0));
            assert_eq!((graph.inputs[0].dtype, graph.inputs[0].dims.len()), (DataType::Float16, 0));
        }
    }

    #[test]
    fn unknown_versions_and_types_are_errors() {
        let mut graphs = [graph(&mut [])];
        let unknown = raw::BinaryInfo { version: BinaryInfoVersion(4), ..old(&mut graphs) };
        assert!(read(&unknown).unwrap_err().to_string().contains("version is 4"));
        graphs[0].version = GraphInfoVersion(9);
        assert!(read(&old(&mut graphs)).unwrap_err().to_string().contains("version is 9"));
        let mut inputs =
            [RawTensor::from_v1(TensorV1 { data_type: RawDataType(0x999), ..Default::default() })];
        let mut graphs = [graph(&mut inputs)];
        assert!(read(&old(&mut graphs)).unwrap_err().to_string().contains("0x999"));
        // SAFETY: null is allowed.
        assert!(unsafe { binary_info(ptr::null()) }.is_err());
    }
}
