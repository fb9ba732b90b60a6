//! Which operators are lowered on integers, and what their inputs are.

use qnn::DataType;
use qnn_types::Target;

use super::Form;
use super::form::wider;
use crate::graph::{Encoding, Graph, Node, ValueId};

/// What an input is to an operator on integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Numbers of the same type as the result's.
    Operand,
    /// A constant weight; its output channels are along this axis.
    Weight(usize),
    /// A constant bias: one number an output channel, in units of the product of input and weight.
    Bias,
    /// The constant factors of a normalization.
    Gain,
    /// The constant offsets of a normalization.
    Offset,
    /// Not part of the arithmetic: indices, bounds, sizes.
    Aside,
}

/// How well HTP computes a node on integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// As near as floats, or nearer.
    Well,
    /// Right, but not as near as floats: for SoCs that have none.
    Worse,
    /// Not at all.
    No,
}

impl Fit {
    const fn well(fits: bool) -> Self {
        if fits { Self::Well } else { Self::No }
    }
}

/// Says how this very node can be lowered on integers of a type for a SoC.
type Fits = fn(&Graph, &Node, DataType, &Target) -> Fit;

/// Why a node is computed with floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// HTP does not have the operator on integers.
    Operator,
    /// The operator, but not in this form.
    Form,
    /// A value has no encoding, or one that HTP computes nothing with.
    Value(ValueId),
}

/// An operator that HTP has on integers, by measurement on SM8650 (QNN 2.51) against the arithmetic in doubles: within one step
/// of 8 bits, and better than 60 dB with 16 bits, unless `fits` says otherwise.
struct Row {
    op: &'static str,
    /// How many inputs are operands.
    operands: usize,
    fits: Fits,
    /// The range that the result must have where the op computes garbage, or is refused, with another.
    range: Option<(f64, f64)>,
    /// How the steps of a node that is several ops are encoded.
    steps: Steps,
}

/// The encoding of steps between the operands of a node and its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steps {
    /// As the result.
    Result,
    /// 16 bits over the range that the step's own operands let it have; the result is rounded once more.
    Derived,
    /// So where operands or result have 16 bits; one op, which HTP makes a table of, where they have 8.
    DerivedWide,
}

const fn row(op: &'static str, operands: usize) -> Row {
    only(op, operands, |_, _, _, _| Fit::Well)
}

/// For SoCs without floats.
const fn worse(op: &'static str, operands: usize) -> Row {
    only(op, operands, |_, _, _, _| Fit::Worse)
}

/// Several ops, for SoCs without floats.
const fn formula(op: &'static str, operands: usize) -> Row {
    Row { steps: Steps::Derived, ..worse(op, operands) }
}

const fn only(op: &'static str, operands: usize, fits: Fits) -> Row {
    Row { op, operands, fits, range: None, steps: Steps::Result }
}

const fn within(op: &'static str, low: f64, high: f64) -> Row {
    Row { range: Some((low, high)), ..row(op, 1) }
}

