//! [`Graph`] to `ModelProto`: what ONNX Runtime is given to evaluate, and what an export writes.

use bytes::Bytes;
use prost::Message;
use std::collections::{BTreeMap, HashMap};

use super::element;
use super::normalize::OPSET;
use super::proto::{
    AttributeProto, DimensionProto, DimensionValue, EXTERNAL, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    TypeValue, ValueInfoProto, attribute_type,
};
use crate::graph::{Attr, DType, Data, Graph, Node, TensorType, Value};
use crate::op::Onnx;

/// Version of the file format that is written.
const IR_VERSION: i64 = 10;

/// A whole graph. Constants that nothing reads are left out.
pub fn to_model(graph: &Graph) -> ModelProto {
    to_model_beside(graph, "", &HashMap::new())
}

/// A whole graph, whose constants of these names are in the file `location` beside the model, at an offset and of a length.
pub fn to_model_beside(graph: &Graph, location: &str, places: &HashMap<String, (u64, u64)>) -> ModelProto {
    let name =
        |id: &Option<crate::graph::ValueId>| id.map_or_else(String::new, |id| graph.value(id).name.clone());
    let mut read: Vec<_> = graph.nodes.iter().flat_map(|n| n.inputs.iter().flatten().copied()).collect();
    read.sort_unstable();
    read.dedup();
    let constants = read.into_iter().map(|id| graph.value(id));
    model(
        graph
            .nodes
            .iter()
            .map(|node| encode_node(node, node.inputs.iter().map(name), node.outputs.iter().map(name))),
        &graph.nodes,
        GraphProto {
            name: if graph.name.is_empty() { "graph".to_owned() } else { graph.name.clone() },
            initializer: constants
                .filter_map(|v| {
                    let data = v.data.as_ref()?;
                    Some(match places.get(&v.name) {
                        Some(place) => external(&v.name, &v.ty, location, *place),
                        None => tensor(&v.name, &v.ty, data),
                    })
                })
                .collect(),
            input: graph.inputs.iter().map(|id| value_info(graph.value(*id))).collect(),
            output: graph.outputs.iter().map(|id| value_info(graph.value(*id))).collect(),
            ..GraphProto::default()
        },
    )
}

