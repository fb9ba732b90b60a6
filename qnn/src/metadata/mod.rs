//! What a context binary says about itself: who made it, for which SoC, and its graphs with their tensors.
//!
//! Reading takes well under a millisecond and needs only the small System library, not the backend.

mod decode;

use std::ptr;

use qnn_platform::libs::QnnLibs;
use qnn_sys::system as raw;
use qnn_sys::types::{SystemContextHandle, Version};

#[cfg(feature = "compose")]
pub(crate) use self::decode::graphs;
use crate::gate::vendor;
use crate::library::System;
use crate::{Error, Result, TensorInfo};

/// Metadata of a context binary.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BinaryInfo {
    /// Version of the metadata's own layout, 1 to 3.
    pub version: u32,
    /// The backend it is for; 6 is the HTP.
    pub backend_id: u32,
    /// Build id of the library that made it.
    pub build_id: String,
    /// Core API version of that library.
    pub core_api_version: Version,
    /// Backend API version of that library.
    pub backend_api_version: Version,
    /// Version of the format of the compiled part.
    pub context_blob_version: Version,
    /// Size of the compiled part, bytes.
    pub context_blob_bytes: u64,
    /// The SoC it was made for; `None` when none was named or the binary is too old to say.
    pub soc_id: Option<u32>,
    /// Hexagon architecture; `None` when the binary is too old to say.
    pub arch: Option<u32>,
    /// The graphs, in order.
    pub graphs: Vec<GraphInfo>,
}

/// Metadata of a graph.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GraphInfo {
    /// Name.
    pub name: String,
    /// Inputs in order.
    pub inputs: Vec<TensorInfo>,
    /// Outputs in order.
    pub outputs: Vec<TensorInfo>,
    /// What the HTP's compiler recorded; `None` when the binary is too old to say.
    pub htp: Option<HtpGraphInfo>,
}

impl GraphInfo {
    /// VTCM the graph was planned for, bytes; 0 when the binary is too old to say.
    pub(crate) fn vtcm_bytes(&self) -> u64 {
        self.htp.map_or(0, |htp| htp.vtcm_bytes)
    }
}

/// What the HTP's compiler recorded about a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HtpGraphInfo {
    /// VTCM the graph was planned for, bytes.
    pub vtcm_bytes: u64,
    /// Buffer in DDR for what does not fit into VTCM, bytes.
    pub spill_fill_bytes: u64,
    /// Finalization optimization level.
    pub optimization: u32,
    /// Deep learning bandwidth compression.
    pub dlbc: bool,
    /// HVX threads; 0 means the default.
    pub hvx_threads: u64,
    /// Sizes of the graph's parts; `None` when the binary is too old to say.
    pub sizes: Option<GraphSizes>,
}

/// Sizes of a graph's parts, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphSizes {
    /// Inputs and outputs.
    pub io: u64,
    /// Op descriptions.
    pub op_data: u64,
    /// Constants of this graph alone.
    pub constants: u64,
    /// Intermediate tensors in DDR.
    pub ddr: u64,
    /// Constants shared with other graphs of the context.
    pub shared_weights: u64,
}

impl BinaryInfo {
    /// The graph of a name.
    ///
    /// # Errors
    /// [`UnknownGraph`](crate::ErrorKind::UnknownGraph) with the names there are.
    pub fn graph(&self, name: &str) -> Result<&GraphInfo> {
        self.graphs.iter().find(|graph| graph.name == name).ok_or_else(|| {
            Error::unknown_graph(name, self.graphs.iter().map(|graph| graph.name.clone()).collect())
        })
    }
}

/// Reads the metadata of context binaries.
///
/// `Send` and `Sync`: reads take turns, as all calls of the vendor's libraries do.
#[derive(Clone, Debug)]
pub struct MetadataReader {
    system: System,
}

impl MetadataReader {
    /// Loads the System library of a folder.
    ///
    /// # Errors
    /// [`Load`](crate::ErrorKind::Load) when it cannot be loaded or has an unsupported version.
    pub fn open(libs: &QnnLibs) -> Result<MetadataReader> {
        Ok(MetadataReader { system: System::open(libs)? })
    }

    /// Reads the metadata of a context binary.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor), codes 30001 and 30010, for data that is damaged or no context binary; [`Invalid`](crate::ErrorKind::Invalid) for metadata that
    /// this version does not understand, or that speaks of tensors larger than a tensor can be.
    pub fn read(&self, binary: &[u8]) -> Result<BinaryInfo> {
        self.system.read(binary)
    }
}

/// What reads one binary in the library, freed when dropped.
struct Reading<'a> {
    system: &'a System,
    handle: SystemContextHandle,
}

impl Drop for Reading<'_> {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        // SAFETY: the handle is ours and alive; what was read from it has been copied. Nothing can be done about a failure here.
        let _ = unsafe { vendor!(self.system, Exclusive, system_context_free(self.handle)) };
    }
}

impl System {
    /// Reads the metadata of a context binary.
    #[expect(unsafe_code, reason = "calls the library and reads what it returns")]
    pub(crate) fn read(&self, binary: &[u8]) -> Result<BinaryInfo> {
        if binary.is_empty() {
            return Err(Error::invalid("context binary", "it is empty"));
        }
        let mut handle: SystemContextHandle = ptr::null_mut();
        // SAFETY: the out-pointer is valid.
        unsafe { vendor!(self, Exclusive, system_context_create(&mut handle)) }?;
        let reading = Reading { system: self, handle };
        let mut info: *const raw::BinaryInfo = ptr::null();
        // SAFETY: the context is alive, the data has the length that is passed, the out-pointer is valid.
        unsafe {
            let (data, len) = (binary.as_ptr().cast(), binary.len() as u64);
            vendor!(
                self,
                Exclusive,
                system_context_get_metadata(reading.handle, data, len, &mut info),
                "{len} bytes"
            )
        }?;
        // SAFETY: on success the struct and all it points to belong to the context, which is freed after this.
        unsafe { decode::binary_info(info) }
    }
}
