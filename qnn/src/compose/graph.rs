//! A graph under construction.

use std::collections::HashSet;
use std::ffi::{CString, c_char};
use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use qnn_sys::api::GraphConfig as RawConfig;
use qnn_sys::htp::{GraphCustomConfig, GraphCustomOption, OptimizationType};
use qnn_sys::ir;
use qnn_sys::types::{GraphHandle, Precision, ProfileHandle, Tensor};

use super::encode::EncodedOp;
use super::{OpSpec, Role, TensorId, TensorSpec, check, encode};
use crate::context::OwnedContext;
use crate::encode::{EncodedTensor, c_string};
use crate::gate::vendor;
use crate::pinned::Pinned;
use crate::profile::{OwnedProfile, Profile, ProfileLevel, Trace};
use crate::{Backend, Device, Error, Result};

/// Options of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphConfig {
    /// Compute float32 tensors in fp16, as every HTP with float support does anyway.
    pub fp16: bool,
    /// VTCM to plan for, MiB; the SoC's full amount when `None`.
    pub vtcm_mb: Option<u32>,
    /// Finalization optimization level, 1 to 3. The library's own default is 2.
    pub optimization: u8,
    /// Whether GELU, SiLU, sigmoid and tanh may be computed as straight lines in the output stage of the convolution or product before
    /// them: at no cost, and up to 3 % off for small results.
    pub joined_activations: bool,
    /// Whether results of a sigmoid below 1e-3 keep their digits, at nine times the cost.
    pub precise_sigmoid: bool,
    /// HVX threads to use; the library's default when `None`.
    pub hvx_threads: Option<u32>,
    /// Deep learning bandwidth compression of activations.
    pub dlbc: bool,
}

impl Default for GraphConfig {
    /// fp16 with exact activations, all the VTCM there is, level 2.
    fn default() -> GraphConfig {
        GraphConfig {
            fp16: true,
            vtcm_mb: None,
            optimization: 2,
            joined_activations: false,
            precise_sigmoid: true,
            hvx_threads: None,
            dlbc: false,
        }
    }
}

impl GraphConfig {
    /// VTCM to plan for on a device.
    pub(crate) fn vtcm_bytes(&self, device: &Device) -> u64 {
        u64::from(self.vtcm_mb.unwrap_or(device.info().vtcm_mb)) << 20
    }

    /// The options as the library takes them, checked: it accepts any number and plans for what the SoC does not have.
    pub(crate) fn encode(&self, graph: &str, device: &Device) -> Result<Vec<GraphCustomConfig>> {
        let wrong = |why: String| Error::invalid(format!("graph `{graph}`"), why);
        let soc_vtcm_mb = device.info().vtcm_mb;
        let vtcm_mb = self.vtcm_mb.unwrap_or(soc_vtcm_mb);
        if !(1..=soc_vtcm_mb).contains(&vtcm_mb) {
            return Err(wrong(format!("VTCM of {vtcm_mb} MiB was asked for; the SoC has {soc_vtcm_mb}")));
        }
        if !(1..=3).contains(&self.optimization) {
            return Err(wrong(format!(
                "optimization level {} was asked for; there are 1, 2 and 3",
                self.optimization
            )));
        }
        if self.hvx_threads == Some(0) {
            return Err(wrong("0 HVX threads were asked for".into()));
        }
        let level = OptimizationType::FINALIZE_OPTIMIZATION_FLAG;
        let mut configs = vec![
            GraphCustomConfig::word(GraphCustomOption::VTCM_SIZE_IN_MB, vtcm_mb),
            GraphCustomConfig::optimization(level, f32::from(self.optimization)),
        ];
        if self.fp16 {
            configs.push(GraphCustomConfig::precision(Precision::FLOAT16));
            let (fusion, sigmoid) = (self.joined_activations, self.precise_sigmoid);
            configs.push(GraphCustomConfig::flag(GraphCustomOption::ADVANCED_ACTIVATION_FUSION, fusion));
            configs.push(GraphCustomConfig::flag(GraphCustomOption::HIGH_PRECISION_SIGMOID, sigmoid));
        }
        if let Some(threads) = self.hvx_threads {
            configs.push(GraphCustomConfig::num_hvx_threads(u64::from(threads)));
        }
        if self.dlbc {
            configs.push(GraphCustomConfig::optimization(OptimizationType::ENABLE_DLBC, 1.0));
        }
        Ok(configs)
    }
}

