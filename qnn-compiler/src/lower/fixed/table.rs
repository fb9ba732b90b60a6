//! Which operators are lowered on integers, and what their inputs are.

use qnn::DataType;
use qnn_types::Target;

use super::FixedPoint;
use super::fixed_point::wider;
use crate::graph::{Encoding, Graph, Node, ValueId};
use crate::op::Op;

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
    op: Op,
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

const fn row(op: Op, operands: usize) -> Row {
    only(op, operands, |_, _, _, _| Fit::Well)
}

/// For SoCs without floats.
const fn worse(op: Op, operands: usize) -> Row {
    only(op, operands, |_, _, _, _| Fit::Worse)
}

/// Several ops, for SoCs without floats.
const fn formula(op: Op, operands: usize) -> Row {
    Row { steps: Steps::Derived, ..worse(op, operands) }
}

const fn only(op: Op, operands: usize, fits: Fits) -> Row {
    Row { op, operands, fits, range: None, steps: Steps::Result }
}

const fn within(op: Op, low: f64, high: f64) -> Row {
    Row { range: Some((low, high)), ..row(op, 1) }
}

const ROWS: &[Row] = &[
    row(Op::Abs, 1),
    row(Op::Add, 2),
    worse(Op::ArgMax, 1),
    worse(Op::ArgMin, 1),
    only(Op::Asin, 1, narrow_only),
    worse(Op::Atan, 1),
    formula(Op::Atanh, 1),
    only(Op::AveragePool, 1, plain_average),
    Row { fits: constant_affine, ..formula(Op::BatchNormalization, 1) },
    formula(Op::MsBiasGelu, 2),
    worse(Op::Ceil, 1),
    formula(Op::Celu, 1),
    row(Op::Clip, 1),
    row(Op::Concat, usize::MAX),
    only(Op::Conv, 1, little_padding),
    only(Op::ConvTranspose, 1, |_, node, _, _| Fit::well(node.input(1).is_some())),
    worse(Op::Cos, 1),
    formula(Op::Cosh, 1),
    worse(Op::CumSum, 1),
    row(Op::DepthToSpace, 1),
    row(Op::Div, 2),
    worse(Op::Einsum, 2),
    row(Op::Elu, 1),
    worse(Op::Equal, 2),
    formula(Op::Erf, 1),
    row(Op::Exp, 1),
    row(Op::Expand, 1),
    formula(Op::MsFastGelu, 2),
    row(Op::Flatten, 1),
    worse(Op::Floor, 1),
    row(Op::Gather, 1),
    worse(Op::GatherElements, 1),
    worse(Op::GatherND, 1),
    row(Op::Gelu, 1),
    row(Op::MsGelu, 1),
    only(Op::Gemm, 1, |_, node, _, _| Fit::well(unscaled(node))),
    row(Op::GlobalAveragePool, 1),
    row(Op::GlobalMaxPool, 1),
    worse(Op::Greater, 2),
    worse(Op::GreaterOrEqual, 2),
    worse(Op::GridSample, 2),
    only(Op::GroupNormalization, 1, constant_affine),
    within(Op::HardSigmoid, 0.0, 1.0),
    row(Op::HardSwish, 1),
    only(Op::InstanceNormalization, 1, constant_affine),
    only(Op::LRN, 1, narrow_only),
    only(Op::LayerNormalization, 1, constant_vectors),
    row(Op::LeakyRelu, 1),
    worse(Op::Less, 2),
    worse(Op::LessOrEqual, 2),
    Row { steps: Steps::DerivedWide, ..worse(Op::Log, 1) },
    worse(Op::LogSoftmax, 1),
    only(Op::LpNormalization, 1, |_, node, _, _| match node.attrs.int_or("p", 2) {
        2 => Fit::Worse,
        _ => Fit::No,
    }),
    only(Op::MatMul, 2, product),
    row(Op::Max, 2),
    row(Op::MaxPool, 1),
    formula(Op::Mean, usize::MAX),
    row(Op::Min, 2),
    formula(Op::Mish, 1),
    row(Op::Mul, 2),
    row(Op::Neg, 1),
    Row { steps: Steps::DerivedWide, ..only(Op::PRelu, 2, narrow) },
    row(Op::Pad, 1),
    formula(Op::Pow, 1),
    formula(Op::MsQuickGelu, 1),
    only(Op::RMSNormalization, 2, constant_vectors),
    worse(Op::Reciprocal, 1),
    formula(Op::ReduceL1, 1),
    formula(Op::ReduceL2, 1),
    formula(Op::ReduceLogSum, 1),
    formula(Op::ReduceLogSumExp, 1),
    row(Op::ReduceMax, 1),
    row(Op::ReduceMean, 1),
    row(Op::ReduceMin, 1),
    worse(Op::ReduceSum, 1),
    formula(Op::ReduceSumSquare, 1),
    row(Op::Relu, 1),
    row(Op::Reshape, 1),
    only(Op::Resize, 1, native_resize),
    worse(Op::Round, 1),
    worse(Op::ScatterElements, 3),
    worse(Op::ScatterND, 3),
    formula(Op::Selu, 1),
    formula(Op::Shrink, 1),
    row(Op::Sigmoid, 1),
    worse(Op::Sign, 1),
    worse(Op::Sin, 1),
    formula(Op::Sinh, 1),
    row(Op::Slice, 1),
    within(Op::Softmax, 0.0, 1.0),
    formula(Op::Softplus, 1),
    formula(Op::Softsign, 1),
    row(Op::SpaceToDepth, 1),
    row(Op::Split, 1),
    only(Op::SimplifiedLayerNormalization, 2, constant_vectors),
    only(Op::Sqrt, 1, narrow),
    row(Op::Squeeze, 1),
    row(Op::Sub, 2),
    formula(Op::Sum, usize::MAX),
    formula(Op::Swish, 1),
    formula(Op::Tan, 1),
    within(Op::Tanh, -1.0, 1.0),
    formula(Op::ThresholdedRelu, 1),
    row(Op::Tile, 1),
    worse(Op::TopK, 1),
    row(Op::Transpose, 1),
    worse(Op::Trilu, 1),
    row(Op::Unsqueeze, 1),
    worse(Op::Where, 3),
];

