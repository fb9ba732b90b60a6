//! DLC files, the vendor's model container: composing their graphs into a context, and writing one.
//!
//! A DLC file holds graphs before compilation. [`ContextBuilder::add_dlc`] adds them to a context, each is finalized, and the
//! context is serialized as usual. [`create`] builds a graph that is written to a DLC file and not compiled.

use std::ffi::CString;
use std::fmt;
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use qnn_platform::libs::QnnLibs;
use qnn_sys::api::{GraphConfig as RawConfig, backend_id};
use qnn_sys::htp::GraphCustomConfig;
use qnn_sys::system::{ComposeGraphs, GraphInfoVersion};
use qnn_sys::types::{ContextHandle, GraphHandle, LogHandle, SystemDlcHandle};

use crate::compose::{CompleteGraph, ContextBuilder, GraphBuilder, GraphConfig};
use crate::context::OwnedContext;
use crate::encode::c_string;
use crate::gate::{self, Access, vendor};
use crate::library::System;
use crate::metadata::{self, GraphInfo};
use crate::{Backend, Error, Result, log};

/// A graph of a DLC file, composed into a context and not yet compiled. `Send`, not `Sync`.
pub struct DlcGraph {
    context: Arc<OwnedContext>,
    handle: GraphHandle,
    info: GraphInfo,
    vtcm_bytes: u64,
}

// SAFETY: the handle is an opaque address, used only in calls that the backend keeps from overlapping.
#[expect(unsafe_code, reason = "raw handle")]
unsafe impl Send for DlcGraph {}

impl DlcGraph {
    /// Name, inputs and outputs.
    pub fn info(&self) -> &GraphInfo {
        &self.info
    }

    #[expect(unsafe_code, reason = "calls the library")]
    fn configure(&self, mut options: Vec<GraphCustomConfig>) -> Result<()> {
        let configs: Vec<RawConfig> = options.iter_mut().map(GraphCustomConfig::as_graph_config).collect();
        let mut list: Vec<*const RawConfig> = configs.iter().map(ptr::from_ref).collect();
        list.push(ptr::null());
        // SAFETY: the graph is alive; the list is null-terminated, and it and what it points to live until the end of this
        // function; the library copies them.
        unsafe {
            let (backend, list) = (&self.context.backend, list.as_mut_ptr());
            vendor!(backend, Exclusive, graph_set_config(self.handle, list), "graph `{}`", self.info.name)
        }
    }

    /// The graph as one that is ready to be compiled.
    pub fn complete(self) -> CompleteGraph {
        CompleteGraph::composed(self.context, self.handle, self.info.name, self.vtcm_bytes)
    }
}

impl fmt::Debug for DlcGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DlcGraph({:?})", self.info.name)
    }
}

impl ContextBuilder {
    /// Adds every graph of a DLC file to the context; each must be finalized before the context is serialized.
    ///
    /// # Errors
    /// [`Dlc`](crate::ErrorKind::Dlc) when this pair of libraries cannot compose, [`Vendor`](crate::ErrorKind::Vendor) for a file that is no DLC or is
    /// damaged, or has ops that the backend does not support.
    pub fn add_dlc(&self, path: &Path, config: &GraphConfig) -> Result<Vec<DlcGraph>> {
        let system = Reader::open(self.device().backend().system()?)?;
        let infos = system.dlc(path)?.compose(self, path)?;
        infos
            .into_iter()
            .map(|info| {
                let options = config.encode(&info.name, self.device())?;
                let graph = self.retrieve(info, config.vtcm_bytes(self.device()))?;
                graph.configure(options)?;
                Ok(graph)
            })
            .collect()
    }

    #[expect(unsafe_code, reason = "calls the library")]
    fn retrieve(&self, info: GraphInfo, vtcm_bytes: u64) -> Result<DlcGraph> {
        let name = c_string(&info.name)?;
        let mut handle: GraphHandle = ptr::null_mut();
        // SAFETY: the context is alive, name and out-pointer are valid for the call.
        unsafe {
            let (backend, context, name) = (self.device().backend(), self.context().handle, name.as_ptr());
            vendor!(backend, Exclusive, graph_retrieve(context, name, &mut handle), "graph `{}`", info.name)
        }?;
        Ok(DlcGraph { context: self.context().clone(), handle, info, vtcm_bytes })
    }
}

/// The System library with a logger, which its DLC functions want.
struct Reader<'a> {
    system: &'a System,
    logger: LogHandle,
}

