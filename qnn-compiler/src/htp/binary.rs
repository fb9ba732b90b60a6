//! Reads a context binary's metadata back and compares it with the request.

use std::path::Path;

use qnn::metadata::MetadataReader;
use qnn::{BinaryInfo, GraphInfo, Quant, TensorInfo};
use qnn_platform::libs::{QnnLibs, Source};
use qnn_types::{self, CompileJob, Diagnostic, Report, SourceFormat, Target};

use super::emit::diagnostic;
use crate::problem::{Result, problem};
use crate::program::described;

/// Why the binary could not be written.
pub(super) fn write_problem(path: &Path, error: &std::io::Error) -> Diagnostic {
    qnn_types::io_problem("E0605", "cannot write the context binary", path, error)
}

/// Metadata of a binary, by the library in `lib_dir`. `code` is that of bytes that are no context binary, or a damaged one.
pub(super) fn read(lib_dir: &Path, bytes: &[u8], what: &str, code: &str) -> Result<BinaryInfo> {
    let libs = QnnLibs { dir: lib_dir.to_owned(), source: Source::Explicit };
    let reader =
        MetadataReader::open(&libs).map_err(|e| diagnostic(&e, "the QNN library cannot be opened"))?;
    let what = format!("{what} is no context binary, or a damaged one");
    reader.read(bytes).map_err(|e| Diagnostic { code: code.to_owned(), ..diagnostic(&e, &what) }.into())
}

/// The report of a binary that is what the job asked for.
pub(super) fn check(bytes: &[u8], job: &CompileJob) -> Result<Report> {
    let info = read(&job.toolchain.qnn_lib_dir, bytes, "what the library made", "E0407")?;
    let mut found = disagreements(&info, &job.soc);
    let missing = job.graphs.iter().filter(|spec| !info.graphs.iter().any(|g| g.name == spec.name));
    let missing: Vec<String> = missing.map(|spec| format!("{:?}", spec.name)).collect();
    if job.format == SourceFormat::Dlc {
        // A container's graphs have names of their own; only a manifest that lists graphs asks for some by name.
        let unnamed = job.graphs.iter().all(|spec| spec.name == job.model);
        if !missing.is_empty() && !unnamed {
            let names: Vec<&str> = info.graphs.iter().map(|g| &*g.name).collect();
            let message = format!("{} has no graph {}", job.source.display(), missing.join(", "));
            return Err(Diagnostic {
                notes: vec![format!("its graphs: {}", names.join(", "))],
                help: Some("name these under `graphs`, or leave `graphs` out to take all of them".to_owned()),
                ..problem("E0212", message)
            }
            .into());
        }
    } else {
        found.extend(missing.iter().map(|name| format!("it has no graph {name}")));
    }
    if !found.is_empty() {
        let message = format!("the context binary for {} is not what was asked for", job.soc.name);
        return Err(Diagnostic { notes: found, ..problem("E0407", message) }.into());
    }
    Ok(report(&info, bytes.len()))
}

/// Where a binary's target differs from the wanted one.
pub(super) fn disagreements(info: &BinaryInfo, soc: &Target) -> Vec<String> {
    let mut found = Vec::new();
    if info.soc_id.is_some_and(|id| id != soc.id) {
        found.push(format!(
            "it is for SoC id {}; {} has {}",
            info.soc_id.unwrap_or_default(),
            soc.name,
            soc.id
        ));
    }
    if info.arch.is_some_and(|arch| arch != soc.arch) {
        found.push(format!(
            "it is for arch v{}; {} is v{}",
            info.arch.unwrap_or_default(),
            soc.name,
            soc.arch
        ));
    }
    found
}

/// What the metadata tells, as a report.
pub(super) fn report(info: &BinaryInfo, bytes: usize) -> Report {
    Report {
        build_id: info.build_id.clone(),
        binary_bytes: bytes as u64,
        graphs: info.graphs.iter().map(graph).collect(),
        ..Report::default()
    }
}

fn graph(info: &GraphInfo) -> qnn_types::GraphInfo {
    qnn_types::GraphInfo {
        name: info.name.clone(),
        inputs: info.inputs.iter().map(tensor).collect(),
        outputs: info.outputs.iter().map(tensor).collect(),
    }
}

fn tensor(info: &TensorInfo) -> qnn_types::TensorInfo {
    qnn_types::TensorInfo {
        name: info.name.clone(),
        dtype: info.dtype.storage().to_string(),
        shape: info.dims.iter().map(|&d| u64::from(d)).collect(),
        quant: match info.quant {
            Quant::PerTensor { scale, offset } => Some((scale, offset)),
            _ => None,
        },
        encoding: described(info),
    }
}
