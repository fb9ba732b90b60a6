//! Structs of the interface of all backends.

layouts! {
    api::BackendConfigValue = QnnBackend_Config_t__bindgen_ty_1 (8, 8) {}
    api::BackendConfig = QnnBackend_Config_t (16, 8) { option: option @ 0, value: __bindgen_anon_1 @ 8 }
    api::OperationName = QnnBackend_OperationName_t (24, 8) {
        package_name: packageName @ 0, name: name @ 8, target: target @ 16,
    }
    api::Property = QnnBackend_Property_t (16, 8) { option: option @ 0, custom: __bindgen_anon_1 @ 8 }
    api::GlobalConfig = QnnGlobalConfig_t (8, 4) { option: option @ 0, soc_model: __bindgen_anon_1 @ 4 }
    api::AsyncExecutionQueueDepth = QnnContext_AsyncExecutionQueueDepth_t (8, 4) {
        depth_type: type_ @ 0, depth: __bindgen_anon_1 @ 4,
    }
    api::ContextConfigValue = QnnContext_Config_t__bindgen_ty_1 (8, 8) {}
    api::ContextConfig = QnnContext_Config_t (16, 8) { option: option @ 0, value: __bindgen_anon_1 @ 8 }
    api::ContextParamsV1 = QnnContext_ParamsV1_t (48, 8) {
        config: config @ 0, binary: binaryBuffer @ 8, binary_size: binaryBufferSize @ 16,
        profile: profile @ 24, notify: notifyFunc @ 32, notify_param: notifyParam @ 40,
    }
    [since "2.32"] api::ContextParamsV2 = QnnContext_ParamsV2_t (56, 8) {
        config: config @ 0, binary: binaryBuffer @ 8, binary_size: binaryBufferSize @ 16,
        profile: profile @ 24, notify: notifyFunc @ 32, notify_param: notifyParam @ 40,
        callback: callback @ 48,
    }
    api::ContextParamsBody = QnnContext_Params_t__bindgen_ty_1 (48, 8) {}
    api::ContextParams = QnnContext_Params_t (56, 8) { version: version @ 0, body: __bindgen_anon_1 @ 8 }
    api::BinaryBuffer = Qnn_BinaryBuffer_t (16, 8) { data: data @ 0, data_size: dataSize @ 8 }
    api::ContextBufferData = QnnContext_BufferV1_t__bindgen_ty_1 (16, 8) {}
    api::ContextBufferV1 = QnnContext_BufferV1_t (24, 8) { mem_type: memType @ 0, data: __bindgen_anon_1 @ 8 }
    api::ContextBuffer = QnnContext_Buffer_t (32, 8) { version: version @ 0, v1: __bindgen_anon_1 @ 8 }
    [since "2.30"] api::BinaryDataRequest = Qnn_ContextBinaryDataRequest_t (24, 8) {
        offset: offset @ 0, size: size @ 8, is_backend_mapping_needed: isBackendMappingNeeded @ 16,
    }
    [since "2.30"] api::RawDataResponse = Qnn_ContextBinaryRawDataResponse_t (24, 8) {
        mem: memPtr @ 0, data_start_offset: dataStartOffset @ 8, aligned_size: alignedSize @ 16,
    }
    [since "2.30"] api::DmaDataResponse = Qnn_ContextBinaryDmaDataResponse_t (32, 8) {
        dma_buffer: dmaBuffer @ 0, data_start_offset: dataStartOffset @ 16, aligned_size: alignedSize @ 24,
    }
    [since "2.30"] api::RawDataMem = Qnn_ContextBinaryRawDataMem_t (16, 8) {
        mem: memPtr @ 0, mem_size: memSize @ 8,
    }
    [since "2.30"] api::DmaDataMem = Qnn_ContextBinaryDmaDataMem_t (24, 8) {
        dma_buffer: dmaBuffer @ 0, mem_size: memSize @ 16,
    }
    [since "2.30"] api::RawBufferCallbackV1 = Qnn_ContextBinaryRawBufferCallbackV1_t (24, 8) {
        provide: dataProvide @ 0, release: dataRelease @ 8, notify_param: notifyParam @ 16,
    }
    [since "2.30"] api::DmaBufferCallbackV1 = Qnn_ContextBinaryDmaBufferCallbackV1_t (24, 8) {
        provide: dataProvide @ 0, release: dataRelease @ 8, notify_param: notifyParam @ 16,
    }
    [since "2.30"] api::RawBufferCallback = Qnn_ContextBinaryRawBufferCallback_t (32, 8) {
        version: version @ 0, v1: __bindgen_anon_1 @ 8,
    }
    [since "2.30"] api::DmaBufferCallback = Qnn_ContextBinaryDmaBufferCallback_t (32, 8) {
        version: version @ 0, v1: __bindgen_anon_1 @ 8,
    }
    [since "2.30"] api::BufferCallback = Qnn_ContextBinaryCallback_t__bindgen_ty_1 (32, 8) {}
    [since "2.30"] api::ContextBinaryCallback = Qnn_ContextBinaryCallback_t (40, 8) {
        callback_type: type_ @ 0, callback: __bindgen_anon_1 @ 8,
    }
    api::CoreInfoV1 = QnnDevice_CoreInfoV1_t (16, 8) {
        core_id: coreId @ 0, core_type: coreType @ 4, extension: coreInfoExtension @ 8,
    }
    api::CoreInfo = QnnDevice_CoreInfo_t (24, 8) { version: version @ 0, v1: __bindgen_anon_1 @ 8 }
    api::HardwareDeviceInfoV1 = QnnDevice_HardwareDeviceInfoV1_t (32, 8) {
        device_id: deviceId @ 0, device_type: deviceType @ 4, num_cores: numCores @ 8, cores: cores @ 16,
        extension: deviceInfoExtension @ 24,
    }
    api::HardwareDeviceInfo = QnnDevice_HardwareDeviceInfo_t (40, 8) {
        version: version @ 0, v1: __bindgen_anon_1 @ 8,
    }
    api::PlatformInfoV1 = QnnDevice_PlatformInfoV1_t (16, 8) {
        num_devices: numHwDevices @ 0, devices: hwDevices @ 8,
    }
    api::PlatformInfo = QnnDevice_PlatformInfo_t (24, 8) { version: version @ 0, v1: __bindgen_anon_1 @ 8 }
    api::DeviceConfigValue = QnnDevice_Config_t__bindgen_ty_1 (8, 8) {}
    api::DeviceConfig = QnnDevice_Config_t (16, 8) { option: option @ 0, value: __bindgen_anon_1 @ 8 }
    api::GraphConfigValue = QnnGraph_Config_t__bindgen_ty_1 (8, 8) {}
    api::GraphConfig = QnnGraph_Config_t (16, 8) { option: option @ 0, value: __bindgen_anon_1 @ 8 }
    api::ExecuteEnvironment = QnnGraph_ExecuteEnvironment_t (48, 8) {
        option: option @ 0, tensor_set: __bindgen_anon_1 @ 8,
    }
    api::NotifyStatus = Qnn_NotifyStatus_t (8, 8) { error: error @ 0 }
    api::MemShape = Qnn_MemShape_t (24, 8) {
        num_dim: numDim @ 0, dim_size: dimSize @ 8, shape_config: shapeConfig @ 16,
    }
    api::MemIonInfo = Qnn_MemIonInfo_t (4, 4) { fd: fd @ 0 }
    api::MemDmaBufInfo = Qnn_MemDmaBufInfo_t (16, 8) { fd: fd @ 0, data: data @ 8 }
    [since "2.37"] api::MemDx12BufInfo = Qnn_MemDx12BufInfo_t (8, 8) { resource: resourceHandle @ 0 }
    api::MemInfo = Qnn_MemDescriptor_t__bindgen_ty_1 (16, 8) {}
    api::MemDescriptor = Qnn_MemDescriptor_t (48, 8) {
        shape: memShape @ 0, data_type: dataType @ 24, mem_type: memType @ 28, info: __bindgen_anon_1 @ 32,
    }
    api::ProfileEventData = QnnProfile_EventData_t (24, 8) {
        event_type: type_ @ 0, unit: unit @ 4, value: value @ 8, identifier: identifier @ 16,
    }
    api::ProfileOpaqueObject = QnnProfile_BackendOpaqueObject_t (24, 8) {
        object: opaqueObject @ 0, file_name: fileName @ 16,
    }
    api::ProfileEventValue = QnnProfile_ExtendedEventDataV1_t__bindgen_ty_1 (24, 8) {}
    api::ProfileExtendedEventDataV1 = QnnProfile_ExtendedEventDataV1_t (48, 8) {
        event_type: type_ @ 0, unit: unit @ 4, value: __bindgen_anon_1 @ 8, timestamp: timestamp @ 32,
        identifier: identifier @ 40,
    }
    api::ProfileExtendedEventData = QnnProfile_ExtendedEventData_t (56, 8) {
        version: version @ 0, v1: __bindgen_anon_1 @ 8,
    }
    api::ProfileConfigValue = QnnProfile_Config_t__bindgen_ty_1 (8, 8) {}
    api::ProfileConfig = QnnProfile_Config_t (16, 8) { option: option @ 0, value: __bindgen_anon_1 @ 8 }
    api::SignalConfigValue = QnnSignal_Config_t__bindgen_ty_1 (8, 8) {}
    api::SignalConfig = QnnSignal_Config_t (16, 8) { option: option @ 0, value: __bindgen_anon_1 @ 8 }
    [since "2.39"] api::GraphValidateConfig = QnnGraph_ValidateConfig_t (16, 8) {
        option: option @ 0, custom: __bindgen_anon_1 @ 8,
    }
    [since "2.39"] api::NodeValidationResult = QnnGraph_NodeValidationResult_t (32, 8) {
        node_name: nodeName @ 0, status: status @ 8, error_code: errorCode @ 16,
        error_message: errorMessage @ 24,
    }
    [since "2.39"] api::GraphValidationResult = QnnGraph_ValidationResult_t (24, 8) {
        num_results: numResults @ 0, results: results @ 8, overall_status: overallStatus @ 16,
    }
}
