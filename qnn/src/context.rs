//! Contexts: what a context binary becomes when it is loaded.

use std::fmt;
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex};

use qnn_sys::api::ContextConfig as RawConfig;
use qnn_sys::types::{ContextHandle, GraphHandle, TensorType};

use crate::call::Call;
use crate::encode::{EncodedTensor, c_string};
use crate::error::texts;
use crate::gate::vendor;
use crate::metadata::{BinaryInfo, GraphInfo};
use crate::profile::OwnedProfile;
use crate::{Backend, Device, Error, Graph, LoadOptions, Performance, Profile, Result, TensorInfo, compat};

/// A context of the library, freed with the last reference to it.
pub(crate) struct OwnedContext {
    pub(crate) backend: Backend,
    /// What it was created for; the DLC writer has none. Kept because the library uses it until the context is freed.
    pub(crate) _device: Option<Device>,
    pub(crate) handle: ContextHandle,
}

// SAFETY: the handle is an opaque address that only the library dereferences, in calls that the gate keeps from overlapping, and
// executions in calls that the context's own mutex keeps apart; see `gate` and `Graph`.
#[expect(unsafe_code, reason = "raw handle")]
unsafe impl Send for OwnedContext {}
// SAFETY: as above; all fields are immutable.
#[expect(unsafe_code, reason = "raw handle")]
unsafe impl Sync for OwnedContext {}

impl Drop for OwnedContext {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the library logs it.
        // SAFETY: the handle is ours and alive; graphs hold references to this struct, so none is used any more.
        let _ = unsafe { vendor!(&self.backend, Exclusive, context_free(self.handle, ptr::null_mut())) };
    }
}

/// A loaded context binary: its graphs, ready to execute. Cheap to clone; the memory is freed with the last clone and the
/// last [`Graph`].
///
/// `Send` and `Sync`: executions of the graphs of one context take turns.
#[derive(Clone)]
pub struct Context {
    pub(crate) loaded: Arc<Loaded>,
}

pub(crate) struct Loaded {
    /// What executions hand to the library, for each graph; held during an execution. Its pointers lead to `graphs`.
    pub(crate) calls: Mutex<Vec<Call>>,
    pub(crate) graphs: Vec<LoadedGraph>,
    pub(crate) owned: Arc<OwnedContext>,
    pub(crate) device: Device,
    pub(crate) info: BinaryInfo,
    pub(crate) options: LoadOptions,
    load_profile: Option<Profile>,
    /// In force for as long as the context is loaded.
    performance: Option<Performance>,
}

pub(crate) struct LoadedGraph {
    pub(crate) handle: GraphHandle,
    /// Tensors to execute with, without buffers.
    pub(crate) inputs: Vec<EncodedTensor>,
    pub(crate) outputs: Vec<EncodedTensor>,
}

// SAFETY: the graph handle is an opaque address that only the library dereferences, in executions that take turns.
#[expect(unsafe_code, reason = "raw handle")]
unsafe impl Send for LoadedGraph {}
// SAFETY: as above; all fields are immutable.
#[expect(unsafe_code, reason = "raw handle")]
unsafe impl Sync for LoadedGraph {}

/// The vendor's code for a binary that cannot be loaded, for many reasons.
const NOT_CREATED: u32 = 5005;

/// Tells the failure of a binary that uses ops nobody registered from the others with the same code, by what the library logs:
/// `op [package::kernel] not found`.
fn missing_ops(what: &str, error: Error) -> Error {
    let Some(vendor) = error.vendor() else { return error };
    let named = |line: &String| {
        let (_, rest) = line.split_once("op [")?;
        let (op, rest) = rest.split_once(']')?;
        (rest.trim_start().starts_with("not found") && op.contains("::")).then(|| op.to_owned())
    };
    let mut ops: Vec<String> = vendor.log.iter().filter_map(named).collect();
    ops.dedup();
    if vendor.code.code != NOT_CREATED || ops.is_empty() {
        return error;
    }
    Error::op_package_missing(what, ops)
}

impl Context {
    /// Loads a context binary. `bytes` is not needed afterwards.
    ///
    /// # Trust
    /// The library believes what a context binary says, and so must this crate: buffers are held against the shapes in its metadata, which
    /// the library does not hold against its code. Bytes that a compiler of the vendor's did not write as they are, because they were
    /// damaged on the way or made to harm, can make the library read and write outside of buffers, here or in an execution. Load what
    /// you have compiled; for a file that travelled, compare a hash first, as generated code does with its own.
    ///
    /// # Errors
    /// [`Incompatible`](crate::ErrorKind::Incompatible) when it was made by another build of QNN or for another architecture, [`OpPackageMissing`](crate::ErrorKind::OpPackageMissing) when
    /// it uses ops of a package that was not registered ([`Backend::register_op_package`]), [`Vendor`](crate::ErrorKind::Vendor) when it is damaged
    /// (codes 30001, 30010) or the device cannot take it.
    pub fn from_bytes(device: &Device, bytes: &[u8]) -> Result<Context> {
        Context::load(device, bytes, "the context binary", &LoadOptions::new())
    }

    /// Loads a context binary from a file, which is mapped and not read into memory. As with [`Context::from_bytes`], it must be one that
    /// can be trusted.
    ///
    /// # Errors
    /// [`File`](crate::ErrorKind::File) when the file cannot be opened; else as [`Context::from_bytes`].
    pub fn from_file(device: &Device, path: impl AsRef<Path>) -> Result<Context> {
        let path = path.as_ref();
        let map = map(path)?;
        Context::load(device, &map, &format!("{}", path.display()), &LoadOptions::new())
    }

