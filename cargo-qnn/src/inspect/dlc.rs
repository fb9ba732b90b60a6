//! Deep learning containers: their entries, and their graphs as the vendor's library composes them.

use std::fs::File;
use std::path::{Path, PathBuf};

use qnn_pipeline::driver::JobId;
use qnn_types::{CompileJob, GraphInfo, GraphSpec, HtpOptions, Job, Precision, SourceFormat, TensorInfo};
use serde::Serialize;
use zip::ZipArchive;

use super::Tensor;
use crate::codes;
use crate::encoding::Encoding;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};
use crate::jobs;
use crate::progress::COMPILE;
use crate::project::model_name;
use crate::session::Session;
use crate::table::columns;
use crate::target::target;
use crate::term::size;
use crate::toolchain::ensure;

/// A deep learning container.
#[derive(Debug, Serialize)]
pub(crate) struct Container {
    path: PathBuf,
    bytes: u64,
    entries: Vec<Entry>,
    /// The SoC that the graphs were composed for.
    composed_for: String,
    graphs: Vec<Graph>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Graph {
    name: String,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
}

/// Lists the entries and has the vendor's library compose the graphs, in a process of its own.
pub(crate) fn dlc(session: &Session, file: &Path, soc: &str) -> Result<Container> {
    let damaged = |why: String| {
        let message = format!("{} is not a deep learning container", file.display());
        Failure::new(Exit::User, codes::DLC, message).note(why)
    };
    let opened = File::open(file).at("cannot read", file)?;
    let bytes = opened.metadata().at("cannot read", file)?.len();
    let mut archive = ZipArchive::new(opened).map_err(|error| damaged(error.to_string()))?;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| damaged(error.to_string()))?;
        let name = entry.name().map_err(|error| damaged(error.to_string()))?.into_owned();
        entries.push(Entry { name, bytes: entry.size() });
    }
    let folder =
        tempfile::tempdir().map_err(|error| Failure::io("cannot write to", &std::env::temp_dir(), &error))?;
    let name = model_name(file)?;
    let soc = target(soc)?;
    let job = CompileJob {
        model: name.clone(),
        source: file.to_owned(),
        format: SourceFormat::Dlc,
        soc: soc.clone(),
        precision: Precision::default(),
        graphs: vec![GraphSpec { name: name.clone(), ..GraphSpec::default() }],
        outputs: vec![],
        samples: None,
        ranges: Vec::new(),
        accuracy: Default::default(),
        trace: None,
        encodings: None,
        op_packages: vec![],
        llm: None,
        htp: HtpOptions::default(),
        toolchain: ensure(session)?.for_job(),
        output: Some(folder.path().join("composed.bin")),
    };
    let id = JobId { model: name, soc: soc.name.clone(), ..JobId::default() };
    let report = jobs::run(session, &Job::Compile(job), &id, COMPILE, None)?;
    let graphs = report.graphs.iter().map(graph).collect();
    Ok(Container { path: file.to_owned(), bytes, entries, composed_for: soc.name, graphs })
}

fn graph(info: &GraphInfo) -> Graph {
    let tensors = |tensors: &[TensorInfo]| tensors.iter().map(tensor).collect();
    Graph { name: info.name.clone(), inputs: tensors(&info.inputs), outputs: tensors(&info.outputs) }
}

fn tensor(info: &TensorInfo) -> Tensor {
    let encoding = info.encoding.as_ref().map(Encoding::from);
    let shape = Some(info.shape.iter().map(|dim| Some(*dim)).collect());
    Tensor { name: info.name.clone(), dtype: info.dtype.clone(), shape, symbols: Vec::new(), encoding }
}

impl Container {
    pub(crate) fn text(&self) -> String {
        let mut lines =
            vec![format!("{}: deep learning container, {}", self.path.display(), size(self.bytes))];
        lines.extend(
            self.entries.iter().map(|entry| format!("  entry {} ({})", entry.name, size(entry.bytes))),
        );
        for graph in &self.graphs {
            lines.push(format!("  graph {} (composed for {})", graph.name, self.composed_for));
            let inputs = graph.inputs.iter().map(|tensor| tensor.row("in"));
            let rows: Vec<_> = inputs.chain(graph.outputs.iter().map(|tensor| tensor.row("out"))).collect();
            lines.push(columns(&rows));
        }
        lines.join("\n")
    }
}
