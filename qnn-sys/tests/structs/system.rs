//! Structs of the System library and the IR backend.

layouts! {
    system::DlcGraphConfigInfoV1 = QnnSystemDlc_GraphConfigInfoV1_t (24, 8) {
        graph_name: graphName @ 0, graph_configs: graphConfigs @ 8, num_configs: numConfigs @ 16,
    }
    system::DlcGraphConfigInfo = QnnSystemDlc_GraphConfigInfo_t (32, 8) {
        version: version @ 0, v1: __bindgen_anon_1 @ 8,
    }
    system::GraphInfoV1 = QnnSystemContext_GraphInfoV1_t (40, 8) {
        name: graphName @ 0, num_inputs: numGraphInputs @ 8, inputs: graphInputs @ 16,
        num_outputs: numGraphOutputs @ 24, outputs: graphOutputs @ 32,
    }
    system::GraphInfoBody = QnnSystemContext_GraphInfo_t__bindgen_ty_1 (80, 8) {}
    system::GraphInfo = QnnSystemContext_GraphInfo_t (88, 8) {
        version: version @ 0, body: __bindgen_anon_1 @ 8,
    }
    system::BinaryInfoV1 = QnnSystemContext_BinaryInfoV1_t (128, 8) {
        backend_id: backendId @ 0, build_id: buildId @ 8, core_api_version: coreApiVersion @ 16,
        backend_api_version: backendApiVersion @ 28, soc_version: socVersion @ 40,
        hw_info_blob_version: hwInfoBlobVersion @ 48, context_blob_version: contextBlobVersion @ 60,
        hw_info_blob_size: hwInfoBlobSize @ 72, hw_info_blob: hwInfoBlob @ 80,
        context_blob_size: contextBlobSize @ 88, num_context_tensors: numContextTensors @ 96,
        context_tensors: contextTensors @ 104, num_graphs: numGraphs @ 112, graphs: graphs @ 120,
    }
    system::BinaryInfoV3 = QnnSystemContext_BinaryInfoV3_t (136, 8) {
        backend_id: backendId @ 0, build_id: buildId @ 8, core_api_version: coreApiVersion @ 16,
        backend_api_version: backendApiVersion @ 28, soc_version: socVersion @ 40,
        context_blob_version: contextBlobVersion @ 48, context_blob_size: contextBlobSize @ 64,
        num_context_tensors: numContextTensors @ 72, context_tensors: contextTensors @ 80,
        num_graphs: numGraphs @ 88, graphs: graphs @ 96, platform_info: platformInfo @ 104,
        context_metadata_size: contextMetadataSize @ 112, context_metadata: contextMetadata @ 120,
        soc_model: socModel @ 128,
    }
    system::BinaryInfoBody = QnnSystemContext_BinaryInfo_t__bindgen_ty_1 (136, 8) {}
    system::BinaryInfo = QnnSystemContext_BinaryInfo_t (144, 8) {
        version: version @ 0, body: __bindgen_anon_1 @ 8,
    }
    [since "2.30"] system::SerializationTargetFile = QnnSystemProfile_SerializationTargetFile_t (16, 8) {
        file_name: fileName @ 0, file_directory: fileDirectory @ 8,
    }
    [since "2.30"] system::SerializationTarget = QnnSystemProfile_SerializationTarget_t (24, 8) {
        target_type: type_ @ 0, file: __bindgen_anon_1 @ 8,
    }
    [since "2.30"] system::SerializationFileHeader = QnnSystemProfile_SerializationFileHeader_t (24, 8) {
        app_name: appName @ 0, app_version: appVersion @ 8, backend_version: backendVersion @ 16,
    }
    [since "2.30"] system::SerializationTargetConfigValue = QnnSystemProfile_SerializationTargetConfig_t__bindgen_ty_1 (24, 8) {}
    [since "2.30"] system::SerializationTargetConfig = QnnSystemProfile_SerializationTargetConfig_t (32, 8) {
        config_type: type_ @ 0, value: __bindgen_anon_1 @ 8,
    }
    [since "2.30"] system::ProfileHeaderV1 = QnnSystemProfile_HeaderV1_t (48, 8) {
        start_time: startTime @ 0, stop_time: stopTime @ 8, start_mem: startMem @ 16, stop_mem: stopMem @ 24,
        method: methodType @ 32, visibility: visibility @ 36, graph_name: graphName @ 40,
    }
    [since "2.30"] system::ProfileEventBody = QnnSystemProfile_ProfileEventV1_t__bindgen_ty_1 (56, 8) {}
    [since "2.30"] system::ProfileEventV1 = QnnSystemProfile_ProfileEventV1_t (80, 8) {
        event_type: type_ @ 0, body: __bindgen_anon_1 @ 8, sub_events: profileSubEventData @ 64,
        num_sub_events: numSubEvents @ 72,
    }
    [since "2.30"] system::ProfileDataV1 = QnnSystemProfile_ProfileDataV1_t (64, 8) {
        header: header @ 0, events: profilingEvents @ 48, num_events: numProfilingEvents @ 56,
    }
    [since "2.30"] system::ProfileData = QnnSystemProfile_ProfileData_t (72, 8) {
        version: version @ 0, v1: __bindgen_anon_1 @ 8,
    }
    system::GraphInfoV2 = QnnSystemContext_GraphInfoV2_t (56, 8) {
        num_updateable_tensors: numUpdateableTensors @ 40, updateable_tensors: updateableTensors @ 48,
    }
    system::GraphInfoV3 = QnnSystemContext_GraphInfoV3_t (80, 8) {
        blob_info_size: graphBlobInfoSize @ 56, blob_info: graphBlobInfo @ 64,
        start_op_index: startOpIndex @ 72, end_op_index: endOpIndex @ 76,
    }
    system::BinaryInfoV2 = QnnSystemContext_BinaryInfoV2_t (136, 8) { platform_info: platformInfo @ 128 }
    [since "ir"] ir::SerializationOption = QnnIrGraph_SerializationOption_t (16, 8) {
        serialization_type: serializationType @ 0, output_path: outputPath @ 8,
    }
    [since "ir"] ir::GraphCustomConfig = QnnIrGraph_CustomConfig_t (24, 8) {
        option: option @ 0, serialization: __bindgen_anon_1 @ 8,
    }
}