const ROWS: &[Row] = &[
    row("Abs", 1),
    row("Add", 2),
    worse("ArgMax", 1),
    worse("ArgMin", 1),
    only("Asin", 1, narrow_only),
    worse("Atan", 1),
    formula("Atanh", 1),
    only("AveragePool", 1, plain_average),
    Row { fits: constant_affine, ..formula("BatchNormalization", 1) },
    formula("BiasGelu", 2),
    worse("Ceil", 1),
    formula("Celu", 1),
    row("Clip", 1),
    row("Concat", usize::MAX),
    only("Conv", 1, little_padding),
    only("ConvTranspose", 1, |_, node, _, _| Fit::well(node.input(1).is_some())),
    worse("Cos", 1),
    formula("Cosh", 1),
    worse("CumSum", 1),
    row("DepthToSpace", 1),
    row("Div", 2),
    worse("Einsum", 2),
    row("Elu", 1),
    worse("Equal", 2),
    formula("Erf", 1),
    row("Exp", 1),
    row("Expand", 1),
    formula("FastGelu", 2),
    row("Flatten", 1),
    worse("Floor", 1),
    row("Gather", 1),
    worse("GatherElements", 1),
    worse("GatherND", 1),
    row("Gelu", 1),
    only("Gemm", 1, |_, node, _, _| Fit::well(unscaled(node))),
    row("GlobalAveragePool", 1),
    row("GlobalMaxPool", 1),
    worse("Greater", 2),
    worse("GreaterOrEqual", 2),
    worse("GridSample", 2),
    only("GroupNormalization", 1, constant_affine),
    within("HardSigmoid", 0.0, 1.0),
    row("HardSwish", 1),
    only("InstanceNormalization", 1, constant_affine),
    only("LRN", 1, narrow_only),
    only("LayerNormalization", 1, constant_vectors),
    row("LeakyRelu", 1),
    worse("Less", 2),
    worse("LessOrEqual", 2),
    Row { steps: Steps::DerivedWide, ..worse("Log", 1) },
    worse("LogSoftmax", 1),
    only("LpNormalization", 1, |_, node, _, _| match node.attrs.int_or("p", 2) {
        2 => Fit::Worse,
        _ => Fit::No,
    }),
    only("MatMul", 2, product),
    row("Max", 2),
    row("MaxPool", 1),
    formula("Mean", usize::MAX),
    row("Min", 2),
    formula("Mish", 1),
    row("Mul", 2),
    row("Neg", 1),
    Row { steps: Steps::DerivedWide, ..only("PRelu", 2, narrow) },
    row("Pad", 1),
    formula("Pow", 1),
    formula("QuickGelu", 1),
    only("RMSNormalization", 2, constant_vectors),
    worse("Reciprocal", 1),
    formula("ReduceL1", 1),
    formula("ReduceL2", 1),
    formula("ReduceLogSum", 1),
    formula("ReduceLogSumExp", 1),
    row("ReduceMax", 1),
    row("ReduceMean", 1),
    row("ReduceMin", 1),
    worse("ReduceSum", 1),
    formula("ReduceSumSquare", 1),
    row("Relu", 1),
    row("Reshape", 1),
    only("Resize", 1, native_resize),
    worse("Round", 1),
    worse("ScatterElements", 3),
    worse("ScatterND", 3),
    formula("Selu", 1),
    formula("Shrink", 1),
    row("Sigmoid", 1),
    worse("Sign", 1),
    worse("Sin", 1),
    formula("Sinh", 1),
    row("Slice", 1),
    within("Softmax", 0.0, 1.0),
    formula("Softplus", 1),
    formula("Softsign", 1),
    row("SpaceToDepth", 1),
    row("Split", 1),
    only("SimplifiedLayerNormalization", 2, constant_vectors),
    only("Sqrt", 1, narrow),
    row("Squeeze", 1),
    row("Sub", 2),
    formula("Sum", usize::MAX),
    formula("Swish", 1),
    formula("Tan", 1),
    within("Tanh", -1.0, 1.0),
    formula("ThresholdedRelu", 1),
    row("Tile", 1),
    worse("TopK", 1),
    row("Transpose", 1),
    worse("Trilu", 1),
    row("Unsqueeze", 1),
    worse("Where", 3),
];

/// Operators that are lowered on integers in some form, for docs/SUPPORTED-OPS.md.
pub fn integer_operators() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.op)
}

/// Operators of ONNX Runtime's domain that have a row.
const MICROSOFT: &[&str] = &["BiasGelu", "FastGelu", "Gelu", "QuickGelu"];

fn find(node: &Node) -> Option<&'static Row> {
    ROWS.iter().find(|r| r.op == node.op && (node.domain.is_empty() || MICROSOFT.contains(&&*node.op)))
}

