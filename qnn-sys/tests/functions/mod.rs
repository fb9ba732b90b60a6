//! The functions of both tables by our name and the C name, and what a signature must have in common with the C one: number and
//! sizes of the arguments.

/// A function pointer type.
trait Signature {
    /// Size of each argument, bytes.
    fn arguments() -> Vec<usize>;
}

macro_rules! signatures {
    ($(($($argument:ident)*))*) => { $(
        impl<Out, $($argument),*> Signature for Option<unsafe extern "C" fn($($argument),*) -> Out> {
            fn arguments() -> Vec<usize> {
                vec![$(size_of::<$argument>()),*]
            }
        }
    )* };
}

signatures! {
    () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) (A B C D E F G H I)
}

/// Sizes of the arguments of the function in a field.
fn arguments<Table, Function: Signature>(_field: fn(&Table) -> &Function) -> Vec<usize> {
    Function::arguments()
}

macro_rules! compare {
    ($ours:path, $theirs:path; $($([since $since:literal])? $name:ident = $cname:ident,)*) => {
        $($(#[cfg(qnn_headers = $since)])? {
            let ours = arguments(|table: &$ours| &table.$name);
            let theirs = arguments(|table: &$theirs| &table.$cname);
            assert_eq!(ours, theirs, "sizes of the arguments of {}", stringify!($cname));
        })*
    };
}

#[test]
fn backend_functions_take_the_arguments_of_the_headers() {
    compare! { qnn_sys::interface::Functions, qnn_sys::bindings::QnnInterface_Implementation_t;
        property_has_capability = propertyHasCapability,
        backend_create = backendCreate,
        backend_set_config = backendSetConfig,
        backend_get_api_version = backendGetApiVersion,
        backend_get_build_id = backendGetBuildId,
        backend_register_op_package = backendRegisterOpPackage,
        backend_get_supported_operations = backendGetSupportedOperations,
        backend_validate_op_config = backendValidateOpConfig,
        backend_free = backendFree,
        context_create = contextCreate,
        context_set_config = contextSetConfig,
        context_get_binary_size = contextGetBinarySize,
        context_get_binary = contextGetBinary,
        context_create_from_binary = contextCreateFromBinary,
        context_free = contextFree,
        graph_create = graphCreate,
        graph_create_subgraph = graphCreateSubgraph,
        graph_set_config = graphSetConfig,
        graph_add_node = graphAddNode,
        graph_finalize = graphFinalize,
        graph_retrieve = graphRetrieve,
        graph_execute = graphExecute,
        graph_execute_async = graphExecuteAsync,
        tensor_create_context_tensor = tensorCreateContextTensor,
        tensor_create_graph_tensor = tensorCreateGraphTensor,
        log_create = logCreate,
        log_set_log_level = logSetLogLevel,
        log_free = logFree,
        profile_create = profileCreate,
        profile_set_config = profileSetConfig,
        profile_get_events = profileGetEvents,
        profile_get_sub_events = profileGetSubEvents,
        profile_get_event_data = profileGetEventData,
        profile_get_extended_event_data = profileGetExtendedEventData,
        profile_free = profileFree,
        mem_register = memRegister,
        mem_deregister = memDeRegister,
        device_get_platform_info = deviceGetPlatformInfo,
        device_free_platform_info = deviceFreePlatformInfo,
        device_get_infrastructure = deviceGetInfrastructure,
        device_create = deviceCreate,
        device_set_config = deviceSetConfig,
        device_get_info = deviceGetInfo,
        device_free = deviceFree,
        signal_create = signalCreate,
        signal_set_config = signalSetConfig,
        signal_trigger = signalTrigger,
        signal_free = signalFree,
        error_get_message = errorGetMessage,
        error_get_verbose_message = errorGetVerboseMessage,
        error_free_verbose_message = errorFreeVerboseMessage,
        graph_prepare_execution_environment = graphPrepareExecutionEnvironment,
        graph_release_execution_environment = graphReleaseExecutionEnvironment,
        graph_get_property = graphGetProperty,
        context_validate_binary = contextValidateBinary,
        context_create_from_binary_with_signal = contextCreateFromBinaryWithSignal,
        context_create_from_binary_list_async = contextCreateFromBinaryListAsync,
        tensor_update_graph_tensors = tensorUpdateGraphTensors,
        tensor_update_context_tensors = tensorUpdateContextTensors,
        context_get_binary_section_size = contextGetBinarySectionSize,
        context_get_binary_section = contextGetBinarySection,
        context_apply_binary_section = contextApplyBinarySection,
        backend_get_property = backendGetProperty,
        context_get_property = contextGetProperty,
        context_get_incremental_binary = contextGetIncrementalBinary,
        context_release_incremental_binary = contextReleaseIncrementalBinary,
        context_finalize = contextFinalize,
        global_config_set = globalConfigSet,
        [since "2.28"] context_create_from_binary_with_callback = contextCreateFromBinaryWithCallback,
        [since "2.32"] context_get_binary_section_update = contextGetBinarySectionUpdate,
        [since "2.32"] context_free_binary_section_update = contextFreeBinarySectionUpdate,
        [since "2.37"] context_add_to_dlc = contextAddToDlc,
        [since "2.39"] graph_validate = graphValidate,
        [since "2.39"] graph_free_validation_result = graphFreeValidationResult,
        [since "2.39"] backend_register_op_package_from_binary = backendRegisterOpPackageFromBinary,
    }
}

