//! Which parts of an ONNX model are quantized, and which are computed on floats.

use std::collections::{BTreeMap, HashMap, HashSet};

use qnn_compiler::frontend::onnx::element;
use qnn_compiler::frontend::onnx::proto::{GraphProto, NodeProto, TensorProto};
use serde::Serialize;

use crate::failure::list;

/// The quantization of the main graph.
#[derive(Debug, Serialize)]
pub(crate) struct Quantization {
    /// Computed values that are rounded to integers.
    values: Vec<Group>,
    /// Constants that are stored as integers with scales.
    weights: Vec<Group>,
    /// How often each operator computes with floats.
    float_ops: BTreeMap<String, usize>,
    /// Constants that are floats and no scales.
    float_weights: usize,
}

/// Tensors that are quantized alike.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Group {
    dtype: String,
    bits: u64,
    granularity: Granularity,
    count: usize,
}

/// What shares a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Granularity {
    PerTensor,
    PerAxis,
    PerBlock,
    /// The scales are computed when the model runs.
    Computed,
}

impl Granularity {
    const fn text(self) -> &'static str {
        match self {
            Self::PerTensor => "per tensor",
            Self::PerAxis => "per axis",
            Self::PerBlock => "per block",
            Self::Computed => "with computed scales",
        }
    }
}

/// An operator on stored integers: where among its inputs the stored weight and its scale are, and the zero point of its result,
/// which says the result's type.
struct Stored {
    op: &'static str,
    weight: Option<[usize; 2]>,
    result: Option<usize>,
}

const fn stored(op: &'static str, weight: Option<[usize; 2]>, result: Option<usize>) -> Stored {
    Stored { op, weight, result }
}

const STORED: &[Stored] = &[
    stored("ConvInteger", Some([1, 3]), None),
    stored("MatMulInteger", Some([1, 3]), None),
    stored("QGemm", Some([3, 4]), Some(8)),
    stored("QLinearAdd", Some([3, 4]), Some(7)),
    stored("QLinearAveragePool", None, Some(4)),
    stored("QLinearConcat", None, Some(1)),
    stored("QLinearConv", Some([3, 4]), Some(7)),
    stored("QLinearGlobalAveragePool", None, Some(4)),
    stored("QLinearLeakyRelu", None, Some(4)),
    stored("QLinearMatMul", Some([3, 4]), Some(7)),
    stored("QLinearMul", Some([3, 4]), Some(7)),
    stored("QLinearReduceMean", None, Some(4)),
    stored("QLinearSigmoid", None, Some(4)),
    stored("QLinearSoftmax", None, Some(4)),
];

/// Number of the element type uint8, which a missing zero point means.
const UINT8: i32 = 2;

/// Describes a graph; `None` where nothing is quantized.
pub(crate) fn quantization(graph: &GraphProto) -> Option<Quantization> {
    let mut found = Found::new(graph);
    graph.node.iter().for_each(|node| found.visit(node));
    found.float_ops(graph);
    let groups = |counts: HashMap<(i32, Granularity), usize>| {
        let mut groups: Vec<Group> = counts
            .into_iter()
            .map(|((number, granularity), count)| {
                let (dtype, bits) = (element::name(number), element::bits(number));
                Group { dtype, bits, granularity, count }
            })
            .collect();
        groups.sort();
        groups
    };
    let (values, weights) = (groups(found.values), groups(found.weights));
    let any = !values.is_empty() || !weights.is_empty();
    let float_weights = found.float_weights.len();
    any.then_some(Quantization { values, weights, float_ops: found.float_ops, float_weights })
}

/// A graph while it is counted.
struct Found<'g> {
    constants: HashMap<&'g str, &'g TensorProto>,
    values: HashMap<(i32, Granularity), usize>,
    weights: HashMap<(i32, Granularity), usize>,
    /// Weights that were counted: several nodes may share one.
    seen: HashSet<&'g str>,
    /// Values that are integers, stored or plain.
    integers: HashSet<&'g str>,
    /// Floats that stand for stored integers.
    dequantized: HashSet<&'g str>,
    float_ops: BTreeMap<String, usize>,
    float_weights: HashSet<&'g str>,
}