impl<'a> Reader<'a> {
    #[expect(unsafe_code, reason = "calls the library")]
    fn open(system: &'a System) -> Result<Reader<'a>> {
        let mut logger = ptr::null_mut();
        // SAFETY: the callback lives forever and may be called from any thread; the out-pointer is valid.
        unsafe {
            vendor!(system, Exclusive, system_log_create(Some(log::callback), log::level(), &mut logger))
        }?;
        Ok(Reader { system, logger })
    }

    #[expect(unsafe_code, reason = "calls the library")]
    fn dlc(&self, path: &Path) -> Result<Dlc<'_>> {
        let file = path_string(path)?;
        let mut handle = ptr::null_mut();
        // SAFETY: the logger is alive, path and out-pointer are valid for the call.
        let opened = unsafe {
            let file = file.as_ptr();
            let subject = path.display();
            vendor!(
                self.system,
                Exclusive,
                system_dlc_create_from_file(self.logger, file, &mut handle),
                "{subject}"
            )
        };
        opened.map_err(|error| match error.vendor().map(|error| error.code.code) {
            // Whatever is wrong with the file, the library says that it ran out of memory.
            Some(1002) => {
                let what = path.display();
                error
                    .with_message(format!("{what} cannot be read, is no DLC file, or is damaged"))
                    .with_help("check the file: it is of another kind, or was not copied whole")
            }
            _ => error,
        })?;
        Ok(Dlc { reader: self, handle })
    }
}

impl Drop for Reader<'_> {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        // SAFETY: the logger is ours and alive, and what used it is gone.
        let _ = unsafe { vendor!(self.system, Exclusive, system_log_free(self.logger)) };
    }
}

/// An open DLC file.
struct Dlc<'a> {
    reader: &'a Reader<'a>,
    handle: SystemDlcHandle,
}

impl Dlc<'_> {
    /// Composes the file's graphs into a context.
    #[expect(unsafe_code, reason = "calls the library and reads what it returns")]
    fn compose(&self, context: &ContextBuilder, path: &Path) -> Result<Vec<GraphInfo>> {
        let backend = context.device().backend();
        let request = ComposeGraphs {
            dlc: self.handle,
            // Options are given by the graph's name, which only the file knows: they are set afterwards.
            graph_configs: ptr::null_mut(),
            num_graph_configs: 0,
            backend: backend.handle(),
            context: context.context().handle,
            interface: backend.interface(),
            graph_info_version: GraphInfoVersion::VERSION_1,
        };
        let (mut graphs, mut count) = (ptr::null_mut(), 0);
        gate::pass(
            backend,
            Access::Exclusive,
            || path.display().to_string(),
            |_| {
                let system = &self.reader.system.interface;
                // SAFETY: file, backend and context are alive; there are no options; the out-pointers are valid.
                let status = unsafe { system.dlc_compose_graphs(&request, &mut graphs, &mut count) };
                Ok(("systemDlcComposeGraphs", status.map_err(Error::dlc)?))
            },
        )?;
        if count == 0 {
            return Err(Error::invalid(path.display().to_string(), "the library found no graphs in it"));
        }
        // SAFETY: on success `count` graph infos, which live at least as long as the open file.
        unsafe { metadata::graphs(graphs, count, backend_id::HTP) }
    }
}

impl Drop for Dlc<'_> {
    #[expect(unsafe_code, reason = "calls the library")]
    fn drop(&mut self) {
        // SAFETY: the handle is ours and alive; composed graphs belong to their context.
        let _ = unsafe { vendor!(self.reader.system, Exclusive, system_dlc_free(self.handle)) };
    }
}

/// Begins a graph that [`GraphBuilder::finalize`] writes to a DLC file at `path`.
///
/// Ops are not validated: which ones a device supports is decided when the file is composed. The file contains the time of
/// its creation, so two files of one graph differ.
///
/// # Errors
/// [`Load`](crate::ErrorKind::Load) when the DLC writer cannot be loaded, [`Vendor`](crate::ErrorKind::Vendor) when it refuses the graph.
#[expect(unsafe_code, reason = "calls the library")]
pub fn create<'d>(libs: &QnnLibs, path: &Path, graph: &str) -> Result<GraphBuilder<'d>> {
    let backend = Backend::open_library(libs, &libs.ir())?;
    let mut handle: ContextHandle = ptr::null_mut();
    // SAFETY: the backend is alive; this backend has no devices; no options; the out-pointer is valid.
    unsafe {
        let none = ptr::null_mut();
        vendor!(&backend, Exclusive, context_create(backend.handle(), none, ptr::null_mut(), &mut handle))
    }?;
    let context = Arc::new(OwnedContext { backend, _device: None, handle });
    GraphBuilder::create_for_file(context, graph, path_string(path)?)
}

fn path_string(path: &Path) -> Result<CString> {
    let text =
        path.to_str().ok_or_else(|| Error::invalid(path.display().to_string(), "the path is not UTF-8"))?;
    c_string(text)
}
