//! Converts attributes of a node to parameters of its op.

use std::borrow::Cow;

use qnn::DataType;
use qnn_ops::{Datatype, Kind, Param as Definition, Rank};
use qnn_types::Diagnostic;

use super::Found;
use crate::graph::{Attr, Data, Node};
use crate::program::{Param, Scalar};

impl Found<'_> {
    /// The parameters of a node in the order of the definition. Optional ones are left out only from the end, since a kernel gets
    /// parameters by position.
    ///
    /// # Errors
    /// `E0909`: an attribute that is no parameter, a missing parameter, a value of another type.
    pub(super) fn params(&self, node: &Node) -> Result<Vec<Param>, Diagnostic> {
        for name in node.attrs.0.keys() {
            if !self.op.params.iter().any(|param| param.name == *name) {
                let known: Vec<&str> = self.op.params.iter().map(|param| &*param.name).collect();
                let message = format!("{} has no parameter `{name}`", self.name());
                let known = if known.is_empty() {
                    "it has none".to_owned()
                } else {
                    format!("it has {}", known.join(", "))
                };
                return Err(Diagnostic { notes: vec![known], ..self.problem(node, "E0909", message) });
            }
        }
        let given = |param: &Definition| node.attrs.get(&param.name).is_some() || param.mandatory;
        let count = self.op.params.iter().rposition(given).map_or(0, |last| last + 1);
        self.op.params[..count].iter().map(|param| self.param(node, param)).collect()
    }

    /// The whole number that a parameter has for a node, given or by default.
    pub(super) fn whole_number(&self, node: &Node, name: &str) -> Option<i64> {
        let param = self.op.params.iter().find(|param| param.name == name)?;
        let by_default = || param.default.as_deref().filter(|_| !param.mandatory).map(default);
        match node.attrs.get(name).cloned().or_else(by_default)? {
            Attr::Int(value) => Some(value),
            Attr::Float(value) if value.fract() == 0.0 && value.abs() < 1e9 => Some(value as i64),
            Attr::Str(text) => param.values.iter().position(|value| *value == text).map(|at| at as i64),
            _ => None,
        }
    }

    fn param(&self, node: &Node, param: &Definition) -> Result<Param, Diagnostic> {
        let refuse = |message: String| self.problem(node, "E0909", message);
        let types = self.definition.datatypes(self.op, Kind::Param, &param.name);
        let by_default;
        let attr = match (node.attrs.get(&param.name), &param.default) {
            (Some(attr), _) => attr,
            (None, Some(text)) if !param.mandatory => {
                by_default = default(text);
                &by_default
            }
            (None, _) if param.mandatory => {
                return Err(refuse(format!("parameter `{}` of {} is missing", param.name, self.name())));
            }
            (None, _) => {
                return Err(refuse(format!(
                    "parameter `{}` of {} is left out and has no default, and a later one is given",
                    param.name,
                    self.name()
                )));
            }
        };
        let wrong = || {
            let types: Vec<&str> = types.iter().map(|datatype| datatype.short()).collect();
            refuse(format!(
                "parameter `{}` of {} is {} {}, the node gives it {}",
                param.name,
                self.name(),
                param.rank,
                types.join(" or "),
                describe(attr)
            ))
        };
        let name: Cow<'static, str> = Cow::Owned(param.name.clone());
        if param.rank == Rank::Scalar {
            let scalar = types.iter().find_map(|datatype| scalar(*datatype, attr, &param.values));
            return scalar.map(|scalar| Param::Scalar(name, scalar)).ok_or_else(wrong);
        }
        let shape = shape(attr);
        if !param.rank.fits(shape.len()) {
            return Err(wrong());
        }
        let tensor = types.iter().find_map(|datatype| elements(*datatype, attr));
        let (dtype, data) = tensor.ok_or_else(wrong)?;
        let dims =
            shape.iter().map(|d| u32::try_from(*d)).collect::<Result<Vec<u32>, _>>().map_err(|_| wrong())?;
        Ok(Param::Tensor { name, dtype, dims, data })
    }
}

