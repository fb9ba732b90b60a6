//! Executing a graph.

use std::fmt;
use std::ptr;
use std::sync::{Arc, PoisonError};

use qnn_sys::types::ProfileHandle;

use crate::call::Call;
use crate::context::Loaded;
use crate::gate::vendor;
use crate::metadata::GraphInfo;
use crate::prepared::Prepared;
use crate::profile::{OwnedProfile, Profile, ProfileLevel};
use crate::{Context, Result, Tensor, TensorMut};

/// A graph of a loaded context. Cheap to clone; keeps its context alive.
///
/// There are three ways to execute it, which differ in who has the buffers and how they are named:
///
/// | | buffers | named by |
/// |---|---|---|
/// | [`Graph::execute`] | the caller's, given each time | name |
/// | [`Graph::run`] | the caller's, given each time | place in [`Graph::info`] |
/// | [`Graph::prepare`] | its own, bound once and reused | either, or not at all |
///
/// None of them allocates memory in an execution.
///
/// # Threads
/// `Send` and `Sync`. Executions of one context take turns, because its graphs share buffers on the NPU; executions of different
/// contexts run side by side on an NPU, and take turns in the emulator.
#[derive(Clone)]
pub struct Graph {
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) index: usize,
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
    /// [`UnknownTensor`](crate::ErrorKind::UnknownTensor), [`TensorCount`](crate::ErrorKind::TensorCount),
    /// [`TensorType`](crate::ErrorKind::TensorType), [`TensorLength`](crate::ErrorKind::TensorLength) and
    /// [`TensorAlignment`](crate::ErrorKind::TensorAlignment) before anything is executed; [`Vendor`](crate::ErrorKind::Vendor) when
    /// the execution fails.
    pub fn execute(
        &self,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<()> {
        self.call(ptr::null_mut(), |call| call.bind_by_name(self.info(), inputs, outputs))
    }

    /// Executes the graph as [`Graph::execute`] does, with inputs and outputs in the order of [`Graph::info`].
    ///
    /// # Errors
    /// As [`Graph::execute`]; [`TensorCount`](crate::ErrorKind::TensorCount) for more or fewer than the graph has.
    pub fn run(&self, inputs: &[Tensor<'_>], outputs: &mut [TensorMut<'_>]) -> Result<()> {
        self.call(ptr::null_mut(), |call| call.bind(self.info(), inputs, outputs))
    }

    /// Executes with inputs and outputs that are given with their places: each place once.
    pub(crate) fn run_at<'a, 'b: 'a>(
        &self,
        inputs: impl Iterator<Item = (&'a Tensor<'b>, &'a usize)>,
        outputs: impl Iterator<Item = (TensorMut<'b>, &'a usize)>,
    ) -> Result<()> {
        self.call(ptr::null_mut(), |call| call.bind_at(self.info(), inputs, outputs))
    }

    /// Allocates buffers for all inputs and outputs and binds them, for any number of executions.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor) when the NPU does not take memory that it is to share
    /// ([`crate::LoadOptions::shared_memory`]).
    pub fn prepare(&self) -> Result<Prepared> {
        Prepared::new(self)
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
        self.call(profile.handle(), |call| call.bind_by_name(self.info(), inputs, outputs))?;
        profile.read()
    }

    /// Executes with buffers that `bind` gives to every tensor, or fails to: inputs that live, and outputs that are borrowed
    /// exclusively, until this returns.
    pub(crate) fn call(
        &self,
        profile: ProfileHandle,
        bind: impl FnOnce(&mut Call) -> Result<()>,
    ) -> Result<()> {
        let mut calls = self.loaded.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let call = &mut calls[self.index];
        bind(call)?;
        self.make(call, profile)
    }

    /// Executes with buffers that are bound already, of memory that is the call's own.
    pub(crate) fn call_bound(&self, call: &mut Call) -> Result<()> {
        let _turn = self.loaded.calls.lock().unwrap_or_else(PoisonError::into_inner);
        self.make(call, ptr::null_mut())
    }

    /// The context's mutex is held.
    #[expect(unsafe_code, reason = "calls the library")]
    fn make(&self, call: &mut Call, profile: ProfileHandle) -> Result<()> {
        let (info, backend) = (self.info(), &self.loaded.owned.backend);
        let handle = self.loaded.graphs[self.index].handle;
        let (inputs, outputs) = (&call.inputs, &mut call.outputs);
        // SAFETY: the graph is alive with its context. Every tensor has a buffer of its size, which lives until this returns: whoever
        // bound them sees to it. The context's mutex keeps executions apart; the profile, if any, is used by this call alone. No signal.
        unsafe {
            vendor!(
                backend,
                Execute { backend.check_vtcm(&info.name, info.vtcm_bytes())?; },
                graph_execute(
                    handle,
                    inputs.as_ptr(),
                    inputs.len() as u32,
                    outputs.as_mut_ptr(),
                    outputs.len() as u32,
                    profile,
                    ptr::null_mut(),
                ),
                "graph `{}`",
                info.name
            )
        }
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.info();
        write!(f, "Graph({:?}, {} inputs, {} outputs)", info.name, info.inputs.len(), info.outputs.len())
    }
}
