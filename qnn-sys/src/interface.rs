//! The function table of a backend.

use std::error::Error;
use std::ffi::{c_char, c_void};
use std::fmt;
use std::ptr::NonNull;

use crate::api::*;
use crate::types::*;
use crate::version::{AbiVersion, VersionError};

/// A function that the loaded library does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingFunction {
    /// Name of the slot in the vendor's table.
    pub name: &'static str,
}

impl fmt::Display for MissingFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the loaded QNN library has no function `{}`", self.name)
    }
}

impl Error for MissingFunction {}

/// Declares a function table: one optional function pointer per slot, in slot order, and for each a method that turns a
/// missing one into an error, and its name.
macro_rules! function_table {
    ($(#[$meta:meta])* $table:ident, $names:ident { $($(#[$fmeta:meta])* $name:ident = $cname:literal ($($arg:ident: $ty:ty),* $(,)?);)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $table {
            $(
                #[doc = concat!("`", $cname, "`")]
                $(#[$fmeta])*
                pub $name: Option<unsafe extern "C" fn($($arg: $ty),*) -> $crate::types::ErrorHandle>,
            )*
        }

        #[doc = concat!("The vendor's name of each function of [`", stringify!($table), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub struct $names {
            $(
                #[doc = concat!("`\"", $cname, "\"`")]
                pub $name: &'static str,
            )*
        }

        impl $table {
            /// Names of the slots in the vendor's table, in slot order.
            pub const NAMES: &'static [&'static str] = &[$($cname,)*];
            /// Names of the functions in this crate, in slot order.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($name),)*];

            /// The vendor's names, by the names here.
            pub const fn c_names(&self) -> $names {
                $names { $($name: $cname,)* }
            }

            $(
                #[doc = concat!("The function `", $cname, "`.\n\n# Errors\n[`MissingFunction`](crate::interface::MissingFunction) when the library has none.")]
                pub fn $name(
                    &self,
                ) -> Result<
                    unsafe extern "C" fn($($arg: $ty),*) -> $crate::types::ErrorHandle,
                    $crate::interface::MissingFunction,
                > {
                    self.$name.ok_or($crate::interface::MissingFunction { name: $cname })
                }
            )*
        }
    };
}
pub(crate) use function_table;

/// Copies a table that has at least `readable` slots; slots after them are empty.
///
/// # Safety
/// `T` must be a struct of optional function pointers only, such as [`function_table`] declares, and `table` must point to `readable`
/// function pointers (or nulls) of its types.
pub(crate) unsafe fn read_table<T: Copy + Default>(
    table: *const Option<unsafe extern "C" fn()>,
    readable: usize,
) -> T {
    let mut functions = T::default();
    let slots = readable.min(size_of::<T>() / size_of::<usize>());
    // SAFETY: the struct is optional function pointers, each one pointer wide with null as `None`, and the caller vouches for
    // `readable` of them at `table`.
    unsafe {
        std::ptr::copy_nonoverlapping(
            table,
            (&raw mut functions).cast::<Option<unsafe extern "C" fn()>>(),
            slots,
        );
    }
    functions
}

