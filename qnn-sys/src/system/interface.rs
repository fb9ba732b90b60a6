//! The function table of the System library.

use std::ffi::{c_char, c_void};
use std::ptr::NonNull;

use crate::api::{LogCallback, LogLevel};
use crate::interface::{function_table, read_table};
use crate::system::{BinaryInfo, DlcRecordType, ProfileData, SerializationTarget, SerializationTargetConfig};
use crate::types::*;
use crate::version::{SystemVersion, VersionError};

function_table! {
    /// The functions of the System library, in the order of the vendor's table. Slots that the loaded version does not have
    /// are `None`. From System 1.14 on the table has more, for reading DLC files field by field; they are not declared here.
    SystemFunctions, SystemFunctionNames {
        system_context_create = "systemContextCreate"(context: *mut SystemContextHandle);
        /// `info_size` comes back as 0.
        system_context_get_binary_info = "systemContextGetBinaryInfo"(
            context: SystemContextHandle, binary: *mut c_void, binary_size: u64, info: *mut *const BinaryInfo,
            info_size: *mut ContextBinarySize);
        system_context_get_metadata = "systemContextGetMetaData"(
            context: SystemContextHandle, binary: *const c_void, binary_size: u64, info: *mut *const BinaryInfo);
        system_context_free = "systemContextFree"(context: SystemContextHandle);
        system_tensor_get_memory_footprint = "systemTensorGetMemoryFootprint"(
            tensor: Tensor, footprint: *mut u64);
        system_log_create = "systemLogCreate"(
            callback: Option<LogCallback>, max_level: LogLevel, logger: *mut LogHandle);
        system_log_set_log_level = "systemLogSetLogLevel"(logger: LogHandle, max_level: LogLevel);
        system_log_free = "systemLogFree"(logger: LogHandle);
        system_dlc_create_from_file = "systemDlcCreateFromFile"(
            logger: LogHandle, path: *const c_char, dlc: *mut SystemDlcHandle);
        system_dlc_create_from_binary = "systemDlcCreateFromBinary"(
            logger: LogHandle, buffer: *const u8, buffer_size: ContextBinarySize, dlc: *mut SystemDlcHandle);
        /// Takes the backend's table by value, so this is not its signature: call
        /// [`SystemInterface::dlc_compose_graphs`].
        system_dlc_compose_graphs = "systemDlcComposeGraphs"();
        system_dlc_get_op_mappings = "systemDlcGetOpMappings"(
            dlc: SystemDlcHandle, mappings: *mut *const OpMapping, num_mappings: *mut u32);
        system_dlc_free = "systemDlcFree"(dlc: SystemDlcHandle);
        /// Since System 1.6 at the latest, as the two after it.
        system_profile_create_serialization_target = "systemProfileCreateSerializationTarget"(
            target_info: SerializationTarget, configs: *mut SerializationTargetConfig, num_configs: u32,
            target: *mut SystemProfileTargetHandle);
        system_profile_serialize_event_data = "systemProfileSerializeEventData"(
            target: SystemProfileTargetHandle, data: *mut *const ProfileData, num_data: u32);
        system_profile_free_serialization_target = "systemProfileFreeSerializationTarget"(
            target: SystemProfileTargetHandle);
        /// Since System 1.12 at the latest, as all after it.
        system_dlc_get_record_by_name = "systemDlcGetRecordByName"(
            dlc: SystemDlcHandle, name: *const c_char, record: *mut SystemDlcRecordHandle);
        system_dlc_get_records_by_type = "systemDlcGetRecordsByType"(
            dlc: SystemDlcHandle, record_type: DlcRecordType, most_optimal_binary: u8,
            records: *mut *mut SystemDlcRecordHandle, num_records: *mut u32);
        system_dlc_get_record_data_size = "systemDlcGetRecordDataSize"(
            record: SystemDlcRecordHandle, size: *mut u64);
        system_dlc_read_record_data_memory_mapped = "systemDlcReadRecordDataMemoryMapped"(
            record: SystemDlcRecordHandle, data: *mut *const u8, size: *mut u64);
        system_dlc_free_record = "systemDlcFreeRecord"(record: SystemDlcRecordHandle);
        system_dlc_save = "systemDlcSave"(dlc: SystemDlcHandle, path: *const c_char);
        system_dlc_create_from_file_with_destination_dir = "systemDlcCreateFromFileWithDestinationDir"(
            logger: LogHandle, path: *const c_char, directory: *const c_char, dlc: *mut SystemDlcHandle);
        system_dlc_create_from_binary_with_destination_dir = "systemDlcCreateFromBinaryWithDestinationDir"(
            logger: LogHandle, buffer: *const u8, buffer_size: ContextBinarySize, directory: *const c_char,
            dlc: *mut SystemDlcHandle);
        system_dlc_get_binary_size = "systemDlcGetBinarySize"(dlc: SystemDlcHandle, size: *mut u64);
        system_dlc_get_binary = "systemDlcGetBinary"(
            dlc: SystemDlcHandle, buffer: *mut u8, buffer_size: u64, written: *mut u64);
        system_dlc_create_with_destination_dir = "systemDlcCreateWithDestinationDir"(
            logger: LogHandle, directory: *const c_char, dlc: *mut SystemDlcHandle);
    }
}

/// What precedes the function table in `QnnSystemInterface_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SystemInterfaceHeader {
    /// Always 0.
    pub backend_id: u32,
    /// `SYSTEM_QTI_AISW`
    pub provider_name: *const c_char,
    /// What the library implements.
    pub api_version: Version,
}

/// The System library's interface: its version and function table.
#[derive(Clone, Copy, Debug)]
pub struct SystemInterface {
    header: SystemInterfaceHeader,
    version: SystemVersion,
    functions: SystemFunctions,
}

// SAFETY: the provider name is a constant inside the library, which is never unloaded; the fields are read only, and whether a
// function may be called from several threads is the business of the caller of that function.
unsafe impl Send for SystemInterface {}
// SAFETY: as above.
unsafe impl Sync for SystemInterface {}

impl SystemInterface {
    /// Reads the interface that a library handed out.
    ///
    /// # Errors
    /// [`VersionError`] when its System API is not a supported one; then nothing after the header was read.
    ///
    /// # Safety
    /// `raw` must point to a `QnnSystemInterface_t` of the version it says, which is never freed.
    pub unsafe fn from_raw(raw: NonNull<c_void>) -> Result<Self, VersionError> {
        let raw = raw.cast::<SystemInterfaceHeader>();
        // SAFETY: every version of the struct begins with the header; the caller vouches for the pointer.
        let header = unsafe { raw.read() };
        let version = SystemVersion::new(header.api_version)?;
        // SAFETY: the table follows the header, and has the number of slots that its version says.
        let functions = unsafe { read_table(raw.add(1).as_ptr().cast(), version.slots().readable()) };
        Ok(Self { header, version, functions })
    }

    /// Provider name and version.
    pub fn header(&self) -> &SystemInterfaceHeader {
        &self.header
    }

    /// The supported version that decides the layouts.
    pub fn version(&self) -> SystemVersion {
        self.version
    }

    /// The functions.
    pub fn functions(&self) -> &SystemFunctions {
        &self.functions
    }
}
