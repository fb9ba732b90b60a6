//! Small ONNX models, written as a test needs them.

use qnn_compiler::frontend::onnx::proto::{
    DimensionProto, DimensionValue, EXTERNAL, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, TypeValue,
    ValueInfoProto,
};
use qnn_compiler::frontend::onnx::to_bytes;

/// A model whose inputs and weights are float32.
#[derive(Default)]
pub(crate) struct Model {
    graph: GraphProto,
}

impl Model {
    /// A model with one input; a dimension of 0 is a free one.
    pub(crate) fn new(input: &str, dims: &[i64]) -> Self {
        let mut model = Self::default();
        let dim = |(i, dim): (usize, &i64)| match dim {
            0 => DimensionValue::Param(format!("d{i}")),
            fixed => DimensionValue::Value(*fixed),
        };
        let dims = dims.iter().enumerate().map(|d| DimensionProto { value: Some(dim(d)) }).collect();
        let tensor = TensorTypeProto { elem_type: 1, shape: Some(TensorShapeProto { dim: dims }) };
        let ty = TypeProto { value: Some(TypeValue::Tensor(tensor)) };
        model.graph.name = "g".to_owned();
        model.graph.input.push(ValueInfoProto { name: input.to_owned(), r#type: Some(ty) });
        model
    }

    /// With a float32 value that the model says the shape of.
    #[allow(dead_code, reason = "not every suite that has this file needs it")]
    pub(crate) fn declared(mut self, name: &str, dims: &[i64]) -> Self {
        let of = Self::new(name, dims).graph.input;
        self.graph.value_info.extend(of);
        self
    }

    /// With a node `OP NAME: INPUTS -> OUTPUTS`, names separated by spaces; an operator of another domain has it before a `:`.
    pub(crate) fn node(mut self, op: &str, name: &str, inputs: &str, outputs: &str) -> Self {
        let (domain, op) = op.split_once(':').unwrap_or(("", op));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        self.graph.node.push(NodeProto {
            op_type: op.to_owned(),
            domain: domain.to_owned(),
            name: name.to_owned(),
            input: words(inputs),
            output: words(outputs),
            ..NodeProto::default()
        });
        self
    }

    /// With a weight of these dimensions that is kept in another file, which these entries describe.
    pub(crate) fn external(mut self, name: &str, dims: &[i64], entries: &[(&str, &str)]) -> Self {
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        self.graph.initializer.push(TensorProto {
            name: name.to_owned(),
            data_type: 1,
            dims: dims.to_vec(),
            data_location: EXTERNAL,
            external_data: entries.iter().map(entry).collect(),
            ..TensorProto::default()
        });
        self
    }

    /// The file, with these outputs.
    pub(crate) fn bytes(mut self, outputs: &[&str]) -> Vec<u8> {
        let output = |name: &&str| ValueInfoProto { name: (*name).to_owned(), r#type: None };
        self.graph.output = outputs.iter().map(output).collect();
        let domain = |node: &NodeProto| node.domain.clone();
        let domains: std::collections::BTreeSet<String> =
            self.graph.node.iter().map(domain).chain([String::new()]).collect();
        let import = |domain: String| {
            let version = if domain.is_empty() { 17 } else { 1 };
            OperatorSetIdProto { domain, version }
        };
        to_bytes(&ModelProto {
            ir_version: Some(8),
            opset_import: domains.into_iter().map(import).collect(),
            graph: Some(self.graph),
            ..ModelProto::default()
        })
    }
}