/// Whether the steps of a node on integers of a type are encoded by their own ranges.
pub(super) fn derives(node: &Node, dtype: DataType, target: &Target) -> bool {
    is_normalized_apart(node, target)
        || find(node).is_some_and(|row| match row.steps {
            Steps::Result => false,
            Steps::Derived => true,
            Steps::DerivedWide => dtype == DataType::UFixed16,
        })
}

/// Whether the scale and offset of a normalization are ops of their own: v68 and v69 take scales of 8 bits only, which is worth 48
/// to 54 dB where results have 16 bits (measured on QCS6490; 80 apart).
fn is_normalized_apart(node: &Node, target: &Target) -> bool {
    let norm = ["GroupNormalization", "InstanceNormalization", "LayerNormalization"];
    !target.fp16 && target.arch < 73 && node.domain.is_empty() && norm.contains(&&*node.op)
}

/// What the `i`-th input is.
pub(super) fn role(graph: &Graph, node: &Node, i: usize) -> Role {
    let constant = |i: usize| node.input(i).is_some_and(|id| graph.is_constant(id));
    let swapped = node.attrs.int_or("transB", 0) != 0;
    match (node.op.as_str(), i) {
        ("Conv", 1) if !constant(1) => Role::Operand,
        ("Conv" | "ConvTranspose", 1) => Role::Weight(3),
        ("Gemm", 1) => Role::Weight(usize::from(!swapped)),
        ("MatMul", 1) if constant(1) => {
            let rank = node.input(1).map_or(2, |id| graph.shape(id).len());
            Role::Weight(rank.saturating_sub(if swapped { 2 } else { 1 }))
        }
        ("Conv" | "ConvTranspose" | "Gemm", 2) => Role::Bias,
        ("GroupNormalization" | "InstanceNormalization" | "LayerNormalization", 1) => Role::Gain,
        ("GroupNormalization" | "InstanceNormalization" | "LayerNormalization", 2) => Role::Offset,
        ("Where", 0) | ("ScatterElements" | "ScatterND", 1) => Role::Aside,
        _ if i < find(node).map_or(0, |row| row.operands) => Role::Operand,
        _ => Role::Aside,
    }
}

/// The form of a node's result on integers, whose encoding is of the form `own`.
pub(super) fn result(node: &Node, own: Form) -> Form {
    match find(node).and_then(|row| row.range) {
        // Half of the integers are below zero.
        Some((low, high)) if low < 0.0 => {
            let steps = if own.dtype == DataType::UFixed8 { 128 } else { 32768 };
            Form { scale: (high / f64::from(steps)) as f32, offset: -steps, ..own }
        }
        Some(_) if node.op == "Softmax" && is_softmax(own) => own,
        Some((low, high)) => Form::around(own.dtype, low, high),
        // With its zero outside of the codes HTP's results of 16 bits are garbage.
        None if node.op == "LogSoftmax" && own.offset < -65535 => Form { offset: -65535, ..own },
        None => own,
    }
}

