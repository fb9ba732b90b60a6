//! Runs a context binary on arrays of an `.npz` file: in the emulator on a development machine.

use qnn::{Backend, Context, Device, Graph, LoadOptions, Tensor, TensorMut};
use qnn_platform::libs::{QnnLibs, Source};
use qnn_types::{Diagnostic, ExecuteJob, Report, Stage};

use super::arrange::arrange;
use super::emit::diagnostic;
use super::{binary, packages};
use crate::custom::OpPackages;
use crate::npz::{self, Array};
use crate::problem::{Problems, Result, not_written, problem};
use crate::reporter::Reporter;

/// Executes one graph once per sample and writes every output. An array with one more axis than its input is a batch of
/// samples; results then have that axis in front.
///
/// # Errors
/// `E0801` to `E0803` for files, arrays and names, `E0701` and `E0703` for a binary of another SoC or QNN build, `E0605` when the
/// results cannot be written, `E0706` when the graph cannot be loaded or executed.
pub(crate) fn execute(job: &ExecuteJob, reporter: &mut Reporter<'_>) -> Result<Report> {
    reporter.stage(Stage::Load);
    let bytes = std::fs::read(&job.binary)
        .map_err(|e| problem("E0802", format!("{} cannot be read: {e}", job.binary.display())))?;
    let what = job.binary.display().to_string();
    let info = binary::read(&job.toolchain.qnn_lib_dir, &bytes, &what, "E0802")?;
    if let Some(soc) = &job.soc {
        let found = binary::disagreements(&info, soc);
        if !found.is_empty() {
            return Err(Diagnostic {
                notes: found,
                ..problem("E0701", format!("{what} is not for {}", soc.name))
            }
            .into());
        }
    }
    let soc = job.soc.as_ref().map(|s| s.id).or(info.soc_id).unwrap_or_default();
    let libs = QnnLibs { dir: job.toolchain.qnn_lib_dir.clone(), source: Source::Explicit };
    let failed = |e: qnn::Error| Problems::from(coded("E0706", &e, &format!("{what} cannot be loaded")));
    let backend = Backend::open(&libs).map_err(failed)?;
    packages::register(&backend, &job.op_packages, reporter)?;
    let device = Device::for_soc(&backend, soc).map_err(failed)?;
    let context = Context::load(&device, &bytes, &what, &LoadOptions::new()).map_err(|e| match e.kind() {
        qnn::ErrorKind::Incompatible => {
            let code = if info.build_id == backend.build_id() { "E0701" } else { "E0703" };
            let message = format!("{what} cannot be loaded");
            Problems::from(Diagnostic {
                notes: e.details().to_vec(),
                help: e.help().map(str::to_owned),
                ..problem(code, message)
            })
        }
        _ => packages::missing(&e, &what).map_or_else(|| failed(e), Problems::from),
    })?;
    let graph = context.graph(&graph_name(job, &info)?).map_err(failed)?;

    reporter.stage(Stage::Execute);
    let (inputs, samples) = arrange(graph.info(), &job.inputs)?;
    if !job.op_packages.is_empty() {
        reporter.at_risk(OpPackages::load(&job.op_packages)?.names());
    }
    let outputs = run_all(&graph, &inputs, samples, reporter)?;
    npz::write(&job.outputs, outputs.iter().map(|(name, array)| (&**name, array)))
        .map_err(|e| not_written(&e))?;
    let mut report = binary::report(&info, bytes.len());
    report.vendor_ms = backend.vendor_time().as_secs_f64() * 1e3;
    report.stage_ms = reporter.finish();
    Ok(report)
}

fn coded(code: &str, error: &qnn::Error, what: &str) -> Diagnostic {
    Diagnostic { code: code.to_owned(), ..diagnostic(error, what) }
}

fn graph_name(job: &ExecuteJob, info: &qnn::BinaryInfo) -> Result<String> {
    let names: Vec<&str> = info.graphs.iter().map(|g| &*g.name).collect();
    match (&job.graph, &names[..]) {
        (Some(name), _) if names.contains(&&**name) => Ok(name.clone()),
        (None, [only]) => Ok((*only).to_owned()),
        (Some(name), _) => {
            Err(problem("E0803", format!("there is no graph {name:?}; there are {}", names.join(", ")))
                .into())
        }
        (None, _) => {
            Err(problem("E0801", format!("name one of the graphs {} with --graph", names.join(", "))).into())
        }
    }
}

fn run_all(
    graph: &Graph,
    inputs: &[Array],
    samples: Option<usize>,
    reporter: &mut Reporter<'_>,
) -> Result<Vec<(String, Array)>> {
    let info = graph.info();
    let count = samples.unwrap_or(1);
    let mut results: Vec<Vec<u8>> = info.outputs.iter().map(|o| vec![0; o.byte_len() * count]).collect();
    for sample in 0..count {
        let tensors: Vec<(&str, Tensor<'_>)> = info
            .inputs
            .iter()
            .zip(inputs)
            .map(|(i, array)| {
                let len = i.byte_len();
                (&*i.name, Tensor::raw(i.dtype.storage(), &array.data[sample * len..(sample + 1) * len]))
            })
            .collect();
        let mut buffers: Vec<(&str, TensorMut<'_>)> = info
            .outputs
            .iter()
            .zip(&mut results)
            .map(|(o, bytes)| {
                let len = o.byte_len();
                (&*o.name, TensorMut::raw(o.dtype.storage(), &mut bytes[sample * len..(sample + 1) * len]))
            })
            .collect();
        graph
            .execute(&tensors, &mut buffers)
            .map_err(|e| coded("E0706", &e, "the graph cannot be executed"))?;
        reporter.progress(sample + 1, count);
    }
    let shape = |dims: &[u32]| {
        samples.map(|n| n as u64).into_iter().chain(dims.iter().map(|&d| u64::from(d))).collect()
    };
    Ok(info
        .outputs
        .iter()
        .zip(results)
        .map(|(o, data)| (o.name.clone(), Array { dtype: o.dtype.storage(), shape: shape(&o.dims), data }))
        .collect())
}