    /// Loads a context binary with options; `what` names it in errors.
    ///
    /// # Errors
    /// As [`Context::from_bytes`].
    #[expect(unsafe_code, reason = "calls the library")]
    pub fn load(device: &Device, bytes: &[u8], what: &str, options: &LoadOptions) -> Result<Context> {
        let backend = device.backend();
        let info = backend.system()?.read(bytes)?;
        compat::check(what, &info, device, options)?;
        if backend.is_emulator() {
            compat::emulable(what, &info)?;
        }
        let performance = options.performance.map(|mode| device.performance(mode)).transpose()?;
        let profile = options.profile.map(|level| OwnedProfile::new(backend, level)).transpose()?;
        let priority = options.priority.map(|priority| RawConfig::priority(priority.raw()));
        let mut configs: Vec<*const RawConfig> = priority.iter().map(ptr::from_ref).collect();
        configs.push(ptr::null());
        let vtcm = info.graphs.last().map_or(0, GraphInfo::vtcm_bytes);
        let mut handle: ContextHandle = ptr::null_mut();
        // SAFETY: backend and device are alive; the list is null-terminated and lives until the end of this function; the data has the
        // length that is passed, and the library copies what it keeps, since it is not told that the data persists; the profile, if
        // any, is used by this call alone.
        let created = unsafe {
            vendor!(
                backend,
                Exclusive { backend.plan_vtcm(vtcm); },
                context_create_from_binary(
                    backend.handle(),
                    device.handle(),
                    configs.as_mut_ptr(),
                    bytes.as_ptr().cast(),
                    bytes.len() as u64,
                    &mut handle,
                    profile.as_ref().map_or(ptr::null_mut(), OwnedProfile::handle),
                ),
                "{what}"
            )
        };
        created.map_err(|error| missing_ops(what, error))?;
        let owned = OwnedContext { backend: backend.clone(), _device: Some(device.clone()), handle };
        let graphs = info.graphs.iter().map(|graph| retrieve(&owned, graph)).collect::<Result<Vec<_>>>()?;
        let calls = graphs.iter().map(|graph| Call::new(&graph.inputs, &graph.outputs)).collect();
        let load_profile = profile.map(|profile| profile.read()).transpose()?;
        Ok(Context {
            loaded: Arc::new(Loaded {
                calls: Mutex::new(calls),
                graphs,
                owned: Arc::new(owned),
                device: device.clone(),
                info,
                options: options.clone(),
                load_profile,
                performance,
            }),
        })
    }

    /// Where the time of loading went, when [`LoadOptions::profile`] asked for it.
    pub fn load_profile(&self) -> Option<&Profile> {
        self.loaded.load_profile.as_ref()
    }

    /// The performance mode that is in force while this is loaded, when [`LoadOptions::performance`] asked for one.
    pub fn performance(&self) -> Option<&Performance> {
        self.loaded.performance.as_ref()
    }

    /// The device that it is loaded on.
    pub fn device(&self) -> &Device {
        &self.loaded.device
    }

    /// What the binary says about itself.
    pub fn info(&self) -> &BinaryInfo {
        &self.loaded.info
    }

    /// The graph of a name.
    ///
    /// # Errors
    /// [`UnknownGraph`](crate::ErrorKind::UnknownGraph) with the names there are.
    pub fn graph(&self, name: &str) -> Result<Graph> {
        let index = self.loaded.info.graphs.iter().position(|graph| graph.name == name);
        index.map(|index| Graph::new(self.loaded.clone(), index)).ok_or_else(|| {
            let known = self.loaded.info.graphs.iter().map(|graph| graph.name.clone());
            Error::unknown_graph(name, known.collect())
        })
    }
}

#[expect(unsafe_code, reason = "calls the library")]
fn retrieve(context: &OwnedContext, graph: &GraphInfo) -> Result<LoadedGraph> {
    let name = c_string(&graph.name)?;
    let mut handle: GraphHandle = ptr::null_mut();
    // SAFETY: the context is alive, name and out-pointer are valid for the call.
    unsafe {
        let name = name.as_ptr();
        vendor!(
            &context.backend,
            Exclusive,
            graph_retrieve(context.handle, name, &mut handle),
            "graph `{}`",
            graph.name
        )
    }?;
    let encode = |tensors: &[TensorInfo], tensor_type| {
        tensors
            .iter()
            .map(|tensor| {
                let TensorInfo { name, id, dtype, dims, quant, version, .. } = tensor;
                let mut encoded = EncodedTensor::new(name, tensor_type, *dtype, dims, quant, *version)?;
                if let Some(common) = encoded.raw.common_mut() {
                    common.id = *id;
                }
                Ok(encoded)
            })
            .collect::<Result<Vec<_>>>()
    };
    Ok(LoadedGraph {
        handle,
        inputs: encode(&graph.inputs, TensorType::APP_WRITE)?,
        outputs: encode(&graph.outputs, TensorType::APP_READ)?,
    })
}

/// Maps a file for reading.
#[expect(unsafe_code, reason = "maps a file")]
pub(crate) fn map(path: &Path) -> Result<memmap2::Mmap> {
    let file_error = texts::file(path);
    let file = std::fs::File::open(path).map_err(&file_error)?;
    // SAFETY: the mapping is private to the load that follows. Another process that shortened the file meanwhile would end
    // this one, as with any mapped file; artifacts are replaced by renaming, never written in place.
    unsafe { memmap2::Mmap::map(&file) }.map_err(file_error)
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.loaded.info.graphs.iter().map(|graph| graph.name.as_str()).collect();
        f.debug_struct("Context").field("device", &self.loaded.device).field("graphs", &names).finish()
    }
}
