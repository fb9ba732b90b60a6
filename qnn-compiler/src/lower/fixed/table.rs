//! Which operators are lowered on integers, and what their inputs are.

use qnn::DataType;
use qnn_build::job::Target;

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
}

const fn row(op: &'static str, operands: usize) -> Row {
    Row { op, operands, fits: |_, _, _, _| Fit::Well, range: None }
}

const fn only(op: &'static str, operands: usize, fits: Fits) -> Row {
    Row { op, operands, fits, range: None }
}

const fn within(op: &'static str, low: f64, high: f64) -> Row {
    Row { op, operands: 1, fits: |_, _, _, _| Fit::Well, range: Some((low, high)) }
}

const ROWS: &[Row] = &[
    row("Abs", 1),
    row("Add", 2),
    only("AveragePool", 1, plain_average),
    row("Clip", 1),
    row("Concat", usize::MAX),
    only("Conv", 1, little_padding),
    only("ConvTranspose", 1, |_, node, _, _| Fit::well(node.input(1).is_some())),
    row("DepthToSpace", 1),
    row("Div", 2),
    row("Elu", 1),
    row("Exp", 1),
    row("Expand", 1),
    row("Flatten", 1),
    row("Gather", 1),
    row("Gelu", 1),
    only("Gemm", 1, |_, node, _, _| Fit::well(unscaled(node))),
    row("GlobalAveragePool", 1),
    row("GlobalMaxPool", 1),
    within("HardSigmoid", 0.0, 1.0),
    row("HardSwish", 1),
    only("LayerNormalization", 1, constant_vectors),
    row("LeakyRelu", 1),
    only("MatMul", 2, product),
    row("Max", 2),
    row("MaxPool", 1),
    row("Min", 2),
    row("Mul", 2),
    row("Neg", 1),
    only("PRelu", 2, narrow),
    only("Pad", 1, |_, node, _, _| Fit::well(node.attrs.str_or("mode", "constant") == "constant")),
    only("RMSNormalization", 2, constant_vectors),
    row("ReduceMax", 1),
    row("ReduceMean", 1),
    row("ReduceMin", 1),
    row("Relu", 1),
    row("Reshape", 1),
    only("Resize", 1, native_resize),
    row("Sigmoid", 1),
    row("Slice", 1),
    within("Softmax", 0.0, 1.0),
    row("SpaceToDepth", 1),
    row("Split", 1),
    only("SimplifiedLayerNormalization", 2, constant_vectors),
    only("Sqrt", 1, narrow),
    row("Squeeze", 1),
    row("Sub", 2),
    within("Tanh", -1.0, 1.0),
    row("Tile", 1),
    row("Transpose", 1),
    row("Unsqueeze", 1),
];

fn find(node: &Node) -> Option<&'static Row> {
    ROWS.iter().find(|r| r.op == node.op && (node.domain.is_empty() || node.op == "Gelu"))
}

/// What the `i`-th input is.
pub(super) fn role(graph: &Graph, node: &Node, i: usize) -> Role {
    let constant = |i: usize| node.input(i).is_some_and(|id| graph.is_constant(id));
    let swapped = node.attrs.int_or("transB", 0) != 0;
    match (node.op.as_str(), i) {
        ("Conv" | "ConvTranspose", 1) => Role::Weight(3),
        ("Gemm", 1) => Role::Weight(usize::from(!swapped)),
        ("MatMul", 1) if constant(1) => {
            let rank = node.input(1).map_or(2, |id| graph.shape(id).len());
            Role::Weight(rank.saturating_sub(if swapped { 2 } else { 1 }))
        }
        ("Conv" | "ConvTranspose" | "Gemm", 2) => Role::Bias,
        ("LayerNormalization", 1) => Role::Gain,
        ("LayerNormalization", 2) => Role::Offset,
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
        Some((low, high)) => Form::around(own.dtype, low, high),
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
    for id in node.outputs.iter().flatten() {
        dtype = wider(dtype, form(*id)?.dtype);
    }
    let wide = match node.op.as_str() {
        "Softmax" => node.input(0).is_some_and(|x| is_wide(graph, x)),
        // Its result has a range of its own: of 8 bits it would be rounded twice.
        "Tanh" => true,
        _ => false,
    };
    if wide {
        dtype = DataType::UFixed16;
    }
    let computed = (0..node.inputs.len()).any(|i| {
        role(graph, node, i) == Role::Operand && node.input(i).is_some_and(|id| !graph.is_constant(id))
    });
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

/// Whether logits span more than HTP's softmax of 8 bits takes: a step off where they span 8, five steps where they span 20, 50
/// where they span 300 (measured on SM8650 and QCS6490). That of 16 bits is right to 70 dB with any.
fn is_wide(graph: &Graph, x: ValueId) -> bool {
    let range = graph.value(x).encoding.as_ref().and_then(Encoding::range);
    range.is_some_and(|(low, high)| high - low > 8.5)
}

fn narrow(_: &Graph, _: &Node, dtype: DataType, _: &Target) -> Fit {
    Fit::well(dtype == DataType::UFixed8)
}

fn unscaled(node: &Node) -> bool {
    let factor = |name: &str| node.attrs.float_or(name, 1.0) == 1.0;
    factor("alpha") && factor("beta") && node.attrs.int_or("transA", 0) == 0
}

/// Two computed operands. Products of 8 bits are off by a step in 3 of 100 results, floats in fewer. Of 16 bits, both unsigned are
/// refused; the second one signed and swapped is right to 0.6 to 2 steps from v73 on, where floats are 3 steps off, and refused
/// before (measured on SM8650, SM7550, SM8450 and QCS6490).
fn product(graph: &Graph, node: &Node, dtype: DataType, target: &Target) -> Fit {
    match node.input(1) {
        Some(id) if graph.is_constant(id) => Fit::Well,
        _ if dtype == DataType::UFixed8 => Fit::Worse,
        _ => Fit::well(target.arch >= 73),
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
fn little_padding(graph: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    let Some(weight) = node.input(1) else { return Fit::No };
    let Some(&[kh, kw, _, _]) = graph.shape(weight).first_chunk::<4>() else { return Fit::No };
    let dilations = node.attrs.ints("dilations").unwrap_or(&[1, 1]);
    let reach =
        |axis: usize, kernel: usize| (kernel as i64 - 1) * dilations.get(axis).copied().unwrap_or(1) + 1;
    let pads = node.attrs.ints("pads").unwrap_or(&[0; 4]);
    let reaches = [reach(0, kh), reach(1, kw)].into_iter().cycle();
    Fit::well(pads.iter().zip(reaches).all(|(&p, reach)| p < reach))
}

/// The forms of an average that are one op, or a convolution with equal weights.
fn plain_average(_: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    let small = |name: &str, most: i64| node.attrs.ints(name).is_none_or(|v| v.iter().all(|&v| v <= most));
    Fit::well(small("kernel_shape", 7) && small("strides", 2) && small("dilations", 1))
}

/// Nearest neighbours are only moved; of interpolations those are taken that are one op.
fn native_resize(graph: &Graph, node: &Node, _: DataType, _: &Target) -> Fit {
    Fit::well(is_native_resize(graph, node))
}

fn is_native_resize(graph: &Graph, node: &Node) -> bool {
    let modes = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"];
    match node.attrs.str_or("mode", "nearest") {
        "nearest" => true,
        "linear" => {
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