/// The type of integers to lower a node on, or why it is to be computed with floats, which a SoC may not have.
pub(super) fn integers(graph: &Graph, node: &Node, target: &Target) -> Result<DataType, Why> {
    let row = find(node).ok_or(Why::Operator)?;
    let form = |id: ValueId| graph.value(id).encoding.as_ref().and_then(Form::of).ok_or(Why::Value(id));
    let mut dtype = DataType::UFixed8;
    for (i, id) in node.inputs.iter().enumerate() {
        let Some(id) = *id else { continue };
        let value = graph.value(id);
        match (role(graph, node, i), value.data.is_some()) {
            (Role::Operand, false) => dtype = wider(dtype, form(id)?.dtype),
            (Role::Weight(_), true) if value.encoding.is_none() => return Err(Why::Value(id)),
            (Role::Weight(_) | Role::Bias, false) => return Err(Why::Form),
            _ => {}
        }
    }
    for id in node.outputs.iter().flatten().filter(|id| graph.dtype(**id).is_float()) {
        dtype = wider(dtype, form(*id)?.dtype);
    }
    let wide = match node.op.as_str() {
        "Softmax" => {
            let other = node.output(0).is_some_and(|y| form(y).is_ok_and(|own| !is_softmax(own)));
            other || node.input(0).is_some_and(|x| is_wide(graph, x))
        }
        // Its result has a range of its own: of 8 bits it would be rounded twice.
        "Tanh" => true,
        // Of 8 bits it is wrong.
        "CumSum" => true,
        _ => row.steps == Steps::Derived || is_normalized_apart(node, target),
    };
    if wide {
        dtype = DataType::UFixed16;
    }
    let computed = (0..node.inputs.len()).any(|i| {
        role(graph, node, i) == Role::Operand && node.input(i).is_some_and(|id| !graph.is_constant(id))
    });
    // A table is looked up as it is stored.
    let table = node.input(0).filter(|&x| node.op == "Gather" && graph.is_constant(x));
    let computed = computed || table.is_some_and(|x| form(x).is_ok());
    let fit = if computed && node.inputs.len() <= row.operands.max(8) {
        (row.fits)(graph, node, dtype, target)
    } else {
        Fit::No
    };
    match fit {
        Fit::Well => Ok(dtype),
        Fit::Worse if !target.fp16 => Ok(dtype),
        Fit::Worse | Fit::No => Err(Why::Form),
    }
}

/// Whether HTP's softmax of 8 bits makes these integers: the first one is zero, or it ignores that, and the last one is a half at
/// least, or it is two steps off (measured on SM8650 and QCS6490). Others are made of 16 bits, so that they are rounded once.
fn is_softmax(own: Form) -> bool {
    own.dtype == DataType::UFixed8 && own.offset == 0 && own.scale > 0.49 / 255.0
}

/// Whether logits span more than HTP's softmax of 8 bits takes: a step off where they span 8, five steps where they span 20, 50
/// where they span 300 (measured on SM8650 and QCS6490). That of 16 bits is right to 70 dB with any.
fn is_wide(graph: &Graph, x: ValueId) -> bool {
    let range = graph.value(x).encoding.as_ref().and_then(Encoding::range);
    range.is_some_and(|(low, high)| high - low > 8.5)
}

/// As near as floats with 8 bits.
fn narrow(_: &Graph, _: &Node, dtype: DataType, _: &Target) -> Fit {
    if dtype == DataType::UFixed8 { Fit::Well } else { Fit::Worse }
}

/// There with 8 bits only.
fn narrow_only(_: &Graph, _: &Node, dtype: DataType, _: &Target) -> Fit {
    if dtype == DataType::UFixed8 { Fit::Worse } else { Fit::No }
}

/// A normalization whose vectors are all constant.
fn constant_affine(graph: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    let constant = node.inputs.iter().skip(1).flatten().all(|&id| graph.is_constant(id));
    let alone = node.outputs.iter().flatten().count() == 1;
    if constant && alone { Fit::Worse } else { Fit::No }
}

fn unscaled(node: &Node) -> bool {
    let factor = |name: &str| node.attrs.float_or(name, 1.0) == 1.0;
    factor("alpha") && factor("beta") && node.attrs.int_or("transA", 0) == 0
}

/// Two computed operands. Products of 8 bits are off by a step in 3 of 100 results, floats in fewer. Of 16 bits, both unsigned are
/// refused; the second one signed and swapped is right to 0.6 to 2 steps from v73 on, where floats are 3 steps off, and refused
/// before (measured on SM8650, SM7550, SM8450 and QCS6490), where it is multiplied by in two parts of 8 bits.
fn product(graph: &Graph, node: &Node, dtype: DataType, target: &Target) -> Fit {
    match node.input(1) {
        Some(id) if graph.is_constant(id) => Fit::Well,
        _ if dtype == DataType::UFixed8 => Fit::Worse,
        _ if target.arch >= 73 => Fit::Well,
        _ => Fit::Worse,
    }
}

