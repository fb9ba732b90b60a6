//! Finds inputs, outputs and external data files of an ONNX model, reading only what it must.
//!
//! Field numbers are those of onnx.proto3; everything else is skipped, so a file of gigabytes takes milliseconds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{Read, Seek};

use serde::{Deserialize, Serialize};

use super::wire::{Reader, Result, Value, WireError};

/// Graphs within nodes within graphs: deeper is not a model.
const DEPTH: u32 = 32;
const LONGEST_NAME: u64 = 1 << 16;

/// Parts of the names of operators that quantize or compute on stored integers: QuantizeLinear, QLinearConv, ConvInteger, …
const QUANTIZED: &[&str] = &["Quantize", "QLinear", "Integer", "QGemm"];

/// An input or output of a model file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelValue {
    /// Name.
    pub name: String,
    /// dtype as in `inputs.NAME.dtype`, or `int64`, `float64`, … for those that the border cannot have.
    pub dtype: String,
    /// Dimensions; `None` for one that is dynamic. `None` altogether when the file does not say.
    pub shape: Option<Vec<Option<u64>>>,
    /// Names of dynamic dimensions, empty for those without: dimensions of the same name are equal in all inputs and outputs.
    #[serde(default)]
    pub symbols: Vec<String>,
}

impl ModelValue {
    /// The name of a dynamic dimension, where it has one.
    pub fn symbol(&self, axis: usize) -> Option<&str> {
        let open = self.shape.as_ref().is_some_and(|dims| dims.get(axis) == Some(&None));
        self.symbols.get(axis).map(String::as_str).filter(|name| open && !name.is_empty())
    }

    /// Its dimensions for messages: dynamic ones by their names, or as `?`; `None` when the file does not say.
    pub fn shape_text(&self) -> Option<String> {
        let dim = |(axis, dim): (usize, &Option<u64>)| match dim {
            Some(size) => size.to_string(),
            None => self.symbol(axis).unwrap_or("?").to_owned(),
        };
        let dims = self.shape.as_ref()?.iter().enumerate().map(dim);
        Some(format!("[{}]", dims.collect::<Vec<_>>().join(", ")))
    }
}

/// The shapes of `values` when the inputs have the shapes that `fixed` gives by name, and dimensions the sizes that `dims` gives
/// to their symbols: a dimension whose symbol is fixed by one input is fixed everywhere. `None` where one stays dynamic.
pub fn static_shapes(
    inputs: &[ModelValue],
    values: &[ModelValue],
    dims: &BTreeMap<&str, u64>,
    fixed: impl Fn(&str) -> Option<Vec<u64>>,
) -> Vec<Option<Vec<u64>>> {
    let mut symbols: HashMap<&str, u64> = dims.iter().map(|(name, size)| (*name, *size)).collect();
    for input in inputs {
        for (axis, size) in fixed(&input.name).unwrap_or_default().into_iter().enumerate() {
            symbols.extend(input.symbol(axis).map(|name| (name, size)));
        }
    }
    let shape = |value: &ModelValue| {
        if inputs.iter().any(|input| input.name == value.name)
            && let Some(shape) = fixed(&value.name)
        {
            return Some(shape);
        }
        let dims = value.shape.as_ref()?.iter().enumerate();
        let dims = dims.map(|(i, dim)| dim.or_else(|| symbols.get(value.symbol(i)?).copied()));
        dims.collect()
    };
    values.iter().map(shape).collect()
}

/// What a scan finds.
#[derive(Debug, Default)]
pub struct Scan {
    /// Inputs, without those that are weights.
    pub inputs: Vec<ModelValue>,
    /// Outputs.
    pub outputs: Vec<ModelValue>,
    /// External data: location to the number of bytes that the file must have.
    pub external: BTreeMap<String, u64>,
    /// Operator domains that the model imports, without the standard's own.
    pub domains: BTreeSet<String>,
    /// Whether there was a graph with anything in it.
    pub graph: bool,
    /// Whether an operator is there that quantizes, or computes on stored integers.
    pub quantized: bool,
}