impl<'g> Found<'g> {
    fn new(graph: &'g GraphProto) -> Self {
        let nodes = graph.node.iter().filter(|node| node.op_type == "Constant");
        let made = nodes.filter_map(|node| {
            let tensor = node.attribute.iter().find_map(|a| a.t.as_ref())?;
            Some((node.output.first()?.as_str(), tensor))
        });
        let constants: HashMap<&str, &TensorProto> =
            graph.initializer.iter().map(|t| (t.name.as_str(), t)).chain(made).collect();
        let typed = graph.input.iter().filter(|input| !constants.contains_key(input.name.as_str()));
        let integers = typed.filter(|input| !is_float_input(input)).map(|input| input.name.as_str());
        Self {
            integers: integers.collect(),
            constants,
            values: HashMap::new(),
            weights: HashMap::new(),
            seen: HashSet::new(),
            dequantized: HashSet::new(),
            float_ops: BTreeMap::new(),
            float_weights: HashSet::new(),
        }
    }

    fn visit(&mut self, node: &'g NodeProto) {
        let input = |i: usize| node.input.get(i).map(String::as_str).filter(|name| !name.is_empty());
        let output = node.output.first().map_or("", String::as_str);
        match node.op_type.as_str() {
            "QuantizeLinear" => {
                let zero = input(2).and_then(|name| self.constants.get(name)).map(|t| t.data_type);
                let said = attribute(node, "output_dtype").and_then(|v| i32::try_from(v).ok());
                let kind = zero.or(said.filter(|v| *v != 0)).unwrap_or(UINT8);
                let key = (kind, self.granularity(node, input(1)));
                let constant = input(0).is_some_and(|name| self.constants.contains_key(name));
                *if constant { &mut self.weights } else { &mut self.values }.entry(key).or_default() += 1;
                self.integers.insert(output);
            }
            "DynamicQuantizeLinear" => {
                *self.values.entry((UINT8, Granularity::Computed)).or_default() += 1;
                self.integers.insert(output);
            }
            "DequantizeLinear" => {
                if let Some(name) = input(0) {
                    self.weight(name, self.granularity(node, input(1)));
                }
                self.dequantized.insert(output);
            }
            "MatMulNBits" => {
                let bits = attribute(node, "bits").unwrap_or(4);
                // Packed: what is stored are bytes.
                let kind = if bits == 4 { element::number(qnn_compiler::graph::DType::U4) } else { UINT8 };
                if input(1).is_some_and(|name| self.seen.insert(name)) {
                    *self.weights.entry((kind, Granularity::PerBlock)).or_default() += 1;
                }
            }
            op => {
                let Some(row) = STORED.iter().find(|row| row.op == op) else { return self.plain(node) };
                if let Some([weight, scale]) = row.weight
                    && let Some(name) = input(weight)
                {
                    self.weight(name, self.granularity(node, input(scale)));
                }
                let kind = row.result.map(|zero| {
                    let zero = input(zero).and_then(|name| self.constants.get(name));
                    zero.map_or(UINT8, |tensor| tensor.data_type)
                });
                if let Some(kind) = kind {
                    *self.values.entry((kind, Granularity::PerTensor)).or_default() += 1;
                }
                self.integers.insert(output);
            }
        }
    }

    /// Integers stay integers in operators that are not about quantization.
    fn plain(&mut self, node: &'g NodeProto) {
        let known = |name: &str| {
            self.integers.contains(name) || self.constants.get(name).is_some_and(|t| !is_float(t.data_type))
        };
        let mut inputs = node.input.iter().filter(|name| !name.is_empty());
        let integers = match node.op_type.as_str() {
            "Cast" => attribute(node, "to").is_some_and(|to| !is_float(to as i32)),
            "ArgMax" | "ArgMin" | "Equal" | "Greater" | "GreaterOrEqual" | "IsInf" | "IsNaN" | "Less"
            | "LessOrEqual" | "NonZero" | "Shape" | "Size" => true,
            "Constant" => false,
            _ => node.input.iter().any(|name| !name.is_empty()) && inputs.all(|name| known(name)),
        };
        if integers {
            self.integers.extend(node.output.iter().map(String::as_str));
        }
    }

