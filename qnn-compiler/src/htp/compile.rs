//! Programs to a context binary.

use std::path::PathBuf;
use std::time::Duration;

use qnn::compose::{CompleteGraph, ContextBuilder, ContextConfig, GraphBuilder, GraphConfig};
use qnn::{Backend, BinaryInfo, Device, Trace};
use qnn_platform::build_id;
use qnn_platform::libs::{QnnLibs, Source, library_file};
use qnn_types::{CompileJob, Diagnostic, Estimate, Report, Stage, Target, io_problem};

use super::emit::{diagnostic, emit};
use super::{binary, estimate, packages};
use crate::problem::{Problems, Result, problem};
use crate::program::{Activated, Program};
use crate::reporter::Reporter;

/// The library, opened for one job.
pub(crate) struct Session {
    backend: Backend,
    device: Device,
    target: Target,
    /// Folder for traces.
    trace: Option<PathBuf>,
}

impl Session {
    /// Loads the library of the job's toolchain for the job's SoC.
    ///
    /// # Errors
    /// The library cannot be loaded, does not know the SoC, or refuses an op package.
    pub(crate) fn open(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Self> {
        steady_heap(reporter);
        if let Some(folder) = &job.trace {
            // The library writes what belongs to a trace into the working folder.
            std::env::set_current_dir(folder)
                .map_err(|error| io_problem("E0605", "cannot work in", folder, &error))?;
        }
        let libs = QnnLibs { dir: job.toolchain.qnn_lib_dir.clone(), source: Source::Explicit };
        let backend = Backend::open(&libs).map_err(|e| diagnostic(&e, "the QNN library cannot be opened"))?;
        packages::register(&backend, &job.op_packages, reporter)?;
        let device = Device::for_soc(&backend, job.soc.id)
            .map_err(|e| diagnostic(&e, &format!("the QNN library cannot compile for {}", job.soc.name)))?;
        Ok(Self { backend, device, target: job.soc.clone(), trace: job.trace.clone() })
    }

    /// Begins the context that the job's graphs go into.
    pub(crate) fn context(&self, job: &CompileJob) -> Result<ContextBuilder> {
        let config = ContextConfig { weight_sharing: job.htp.weight_sharing(job.graphs.len()) };
        self.device
            .new_context(&config)
            .map_err(|e| diagnostic(&e, "the QNN library cannot begin a context").into())
    }

    /// Hands one program to the library: every tensor and op, validated, not yet finalized.
    pub(crate) fn compose<'p>(
        &self,
        context: &ContextBuilder,
        job: &CompileJob,
        program: &'p Program,
        reporter: &mut Reporter<'_>,
    ) -> Result<GraphBuilder<'p>> {
        let mut builder = context
            .graph(&program.name, &graph_config(job, program.activated))
            .map_err(|e| diagnostic(&e, &format!("the QNN library cannot begin graph {:?}", program.name)))?;
        emit(program, &mut builder, reporter)?;
        Ok(builder)
    }

    /// Compiles a complete graph, and estimates what an execution costs where the library can. The graph's `own` ops may run: the library
    /// evaluates what is constant.
    pub(crate) fn finalize(
        &self,
        graph: CompleteGraph,
        own: Vec<String>,
        reporter: &mut Reporter<'_>,
    ) -> std::result::Result<Option<Estimate>, qnn::Error> {
        let at_risk = !own.is_empty();
        if at_risk {
            reporter.at_risk(own);
        }
        let name = graph.name().to_owned();
        let estimate = if estimate::is_simulated(&self.target) {
            let trace = if self.trace.is_some() { Trace::On } else { Trace::Off };
            let profile = graph.finalize_profiled(trace)?;
            if let Some(folder) = &self.trace {
                estimate::write_traces(&profile, &name, folder).unwrap_or_else(|error| reporter.warn(error));
            }
            estimate::of(&profile, &name, &self.target)
        } else {
            graph.finalize()?;
            None
        };
        if at_risk {
            reporter.at_risk(Vec::new());
        }
        Ok(estimate)
    }

    /// Adds every graph of the job's DLC file and finalizes it.
    pub(crate) fn compose_dlc(
        &self,
        context: &ContextBuilder,
        job: &CompileJob,
        reporter: &mut Reporter<'_>,
    ) -> Result<Vec<Estimate>> {
        reporter.stage(Stage::Compose);
        let what = format!("the QNN library cannot compose {}", job.source.display());
        let graphs = context
            .add_dlc(&job.source, &graph_config(job, Activated::default()))
            .map_err(|e| Diagnostic { code: "E0212".to_owned(), ..diagnostic(&e, &what) })?;
        reporter.stage(Stage::Finalize);
        let mut estimates = Vec::new();
        for graph in graphs {
            let name = graph.info().name.clone();
            let what = format!("the QNN library cannot finalize graph {name:?}");
            estimates.extend(
                self.finalize(graph.complete(), Vec::new(), reporter).map_err(|e| diagnostic(&e, &what))?,
            );
        }
        Ok(estimates)
    }

    /// Time spent inside the library so far.
    pub(crate) fn vendor_time(&self) -> Duration {
        self.backend.vendor_time()
    }

    /// Build id of the library.
    pub(crate) fn build_id(&self) -> &str {
        self.backend.build_id()
    }
}