/// A graph under construction. `'d` is the lifetime of static data, which is borrowed until the graph is complete: the
/// library copies it once, when the tensor is created, and looks at the original again when it validates ops.
///
/// `Send`, not `Sync`: one thread at a time builds a graph.
pub struct GraphBuilder<'d> {
    context: Arc<OwnedContext>,
    handle: GraphHandle,
    name: String,
    tensors: Vec<Slot>,
    ops: HashSet<String>,
    validated: HashSet<String>,
    /// Whether validation of any op failed.
    refused: bool,
    /// VTCM to plan for.
    vtcm_bytes: u64,
    /// The first op that was not added because of that.
    skipped: Option<String>,
    /// The file that the graph is written to; `None` for a graph that is compiled.
    file: Option<FileTarget>,
    data: PhantomData<&'d [u8]>,
}

/// The DLC writer reads its option when the graph is finalized: option and path stay where they are until then.
struct FileTarget {
    _path: Pinned<c_char>,
    _config: Pinned<ir::GraphCustomConfig>,
    _raw: Pinned<RawConfig>,
}

struct Slot {
    name: String,
    encoded: EncodedTensor,
    kind: Kind,
    /// Name of the op that writes it.
    producer: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Output,
    Native,
    Static,
}

// SAFETY: the graph handle and the pointers inside encoded tensors are used only in calls that the backend keeps from
// overlapping; the pointers lead to memory that this struct owns, or to static data borrowed as `&'d [u8]`, which is `Sync`.
#[expect(unsafe_code, reason = "raw handles and pointers")]
unsafe impl Send for GraphBuilder<'_> {}

