//! DLC files.

use std::ffi::{c_char, c_void};

use crate::api::GraphConfig;
use crate::interface::{Interface, InterfaceByValue};
use crate::system::{GraphInfo, GraphInfoVersion, SystemInterface};
use crate::types::{BackendHandle, ContextHandle, ErrorHandle, SystemDlcHandle, Version};
use crate::version::SlotCount;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// The System library is too old.
    #[error(transparent)]
    Missing(#[from] crate::interface::MissingFunction),
    /// The call passes the backend's function table by value, and a wrong size crashes the process.
    #[error(
        "a DLC file cannot be composed by System API {system} for core API {core}: composing is known for the pairs {}",
        KnownPairs
    )]
    UnknownTable {
        /// Of the loaded backend library.
        core: Version,
        /// Of the loaded System library.
        system: Version,
    },
}

/// Core and System API minor versions of one SDK, and the slots of the table that passes between them.
const TABLES: &[(u32, u32, usize)] = &[(27, 4, 68), (32, 7, 71), (37, 12, 72), (40, 15, 75)];

struct KnownPairs;

impl std::fmt::Display for KnownPairs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (core, system, _)) in TABLES.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}2.{core} with 1.{system}")?;
        }
        Ok(())
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
        let (core, system) = (request.interface.abi(), self.version());
        let unknown = ComposeError::UnknownTable { core: core.core(), system: system.api() };
        let pair = (core.core().minor, system.api().minor);
        let known = TABLES.iter().find(|(core, system, _)| (*core, *system) == pair);
        let Some((_, _, slots)) = known else { return Err(unknown) };
        debug_assert_eq!(core.slots(), SlotCount::Exactly(*slots));

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

        // SAFETY: the caller vouches for handles and pointers; the table size is that of the System library's version.
        let code = unsafe {
            match slots {
                68 => call::<68>(function, request, graphs, num_graphs),
                71 => call::<71>(function, request, graphs, num_graphs),
                72 => call::<72>(function, request, graphs, num_graphs),
                75 => call::<75>(function, request, graphs, num_graphs),
                _ => None,
            }
        };
        code.ok_or(unknown)
    }
}
