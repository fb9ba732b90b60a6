//! Constants in the forms that operators on integers take.

use qnn::DataType;

use super::FixedPoint;
use crate::graph::{Encoding, Granularity, Node, Storage, ValueId};
use crate::lower::engine::{Lower, encode};
use crate::op::Op;
use crate::program::{Quant, TensorId, quant, stored_type};

/// A constant operand in integers of a type, by its own encoding or the range of its numbers. `result` is the form of the
/// node's result where that is the operand plus or minus something.
pub(super) fn operand(
    lower: &mut Lower<'_>,
    node: &Node,
    id: ValueId,
    dtype: DataType,
    result: Option<FixedPoint>,
) -> Option<TensorId> {
    let value = lower.graph.value(id);
    let reals = value.reals()?;
    let form = match (value.encoding.as_ref().and_then(FixedPoint::of), result) {
        (_, Some(result)) if dtype == DataType::UFixed16 => addend(result, &reals),
        (Some(form), _) if form.dtype == dtype || dtype == DataType::UFixed16 => form.with(dtype),
        _ => around(dtype, &reals),
    };
    let stored: Vec<f64> = reals.iter().map(|&r| form.store(r)).collect();
    let data = encode(dtype.storage(), &stored);
    let shape = lower.graph.shape(id).to_vec();
    Some(lower.quantized_constant(node, dtype, form.quant(), &shape, data))
}

/// The form of numbers that are added to others of 16 bits: steps that are the result's, halved or doubled. Where the steps
/// are incommensurable HTP's sums are off by one or two steps, all to the same side (measured on SM8650).
fn addend(result: FixedPoint, reals: &[f64]) -> FixedPoint {
    const HALF: f64 = 32767.0;
    let largest = reals.iter().fold(0.0, |most: f64, r| most.max(r.abs()));
    let mut scale = result.scale;
    while largest / f64::from(scale) > HALF && scale < f32::MAX / 2.0 {
        scale *= 2.0;
    }
    while largest / f64::from(scale / 2.0) <= HALF && scale > result.scale / 64.0 {
        scale /= 2.0;
    }
    FixedPoint { dtype: DataType::UFixed16, scale, offset: -32768 }
}

/// The factors of a LayerNorm: of 8 bits with inputs of 8, and with inputs of 16 on v68 and v69, which take no others; of 16 signed
/// ones elsewhere (measured on SM8650, SM7550, SM8450 and QCS6490: 86 dB, against 56 with 8).
pub(super) fn gain(lower: &mut Lower<'_>, node: &Node, id: ValueId, dtype: DataType) -> Option<TensorId> {
    if dtype == DataType::UFixed8 || lower.target.arch < 73 {
        return operand(lower, node, id, DataType::UFixed8, None);
    }
    signed_constant(lower, node, id, DataType::SFixed16, f64::from(i16::MAX))
}

/// The offsets of a LayerNorm: 32 bits, of any scale.
pub(super) fn offset(lower: &mut Lower<'_>, node: &Node, id: ValueId) -> Option<TensorId> {
    signed_constant(lower, node, id, DataType::SFixed32, f64::from(1 << 30))
}

/// Numbers in steps of which the largest has so many.
fn signed_constant(
    lower: &mut Lower<'_>,
    node: &Node,
    id: ValueId,
    dtype: DataType,
    steps: f64,
) -> Option<TensorId> {
    let reals = lower.graph.value(id).reals()?;
    let largest = reals.iter().fold(0.0, |most: f64, r| most.max(r.abs()));
    let scale = if largest > 0.0 { (largest / steps) as f32 } else { 1.0 };
    if scale < f32::MIN_POSITIVE {
        return None;
    }
    let storage = if dtype == DataType::SFixed16 { Storage::I16 } else { Storage::I32 };
    let stored: Vec<f64> = reals.iter().map(|&r| storage.store(r, scale, 0) as f64).collect();
    let data = encode(dtype.storage(), &stored);
    let shape = lower.graph.shape(id).to_vec();
    Some(lower.quantized_constant(node, dtype, Quant::PerTensor { scale, offset: 0 }, &shape, data))
}

/// The form of numbers without an encoding.
pub(in crate::lower) fn around(dtype: DataType, reals: &[f64]) -> FixedPoint {
    let low = reals.iter().copied().fold(0.0, f64::min);
    let high = reals.iter().copied().fold(0.0, f64::max);
    FixedPoint::around(dtype, low, high)
}

/// The real numbers of a constant as floats of a type.
pub(super) fn float(lower: &mut Lower<'_>, node: &Node, id: ValueId, dtype: DataType) -> Option<TensorId> {
    let value = lower.graph.value(id);
    let (reals, shape) = (value.reals()?, value.ty.shape.clone());
    Some(lower.constant(node, dtype, &shape, encode(dtype, &reals)))
}

