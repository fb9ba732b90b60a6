//! Small ONNX models, written as a test needs them.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "test code, of which each file uses a part"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use qnn_compiler::frontend::onnx::proto::{
    AttributeProto, DimensionProto, DimensionValue, FunctionProto, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, TypeValue, ValueInfoProto,
    attribute_type,
};
use qnn_compiler::frontend::onnx::{ImportOptions, Imported, element, import, to_bytes};
use qnn_compiler::graph::DType;
use qnn_compiler::problem::{Problems, Result};
use qnn_compiler::reference::ReferenceEngine;
use qnn_types::InputSpec;

/// The reference engine, or a failure that says how to get it.
pub fn reference() -> ReferenceEngine {
    let library = qnn_platform::libs::onnxruntime().unwrap_or_else(|error| panic!("{error}"));
    ReferenceEngine::load(library).unwrap_or_else(|error| panic!("{error}"))
}

/// A dimension in a test: a number, or a symbol (`"?"` for one without a name).
#[derive(Clone, Copy)]
pub enum Dim {
    Fixed(i64),
    Free(&'static str),
}

/// An attribute by name.
pub fn attr(name: &str) -> AttributeProto {
    AttributeProto { name: name.to_owned(), ..AttributeProto::default() }
}

pub fn int(name: &str, v: i64) -> AttributeProto {
    AttributeProto { i: Some(v), r#type: attribute_type::INT, ..attr(name) }
}

pub fn float(name: &str, v: f32) -> AttributeProto {
    AttributeProto { f: Some(v), r#type: attribute_type::FLOAT, ..attr(name) }
}

pub fn ints(name: &str, v: &[i64]) -> AttributeProto {
    AttributeProto { ints: v.to_vec(), r#type: attribute_type::INTS, ..attr(name) }
}

pub fn floats(name: &str, v: &[f32]) -> AttributeProto {
    AttributeProto { floats: v.to_vec(), r#type: attribute_type::FLOATS, ..attr(name) }
}

pub fn text(name: &str, v: &str) -> AttributeProto {
    AttributeProto {
        s: Some(Bytes::copy_from_slice(v.as_bytes())),
        r#type: attribute_type::STRING,
        ..attr(name)
    }
}

pub fn texts(name: &str, v: &[&str]) -> AttributeProto {
    let strings = v.iter().map(|v| Bytes::copy_from_slice(v.as_bytes())).collect();
    AttributeProto { strings, r#type: attribute_type::STRINGS, ..attr(name) }
}

pub fn graph_attr(name: &str, graph: GraphProto) -> AttributeProto {
    AttributeProto { g: Some(graph), r#type: attribute_type::GRAPH, ..attr(name) }
}

pub fn tensor_attr(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto { t: Some(tensor), r#type: attribute_type::TENSOR, ..attr(name) }
}

/// A node; `""` stands for an input or output that is left out.
pub fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[AttributeProto]) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        input: inputs.iter().map(|s| (*s).to_owned()).collect(),
        output: outputs.iter().map(|s| (*s).to_owned()).collect(),
        attribute: attributes.to_vec(),
        ..NodeProto::default()
    }
}

/// A tensor with raw data.
pub fn raw(name: &str, dtype: DType, dims: &[i64], bytes: Vec<u8>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        data_type: element::number(dtype),
        dims: dims.to_vec(),
        raw_data: Some(bytes.into()),
        ..TensorProto::default()
    }
}

pub fn f32s(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    raw(name, DType::F32, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

pub fn i64s(name: &str, dims: &[i64], values: &[i64]) -> TensorProto {
    raw(name, DType::I64, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// A weight with a value for each element that is different and not round.
pub fn noise(name: &str, dims: &[i64]) -> TensorProto {
    let count: i64 = dims.iter().product();
    let values: Vec<f32> = (0..count).map(|i| ((i * 37 + 11) % 101) as f32 / 50.5 - 0.97).collect();
    f32s(name, dims, &values)
}

pub fn info(name: &str, dtype: DType, dims: &[Dim]) -> ValueInfoProto {
    let dim = |d: &Dim| DimensionProto {
        value: Some(match d {
            Dim::Fixed(v) => DimensionValue::Value(*v),
            Dim::Free(s) => DimensionValue::Param((*s).to_owned()),
        }),
    };
    let tensor = TensorTypeProto {
        elem_type: element::number(dtype),
        shape: Some(TensorShapeProto { dim: dims.iter().map(dim).collect() }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(TypeValue::Tensor(tensor)) }),
    }
}

/// A model being put together.
#[derive(Clone)]
pub struct Model(pub ModelProto);

impl Model {
    pub fn new(opset: i64) -> Self {
        let graph = GraphProto { name: "test".to_owned(), ..GraphProto::default() };
        Self(ModelProto {
            ir_version: Some(8),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: opset }],
            graph: Some(graph),
            ..ModelProto::default()
        })
    }

    pub fn graph(&mut self) -> &mut GraphProto {
        self.0.graph.as_mut().unwrap()
    }

    pub fn input(mut self, name: &str, dims: &[i64]) -> Self {
        let dims: Vec<Dim> = dims.iter().map(|d| Dim::Fixed(*d)).collect();
        self.graph().input.push(info(name, DType::F32, &dims));
        self
    }

    pub fn typed_input(mut self, name: &str, dtype: DType, dims: &[Dim]) -> Self {
        self.graph().input.push(info(name, dtype, dims));
        self
    }

    pub fn weight(mut self, tensor: TensorProto) -> Self {
        self.graph().initializer.push(tensor);
        self
    }

    pub fn node(mut self, node: NodeProto) -> Self {
        self.graph().node.push(node);
        self
    }

    pub fn output(mut self, name: &str) -> Self {
        self.graph().output.push(ValueInfoProto { name: name.to_owned(), r#type: None });
        self
    }

    pub fn function(mut self, function: FunctionProto) -> Self {
        self.0.functions.push(function);
        self
    }

    pub fn import_set(mut self, domain: &str, version: i64) -> Self {
        self.0.opset_import.push(OperatorSetIdProto { domain: domain.to_owned(), version });
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        to_bytes(&self.0)
    }

    pub fn save(&self, dir: &Path) -> PathBuf {
        let path = dir.join("model.onnx");
        std::fs::write(&path, self.bytes()).unwrap();
        path
    }

    /// Imports the model as it is.
    pub fn import(&self) -> Result<Imported> {
        self.import_with(&[], &[])
    }

    /// Imports the model with shapes for inputs, keeping the named outputs.
    pub fn import_with(&self, shapes: &[(&str, &[u64])], outputs: &[&str]) -> Result<Imported> {
        let dir = tempfile::tempdir().unwrap();
        import_file(&self.save(dir.path()), shapes, outputs, None)
    }
}

pub fn import_file(
    path: &Path,
    shapes: &[(&str, &[u64])],
    outputs: &[&str],
    reference: Option<&ReferenceEngine>,
) -> Result<Imported> {
    let inputs: BTreeMap<String, InputSpec> = shapes
        .iter()
        .map(|(name, shape)| {
            ((*name).to_owned(), InputSpec { shape: Some(shape.to_vec()), ..InputSpec::default() })
        })
        .collect();
    let outputs: Vec<String> = outputs.iter().map(|s| (*s).to_owned()).collect();
    import(
        path,
        &ImportOptions { inputs: &inputs, outputs: &outputs, reference, op_packages: &Default::default() },
    )
}

/// The problems of an import that must fail.
#[track_caller]
pub fn problems(result: Result<Imported>) -> Problems {
    match result {
        Ok(imported) => panic!("the model was imported: {} nodes", imported.graph.nodes.len()),
        Err(problems) => problems,
    }
}

/// The only problem of an import that must fail, as code and everything it says.
#[track_caller]
pub fn only_problem(result: Result<Imported>) -> (String, String) {
    let problems = problems(result).0;
    assert_eq!(problems.len(), 1, "{problems:?}");
    let p = &problems[0];
    let parts =
        [p.node.as_deref().unwrap_or(""), &p.message, &p.notes.join("\n"), p.help.as_deref().unwrap_or("")];
    (p.code.clone(), parts.join("\n"))
}

/// Operators of the imported graph in order.
pub fn ops(imported: &Imported) -> Vec<&str> {
    imported.graph.nodes.iter().map(|node| node.op.name()).collect()
}

/// Shape of the `i`-th output.
pub fn output_shape(imported: &Imported, i: usize) -> &[usize] {
    imported.graph.shape(imported.graph.outputs[i])
}