    /// Counts a constant that is stored as integers.
    fn weight(&mut self, name: &'g str, granularity: Granularity) {
        if let Some(tensor) = self.constants.get(name)
            && self.seen.insert(name)
        {
            *self.weights.entry((tensor.data_type, granularity)).or_default() += 1;
        }
    }

    fn granularity(&self, node: &NodeProto, scale: Option<&str>) -> Granularity {
        let Some(scale) = scale else { return Granularity::PerTensor };
        let Some(tensor) = self.constants.get(scale) else { return Granularity::Computed };
        if attribute(node, "block_size").is_some_and(|size| size > 0) {
            Granularity::PerBlock
        } else if tensor.dims.iter().product::<i64>() == 1 {
            Granularity::PerTensor
        } else {
            Granularity::PerAxis
        }
    }

    /// Counts the operators that read or make floats that stand for no stored integers.
    fn float_ops(&mut self, graph: &'g GraphProto) {
        let about = ["Constant", "DequantizeLinear", "DynamicQuantizeLinear", "QuantizeLinear"];
        let quantizes = graph.node.iter().filter(|n| n.op_type == "QuantizeLinear");
        let rounded: HashSet<&str> = quantizes.filter_map(|n| n.input.first()).map(String::as_str).collect();
        for node in &graph.node {
            let op = node.op_type.as_str();
            if about.contains(&op) || STORED.iter().any(|row| row.op == op) {
                continue;
            }
            let integer = |name: &str| self.integers.contains(name);
            let known = |name: &str| {
                integer(name) || self.dequantized.contains(name) || self.constants.contains_key(name)
            };
            let reads = node.input.iter().filter(|n| !n.is_empty()).all(|n| known(n));
            let makes = node.output.iter().filter(|n| !n.is_empty());
            let makes = makes.map(String::as_str).all(|n| integer(n) || rounded.contains(n));
            if reads && makes {
                continue;
            }
            *self.float_ops.entry(node.op_type.clone()).or_default() += 1;
            let weights = node.input.iter().filter_map(|name| {
                let (name, tensor) = self.constants.get_key_value(name.as_str())?;
                (is_float(tensor.data_type) && !tensor.dims.is_empty()).then_some(*name)
            });
            self.float_weights.extend(weights);
        }
    }
}

fn attribute(node: &NodeProto, name: &str) -> Option<i64> {
    node.attribute.iter().find(|a| a.name == name).and_then(|a| a.i)
}

fn is_float(number: i32) -> bool {
    let name = element::name(number);
    name.starts_with("float") || name.starts_with("bfloat")
}

fn is_float_input(input: &qnn_compiler::frontend::onnx::proto::ValueInfoProto) -> bool {
    use qnn_compiler::frontend::onnx::proto::TypeValue;
    match input.r#type.as_ref().and_then(|ty| ty.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) => is_float(tensor.elem_type),
        _ => true,
    }
}

impl Quantization {
    /// As lines of text.
    pub(crate) fn lines(&self) -> Vec<String> {
        let groups = |groups: &[Group]| match groups {
            [] => "none".to_owned(),
            groups => {
                list(groups.iter().map(|g| format!("{} {} {}", g.count, g.dtype, g.granularity.text())))
            }
        };
        let float = match self.float_ops.values().sum::<usize>() {
            0 => "no operator".to_owned(),
            _ => list(self.float_ops.iter().map(|(op, count)| format!("{op} {count}"))),
        };
        let weights = match self.float_weights {
            0 => String::new(),
            count => format!("; {count} float weights"),
        };
        vec![
            format!("  quantized values: {}", groups(&self.values)),
            format!("            weights: {}", groups(&self.weights)),
            format!("  floats   {float}{weights}"),
        ]
    }
}