/// A default of the XML as an attribute.
fn default(text: &str) -> Attr {
    if let Ok(int) = text.parse() {
        return Attr::Int(int);
    }
    match (text.trim_end_matches(['f', 'F']).parse(), text) {
        (Ok(float), _) => Attr::Float(float),
        (_, "true" | "TRUE") => Attr::Int(1),
        (_, "false" | "FALSE") => Attr::Int(0),
        _ => Attr::Str(text.to_owned()),
    }
}

/// An attribute as a single value of a type; a text is a name of the parameter's enumeration.
fn scalar(datatype: Datatype, attr: &Attr, names: &[String]) -> Option<Scalar> {
    let named;
    let attr = match attr {
        Attr::Str(text) => {
            named = Attr::Int(names.iter().position(|name| name == text)? as i64);
            &named
        }
        other => other,
    };
    Some(match (datatype, attr) {
        (Datatype::Float32 | Datatype::Float16, Attr::Float(value)) => Scalar::F32(*value),
        (Datatype::Float32 | Datatype::Float16, Attr::Int(value)) => Scalar::F32(*value as f32),
        (Datatype::Bool8, Attr::Int(value @ (0 | 1))) => Scalar::Bool(*value == 1),
        (Datatype::Int8 | Datatype::Int16 | Datatype::Int32 | Datatype::Int64, Attr::Int(value)) => {
            Scalar::I32(i32::try_from(*value).ok()?)
        }
        (Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 | Datatype::Uint64, Attr::Int(value)) => {
            Scalar::U32(u32::try_from(*value).ok()?)
        }
        _ => return None,
    })
}

fn shape(attr: &Attr) -> Vec<usize> {
    match attr {
        Attr::Ints(values) => vec![values.len()],
        Attr::Floats(values) => vec![values.len()],
        Attr::Strs(values) => vec![values.len()],
        Attr::Tensor(ty, _) => ty.shape.clone(),
        Attr::Int(_) | Attr::Float(_) | Attr::Str(_) => Vec::new(),
    }
}

/// An attribute's elements as those of a constant tensor of a type.
fn elements(datatype: Datatype, attr: &Attr) -> Option<(DataType, Data)> {
    let (ints, floats) = match attr {
        Attr::Ints(values) => (values.clone(), values.iter().map(|value| *value as f32).collect()),
        Attr::Floats(values) => (Vec::new(), values.clone()),
        Attr::Tensor(ty, data) if ty.dtype.is_float() => (Vec::new(), data.to_f32(ty.dtype)),
        Attr::Tensor(ty, data) => (data.to_i64(ty.dtype), data.to_f32(ty.dtype)),
        _ => return None,
    };
    let is_int = !matches!(attr, Attr::Floats(_)) && ints.len() == floats.len();
    match datatype {
        Datatype::Float32 => Some((DataType::Float32, Data::from_f32(&floats))),
        Datatype::Int32 if is_int => {
            let values: Option<Vec<i32>> = ints.iter().map(|value| i32::try_from(*value).ok()).collect();
            Some((DataType::Int32, Data::from_i32(&values?)))
        }
        Datatype::Uint32 if is_int => {
            let values: Option<Vec<u32>> = ints.iter().map(|value| u32::try_from(*value).ok()).collect();
            let bytes: Vec<u8> = values?.iter().flat_map(|value| value.to_le_bytes()).collect();
            Some((DataType::Uint32, Data::new(bytes.into())))
        }
        _ => None,
    }
}

fn describe(attr: &Attr) -> String {
    match attr {
        Attr::Int(value) => format!("the integer {value}"),
        Attr::Float(value) => format!("the float {value}"),
        Attr::Str(text) => format!("the text {text:?}"),
        Attr::Ints(values) => format!("{} integers", values.len()),
        Attr::Floats(values) => format!("{} floats", values.len()),
        Attr::Strs(values) => format!("{} texts", values.len()),
        Attr::Tensor(ty, _) => format!("a {} tensor of shape {:?}", ty.dtype, ty.shape),
    }
}