/// Operators that are lowered on integers in some form, for docs/SUPPORTED-OPS.md.
pub fn integer_operators() -> impl Iterator<Item = Op> {
    ROWS.iter().map(|row| row.op)
}

fn find(node: &Node) -> Option<&'static Row> {
    ROWS.iter().find(|r| r.op == node.op)
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
    let norm = [Op::GroupNormalization, Op::InstanceNormalization, Op::LayerNormalization];
    !target.fp16 && target.arch < 73 && norm.contains(&node.op)
}

/// What the `i`-th input is.
pub(super) fn role(graph: &Graph, node: &Node, i: usize) -> Role {
    let constant = |i: usize| node.input(i).is_some_and(|id| graph.is_constant(id));
    let swapped = node.attrs.int_or("transB", 0) != 0;
    match (node.op, i) {
        (Op::Conv, 1) if !constant(1) => Role::Operand,
        (Op::Conv | Op::ConvTranspose, 1) => Role::Weight(3),
        (Op::Gemm, 1) => Role::Weight(usize::from(!swapped)),
        (Op::MatMul, 1) if constant(1) => {
            let rank = node.input(1).map_or(2, |id| graph.shape(id).len());
            Role::Weight(rank.saturating_sub(if swapped { 2 } else { 1 }))
        }
        (Op::Conv | Op::ConvTranspose | Op::Gemm, 2) => Role::Bias,
        (Op::GroupNormalization | Op::InstanceNormalization | Op::LayerNormalization, 1) => Role::Gain,
        (Op::GroupNormalization | Op::InstanceNormalization | Op::LayerNormalization, 2) => Role::Offset,
        (Op::Where, 0) | (Op::ScatterElements | Op::ScatterND, 1) => Role::Aside,
        _ if i < find(node).map_or(0, |row| row.operands) => Role::Operand,
        _ => Role::Aside,
    }
}

/// The form of a node's result on integers, whose encoding is of the form `own`.
pub(super) fn result(node: &Node, own: FixedPoint) -> FixedPoint {
    match find(node).and_then(|row| row.range) {
        // Half of the integers are below zero.
        Some((low, high)) if low < 0.0 => {
            let steps = if own.dtype == DataType::UFixed8 { 128 } else { 32768 };
            FixedPoint { scale: (high / f64::from(steps)) as f32, offset: -steps, ..own }
        }
        Some(_) if node.op == Op::Softmax && is_softmax(own) => own,
        Some((low, high)) => FixedPoint::around(own.dtype, low, high),
        // With its zero outside of the codes HTP's results of 16 bits are garbage.
        None if node.op == Op::LogSoftmax && own.offset < -65535 => FixedPoint { offset: -65535, ..own },
        None => own,
    }
}

/// The type of integers to lower a node on, or why it is to be computed with floats, which a SoC may not have.
pub(super) fn integers(graph: &Graph, node: &Node, target: &Target) -> Result<DataType, Why> {
    let row = find(node).ok_or(Why::Operator)?;
    let form = |id: ValueId| graph.value(id).encoding.as_ref().and_then(FixedPoint::of).ok_or(Why::Value(id));
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
    let wide = match node.op {
        Op::Softmax => {
            let other = node.output(0).is_some_and(|y| form(y).is_ok_and(|own| !is_softmax(own)));
            other || node.input(0).is_some_and(|x| is_wide(graph, x))
        }
        // Its result has a range of its own: of 8 bits it would be rounded twice.
        Op::Tanh => true,
        // Of 8 bits it is wrong.
        Op::CumSum => true,
        _ => row.steps == Steps::Derived || is_normalized_apart(node, target),
    };
    if wide {
        dtype = DataType::UFixed16;
    }
    let computed = (0..node.inputs.len()).any(|i| {
        role(graph, node, i) == Role::Operand && node.input(i).is_some_and(|id| !graph.is_constant(id))
    });
    // A table is looked up as it is stored.
    let table = node.input(0).filter(|&x| node.op == Op::Gather && graph.is_constant(x));
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
fn is_softmax(own: FixedPoint) -> bool {
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
