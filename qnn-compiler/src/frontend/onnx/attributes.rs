//! Attributes of nodes.

use bytes::Bytes;
use std::collections::HashMap;

use super::external::ExternalFiles;
use super::fault::Fault;
use super::proto::{AttributeProto, attribute_type};
use super::tensor;
use crate::graph::{Attr, Attrs, DType, Data, TensorType};

/// Attributes of the call that a function's node is expanded for.
pub(super) type Arguments<'a> = HashMap<&'a str, &'a AttributeProto>;

/// The attribute that holds the value: in a function's body it may be one of the call. `None` where the call has none.
pub(super) fn resolve<'a>(
    attribute: &'a AttributeProto,
    arguments: &Arguments<'a>,
) -> Option<&'a AttributeProto> {
    if attribute.ref_attr_name.is_empty() {
        Some(attribute)
    } else {
        arguments.get(&*attribute.ref_attr_name).copied()
    }
}

/// The kind of an attribute; files of the first IR versions do not say it.
fn kind(a: &AttributeProto) -> i32 {
    use attribute_type::{FLOAT, FLOATS, GRAPH, INT, INTS, STRING, STRINGS, TENSOR};
    let present = [
        (a.f.is_some(), FLOAT),
        (a.i.is_some(), INT),
        (a.s.is_some(), STRING),
        (a.t.is_some(), TENSOR),
        (a.g.is_some(), GRAPH),
        (!a.floats.is_empty(), FLOATS),
        (!a.ints.is_empty(), INTS),
        (!a.strings.is_empty(), STRINGS),
    ];
    match a.r#type {
        0 => present.iter().find(|(is, _)| *is).map_or(0, |(_, kind)| *kind),
        kind => kind,
    }
}

/// Attributes of a node. Graphs are left out: who needs them reads them from the file's node.
pub(super) fn read<'a>(
    list: &'a [AttributeProto],
    arguments: &Arguments<'a>,
    files: &mut ExternalFiles,
) -> Result<Attrs, Fault> {
    let mut out = Attrs::default();
    for named in list {
        let Some(a) = resolve(named, arguments) else { continue };
        let value = match kind(a) {
            attribute_type::FLOAT => Attr::Float(a.f.unwrap_or(0.0)),
            attribute_type::INT => Attr::Int(a.i.unwrap_or(0)),
            attribute_type::STRING => Attr::Str(text(a.s.as_ref())),
            attribute_type::FLOATS => Attr::Floats(a.floats.clone()),
            attribute_type::INTS => Attr::Ints(a.ints.clone()),
            attribute_type::STRINGS => Attr::Strs(a.strings.iter().map(|s| text(Some(s))).collect()),
            attribute_type::TENSOR => {
                let tensor = a.t.as_ref().ok_or_else(|| missing(&named.name))?;
                let (ty, data) = tensor::read(tensor, files)
                    .map_err(|f| Fault { text: format!("attribute {}: {}", named.name, f.text), ..f })?;
                Attr::Tensor(ty, data)
            }
            _ => continue,
        };
        out.set(&named.name, value);
    }
    Ok(out)
}

fn text(bytes: Option<&Bytes>) -> String {
    bytes.map_or_else(String::new, |s| String::from_utf8_lossy(s).into_owned())
}

fn missing(name: &str) -> Fault {
    Fault::new("E0211", format!("attribute {name} has no value"))
}

/// The value of a `Constant` node.
pub(super) fn constant<'a>(
    list: &'a [AttributeProto],
    arguments: &Arguments<'a>,
    files: &mut ExternalFiles,
) -> Result<(TensorType, Data), Fault> {
    for named in list {
        let Some(a) = resolve(named, arguments) else { continue };
        return Ok(match &*named.name {
            "value" => return tensor::read(a.t.as_ref().ok_or_else(|| missing("value"))?, files),
            "sparse_value" => {
                return tensor::densify(
                    a.sparse_tensor.as_ref().ok_or_else(|| missing("sparse_value"))?,
                    files,
                );
            }
            "value_int" => (TensorType::new(DType::I64, []), Data::from_i64(&[a.i.unwrap_or(0)])),
            "value_ints" => (TensorType::new(DType::I64, [a.ints.len()]), Data::from_i64(&a.ints)),
            "value_float" => (TensorType::new(DType::F32, []), Data::from_f32(&[a.f.unwrap_or(0.0)])),
            "value_floats" => (TensorType::new(DType::F32, [a.floats.len()]), Data::from_f32(&a.floats)),
            "value_string" | "value_strings" => return Err(Fault::new("E0216", "its value is text")),
            _ => continue,
        });
    }
    Err(Fault::new("E0211", "the constant has no value"))
}