impl<'d> GraphBuilder<'d> {
    pub(super) fn create(
        context: Arc<OwnedContext>,
        device: &Device,
        name: &str,
        config: &GraphConfig,
    ) -> Result<GraphBuilder<'d>> {
        let mut custom = config.encode(name, device)?;
        let configs: Vec<RawConfig> = custom.iter_mut().map(GraphCustomConfig::as_graph_config).collect();
        let list: Vec<*const RawConfig> = configs.iter().map(ptr::from_ref).collect();
        let mut graph = GraphBuilder::create_with(context, name, &list)?;
        graph.vtcm_bytes = config.vtcm_bytes(device);
        Ok(graph)
    }

    /// Creates a graph that is written to a DLC file when it is finalized.
    pub(crate) fn create_for_file(
        context: Arc<OwnedContext>,
        name: &str,
        path: CString,
    ) -> Result<GraphBuilder<'d>> {
        let path = Pinned::string(path);
        let config = Pinned::new([ir::GraphCustomConfig::serialize_to(path.as_ptr())]);
        let raw = Pinned::new([RawConfig::custom(config.as_ptr().cast())]);
        let mut graph = GraphBuilder::create_with(context, name, &[raw.as_ptr()])?;
        graph.file = Some(FileTarget { _path: path, _config: config, _raw: raw });
        Ok(graph)
    }

    #[expect(unsafe_code, reason = "calls the library")]
    fn create_with(
        context: Arc<OwnedContext>,
        name: &str,
        configs: &[*const RawConfig],
    ) -> Result<GraphBuilder<'d>> {
        let c_name = c_string(name)?;
        let mut list = [configs, &[ptr::null()]].concat();
        let mut handle: GraphHandle = ptr::null_mut();
        // SAFETY: the context is alive; name and null-terminated list live until the end of this function. What the list points to
        // lives until the end of the caller, which keeps it longer where the library does not copy it.
        unsafe {
            let (c_name, list) = (c_name.as_ptr(), list.as_mut_ptr());
            let backend = &context.backend;
            vendor!(
                backend,
                Exclusive,
                graph_create(context.handle, c_name, list, &mut handle),
                "graph `{name}`"
            )
        }?;
        Ok(GraphBuilder {
            context,
            handle,
            name: name.to_owned(),
            tensors: Vec::new(),
            ops: HashSet::new(),
            validated: HashSet::new(),
            refused: false,
            vtcm_bytes: 0,
            skipped: None,
            file: None,
            data: PhantomData,
        })
    }

    /// Creates a tensor. A tensor is created before the ops that use it; names are unique in the graph.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for what the library would not notice: static data of another length than the shape's, a scale that is
    /// not finite and positive, an encoding of another length than its axis, a dimension of 0. [`Vendor`](crate::ErrorKind::Vendor) for the rest.
    #[expect(unsafe_code, reason = "calls the library")]
    pub fn tensor(&mut self, spec: &TensorSpec<'d>) -> Result<TensorId> {
        check::tensor(spec)?;
        let mut encoded = encode::tensor(spec)?;
        // SAFETY: the graph is alive; the tensor and what it points to are; the library copies all of it and fills in the tensor's
        // id.
        unsafe {
            vendor!(
                self.backend(),
                Exclusive,
                tensor_create_graph_tensor(self.handle, &mut encoded.raw),
                "tensor `{}`",
                spec.name
            )
        }?;
        let kind = match spec.role {
            Role::Input => Kind::Input,
            Role::Output => Kind::Output,
            Role::Native => Kind::Native,
            Role::Static(_) => Kind::Static,
        };
        self.tensors.push(Slot { name: spec.name.to_owned(), encoded, kind, producer: None });
        Ok(TensorId(self.tensors.len() - 1))
    }

    /// Asks the backend whether it supports an op with its tensors, without adding it.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor) with the library's reasons in its log, code 3110 when types, shapes or parameters do not fit and 4005 for
    /// an unknown op. [`Invalid`](crate::ErrorKind::Invalid) for what the library would not notice.
    pub fn validate(&mut self, spec: &OpSpec<'_>) -> Result<()> {
        let mut op = self.encode(spec)?;
        self.validate_encoded(spec, &mut op)
    }

    /// Validates an op, unless [`GraphBuilder::validate`] did, and adds it. Its inputs must be inputs of the graph, static, or
    /// produced by an op that was added before.
    ///
    /// An op whose inputs are missing because an op before it was refused is validated only, so that a caller can go on and
    /// collect every refused op; the graph can then not be finalized.
    ///
    /// # Errors
    /// As [`GraphBuilder::validate`]; also [`Invalid`](crate::ErrorKind::Invalid) when an op of this name or another producer of an output exists.
    #[expect(unsafe_code, reason = "calls the library")]
    pub fn add(&mut self, spec: &OpSpec<'_>) -> Result<()> {
        let wrong = |why: String| Error::invalid(subject(spec), why);
        if self.ops.contains(spec.name) {
            return Err(wrong("the graph has an op of this name".into()));
        }
        let mut op = self.encode(spec)?;
        let unproduced = spec
            .inputs
            .iter()
            .map(|id| &self.tensors[id.0])
            .find(|slot| slot.producer.is_none() && matches!(slot.kind, Kind::Native | Kind::Output));
        if let (Some(slot), false) = (unproduced, self.refused) {
            return Err(wrong(format!("its input `{}` is produced by no op before it", slot.name)));
        }
        let skip = unproduced.is_some();
        for id in spec.outputs {
            let slot = &self.tensors[id.0];
            let name = &slot.name;
            match (&slot.producer, slot.kind) {
                (Some(producer), _) => {
                    return Err(wrong(format!("its output `{name}` is also written by `{producer}`")));
                }
                (None, Kind::Input | Kind::Static) => {
                    return Err(wrong(format!("its output `{name}` is an input or a constant")));
                }
                (None, Kind::Output | Kind::Native) => {}
            }
        }
        if self.file.is_none() && !self.validated.contains(spec.name) {
            self.validate_encoded(spec, &mut op)?;
        }
        if skip {
            self.skipped.get_or_insert_with(|| spec.name.to_owned());
            return Ok(());
        }
        for (_, name, tensor) in &mut op.param_tensors {
            // SAFETY: as in `tensor`; the parameter's data lives as long as `spec`.
            unsafe {
                vendor!(
                    self.backend(),
                    Exclusive,
                    tensor_create_graph_tensor(self.handle, &mut tensor.raw),
                    "{}, parameter `{name}`",
                    subject(spec)
                )
            }?;
        }
        op.refresh_params();
        let config = op.config();
        // SAFETY: the graph is alive; the config points into `op`, which is, and to data that is borrowed; the library copies what
        // it keeps.
        unsafe {
            vendor!(self.backend(), Exclusive, graph_add_node(self.handle, config), "{}", subject(spec))
        }?;
        self.ops.insert(spec.name.to_owned());
        for id in spec.outputs {
            self.tensors[id.0].producer = Some(spec.name.to_owned());
        }
        Ok(())
    }

    /// Ends construction. The result borrows no static data: the library has its own copy, and no op is validated any more.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a graph without ops and for an output that no op writes.
    pub fn complete(self) -> Result<CompleteGraph> {
        let graph = format!("graph `{}`", self.name);
        if let Some(op) = &self.skipped {
            return Err(Error::invalid(
                graph,
                format!("op `{op}` is missing, because an op before it was refused"),
            ));
        }
        if self.ops.is_empty() {
            return Err(Error::invalid(graph, "it has no ops"));
        }
        let loose = self.tensors.iter().find(|slot| slot.kind == Kind::Output && slot.producer.is_none());
        if let Some(slot) = loose {
            return Err(Error::invalid(graph, format!("its output `{}` is written by no op", slot.name)));
        }
        Ok(CompleteGraph {
            context: self.context,
            handle: self.handle,
            name: self.name,
            vtcm_bytes: self.vtcm_bytes,
            _file: self.file,
        })
    }

    /// Completes and compiles the graph.
    ///
    /// # Errors
    /// As [`GraphBuilder::complete`] and [`CompleteGraph::finalize`].
    pub fn finalize(self) -> Result<()> {
        self.complete()?.finalize()
    }

    /// The graph's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn backend(&self) -> &Backend {
        &self.context.backend
    }

    fn encode(&self, spec: &OpSpec<'_>) -> Result<EncodedOp> {
        check::op(spec)?;
        EncodedOp::new(spec, self.raw(spec, spec.inputs)?, self.raw(spec, spec.outputs)?)
    }

    fn raw(&self, spec: &OpSpec<'_>, ids: &[TensorId]) -> Result<Vec<Tensor>> {
        let foreign = || Error::invalid(subject(spec), "one of its tensors is not of this graph");
        ids.iter().map(|id| Ok(self.tensors.get(id.0).ok_or_else(foreign)?.encoded.raw)).collect()
    }

    #[expect(unsafe_code, reason = "calls the library")]
    fn validate_encoded(&mut self, spec: &OpSpec<'_>, op: &mut EncodedOp) -> Result<()> {
        let config = op.config();
        let backend = self.backend();
        // SAFETY: the backend is alive; the config points into `op`, which is, and to data that is borrowed for `'d` or as long as
        // `spec`.
        let validated = unsafe {
            vendor!(
                backend,
                Exclusive,
                backend_validate_op_config(backend.handle(), config),
                "{}",
                subject(spec)
            )
        };
        self.refused |= validated.is_err();
        validated?;
        self.validated.insert(spec.name.to_owned());
        Ok(())
    }
}