/// A weight: symmetric ones signed, others unsigned with one zero point; expanded blocks where HTP has them, else with their blocks'
/// integers multiplied in. `None` for what it has no form of: zero points a channel, or scales along another axis than the output
/// channels.
pub(super) fn weight(lower: &mut Lower<'_>, node: &Node, id: ValueId, axis: usize) -> Option<TensorId> {
    let value = lower.graph.value(id);
    let (encoding, shape) = (value.encoding.as_ref()?, value.ty.shape.clone());
    let expanded = expands(lower, node, encoding, &shape);
    let integers = || Some(value.data.as_ref()?.to_i64(value.ty.dtype));
    let (encoding, integers, channels) = match encoding.granularity() {
        Granularity::PerTensor(_) => (encoding.clone(), integers()?, axis),
        Granularity::PerAxis(slices) => (encoding.clone(), integers()?, slices.axis()),
        Granularity::BlockExpansion(expansion) if expanded => {
            (encoding.clone(), integers()?, expansion.channel_axis())
        }
        Granularity::BlockExpansion(expansion) => {
            let (wide, integers) = encoding.decompressed(&integers()?, &shape).ok()?;
            (wide, integers, expansion.channel_axis())
        }
        Granularity::PerBlock(_) => return None,
    };
    let symmetric = encoding.is_symmetric();
    if encoding.bits() > 16 || channels != axis || !symmetric && encoding.per_tensor().is_none() {
        return None;
    }
    let (stored, shift) = encoding.with_sign(symmetric).ok()?;
    let dtype = stored_type(stored.storage())?;
    // Zero points say how many unsigned bits count.
    let quant = match stored.per_tensor() {
        Some((scale, zero)) if !symmetric => Quant::PerTensor { scale, offset: zero.checked_neg()? },
        _ => quant(&stored, &shape, axis)?,
    };
    let stored: Vec<f64> = integers.into_iter().map(|q| (q + shift) as f64).collect();
    let data = encode(dtype.storage(), &stored);
    Some(lower.quantized_constant(node, dtype, quant, &shape, data))
}

/// Whether HTP has a node's weight by block expansion: 4 bits in blocks of 16 to 128 whose integers have 4 bits, of a convolution of
/// single elements without groups, from v69 on. Of larger kernels and of groups it takes it too and computes garbage, and of a
/// FullyConnected only few outputs (measured with QNN 2.51 on SM8450, SM8650, SM8850).
fn expands(lower: &Lower<'_>, node: &Node, encoding: &Encoding, shape: &[usize]) -> bool {
    let Granularity::BlockExpansion(expansion) = encoding.granularity() else { return false };
    let &[1, 1, depth, _] = shape else { return false };
    let channels = node.input(0).and_then(|x| lower.graph.shape(x).last().copied());
    let strides = node.attrs.ints("strides").unwrap_or_default();
    node.op == Op::Conv
        && channels == Some(depth)
        && strides.iter().all(|&stride| stride == 1)
        && expansion.axis() == 2
        && [16, 32, 64, 128].contains(&expansion.size())
        && depth.is_multiple_of(expansion.size())
        && (encoding.bits(), expansion.block_scale_bits()) == (4, 4)
        && lower.target.arch >= 69
}

/// A bias in units of the product of input and weight. Where the weight has a scale a channel, so has the bias: HTP takes
/// another one and computes garbage. `None` where a number does not fit 32 bits in that unit.
pub(super) fn bias(
    lower: &mut Lower<'_>,
    node: &Node,
    id: ValueId,
    input: TensorId,
    weight: TensorId,
) -> Option<TensorId> {
    let &Quant::PerTensor { scale: step, .. } = &lower.get(input).quant else { return None };
    let reals = lower.graph.value(id).reals()?;
    let (units, per_axis): (Vec<f64>, bool) = match &lower.get(weight).quant {
        Quant::PerTensor { scale, .. } | Quant::BitWidth { scale, .. } => (vec![f64::from(*scale)], false),
        Quant::PerAxis { scale_offsets, .. } | Quant::BitWidthPerAxis { scale_offsets, .. } => {
            (scale_offsets.iter().map(|(s, _)| f64::from(*s)).collect(), true)
        }
        Quant::BlockExpansion { scales, .. } => (scales.iter().map(|&s| f64::from(s)).collect(), true),
        _ => return None,
    };
    let units: Vec<f32> = units.into_iter().map(|u| (u * f64::from(step)) as f32).collect();
    if units.iter().any(|u| *u < f32::MIN_POSITIVE) || reals.is_empty() {
        return None;
    }
    // With inputs of 16 bits the sum of the products of their low bytes is cut off at 256 units, so that results are half
    // of that too small (measured on SM8650: 0.2 to 0.9 steps of the result, exactly as this predicts).
    let lost = if lower.get(input).dtype == DataType::UFixed16 { 128.0 } else { 0.0 };
    // A bias of one number holds for every channel.
    let count = if per_axis { reals.len().max(units.len()) } else { reals.len() };
    let stored: Vec<f64> = (0..count)
        .map(|c| Storage::I32.store(reals[c % reals.len()], units[c % units.len()], 0) as f64 + lost)
        .collect();
    // What is at the limit was beyond it.
    if stored.iter().any(|q| q.abs() >= f64::from(i32::MAX)) {
        return None;
    }
    let quant = if per_axis {
        let scale_offsets = (0..count).map(|c| (units[c % units.len()], 0)).collect();
        Quant::PerAxis { axis: 0, scale_offsets }
    } else {
        Quant::PerTensor { scale: units[0], offset: 0 }
    };
    let data = encode(DataType::Int32, &stored);
    Some(lower.quantized_constant(node, DataType::SFixed32, quant, &[count], data))
}