function_table! {
    /// The functions of a backend, in the order of the vendor's table. Slots that the loaded version does not have are
    /// `None`.
    ///
    /// All functions return 0 or an error code; arrays of configs are null-terminated and may be null.
    Functions, FunctionNames {
        property_has_capability = "propertyHasCapability"(key: PropertyKey);
        backend_create = "backendCreate"(
            logger: LogHandle, config: *mut *const BackendConfig, backend: *mut BackendHandle);
        backend_set_config = "backendSetConfig"(backend: BackendHandle, config: *mut *const BackendConfig);
        backend_get_api_version = "backendGetApiVersion"(version: *mut ApiVersion);
        backend_get_build_id = "backendGetBuildId"(id: *mut *const c_char);
        backend_register_op_package = "backendRegisterOpPackage"(
            backend: BackendHandle, path: *const c_char, provider: *const c_char, target: *const c_char);
        backend_get_supported_operations = "backendGetSupportedOperations"(
            backend: BackendHandle, num_operations: *mut u32, operations: *mut *const OperationName);
        backend_validate_op_config = "backendValidateOpConfig"(backend: BackendHandle, op_config: OpConfig);
        backend_free = "backendFree"(backend: BackendHandle);
        context_create = "contextCreate"(
            backend: BackendHandle, device: DeviceHandle, config: *mut *const ContextConfig,
            context: *mut ContextHandle);
        context_set_config = "contextSetConfig"(context: ContextHandle, config: *mut *const ContextConfig);
        context_get_binary_size = "contextGetBinarySize"(context: ContextHandle, size: *mut ContextBinarySize);
        context_get_binary = "contextGetBinary"(
            context: ContextHandle, buffer: *mut c_void, buffer_size: ContextBinarySize,
            written: *mut ContextBinarySize);
        context_create_from_binary = "contextCreateFromBinary"(
            backend: BackendHandle, device: DeviceHandle, config: *mut *const ContextConfig,
            binary: *const c_void, binary_size: ContextBinarySize, context: *mut ContextHandle,
            profile: ProfileHandle);
        context_free = "contextFree"(context: ContextHandle, profile: ProfileHandle);
        graph_create = "graphCreate"(
            context: ContextHandle, name: *const c_char, config: *mut *const GraphConfig, graph: *mut GraphHandle);
        graph_create_subgraph = "graphCreateSubgraph"(
            graph: GraphHandle, name: *const c_char, subgraph: *mut GraphHandle);
        graph_set_config = "graphSetConfig"(graph: GraphHandle, config: *mut *const GraphConfig);
        graph_add_node = "graphAddNode"(graph: GraphHandle, op_config: OpConfig);
        graph_finalize = "graphFinalize"(graph: GraphHandle, profile: ProfileHandle, signal: SignalHandle);
        graph_retrieve = "graphRetrieve"(context: ContextHandle, name: *const c_char, graph: *mut GraphHandle);
        graph_execute = "graphExecute"(
            graph: GraphHandle, inputs: *const Tensor, num_inputs: u32, outputs: *mut Tensor, num_outputs: u32,
            profile: ProfileHandle, signal: SignalHandle);
        graph_execute_async = "graphExecuteAsync"(
            graph: GraphHandle, inputs: *const Tensor, num_inputs: u32, outputs: *mut Tensor, num_outputs: u32,
            profile: ProfileHandle, signal: SignalHandle, notify: Option<NotifyFn>, notify_param: *mut c_void);
        tensor_create_context_tensor = "tensorCreateContextTensor"(context: ContextHandle, tensor: *mut Tensor);
        tensor_create_graph_tensor = "tensorCreateGraphTensor"(graph: GraphHandle, tensor: *mut Tensor);
        log_create = "logCreate"(callback: Option<LogCallback>, max_level: LogLevel, logger: *mut LogHandle);
        log_set_log_level = "logSetLogLevel"(logger: LogHandle, max_level: LogLevel);
        log_free = "logFree"(logger: LogHandle);
        profile_create = "profileCreate"(
            backend: BackendHandle, level: ProfileLevel, profile: *mut ProfileHandle);
        profile_set_config = "profileSetConfig"(profile: ProfileHandle, config: *mut *const ProfileConfig);
        profile_get_events = "profileGetEvents"(
            profile: ProfileHandle, events: *mut *const ProfileEventId, num_events: *mut u32);
        profile_get_sub_events = "profileGetSubEvents"(
            event: ProfileEventId, sub_events: *mut *const ProfileEventId, num_sub_events: *mut u32);
        profile_get_event_data = "profileGetEventData"(event: ProfileEventId, data: *mut ProfileEventData);
        profile_get_extended_event_data = "profileGetExtendedEventData"(
            event: ProfileEventId, data: *mut ProfileExtendedEventData);
        profile_free = "profileFree"(profile: ProfileHandle);
        mem_register = "memRegister"(
            context: ContextHandle, descriptors: *const MemDescriptor, num_descriptors: u32,
            handles: *mut MemHandle);
        mem_deregister = "memDeRegister"(handles: *const MemHandle, num_handles: u32);
        device_get_platform_info = "deviceGetPlatformInfo"(logger: LogHandle, info: *mut *const PlatformInfo);
        device_free_platform_info = "deviceFreePlatformInfo"(logger: LogHandle, info: *const PlatformInfo);
        /// For the HTP backend `infrastructure` receives a pointer to [`crate::htp::DeviceInfrastructure`].
        device_get_infrastructure = "deviceGetInfrastructure"(infrastructure: *mut *mut c_void);
        device_create = "deviceCreate"(
            logger: LogHandle, config: *mut *const DeviceConfig, device: *mut DeviceHandle);
        device_set_config = "deviceSetConfig"(device: DeviceHandle, config: *mut *const DeviceConfig);
        device_get_info = "deviceGetInfo"(device: DeviceHandle, info: *mut *const PlatformInfo);
        device_free = "deviceFree"(device: DeviceHandle);
        signal_create = "signalCreate"(
            backend: BackendHandle, config: *mut *const SignalConfig, signal: *mut SignalHandle);
        signal_set_config = "signalSetConfig"(signal: SignalHandle, config: *mut *const SignalConfig);
        signal_trigger = "signalTrigger"(signal: SignalHandle);
        signal_free = "signalFree"(signal: SignalHandle);
        error_get_message = "errorGetMessage"(error: ErrorHandle, message: *mut *const c_char);
        error_get_verbose_message = "errorGetVerboseMessage"(error: ErrorHandle, message: *mut *const c_char);
        error_free_verbose_message = "errorFreeVerboseMessage"(message: *const c_char);
        graph_prepare_execution_environment = "graphPrepareExecutionEnvironment"(
            graph: GraphHandle, environments: *mut *mut ExecuteEnvironment, num_environments: u32);
        graph_release_execution_environment = "graphReleaseExecutionEnvironment"(
            graph: GraphHandle, environments: *mut *const ExecuteEnvironment, num_environments: u32);
        graph_get_property = "graphGetProperty"(graph: GraphHandle, properties: *mut *mut Property);
        /// The HTP library 2.51 on x86-64 answers 1000 (not supported).
        context_validate_binary = "contextValidateBinary"(
            backend: BackendHandle, device: DeviceHandle, config: *mut *const ContextConfig,
            binary: *const c_void, binary_size: ContextBinarySize);
        context_create_from_binary_with_signal = "contextCreateFromBinaryWithSignal"(
            backend: BackendHandle, device: DeviceHandle, config: *mut *const ContextConfig,
            binary: *const c_void, binary_size: ContextBinarySize, context: *mut ContextHandle,
            profile: ProfileHandle, signal: SignalHandle);
        context_create_from_binary_list_async = "contextCreateFromBinaryListAsync"(
            backend: BackendHandle, device: DeviceHandle, params: *mut *const ContextParams,
            config: *mut *const ContextConfig, signal: SignalHandle);
        tensor_update_graph_tensors = "tensorUpdateGraphTensors"(
            graph: GraphHandle, tensors: *mut *const Tensor, num_tensors: u64);
        tensor_update_context_tensors = "tensorUpdateContextTensors"(
            context: ContextHandle, tensors: *mut *const Tensor, num_tensors: u64);
        context_get_binary_section_size = "contextGetBinarySectionSize"(
            context: ContextHandle, graph: GraphHandle, section: ContextSection, size: *mut ContextBinarySize);
        context_get_binary_section = "contextGetBinarySection"(
            context: ContextHandle, graph: GraphHandle, section: ContextSection, buffer: *const ContextBuffer,
            written: *mut ContextBinarySize, profile: ProfileHandle, signal: SignalHandle);
        context_apply_binary_section = "contextApplyBinarySection"(
            context: ContextHandle, graph: GraphHandle, section: ContextSection, buffer: *const ContextBuffer,
            profile: ProfileHandle, signal: SignalHandle);
        backend_get_property = "backendGetProperty"(backend: BackendHandle, properties: *mut *mut Property);
        context_get_property = "contextGetProperty"(context: ContextHandle, properties: *mut *mut Property);
        context_get_incremental_binary = "contextGetIncrementalBinary"(
            context: ContextHandle, buffer: *mut *const c_void, start_offset: *mut ContextBinarySize,
            written: *mut ContextBinarySize);
        context_release_incremental_binary = "contextReleaseIncrementalBinary"(
            context: ContextHandle, buffer: *const c_void, start_offset: ContextBinarySize);
        context_finalize = "contextFinalize"(context: ContextHandle, profile: ProfileHandle);
        global_config_set = "globalConfigSet"(config: *mut *const GlobalConfig);
        /// Since core 2.32 at the latest.
        context_create_from_binary_with_callback = "contextCreateFromBinaryWithCallback"(
            backend: BackendHandle, device: DeviceHandle, config: *mut *const ContextConfig,
            callback: *const ContextBinaryCallback, binary: *const c_void, binary_size: ContextBinarySize,
            context: *mut ContextHandle, profile: ProfileHandle, signal: SignalHandle);
        /// Since core 2.32 at the latest.
        context_get_binary_section_update = "contextGetBinarySectionUpdate"(
            buffer: *const ContextBuffer, auxiliary: *const ContextBuffer, tensors: *mut *const Tensor,
            num_tensors: u64, keep_updatable: u8, logger: LogHandle, profile: ProfileHandle,
            signal: SignalHandle, update: *mut ContextBuffer);
        /// Since core 2.32 at the latest.
        context_free_binary_section_update = "contextFreeBinarySectionUpdate"(
            update: ContextBuffer, logger: LogHandle);
        /// Since core 2.37 at the latest.
        context_add_to_dlc = "contextAddToDlc"(context: ContextHandle, dlc: SystemDlcHandle);
        /// Since core 2.39 at the latest. The HTP library 2.51 on x86-64 answers 1000 (not supported).
        graph_validate = "graphValidate"(
            graph: GraphHandle, config: *mut *const GraphValidateConfig, result: *mut *mut GraphValidationResult);
        /// Since core 2.39 at the latest.
        graph_free_validation_result = "graphFreeValidationResult"(result: *mut GraphValidationResult);
        /// Since core 2.39 at the latest.
        backend_register_op_package_from_binary = "backendRegisterOpPackageFromBinary"(
            backend: BackendHandle, binary: *const c_void, binary_size: u64, provider: *const c_char,
            target: *const c_char);
    }
}

