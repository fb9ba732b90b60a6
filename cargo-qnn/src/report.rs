//! Reports of jobs as text for people.

use std::path::Path;

use qnn_types::ArtifactRecord;
use qnn_types::{Activations, CompileJob, Estimate, GraphInfo, Report, TensorInfo};

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
    if let Some(Activations { joined, apart }) = report.activations {
        lines.push(format!("  activations: {joined} joined with the layer before them, {apart} apart"));
    }
    lines.extend(report.estimates.iter().map(|found| format!("  estimate: {}", estimate(found))));
    if report.peak_rss > 0 {
        lines.push(format!("  peak memory: {}", size(report.peak_rss)));
    }
    lines.join("\n")
}

/// What an execution costs in the library's simulation, in one line.
pub(crate) fn estimate(found: &Estimate) -> String {
    let unpriced = match found.ops_without_cost {
        0 => String::new(),
        1 => "; too low: 1 op without a cost".to_owned(),
        count => format!("; too low: {count} ops without a cost"),
    };
    format!(
        "{} µs, {} cycles ({} to {}), {} spilled to DRAM, {} read from it{unpriced} (graph {}, simulated by the vendor's library on {})",
        found.microseconds,
        found.cycles,
        found.cycles_lower,
        found.cycles_upper,
        size(found.spill_bytes),
        size(found.fill_bytes),
        found.graph,
        found.soc
    )
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
