//! ONNX models.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use qnn_compiler::frontend::onnx::OnnxFile;
use qnn_manifest::ModelValue;
use qnn_pipeline::Memo;
use qnn_pipeline::source::inspect;
use qnn_types::SourceFormat;
use serde::Serialize;

use super::Tensor;
use super::quantization::{Quantization, quantization};
use crate::exit::Exit;
use crate::failure::{Failure, Result, list};
use crate::table::columns;
use crate::term::size;

/// An ONNX model.
#[derive(Debug, Serialize)]
pub(crate) struct Model {
    path: PathBuf,
    bytes: u64,
    ir_version: Option<i64>,
    producer: String,
    /// Operator set versions by domain; the standard's is `ai.onnx`.
    opsets: BTreeMap<String, i64>,
    nodes: usize,
    /// How often each operator occurs in the main graph.
    ops: BTreeMap<String, usize>,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    external: Vec<External>,
    /// Absent where nothing is quantized.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantization: Option<Quantization>,
}

/// A file with external data.
#[derive(Debug, Serialize)]
struct External {
    path: PathBuf,
    bytes: u64,
}

/// Reads an ONNX model without its weights.
pub(crate) fn onnx(file: &Path) -> Result<Model> {
    let facts = inspect(file, SourceFormat::Onnx, &Memo::default());
    let facts = facts.map_err(|problems| Failure { exit: Exit::User, problems })?;
    let opened = OnnxFile::open(file);
    let model = opened.map_err(|problems| Failure { exit: Exit::User, problems: problems.0 })?.model;
    let domain = |domain: &str| if domain.is_empty() { "ai.onnx".to_owned() } else { domain.to_owned() };
    let nodes = model.graph.as_ref().map_or(&[][..], |graph| &graph.node);
    let mut ops = BTreeMap::new();
    for node in nodes {
        let name = match node.domain.as_str() {
            "" | "ai.onnx" => node.op_type.clone(),
            domain => format!("{domain}::{}", node.op_type),
        };
        *ops.entry(name).or_insert(0) += 1;
    }
    let producer = format!("{} {}", model.producer_name, model.producer_version).trim().to_owned();
    Ok(Model {
        path: file.to_owned(),
        bytes: facts.bytes,
        ir_version: model.ir_version,
        producer,
        opsets: model.opset_import.iter().map(|set| (domain(&set.domain), set.version)).collect(),
        nodes: nodes.len(),
        ops,
        inputs: facts.inputs.iter().map(tensor).collect(),
        outputs: facts.outputs.iter().map(tensor).collect(),
        external: facts
            .external
            .into_iter()
            .map(|file| External { path: file.path, bytes: file.bytes })
            .collect(),
        quantization: model.graph.as_ref().and_then(quantization),
    })
}

fn tensor(value: &ModelValue) -> Tensor {
    let ModelValue { name, dtype, shape, .. } = value;
    let rank = shape.as_ref().map_or(0, Vec::len);
    let mut symbols: Vec<String> =
        (0..rank).map(|axis| value.symbol(axis).unwrap_or_default().to_owned()).collect();
    if symbols.iter().all(String::is_empty) {
        symbols.clear();
    }
    Tensor { name: name.clone(), dtype: dtype.clone(), shape: shape.clone(), symbols, encoding: None }
}

impl Model {
    pub(crate) fn text(&self) -> String {
        let opsets = list(self.opsets.iter().map(|(domain, version)| format!("{domain} {version}")));
        let ops = list(self.ops.iter().map(|(op, count)| format!("{op} {count}")));
        let ir = self.ir_version.map_or(String::new(), |version| format!(", IR version {version}"));
        let mut lines = vec![
            format!("{}: ONNX model, {}{ir}", self.path.display(), size(self.bytes)),
            format!("  producer {}", if self.producer.is_empty() { "not recorded" } else { &self.producer }),
            format!("  opsets   {opsets}"),
            format!("  nodes    {}: {ops}", self.nodes),
        ];
        lines.extend(self.quantization.iter().flat_map(Quantization::lines));
        let inputs = self.inputs.iter().map(|tensor| tensor.row("in"));
        let rows: Vec<_> = inputs.chain(self.outputs.iter().map(|tensor| tensor.row("out"))).collect();
        lines.push(columns(&rows));
        for file in &self.external {
            lines.push(format!("  external {} ({})", file.path.display(), size(file.bytes)));
        }
        lines.join("\n")
    }
}