/// What precedes the function table in `QnnInterface_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InterfaceHeader {
    /// [`crate::api::backend_id`]
    pub backend_id: u32,
    /// For example `HTP_QTI_AISW`.
    pub provider_name: *const c_char,
    /// What the library implements.
    pub api_version: ApiVersion,
}

/// `QnnInterface_t` with a table of `N` slots, to pass it by value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InterfaceByValue<const N: usize> {
    /// What precedes the table.
    pub header: InterfaceHeader,
    /// The slots.
    pub table: [Option<unsafe extern "C" fn()>; N],
}

/// A provider's interface: its versions and function table.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    raw: NonNull<InterfaceHeader>,
    header: InterfaceHeader,
    abi: AbiVersion,
    functions: Functions,
}

// SAFETY: the interface struct and its provider name are constants inside the library, which is never unloaded; the fields are
// read only, and whether a function may be called from several threads is the business of the caller of that function.
unsafe impl Send for Interface {}
// SAFETY: as above.
unsafe impl Sync for Interface {}

impl Interface {
    /// Reads the interface that a library handed out.
    ///
    /// # Errors
    /// [`VersionError`] when its core API is not a supported one; then nothing after the header was read.
    ///
    /// # Safety
    /// `raw` must point to a `QnnInterface_t` of the version it says, which is never freed.
    pub unsafe fn from_raw(raw: NonNull<c_void>) -> Result<Self, VersionError> {
        let raw = raw.cast::<InterfaceHeader>();
        // SAFETY: every version of the struct begins with the header; the caller vouches for the pointer.
        let header = unsafe { raw.read() };
        let abi = AbiVersion::new(header.api_version.core)?;
        // SAFETY: the table follows the header, and has the number of slots that its version says.
        let functions = unsafe { read_table(raw.add(1).as_ptr().cast(), abi.slots().readable()) };
        Ok(Self { raw, header, abi, functions })
    }

    /// Backend id, provider name and versions.
    pub fn header(&self) -> &InterfaceHeader {
        &self.header
    }

    /// The supported version that decides the layouts.
    pub fn abi(&self) -> AbiVersion {
        self.abi
    }

    /// The functions.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The whole struct for a call that takes it by value, when the library's table has exactly `N` slots.
    pub fn by_value<const N: usize>(&self) -> Option<InterfaceByValue<N>> {
        if self.abi.slots() == crate::SlotCount::Exactly(N) {
            // SAFETY: the struct behind the pointer is the header and exactly `N` slots, and is never freed.
            Some(unsafe { self.raw.cast::<InterfaceByValue<N>>().read() })
        } else {
            None
        }
    }
}
