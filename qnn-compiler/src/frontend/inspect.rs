//! What a model file holds, without importing it.

use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

use super::onnx::element;
use super::onnx::proto::{
    DimensionValue, EXTERNAL, GraphProto, NodeProto, TensorProto, TypeValue, ValueInfoProto,
};
use super::onnx::{OnnxFile, external_location};
use crate::problem::Result;

/// An ONNX file in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnnxSummary {
    /// Version of the file format.
    pub ir_version: i64,
    /// Exporter and its version.
    pub producer: String,
    /// Versions of the operator sets by domain; `ai.onnx` is the standard's own.
    pub opsets: BTreeMap<String, i64>,
    /// Inputs that an app gives, in order.
    pub inputs: Vec<ValueSummary>,
    /// Outputs, in order.
    pub outputs: Vec<ValueSummary>,
    /// Nodes of the main graph.
    pub nodes: usize,
    /// How often each operator is used, in branches and functions too.
    pub ops: BTreeMap<String, usize>,
    /// Functions that the model brings.
    pub functions: usize,
    /// Weights, those written as `Constant` nodes included.
    pub weights: usize,
    /// Bytes of all weights.
    pub weight_bytes: u64,
    /// Size of the file, bytes.
    pub file_bytes: u64,
    /// External data files, with the bytes of the model's weights in each.
    pub external: BTreeMap<String, u64>,
}

/// An input or output in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValueSummary {
    /// Name.
    pub name: String,
    /// dtype; what kind of value it is where it is no tensor.
    pub dtype: String,
    /// Dimensions; absent where not even their number is known.
    pub shape: Option<Vec<DimSummary>>,
}

/// A dimension: a number, the name of a symbol, or null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DimSummary {
    /// Size.
    Fixed(i64),
    /// Free, with its symbol.
    Symbol(String),
    /// Free.
    Free(()),
}

impl std::fmt::Display for DimSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Symbol(name) => f.write_str(name),
            Self::Free(()) => f.write_str("?"),
        }
    }
}

/// Describes an ONNX file.
///
/// # Errors
///
/// As [`OnnxFile::open`].
pub fn onnx(path: &Path) -> Result<OnnxSummary> {
    let file = OnnxFile::open(path)?;
    let model = &file.model;
    let mut summary = OnnxSummary {
        ir_version: model.ir_version.unwrap_or(0),
        producer: [&*model.producer_name, &*model.producer_version].join(" ").trim().to_owned(),
        opsets: model
            .opset_import
            .iter()
            .map(|o| (if o.domain.is_empty() { "ai.onnx".to_owned() } else { o.domain.clone() }, o.version))
            .collect(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        nodes: 0,
        ops: BTreeMap::new(),
        functions: model.functions.len(),
        weights: 0,
        weight_bytes: 0,
        file_bytes: file.raw.len() as u64,
        external: BTreeMap::new(),
    };
    if let Some(graph) = &model.graph {
        let weights: std::collections::HashSet<&str> = graph.initializer.iter().map(|t| &*t.name).collect();
        let inputs = graph.input.iter().filter(|input| !weights.contains(&*input.name));
        summary.inputs = inputs.map(value).collect();
        summary.outputs = graph.output.iter().map(value).collect();
        summary.nodes = graph.node.len();
        summary.graph(graph);
    }
    for function in &model.functions {
        function.node.iter().for_each(|node| summary.node(node));
    }
    Ok(summary)
}

impl OnnxSummary {
    fn graph(&mut self, graph: &GraphProto) {
        graph.initializer.iter().for_each(|tensor| self.weight(tensor));
        graph.node.iter().for_each(|node| self.node(node));
    }

    fn node(&mut self, node: &NodeProto) {
        let domain = match &*node.domain {
            "" | "ai.onnx" => String::new(),
            domain => format!("{domain}."),
        };
        *self.ops.entry(format!("{domain}{}", node.op_type)).or_default() += 1;
        for attribute in &node.attribute {
            if node.op_type == "Constant" {
                attribute.t.iter().for_each(|tensor| self.weight(tensor));
            }
            attribute.g.iter().chain(&attribute.graphs).for_each(|graph| self.graph(graph));
        }
    }

    fn weight(&mut self, tensor: &TensorProto) {
        let bits = element::bits(tensor.data_type);
        let elements = tensor.dims.iter().fold(1u64, |n, d| n.saturating_mul(u64::try_from(*d).unwrap_or(0)));
        let bytes = elements.saturating_mul(bits).div_ceil(8);
        self.weights += 1;
        self.weight_bytes = self.weight_bytes.saturating_add(bytes);
        if tensor.data_location == EXTERNAL {
            let location = external_location(&tensor.external_data).unwrap_or_default();
            let sum = self.external.entry(location.to_owned()).or_default();
            *sum = sum.saturating_add(bytes);
        }
    }
}

fn value(info: &ValueInfoProto) -> ValueSummary {
    let (dtype, shape) = match info.r#type.as_ref().and_then(|ty| ty.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) => {
            let dim = |value: &Option<DimensionValue>| match value {
                Some(DimensionValue::Value(size)) if *size > 0 => DimSummary::Fixed(*size),
                Some(DimensionValue::Param(name)) if !name.is_empty() => DimSummary::Symbol(name.clone()),
                _ => DimSummary::Free(()),
            };
            let shape = tensor.shape.as_ref().map(|s| s.dim.iter().map(|d| dim(&d.value)).collect());
            (element::name(tensor.elem_type), shape)
        }
        Some(TypeValue::Sequence(_)) => ("sequence".to_owned(), None),
        Some(TypeValue::Map(_)) => ("map".to_owned(), None),
        Some(TypeValue::Optional(_)) => ("optional".to_owned(), None),
        Some(TypeValue::SparseTensor(_)) => ("sparse tensor".to_owned(), None),
        Some(TypeValue::Opaque(_)) => ("opaque".to_owned(), None),
        None => ("unknown".to_owned(), None),
    };
    ValueSummary { name: info.name.clone(), dtype, shape }
}
