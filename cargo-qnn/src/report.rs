//! Reports of jobs as text for people.

use std::path::Path;

use qnn_types::ArtifactRecord;
use qnn_types::{CompileJob, GraphInfo, Report, TensorInfo};

use crate::encoding::Encoding;
use crate::table::columns;
use crate::term::size;

/// A context binary that was compiled: size, graphs with their tensors, where the time went.
pub(crate) fn compiled(job: &CompileJob, output: &Path, report: &Report) -> String {
    let mut lines = vec![format!(
        "{}: {} v{}, {}, {} ops, QNN {}",
        output.display(),
        job.soc.name,
        job.soc.arch,
        size(report.binary_bytes),
        report.ops,
        report.build_id
    )];
    lines.extend(report.graphs.iter().map(graph));
    let stages = report.stage_ms.iter().filter(|(_, ms)| *ms >= 0.05);
    let stages: Vec<String> = stages.map(|(stage, ms)| format!("{stage} {ms:.0} ms")).collect();
    lines.push(format!("  time: {} (in the QNN library: {:.0} ms)", stages.join(", "), report.vendor_ms));
    if report.peak_rss > 0 {
        lines.push(format!("  peak memory: {}", size(report.peak_rss)));
    }
    lines.join("\n")
}

/// A file of a compiled model, in one line.
pub(crate) fn artifact(artifact: &ArtifactRecord, folder: &Path) -> String {
    let part = artifact.part.as_ref().map_or(String::new(), |part| format!(", {part}"));
    let graphs: Vec<&str> = artifact.graphs.iter().map(|graph| graph.name.as_str()).collect();
    let graphs = if graphs.is_empty() { String::new() } else { format!(" ({})", graphs.join(", ")) };
    format!("{}: {}{part}{graphs}", folder.join(&artifact.file).display(), size(artifact.bytes))
}

/// A graph with its tensors.
pub(crate) fn graph(graph: &GraphInfo) -> String {
    let rows = |kind: &str, tensors: &[TensorInfo]| -> Vec<Vec<String>> {
        tensors.iter().map(|tensor| row(kind, tensor)).collect()
    };
    let mut all = rows("in", &graph.inputs);
    all.extend(rows("out", &graph.outputs));
    format!("  graph {}\n{}", graph.name, columns(&all))
}

fn row(kind: &str, tensor: &TensorInfo) -> Vec<String> {
    let encoding = tensor.encoding.as_ref().map_or(String::new(), |encoding| Encoding::from(encoding).text());
    vec![
        format!("    {kind}"),
        tensor.name.clone(),
        tensor.dtype.clone(),
        format!("{:?}", tensor.shape),
        encoding,
    ]
}
