//! Structs of the types that every part of the interface shares.

layouts! {
    types::Version = Qnn_Version_t (12, 4) { major: major @ 0, minor: minor @ 4, patch: patch @ 8 }
    types::ApiVersion = Qnn_ApiVersion_t (24, 4) { core: coreApiVersion @ 0, backend: backendApiVersion @ 12 }
    types::ErrorReportingConfig = Qnn_ErrorReportingConfig_t (8, 4) {
        level: reportingLevel @ 0, storage_limit: storageLimit @ 4,
    }
    types::OpaqueObject = Qnn_OpaqueObject_t (16, 8) { data: data @ 0, len: len @ 8 }
    types::OpMappingPair = Qnn_OpMappingPair_t (16, 8) { name: name @ 0, mapping_type: type_ @ 8 }
    types::Mapping = Qnn_Mapping_t (24, 8) { name: name @ 0, pairs: pair @ 8, num_pairs: numPairs @ 16 }
    types::OpMappingV1 = Qnn_OpMappingV1_t (40, 8) {
        graph_name: graphName @ 0, op_mappings: opMappings @ 8, num_op_mappings: numOpMappings @ 16,
        tensor_mappings: tensorMappings @ 24, num_tensor_mappings: numTensorMappings @ 32,
    }
    types::OpMapping = Qnn_OpMapping_t (16, 8) { version: version @ 0, v1: __bindgen_anon_1 @ 8 }
    types::ParamValue = Qnn_Param_t__bindgen_ty_1 (144, 8) {}
    types::Param = Qnn_Param_t (160, 8) {
        param_type: paramType @ 0, name: name @ 8, value: __bindgen_anon_1 @ 16,
    }
    types::OpConfigV1 = Qnn_OpConfigV1_t (72, 8) {
        name: name @ 0, package_name: packageName @ 8, type_name: typeName @ 16, num_params: numOfParams @ 24,
        params: params @ 32, num_inputs: numOfInputs @ 40, inputs: inputTensors @ 48,
        num_outputs: numOfOutputs @ 56, outputs: outputTensors @ 64,
    }
    types::OpConfig = Qnn_OpConfig_t (80, 8) { version: version @ 0, v1: __bindgen_anon_1 @ 8 }
    types::ScaleOffset = Qnn_ScaleOffset_t (8, 4) { scale: scale @ 0, offset: offset @ 4 }
    types::AxisScaleOffset = Qnn_AxisScaleOffset_t (16, 8) {
        axis: axis @ 0, num_scale_offsets: numScaleOffsets @ 4, scale_offset: scaleOffset @ 8,
    }
    types::BwScaleOffset = Qnn_BwScaleOffset_t (12, 4) {
        bitwidth: bitwidth @ 0, scale: scale @ 4, offset: offset @ 8,
    }
    types::BwAxisScaleOffset = Qnn_BwAxisScaleOffset_t (32, 8) {
        bitwidth: bitwidth @ 0, axis: axis @ 4, num_elements: numElements @ 8, scales: scales @ 16,
        offsets: offsets @ 24,
    }
    [since "2.32"] types::BwAxisScaleOffsetMapped = Qnn_BwAxisScaleOffsetMapped_t (32, 8) {
        bitwidth: bitwidth @ 0, axis: axis @ 4, mapping: mapping @ 8, num_elements: numElements @ 12,
        scales: scales @ 16, offsets: offsets @ 24,
    }
    types::BlockEncoding = Qnn_BlockEncoding_t (16, 8) {
        block_size: blockSize @ 0, scale_offset: scaleOffset @ 8,
    }
    [since "2.32"] types::BwBlockMapped = Qnn_BwBlockMapped_t (24, 8) {
        bitwidth: bitwidth @ 0, mapping: mapping @ 4, block_size: blockSize @ 8,
        scale_offset: scaleOffset @ 16,
    }
    types::BlockScales = Qnn_BlockwiseExpansion_t__bindgen_ty_1 (8, 8) {}
    types::BlockwiseExpansion = Qnn_BlockwiseExpansion_t (40, 8) {
        axis: axis @ 0, scale_offsets: scaleOffsets @ 8, num_blocks_per_axis: numBlocksPerAxis @ 16,
        block_scale_bitwidth: blockScaleBitwidth @ 20, block_scale_storage: blockScaleStorageType @ 24,
        block_scales: __bindgen_anon_1 @ 32,
    }
    [since "2.32"] types::BwBlockwiseExpansionMapped = Qnn_BwBlockwiseExpansionMapped_t (48, 8) {
        bitwidth: bitwidth @ 0, mapping: mapping @ 4, axis: axis @ 8, scale_offsets: scaleOffsets @ 16,
        num_blocks_per_axis: numBlocksPerAxis @ 24, block_scale_bitwidth: blockScaleBitwidth @ 28,
        block_scale_storage: blockScaleStorageType @ 32, block_scales: __bindgen_anon_1 @ 40,
    }
    types::VectorEncoding = Qnn_VectorEncoding_t (48, 8) {
        bw_axis_scale_offset: bwAxisScaleOffset @ 0, rows_per_block: rowsPerBlock @ 32,
        columns_per_block: columnsPerBlock @ 36, vector_dimension: vectorDimension @ 40,
        vector_stride: vectorStride @ 41, index_bitwidth: indexBitwidth @ 42,
    }
    [since "2.30"] types::FloatScaleOffset = Qnn_FloatScaleOffset_t (8, 4) {
        scale: scale @ 0, offset: offset @ 4,
    }
    [since "2.30"] types::FloatBlockEncoding = Qnn_FloatBlockEncoding_t (16, 8) {
        block_size: blockSize @ 0, float_scale_offset: floatScaleOffset @ 8,
    }
    [since "2.32"] types::BwFloatBlockEncoding = Qnn_BwFloatBlockEncoding_t (24, 8) {
        bitwidth: bitwidth @ 0, block_size: blockSize @ 8, float_scale_offset: floatScaleOffset @ 16,
    }
    [since "2.37"] types::MicroscalingScales = Qnn_MicroscalingEncoding_t__bindgen_ty_1 (8, 8) {}
    [since "2.37"] types::MicroscalingEncoding = Qnn_MicroscalingEncoding_t (32, 8) {
        value_encoding: valueEncoding @ 0, block_rank: blockRank @ 4, block_dimensions: blockDimensions @ 8,
        block_count: blockCount @ 16, scale_data_type: scaleDataType @ 20,
        block_scales: __bindgen_anon_1 @ 24,
    }
    [since "2.37"] types::ArrayOf = Qnn_ArrayOf_t (24, 8) {
        quantization_encoding: quantizationEncoding @ 0, num_elements: numElements @ 4,
        index_tensor: indexTensor @ 8, elements: vectorElements @ 16,
    }
    types::Encoding = Qnn_QuantizeParams_t__bindgen_ty_1 (32, 8) {}
    types::QuantizeParams = Qnn_QuantizeParams_t (40, 8) {
        definition: encodingDefinition @ 0, encoding_type: quantizationEncoding @ 4,
        encoding: __bindgen_anon_1 @ 8,
    }
    types::ScalarValue = Qnn_Scalar_t__bindgen_ty_1 (8, 8) {}
    types::Scalar = Qnn_Scalar_t (16, 8) { data_type: dataType @ 0, value: __bindgen_anon_1 @ 8 }
    types::ClientBuffer = Qnn_ClientBuffer_t (16, 8) { data: data @ 0, data_size: dataSize @ 8 }
    types::TensorRetrieveRaw = Qnn_TensorRetrieveRaw_t (16, 8) {
        get: getTensorData @ 0, free: freeTensorData @ 8,
    }
    types::TensorData = Qnn_TensorV1_t__bindgen_ty_1 (16, 8) {}
    types::TensorV1 = Qnn_TensorV1_t (112, 8) {
        id: id @ 0, name: name @ 8, tensor_type: type_ @ 16, data_format: dataFormat @ 20,
        data_type: dataType @ 24, quantize_params: quantizeParams @ 32, rank: rank @ 72,
        dimensions: dimensions @ 80, mem_type: memType @ 88, data: __bindgen_anon_1 @ 96,
    }
    types::SparseLayoutHybridCoo = Qnn_SparseLayoutHybridCoo_t (8, 4) {
        num_specified_elements: numSpecifiedElements @ 0, num_sparse_dimensions: numSparseDimensions @ 4,
    }
    types::SparseParams = Qnn_SparseParams_t (12, 4) { layout: type_ @ 0, hybrid_coo: __bindgen_anon_1 @ 4 }
    types::TensorV2 = Qnn_TensorV2_t (136, 8) {
        id: id @ 0, name: name @ 8, tensor_type: type_ @ 16, data_format: dataFormat @ 20,
        data_type: dataType @ 24, quantize_params: quantizeParams @ 32, rank: rank @ 72,
        dimensions: dimensions @ 80, mem_type: memType @ 88, data: __bindgen_anon_1 @ 96,
        is_dynamic_dimensions: isDynamicDimensions @ 112, sparse_params: sparseParams @ 120,
        is_produced: isProduced @ 132,
    }
    types::TensorBody = Qnn_Tensor_t__bindgen_ty_1 (136, 8) {}
    types::Tensor = Qnn_Tensor_t (144, 8) { version: version @ 0, body: __bindgen_anon_1 @ 8 }
    types::TensorSetV1 = Qnn_TensorSetV1_t (32, 8) {
        num_inputs: numInputs @ 0, inputs: inputs @ 8, num_outputs: numOutputs @ 16, outputs: outputs @ 24,
    }
    types::TensorSet = Qnn_TensorSet_t (40, 8) { version: version @ 0, v1: __bindgen_anon_1 @ 8 }
}
