//! Structs of the HTP backend.

layouts! {
    htp::GroupRegistration = QnnHtpContext_GroupRegistration_t (16, 8) {
        first_group_handle: firstGroupHandle @ 0, max_spill_fill_buffer: maxSpillFillBuffer @ 8,
    }
    htp::ContextProperty = QnnHtpContext_CustomProperty_t (16, 8) {
        option: option @ 0, value: __bindgen_anon_1 @ 8,
    }
    htp::OnChipDeviceInfo = QnnHtpDevice_OnChipDeviceInfoExtension_t (24, 8) {
        vtcm_size: vtcmSize @ 0, soc_model: socModel @ 8, signed_pd_support: signedPdSupport @ 12,
        dlbc_support: dlbcSupport @ 13, arch: arch @ 16,
    }
    htp::OptimizationOption = QnnHtpGraph_OptimizationOption_t (8, 4) {
        optimization_type: type_ @ 0, value: floatValue @ 4,
    }
    htp::FinalizeConfig = QnnHtpGraph_FinalizeConfig_t (24, 8) { key: key @ 0, value: value @ 8 }
    htp::VtcmConfig = QnnHtpGraph_VtcmConfig_t (24, 4) {
        size_in_bytes: sizeInBytes @ 0, offset_in_bytes: offsetInBytes @ 4,
        size_total_in_bytes: sizeTotalInBytes @ 8, reserved: reserved @ 12,
    }
    htp::ParallelGraphExecutionConfig = QnnHtpGraph_ParallelGraphExecutionConfig_t (44, 4) {
        concurrency: concurrency @ 0, vtcm: vtcmConfig @ 4, reserved: reserved @ 28,
    }
    htp::GraphCustomValue = QnnHtpGraph_CustomConfig_t__bindgen_ty_1 (48, 8) {}
    htp::GraphCustomConfig = QnnHtpGraph_CustomConfig_t (56, 8) {
        option: option @ 0, value: __bindgen_anon_1 @ 8,
    }
    htp::SharedBufferConfig = QnnHtpMem_SharedBufferConfig_t (16, 8) { fd: fd @ 0, offset: offset @ 8 }
    htp::MemValue = QnnMemHtp_Descriptor_t__bindgen_ty_1 (16, 8) {}
    htp::MemDescriptor = QnnMemHtp_Descriptor_t (32, 8) {
        mem_type: type_ @ 0, size: size @ 8, value: __bindgen_anon_1 @ 16,
    }
    htp::GraphBlobInfoV1 = QnnHtpSystemContext_GraphBlobInfoV1_t (32, 8) {
        spill_fill_buffer_size: spillFillBufferSize @ 0, vtcm_size: vtcmSize @ 8,
        optimization_level: optimizationLevel @ 12, htp_dlbc: htpDlbc @ 16,
        num_hvx_threads: numHvxThreads @ 24,
    }
    htp::GraphBlobInfo = QnnHtpSystemContext_GraphBlobInfo_t (40, 8) {
        version: version @ 0, v1: __bindgen_anon_1 @ 8,
    }
    [since "2.30"] htp::GraphBlobInfoV2 = QnnHtpSystemContext_GraphBlobInfoV2_t (72, 8) {
        version: version @ 0, native_k_channel_size: nativeKChannelSize @ 8,
        native_v_channel_size: nativeVChannelSize @ 16, is_safe_share_io: isSafeShareIO @ 24,
        io_tensor_size: ioTensorSize @ 32, op_data_size: opDataSize @ 40, const_size: constSize @ 48,
        ddr_tensor_size: ddrTensorSize @ 56, shared_weights_size: sharedWeightsSize @ 64,
    }
    htp::ContextBlobInfo = QnnHtpSystemContext_ContextBlobInfo_t (8, 4) {
        version: version @ 0, dsp_arch: __bindgen_anon_1 @ 4,
    }
    htp::HwBlobInfo = QnnHtpSystemContext_HwBlobInfo_t (24, 8) {
        version: version @ 0, v1: __bindgen_anon_1 @ 8,
    }
    htp::DcvsV3 = QnnHtpPerfInfrastructure_DcvsV3_t (64, 4) {
        context_id: contextId @ 0, set_dcvs_enable: setDcvsEnable @ 4, dcvs_enable: dcvsEnable @ 8,
        power_mode: powerMode @ 12, set_sleep_latency: setSleepLatency @ 16, sleep_latency: sleepLatency @ 20,
        set_sleep_disable: setSleepDisable @ 24, sleep_disable: sleepDisable @ 28,
        set_bus_params: setBusParams @ 32, bus_voltage_corner_min: busVoltageCornerMin @ 36,
        bus_voltage_corner_target: busVoltageCornerTarget @ 40,
        bus_voltage_corner_max: busVoltageCornerMax @ 44, set_core_params: setCoreParams @ 48,
        core_voltage_corner_min: coreVoltageCornerMin @ 52,
        core_voltage_corner_target: coreVoltageCornerTarget @ 56,
        core_voltage_corner_max: coreVoltageCornerMax @ 60,
    }
    htp::HmxV2 = QnnHtpPerfInfrastructure_HmxV2_t (20, 4) {
        hmx_pick_default: hmxPickDefault @ 0, hmx_voltage_corner_min: hmxVoltageCornerMin @ 4,
        hmx_voltage_corner_target: hmxVoltageCornerTarget @ 8,
        hmx_voltage_corner_max: hmxVoltageCornerMax @ 12, hmx_perf_mode: hmxPerfMode @ 16,
    }
    [since "2.37"] htp::Ceng = QnnHtpPerfInfrastructure_Ceng_t (16, 4) {
        voltage_corner_min: cengVoltageCornerMin @ 0, voltage_corner_target: cengVoltageCornerTarget @ 4,
        voltage_corner_max: cengVoltageCornerMax @ 8, perf_mode: cengPerfMode @ 12,
    }
    [since "2.37"] htp::CengExp = QnnHtpPerfInfrastructure_CengExp_t (16, 4) {
        voltage_corner_min: cengVoltageCornerMin @ 0, voltage_corner_target: cengVoltageCornerTarget @ 4,
        voltage_corner_max: cengVoltageCornerMax @ 8, perf_mode: cengPerfMode @ 12,
    }
    [since "2.37"] htp::DcvsV3Exp = QnnHtpPerfInfrastructure_DcvsV3Exp_t (64, 4) {
        context_id: contextId @ 0, power_mode: powerMode @ 4, set_sleep_latency: setSleepLatency @ 8,
        sleep_latency: sleepLatency @ 12, set_sleep_disable: setSleepDisable @ 16,
        sleep_disable: sleepDisable @ 20, set_bus_params: setBusParams @ 24,
        bus_voltage_corner_min: busVoltageCornerMin @ 28,
        bus_voltage_corner_target: busVoltageCornerTarget @ 32,
        bus_voltage_corner_max: busVoltageCornerMax @ 36, set_core_params: setCoreParams @ 40,
        core_voltage_corner_min: coreVoltageCornerMin @ 44,
        core_voltage_corner_target: coreVoltageCornerTarget @ 48,
        core_voltage_corner_max: coreVoltageCornerMax @ 52, core_perf_mode: corePerfMode @ 56,
        bus_perf_mode: busPerfMode @ 60,
    }
    htp::PowerConfigValue = QnnHtpPerfInfrastructure_PowerConfig_t__bindgen_ty_1 (64, 4) {}
    htp::PowerConfig = QnnHtpPerfInfrastructure_PowerConfig_t (68, 4) {
        option: option @ 0, value: __bindgen_anon_1 @ 4,
    }
    htp::MemoryConfig = QnnHtpPerfInfrastructure_MemoryConfig_t (8, 4) {
        option: option @ 0, grow_size: __bindgen_anon_1 @ 4,
    }
    htp::PerfInfrastructure = QnnHtpDevice_PerfInfrastructure_t (32, 8) {
        create_power_config_id: createPowerConfigId @ 0, destroy_power_config_id: destroyPowerConfigId @ 8,
        set_power_config: setPowerConfig @ 16, set_memory_config: setMemoryConfig @ 24,
    }
    htp::ContextCustomConfig = QnnHtpContext_CustomConfig_t (24, 8) {
        option: option @ 0, value: __bindgen_anon_1 @ 8,
    }
    htp::ContextCustomValue = QnnHtpContext_CustomConfig__bindgen_ty_1 (16, 8) {}
    htp::DeviceInfoExtension = QnnHtpDevice_DeviceInfoExtension_t (32, 8) {
        device_type: devType @ 0, on_chip: __bindgen_anon_1 @ 8,
    }
    htp::DeviceInfrastructure = QnnHtpDevice_Infrastructure_t (40, 8) {
        infrastructure_type: infraType @ 0, perf: __bindgen_anon_1 @ 8,
    }
    htp::HmxBoundingInfo = QnnHtp_HmxBoundingInfo_t (8, 4) {
        target_hmx_freq_hz: targetHmxFreqHz @ 0, target_dsp_core_freq: targetDspCoreFreq @ 4,
    }
    htp::HwBlobInfoV1 = QnnHtpSystemContext_HwBlobInfoV1_t (16, 8) {
        graph_list_index: graphListIndex @ 0, spill_fill_buffer_size: spillFillBufferSize @ 8,
    }
    [since "2.39"] htp::ParallelWeightLoading = QnnHtpContext_ParallelWeightLoading_t (16, 8) {
        mode: mode @ 0, threshold_mb: thresholdInMbOverride @ 8,
    }
}