/// A normalization with constant scale and offset; of 16 bits it is right to half a step, where floats are 2 steps off.
fn constant_vectors(graph: &Graph, node: &Node, dtype: DataType, _: &Target) -> Fit {
    let constant = node.inputs.iter().skip(1).flatten().all(|&id| graph.is_constant(id));
    let alone = node.outputs.iter().flatten().count() == 1;
    match constant && alone {
        true if dtype == DataType::UFixed16 => Fit::Well,
        true => Fit::Worse,
        false => Fit::No,
    }
}

/// Padding of whole windows is computed apart, and the bias with it, which then has no type of its own.
fn little_padding(graph: &Graph, node: &Node, dtype: DataType, _: &Target) -> Fit {
    let Some(weight) = node.input(1) else { return Fit::No };
    let computed = !graph.is_constant(weight);
    if computed && dtype != DataType::UFixed8 {
        return Fit::No;
    }
    let Some(&[kh, kw, _, _]) = graph.shape(weight).first_chunk::<4>() else { return Fit::No };
    let dilations = node.attrs.ints("dilations").unwrap_or(&[1, 1]);
    let reach =
        |axis: usize, kernel: usize| (kernel as i64 - 1) * dilations.get(axis).copied().unwrap_or(1) + 1;
    let pads = node.attrs.ints("pads").unwrap_or(&[0; 4]);
    let reaches = [reach(0, kh), reach(1, kw)].into_iter().cycle();
    match pads.iter().zip(reaches).all(|(&p, reach)| p < reach) {
        true if computed => Fit::Worse,
        little => Fit::well(little),
    }
}

/// The forms of an average that are one op, or a convolution with equal weights.
fn plain_average(_: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    let small = |name: &str, most: i64| node.attrs.ints(name).is_none_or(|v| v.iter().all(|&v| v <= most));
    Fit::well(small("kernel_shape", 7) && small("strides", 2) && small("dilations", 1))
}

/// Nearest neighbours are only moved; of interpolations those are taken that are one op.
fn native_resize(graph: &Graph, node: &Node, dtype: DataType, target: &Target) -> Fit {
    match is_native_resize(graph, node) {
        // Of 16 bits it is garbage (measured on QCS6490: 6 dB).
        true if node.attrs.str_or("mode", "nearest") == "cubic" => narrow_only(graph, node, dtype, target),
        native => Fit::well(native),
    }
}

fn is_native_resize(graph: &Graph, node: &Node) -> bool {
    let modes = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"];
    match node.attrs.str_or("mode", "nearest") {
        "nearest" => true,
        "linear" | "cubic" => {
            let (Some(x), Some(y)) = (node.input(0), node.output(0)) else { return false };
            let (from, to) = (graph.shape(x), graph.shape(y));
            let exact = node.input(2).and_then(|id| graph.const_f32(id)).is_none_or(|scales| {
                let mut factors: Vec<f32> = scales;
                if factors.len() == 4 {
                    factors = vec![factors[0], factors[2], factors[3], factors[1]];
                }
                factors.is_empty()
                    || factors.len() == from.len()
                        && factors
                            .iter()
                            .zip(from.iter().zip(to))
                            .all(|(s, (&f, &t))| (f64::from(*s) * f as f64 - t as f64).abs() < 1e-3)
            });
            from.len() == 4
                && from[0] == to[0]
                && from[3] == to[3]
                && to[1] > 1
                && to[2] > 1
                && exact
                && node.attrs.int_or("antialias", 0) == 0
                && node.attrs.int_or("exclude_outside", 0) == 0
                && modes.contains(&node.attrs.str_or("coordinate_transformation_mode", "half_pixel"))
        }
        _ => false,
    }
}
