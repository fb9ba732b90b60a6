//! DLC files.

use std::error::Error;
use std::ffi::{c_char, c_void};
use std::fmt;

use crate::api::GraphConfig;
use crate::interface::{Interface, InterfaceByValue, MissingFunction};
use crate::system::{GraphInfo, GraphInfoVersion, SystemInterface};
use crate::types::{BackendHandle, ContextHandle, ErrorHandle, SystemDlcHandle, Version};

/// `QnnSystemDlc_GraphConfigInfoV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DlcGraphConfigInfoV1 {
    /// The graph it is for.
    pub graph_name: *const c_char,
    /// Its options, `num_configs` and a null.
    pub graph_configs: *mut *const GraphConfig,
    /// Number of options.
    pub num_configs: u32,
}

/// `QnnSystemDlc_GraphConfigInfo_t`: options of one graph of a DLC file.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DlcGraphConfigInfo {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: DlcGraphConfigInfoV1,
}

c_enum! {
    /// `QnnSystemDlc_RecordType_t`: what a record of a DLC file holds. Since System 1.12 at the latest.
    DlcRecordType, "QNN_SYSTEM_DLC_RECORD_" {
        TYPE_DLC_METADATA = 0x01,
        TYPE_MODEL_TOPOLOGY = 0x02,
        TYPE_MODEL_PARAMS = 0x03,
        TYPE_MODEL_ENCODINGS = 0x05,
        TYPE_LORA_CONVERTER_METADATA = 0x06,
        PREFIX_HTP_CACHE_RECORD = 0x07,
        PREFIX_AIP_CACHE_RECORD = 0x08,
        PREFIX_HTA_CACHE_RECORD = 0x09,
        PREFIX_AIX_CACHE_RECORD = 0x0A,
        PREFIX_GPU_CACHE_RECORD = 0x0B,
        PREFIX_HEXNNV2_CACHE_RECORD = 0x0C,
        TYPE_SOURCE_MAPPING = 0x0D,
        TYPE_SOURCE_TOPOLOGY = 0x0E,
        TYPE_HTP_SCHEMATIC_BIN = 0x0F,
        TYPE_HTP_GRAPH_MAPPING = 0x10,
        TYPE_GENAI_METADATA = 0x11,
        TYPE_GENAI_ARTIFACT = 0x12,
        TYPE_HTP_SHARED_WEIGHTS_RECORD = 0x13,
        TYPE_HTP_SHARED_WEIGHTS_METADATA_RECORD = 0x14,
        NAME_UNKNOWN = 0x7FFF_FFFF,
    }
}

/// What `systemDlcComposeGraphs` is told.
#[derive(Clone, Copy, Debug)]
pub struct ComposeGraphs<'a> {
    /// The file.
    pub dlc: SystemDlcHandle,
    /// `num_graph_configs` pointers, or null.
    pub graph_configs: *mut *const DlcGraphConfigInfo,
    /// Number of `graph_configs`.
    pub num_graph_configs: u32,
    /// Backend to compose for.
    pub backend: BackendHandle,
    /// Context that receives the graphs.
    pub context: ContextHandle,
    /// The backend's interface.
    pub interface: &'a Interface,
    /// Version of the infos in the answer.
    pub graph_info_version: GraphInfoVersion,
}

/// Why a DLC file cannot be composed with the loaded libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComposeError {
    /// The System library is too old.
    Missing(MissingFunction),
    /// The call passes the backend's function table by value, and a wrong size crashes the process.
    UnknownTable {
        /// Of the loaded backend library.
        core: Version,
        /// Of the loaded System library.
        system: Version,
    },
}

impl fmt::Display for ComposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => missing.fmt(f),
            Self::UnknownTable { core, system } => write!(
                f,
                "a DLC file cannot be composed by a System library of API {system} for a backend of core API {core}: \
                 both must be of one SDK, and of one that is known (2.36, 2.40, 2.43, 2.48, 2.50 or 2.51)"
            ),
        }
    }
}

impl Error for ComposeError {}

impl From<MissingFunction> for ComposeError {
    fn from(missing: MissingFunction) -> Self {
        Self::Missing(missing)
    }
}

type ComposeFn<const N: usize> = unsafe extern "C" fn(
    dlc: SystemDlcHandle,
    graph_configs: *mut *const DlcGraphConfigInfo,
    num_graph_configs: u32,
    backend: BackendHandle,
    context: ContextHandle,
    interface: InterfaceByValue<N>,
    graph_info_version: GraphInfoVersion,
    graphs: *mut *mut GraphInfo,
    num_graphs: *mut u32,
) -> ErrorHandle;

impl SystemInterface {
    /// Calls `systemDlcComposeGraphs`: adds the graphs of a DLC file to a context. Returns the call's code.
    ///
    /// # Errors
    /// [`ComposeError`], before the call, unless both libraries are of one SDK whose table size is known exactly.
    ///
    /// # Safety
    /// The handles must be alive and of the loaded libraries, the arrays as [`ComposeGraphs`] says; `graphs` and `num_graphs` must
    /// be valid for writing.
    pub unsafe fn dlc_compose_graphs(
        &self,
        request: &ComposeGraphs<'_>,
        graphs: *mut *mut GraphInfo,
        num_graphs: *mut u32,
    ) -> Result<ErrorHandle, ComposeError> {
        let function = self.functions().system_dlc_compose_graphs()? as *const c_void;
        let (abi, system) = (request.interface.abi(), self.version());
        let unknown = ComposeError::UnknownTable { core: abi.core(), system: system.api() };
        if !abi.same_sdk(system) {
            return Err(unknown);
        }

        /// # Safety
        /// As the method's, and `function` must be the compose function of a library whose table has `N` slots.
        unsafe fn call<const N: usize>(
            function: *const c_void,
            request: &ComposeGraphs<'_>,
            graphs: *mut *mut GraphInfo,
            num_graphs: *mut u32,
        ) -> Option<ErrorHandle> {
            let interface = request.interface.by_value::<N>()?;
            // SAFETY: the caller vouches for the function and its table size, which decide its type.
            let compose = unsafe { std::mem::transmute::<*const c_void, ComposeFn<N>>(function) };
            // SAFETY: the caller vouches for handles and pointers.
            Some(unsafe {
                compose(
                    request.dlc,
                    request.graph_configs,
                    request.num_graph_configs,
                    request.backend,
                    request.context,
                    interface,
                    request.graph_info_version,
                    graphs,
                    num_graphs,
                )
            })
        }

        // SAFETY: the caller vouches for handles and pointers; a System library expects the table of its own SDK's core API.
        let code = unsafe {
            match abi.slots().readable() {
                68 => call::<68>(function, request, graphs, num_graphs),
                69 => call::<69>(function, request, graphs, num_graphs),
                71 => call::<71>(function, request, graphs, num_graphs),
                72 => call::<72>(function, request, graphs, num_graphs),
                75 => call::<75>(function, request, graphs, num_graphs),
                _ => None,
            }
        };
        code.ok_or(unknown)
    }
}