/// A model of one node of a graph. Its inputs are called `i0`, `i1` …, its outputs `o0`, `o1` …; those that are constant and
/// have at most `largest` bytes are weights of the model, the others are inputs of it.
pub(crate) fn to_single(graph: &Graph, node: &Node, outputs: usize, largest: usize) -> ModelProto {
    let mut body = GraphProto { name: "node".to_owned(), ..GraphProto::default() };
    let mut names = Vec::new();
    for (i, id) in node.inputs.iter().enumerate() {
        let Some(id) = id else {
            names.push(String::new());
            continue;
        };
        let (value, name) = (graph.value(*id), format!("i{i}"));
        match &value.data {
            Some(data) if data.len() <= largest => body.initializer.push(tensor(&name, &value.ty, data)),
            _ => body.input.push(typed(&name, &value.ty)),
        }
        names.push(name);
    }
    let results: Vec<String> = (0..outputs).map(|i| format!("o{i}")).collect();
    body.output = results.iter().map(|name| ValueInfoProto { name: name.clone(), r#type: None }).collect();
    let nodes = [encode_node(node, names.into_iter(), results.into_iter())];
    model(nodes.into_iter(), std::slice::from_ref(node), body)
}

/// The bytes of a model.
pub fn to_bytes(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

fn model(encoded: impl Iterator<Item = NodeProto>, nodes: &[Node], graph: GraphProto) -> ModelProto {
    let mut opsets = BTreeMap::from([(String::new(), OPSET)]);
    for node in nodes {
        let version = match node.op.onnx() {
            Onnx::Since { attribute, version }
                if attribute.is_empty() || node.attrs.get(attribute).is_some() =>
            {
                version
            }
            _ => node.opset,
        };
        opsets.entry(node.op.domain().to_owned()).and_modify(|v| *v = version.max(*v)).or_insert(version);
    }
    ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: "cargo-qnn".to_owned(),
        opset_import: opsets
            .into_iter()
            .map(|(domain, version)| OperatorSetIdProto { domain, version })
            .collect(),
        graph: Some(GraphProto { node: encoded.collect(), ..graph }),
        ..ModelProto::default()
    }
}

fn encode_node(
    node: &Node,
    inputs: impl Iterator<Item = String>,
    outputs: impl Iterator<Item = String>,
) -> NodeProto {
    NodeProto {
        input: inputs.collect(),
        output: outputs.collect(),
        name: node.name.clone(),
        op_type: node.op.name().to_owned(),
        attribute: node.attrs.0.iter().map(|(name, value)| attribute(name, value)).collect(),
        domain: node.op.domain().to_owned(),
        overload: String::new(),
    }
}

fn attribute(name: &str, value: &Attr) -> AttributeProto {
    let named = |kind| AttributeProto { name: name.to_owned(), r#type: kind, ..AttributeProto::default() };
    let bytes = |s: &String| Bytes::from(s.clone());
    match value {
        Attr::Int(v) => AttributeProto { i: Some(*v), ..named(attribute_type::INT) },
        Attr::Float(v) => AttributeProto { f: Some(*v), ..named(attribute_type::FLOAT) },
        Attr::Str(v) => AttributeProto { s: Some(bytes(v)), ..named(attribute_type::STRING) },
        Attr::Ints(v) => AttributeProto { ints: v.clone(), ..named(attribute_type::INTS) },
        Attr::Floats(v) => AttributeProto { floats: v.clone(), ..named(attribute_type::FLOATS) },
        Attr::Strs(v) => {
            AttributeProto { strings: v.iter().map(bytes).collect(), ..named(attribute_type::STRINGS) }
        }
        Attr::Tensor(ty, data) => {
            AttributeProto { t: Some(tensor("", ty, data)), ..named(attribute_type::TENSOR) }
        }
    }
}

fn tensor(name: &str, ty: &TensorType, data: &Data) -> TensorProto {
    let raw = match ty.dtype {
        // Two elements a byte, the first in the low half.
        DType::I4 | DType::U4 => data
            .bytes()
            .chunks(2)
            .map(|pair| (pair[0] & 15) | (pair.get(1).copied().unwrap_or(0) << 4))
            .collect(),
        _ => data.bytes().clone(),
    };
    TensorProto {
        dims: ty.shape.iter().map(|d| *d as i64).collect(),
        data_type: element::number(ty.dtype),
        name: name.to_owned(),
        raw_data: Some(raw),
        ..TensorProto::default()
    }
}

/// A tensor whose elements are in another file.
fn external(name: &str, ty: &TensorType, location: &str, (offset, length): (u64, u64)) -> TensorProto {
    let entry = |key: &str, value: String| StringStringEntryProto { key: key.to_owned(), value };
    TensorProto {
        dims: ty.shape.iter().map(|d| *d as i64).collect(),
        data_type: element::number(ty.dtype),
        name: name.to_owned(),
        external_data: vec![
            entry("location", location.to_owned()),
            entry("offset", offset.to_string()),
            entry("length", length.to_string()),
        ],
        data_location: EXTERNAL,
        ..TensorProto::default()
    }
}

fn value_info(value: &Value) -> ValueInfoProto {
    typed(&value.name, &value.ty)
}

fn typed(name: &str, ty: &TensorType) -> ValueInfoProto {
    let dim = |d: &usize| DimensionProto { value: Some(DimensionValue::Value(*d as i64)) };
    let tensor = TensorTypeProto {
        elem_type: element::number(ty.dtype),
        shape: Some(TensorShapeProto { dim: ty.shape.iter().map(dim).collect() }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(TypeValue::Tensor(tensor)) }),
    }
}