/// Keeps what lies in this process' memory out of the context binary.
fn steady_heap(reporter: &mut Reporter<'_>) {
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    if !super::heap::begin() {
        reporter.warn(Diagnostic {
            help: Some("allow the process 10 GiB of address space: `ulimit -v unlimited`".to_owned()),
            ..problem("E0511", "the context binary may have other bytes in another process")
        });
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
    let _ = reporter;
}

fn graph_config(job: &CompileJob, activated: Activated) -> GraphConfig {
    let default = GraphConfig::default();
    GraphConfig {
        vtcm_mb: job.htp.vtcm_mb,
        optimization: job.htp.optimization(job.format),
        joined_activations: activated.joined,
        precise_sigmoid: activated.precise_sigmoid,
        hvx_threads: job.htp.hvx_threads,
        dlbc: job.htp.dlbc.unwrap_or(default.dlbc),
        ..default
    }
}

/// Serializes a context whose graphs are finalized, writes it where the job says, and reads its metadata back.
///
/// # Errors
/// The library or the file system refuses, or the binary is not what was asked for.
pub(crate) fn finish(
    context: ContextBuilder,
    job: &CompileJob,
    reporter: &mut Reporter<'_>,
) -> Result<Report> {
    reporter.stage(Stage::Serialize);
    let what = "the QNN library cannot serialize the context";
    let size = context.binary_size().map_err(|e| diagnostic(&e, what))?;
    let path = job.output.as_deref().ok_or_else(|| problem("E0508", "a compile job needs an output path"))?;
    let mut bytes = vec![0u8; usize::try_from(size).unwrap_or(usize::MAX)];
    let written = context.write_binary(&mut bytes).map_err(|e| diagnostic(&e, what))?;
    bytes.truncate(written);
    drop(context);
    std::fs::write(path, &bytes).map_err(|e| Problems::from(binary::write_problem(path, &e)))?;

    reporter.stage(Stage::Verify);
    let report = binary::check(&bytes, job)?;
    Ok(report)
}

/// A source that is a context binary already: checked against the job, and passed on.
///
/// # Errors
/// It cannot be read or written, or is for another SoC.
pub(crate) fn pass_on(job: &CompileJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    reporter.stage(Stage::Verify);
    let bytes = std::fs::read(&job.source)
        .map_err(|e| problem("E0214", format!("{} cannot be read: {e}", job.source.display())))?;
    let info = binary::read(&job.toolchain.qnn_lib_dir, &bytes, &job.source.display().to_string(), "E0213")?;
    let found = binary::disagreements(&info, &job.soc);
    if !found.is_empty() {
        let message = format!("{} is not a context binary for {}", job.source.display(), job.soc.name);
        return Err(Diagnostic { notes: found, ..problem("E0213", message) }.into());
    }
    if let Some(warning) = other_build(&info, job)? {
        reporter.warn(warning);
    }
    if let Some(path) = &job.output {
        std::fs::write(path, &bytes).map_err(|e| binary::write_problem(path, &e))?;
    }
    let mut report = binary::report(&info, bytes.len());
    report.stage_ms = reporter.finish();
    Ok(report)
}

/// What to know of a binary that another QNN build made than that of the toolchain: an app that ships the toolchain's
/// libraries cannot load it.
fn other_build(info: &BinaryInfo, job: &CompileJob) -> Result<Option<Diagnostic>> {
    let library = job.toolchain.qnn_lib_dir.join(library_file("QnnHtp"));
    let read = |error| io_problem("E0405", "cannot read the QNN library", &library, &error);
    let own = build_id::of(&library).map_err(read)?.unwrap_or_default();
    Ok((info.build_id != own).then(|| Diagnostic {
        notes: vec![format!("it was made by QNN {}, the toolchain is QNN {own}", info.build_id)],
        help: Some(format!(
            "ship the QNN libraries of build {} with the app, or compile the model from its source",
            info.build_id
        )),
        ..problem("E0703", format!("{} is from another QNN release", job.source.display()))
    }))
}