/// A graph with all of its ops, not yet compiled.
///
/// `Send`, not `Sync`: one thread compiles it.
pub struct CompleteGraph {
    context: Arc<OwnedContext>,
    handle: GraphHandle,
    name: String,
    vtcm_bytes: u64,
    _file: Option<FileTarget>,
}

// SAFETY: the graph handle is used only in calls that the backend keeps from overlapping.
#[expect(unsafe_code, reason = "raw handles and pointers")]
unsafe impl Send for CompleteGraph {}

impl CompleteGraph {
    /// A graph that the library itself composed.
    pub(crate) fn composed(
        context: Arc<OwnedContext>,
        handle: GraphHandle,
        name: String,
        vtcm_bytes: u64,
    ) -> CompleteGraph {
        CompleteGraph { context, handle, name, vtcm_bytes, _file: None }
    }

    /// The graph's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Compiles the graph. This is where the time goes.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor) when the graph cannot be compiled.
    pub fn finalize(self) -> Result<()> {
        self.finalize_into(ptr::null_mut())
    }

    /// Compiles the graph, and says what the library measured on the way. For the few SoCs of which it has a simulation, events 2004
    /// to 2021 are its estimate of an execution. The binary is the same as that of [`CompleteGraph::finalize`].
    ///
    /// With [`Trace::On`], the profile also has the simulation's [`trace`](Profile::traces), and the library writes a file
    /// `<graph>_schematic.bin` into the working directory: the ops of the graph before and after its optimization, as text.
    ///
    /// # Errors
    /// As [`CompleteGraph::finalize`].
    pub fn finalize_profiled(self, trace: Trace) -> Result<Profile> {
        let level = match trace {
            Trace::Off => ProfileLevel::Basic,
            Trace::On => ProfileLevel::Detailed,
        };
        let profile = OwnedProfile::new(&self.context.backend, level)?;
        if trace == Trace::On {
            profile.trace()?;
        }
        self.finalize_into(profile.handle())?;
        profile.read()
    }

    #[expect(unsafe_code, reason = "calls the library")]
    fn finalize_into(self, profile: ProfileHandle) -> Result<()> {
        let backend = &self.context.backend;
        // SAFETY: the graph is alive and not finalized: this consumes it. The profile is alive, or null. No signal.
        unsafe {
            vendor!(
                backend,
                Exclusive { backend.plan_vtcm(self.vtcm_bytes); },
                graph_finalize(self.handle, profile, ptr::null_mut()),
                "graph `{}`",
                self.name
            )
        }
    }
}

impl fmt::Debug for CompleteGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompleteGraph({:?})", self.name)
    }
}

fn subject(spec: &OpSpec<'_>) -> String {
    format!("op `{}` ({})", spec.name, spec.ty)
}

impl fmt::Debug for GraphBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GraphBuilder({:?}, {} tensors, {} ops)", self.name, self.tensors.len(), self.ops.len())
    }
}