#[test]
fn system_functions_take_the_arguments_of_the_headers() {
    compare! { qnn_sys::system::SystemFunctions, qnn_sys::bindings::QnnSystemInterface_Implementation_t;
        system_context_create = systemContextCreate,
        system_context_get_binary_info = systemContextGetBinaryInfo,
        system_context_get_metadata = systemContextGetMetaData,
        system_context_free = systemContextFree,
        system_tensor_get_memory_footprint = systemTensorGetMemoryFootprint,
        system_log_create = systemLogCreate,
        system_log_set_log_level = systemLogSetLogLevel,
        system_log_free = systemLogFree,
        system_dlc_create_from_file = systemDlcCreateFromFile,
        system_dlc_create_from_binary = systemDlcCreateFromBinary,
        system_dlc_get_op_mappings = systemDlcGetOpMappings,
        system_dlc_free = systemDlcFree,
        [since "2.30"] system_profile_create_serialization_target = systemProfileCreateSerializationTarget,
        [since "2.30"] system_profile_serialize_event_data = systemProfileSerializeEventData,
        [since "2.30"] system_profile_free_serialization_target = systemProfileFreeSerializationTarget,
        [since "2.37"] system_dlc_get_record_by_name = systemDlcGetRecordByName,
        [since "2.37"] system_dlc_get_records_by_type = systemDlcGetRecordsByType,
        [since "2.37"] system_dlc_get_record_data_size = systemDlcGetRecordDataSize,
        [since "2.37"] system_dlc_read_record_data_memory_mapped = systemDlcReadRecordDataMemoryMapped,
        [since "2.37"] system_dlc_free_record = systemDlcFreeRecord,
        [since "2.37"] system_dlc_save = systemDlcSave,
        [since "2.37"] system_dlc_create_from_file_with_destination_dir = systemDlcCreateFromFileWithDestinationDir,
        [since "2.37"] system_dlc_create_from_binary_with_destination_dir = systemDlcCreateFromBinaryWithDestinationDir,
        [since "2.37"] system_dlc_get_binary_size = systemDlcGetBinarySize,
        [since "2.37"] system_dlc_get_binary = systemDlcGetBinary,
        [since "2.37"] system_dlc_create_with_destination_dir = systemDlcCreateWithDestinationDir,
    }
}

/// `systemDlcComposeGraphs` takes the table by value, so the table of our version must have the size of the headers'.
#[test]
fn the_interface_that_is_passed_by_value_has_the_size_of_the_headers() {
    let size = size_of::<qnn_sys::bindings::QnnInterface_t>();
    let ours = [
        size_of::<qnn_sys::interface::InterfaceByValue<68>>(),
        size_of::<qnn_sys::interface::InterfaceByValue<69>>(),
        size_of::<qnn_sys::interface::InterfaceByValue<71>>(),
        size_of::<qnn_sys::interface::InterfaceByValue<72>>(),
        size_of::<qnn_sys::interface::InterfaceByValue<75>>(),
    ];
    assert!(ours.contains(&size), "{size} bytes");
}
