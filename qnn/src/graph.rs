//! Executing a graph.

use std::fmt;
use std::ptr;
use std::sync::{Arc, PoisonError};

use qnn_sys::types::{ClientBuffer, ProfileHandle, Tensor as RawTensor};

use crate::context::Loaded;
use crate::encode::EncodedTensor;
use crate::gate::vendor;
use crate::metadata::GraphInfo;
use crate::profile::{OwnedProfile, Profile, ProfileLevel};
use crate::{Context, Error, Result, Tensor, TensorInfo, TensorMut};

/// A graph of a loaded context. Cheap to clone; keeps its context alive.
///
/// # Threads
/// `Send` and `Sync`. Executions of one context take turns, because its graphs share buffers on the NPU; executions of different
/// contexts run side by side on an NPU, and take turns in the emulator.
#[derive(Clone)]
pub struct Graph {
    loaded: Arc<Loaded>,
    index: usize,
}

impl Graph {
    pub(crate) fn new(loaded: Arc<Loaded>, index: usize) -> Graph {
        Graph { loaded, index }
    }

    /// Name, inputs and outputs.
    pub fn info(&self) -> &GraphInfo {
        &self.loaded.info.graphs[self.index]
    }

    /// The context that the graph is part of.
    pub fn context(&self) -> Context {
        Context { loaded: self.loaded.clone() }
    }

    /// Executes the graph: reads `inputs`, writes `outputs`. Every input and every output of the graph is given once, in any
    /// order, by name.
    ///
    /// # Errors
    /// [`UnknownTensor`](crate::ErrorKind::UnknownTensor), [`TensorCount`](crate::ErrorKind::TensorCount), [`TensorType`](crate::ErrorKind::TensorType) and [`TensorLength`](crate::ErrorKind::TensorLength) before anything is executed;
    /// [`Vendor`](crate::ErrorKind::Vendor) when the execution fails.
    pub fn execute(
        &self,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<()> {
        self.run(inputs, outputs, ptr::null_mut())
    }

    /// Executes the graph as [`Graph::execute`] does and reports where the time went.
    ///
    /// In the emulator the numbers are those of the development machine and say nothing about a device.
    ///
    /// # Errors
    /// As [`Graph::execute`].
    pub fn profile(
        &self,
        level: ProfileLevel,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<Profile> {
        let profile = OwnedProfile::new(&self.loaded.owned.backend, level)?;
        self.run(inputs, outputs, profile.handle())?;
        profile.read()
    }

    #[expect(unsafe_code, reason = "calls the library")]
    fn run(
        &self,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
        profile: ProfileHandle,
    ) -> Result<()> {
        let (info, graph) = (self.info(), &self.loaded.graphs[self.index]);
        let given = inputs.iter().map(|(name, tensor)| {
            // The library only reads inputs, although its struct has no const pointer for them.
            (*name, tensor.dtype(), tensor.bytes().as_ptr().cast_mut(), tensor.bytes().len())
        });
        let raw_inputs = bind(&info.name, "input", &info.inputs, &graph.inputs, given)?;
        let given = outputs.iter_mut().map(|(name, tensor)| {
            let dtype = tensor.dtype();
            let bytes = tensor.bytes_mut();
            (*name, dtype, bytes.as_mut_ptr(), bytes.len())
        });
        let mut raw_outputs = bind(&info.name, "output", &info.outputs, &graph.outputs, given)?;

        let _turn = self.loaded.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let backend = &self.loaded.owned.backend;
        // SAFETY: the graph is alive with its context. Every tensor has a buffer of exactly its size, checked by `bind`; inputs are
        // borrowed for reading and outputs for writing until this function returns. The context's mutex keeps executions
        // apart; the profile, if any, is used by this call alone. No signal.
        unsafe {
            vendor!(
                backend,
                Execute { backend.check_vtcm(&info.name, info.vtcm_bytes())?; },
                graph_execute(
                    graph.handle,
                    raw_inputs.as_ptr(),
                    raw_inputs.len() as u32,
                    raw_outputs.as_mut_ptr(),
                    raw_outputs.len() as u32,
                    profile,
                    ptr::null_mut(),
                ),
                "graph `{}`",
                info.name
            )
        }
    }
}

/// The library's tensors of one side of a graph, each with the buffer that was given for it.
fn bind<'a>(
    graph: &str,
    side: &'static str,
    infos: &[TensorInfo],
    encoded: &[EncodedTensor],
    given: impl Iterator<Item = (&'a str, crate::DataType, *mut u8, usize)>,
) -> Result<Vec<RawTensor>> {
    let mut raw: Vec<RawTensor> = encoded.iter().map(|tensor| tensor.raw).collect();
    let mut counts = vec![0; infos.len()];
    for (position, (name, dtype, data, len)) in given.enumerate() {
        // Given in the graph's own order, hundreds of tensors need no search.
        let here = infos.get(position).filter(|info| info.name == name).map(|_| position);
        let search = || infos.iter().position(|info| info.name == name);
        let index = here.or_else(search).ok_or_else(|| {
            let known = infos.iter().map(|info| info.name.clone()).collect();
            Error::unknown_tensor(graph, side, name, known)
        })?;
        infos[index].check(graph, dtype, data, len)?;
        counts[index] += 1;
        let data_size =
            u32::try_from(len).map_err(|_| Error::invalid(format!("tensor `{name}`"), "it exceeds 4 GiB"))?;
        if let Some(common) = raw[index].common_mut() {
            common.data.client_buffer = ClientBuffer { data: data.cast(), data_size };
        }
    }
    match counts.iter().position(|count| *count != 1) {
        None => Ok(raw),
        Some(index) => Err(Error::tensor_count(graph, side, &infos[index].name, counts[index])),
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.info();
        write!(f, "Graph({:?}, {} inputs, {} outputs)", info.name, info.inputs.len(), info.outputs.len())
    }
}