/// Scans a model of `length` bytes.
pub fn scan<R: Read + Seek>(file: R, length: u64) -> Result<Scan> {
    let mut scan = Scan::default();
    let mut reader = Reader::new(file, length);
    let mut graph = GraphNames::default();
    reader.message(length, &mut |reader, field, value| match (field, value) {
        // ModelProto.graph
        (7, Value::Bytes(end)) => scan.graph(reader, end, DEPTH, Some(&mut graph)),
        // ModelProto.opset_import: OperatorSetIdProto.domain
        (8, Value::Bytes(end)) => reader.message(end, &mut |reader, field, value| match (field, value) {
            (1, Value::Bytes(end)) => {
                let domain = reader.text(end, LONGEST_NAME)?;
                if !domain.is_empty() && domain != "ai.onnx" {
                    scan.domains.insert(domain);
                }
                Ok(())
            }
            _ => Ok(()),
        }),
        // ModelProto.functions: FunctionProto.node
        (25, Value::Bytes(end)) => reader.message(end, &mut |reader, field, value| match (field, value) {
            (7, Value::Bytes(end)) => scan.node(reader, end, DEPTH),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })?;
    // Files of IR versions before 4 list every weight among the inputs.
    scan.inputs.retain(|input| !graph.initializers.contains(&input.name));
    Ok(scan)
}

#[derive(Default)]
struct GraphNames {
    initializers: HashSet<String>,
}

impl Scan {
    fn graph<R: Read + Seek>(
        &mut self,
        reader: &mut Reader<R>,
        end: u64,
        depth: u32,
        mut top: Option<&mut GraphNames>,
    ) -> Result<()> {
        if depth == 0 {
            return Err(WireError::Malformed(end, "graphs are nested too deeply"));
        }
        reader.message(end, &mut |reader, field, value| {
            let Value::Bytes(end) = value else { return Ok(()) };
            match field {
                1 => {
                    self.graph = true;
                    self.node(reader, end, depth)
                }
                5 => {
                    let name = self.tensor(reader, end)?;
                    if let Some(top) = &mut top {
                        top.initializers.insert(name);
                    }
                    Ok(())
                }
                11 | 12 if top.is_some() => {
                    self.graph = true;
                    let value = value_info(reader, end)?;
                    if field == 11 {
                        self.inputs.push(value)
                    } else {
                        self.outputs.push(value)
                    }
                    Ok(())
                }
                15 => {
                    let name = self.sparse_tensor(reader, end)?;
                    if let Some(top) = &mut top {
                        top.initializers.insert(name);
                    }
                    Ok(())
                }
                _ => Ok(()),
            }
        })
    }

    fn node<R: Read + Seek>(&mut self, reader: &mut Reader<R>, end: u64, depth: u32) -> Result<()> {
        reader.message(end, &mut |reader, field, value| match (field, value) {
            (4, Value::Bytes(end)) => {
                let op = reader.text(end, LONGEST_NAME)?;
                self.quantized |= QUANTIZED.iter().any(|part| op.contains(part));
                Ok(())
            }
            (5, Value::Bytes(end)) => self.attribute(reader, end, depth),
            _ => Ok(()),
        })
    }

    fn attribute<R: Read + Seek>(&mut self, reader: &mut Reader<R>, end: u64, depth: u32) -> Result<()> {
        reader.message(end, &mut |reader, field, value| match (field, value) {
            // t, tensors
            (5 | 10, Value::Bytes(end)) => self.tensor(reader, end).map(drop),
            // g, graphs
            (6 | 11, Value::Bytes(end)) => self.graph(reader, end, depth - 1, None),
            // sparse_tensor, sparse_tensors
            (22 | 23, Value::Bytes(end)) => self.sparse_tensor(reader, end).map(drop),
            _ => Ok(()),
        })
    }

    fn sparse_tensor<R: Read + Seek>(&mut self, reader: &mut Reader<R>, end: u64) -> Result<String> {
        let mut name = String::new();
        reader.message(end, &mut |reader, field, value| {
            match (field, value) {
                (1, Value::Bytes(end)) => name = self.tensor(reader, end)?,
                (2, Value::Bytes(end)) => drop(self.tensor(reader, end)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(name)
    }

    /// Notes the external data of a tensor and returns the tensor's name.
    fn tensor<R: Read + Seek>(&mut self, reader: &mut Reader<R>, end: u64) -> Result<String> {
        let mut name = String::new();
        let mut entries: Vec<(String, String)> = Vec::new();
        let mut external = false;
        reader.message(end, &mut |reader, field, value| {
            match (field, value) {
                (8, Value::Bytes(end)) => name = reader.text(end, LONGEST_NAME)?,
                (13, Value::Bytes(end)) => entries.push(string_entry(reader, end)?),
                (14, Value::Varint(location)) => external = location == 1,
                _ => {}
            }
            Ok(())
        })?;
        if external {
            let entry =
                |key: &str| entries.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str());
            let number = |key| entry(key).and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
            let needed = number("offset").saturating_add(number("length"));
            let known = self.external.entry(entry("location").unwrap_or_default().to_owned()).or_default();
            *known = needed.max(*known);
        }
        Ok(name)
    }
}

fn string_entry<R: Read + Seek>(reader: &mut Reader<R>, end: u64) -> Result<(String, String)> {
    let mut entry = (String::new(), String::new());
    reader.message(end, &mut |reader, field, value| {
        match (field, value) {
            (1, Value::Bytes(end)) => entry.0 = reader.text(end, LONGEST_NAME)?,
            (2, Value::Bytes(end)) => entry.1 = reader.text(end, LONGEST_NAME)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(entry)
}

/// ValueInfoProto: name, and TypeProto.tensor_type with element type and shape.
fn value_info<R: Read + Seek>(reader: &mut Reader<R>, end: u64) -> Result<ModelValue> {
    let mut out = ModelValue { dtype: "unknown".to_owned(), ..ModelValue::default() };
    reader.message(end, &mut |reader, field, value| match (field, value) {
        (1, Value::Bytes(end)) => {
            out.name = reader.text(end, LONGEST_NAME)?;
            Ok(())
        }
        (2, Value::Bytes(end)) => reader.message(end, &mut |reader, field, value| match (field, value) {
            (1, Value::Bytes(end)) => reader.message(end, &mut |reader, field, value| match (field, value) {
                (1, Value::Varint(ty)) => {
                    out.dtype = dtype(ty);
                    Ok(())
                }
                (2, Value::Bytes(end)) => {
                    let (dims, symbols) = shape(reader, end)?;
                    out.shape = Some(dims);
                    out.symbols = symbols;
                    Ok(())
                }
                _ => Ok(()),
            }),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })?;
    Ok(out)
}

fn shape<R: Read + Seek>(reader: &mut Reader<R>, end: u64) -> Result<(Vec<Option<u64>>, Vec<String>)> {
    let mut dims = Vec::new();
    let mut symbols = Vec::new();
    reader.message(end, &mut |reader, field, value| {
        if let (1, Value::Bytes(end)) = (field, value) {
            let mut dim = None;
            let mut symbol = String::new();
            reader.message(end, &mut |reader, field, value| {
                match (field, value) {
                    // Exporters write -1 and 0 for "dynamic" as well.
                    (1, Value::Varint(size)) => {
                        dim = i64::try_from(size).ok().filter(|size| *size > 0).map(i64::unsigned_abs);
                    }
                    (2, Value::Bytes(end)) => symbol = reader.text(end, LONGEST_NAME)?,
                    _ => {}
                }
                Ok(())
            })?;
            dims.push(dim);
            symbols.push(if symbol == "?" { String::new() } else { symbol });
        }
        Ok(())
    })?;
    Ok((dims, symbols))
}

/// TensorProto.DataType.
fn dtype(number: u64) -> String {
    const NAMES: &[(u64, &str)] = &[
        (1, "float32"),
        (2, "uint8"),
        (3, "int8"),
        (4, "uint16"),
        (5, "int16"),
        (6, "int32"),
        (7, "int64"),
        (8, "string"),
        (9, "bool"),
        (10, "float16"),
        (11, "float64"),
        (12, "uint32"),
        (13, "uint64"),
        (16, "bfloat16"),
    ];
    NAMES
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("ONNX type {number}"), |(_, name)| (*name).to_owned())
}
