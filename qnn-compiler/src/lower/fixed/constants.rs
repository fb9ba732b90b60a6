//! Constants in the forms that operators on integers take.

use qnn::DataType;

use super::Form;
use crate::graph::{Encoding, Node, ValueId};
use crate::lower::engine::{Lower, encode};
use crate::program::{Quant, TensorId};

/// A constant operand in integers of a type, by its own encoding or the range of its numbers. `result` is the form of the
/// node's result where that is the operand plus or minus something.
pub(super) fn operand(
    lower: &mut Lower<'_>,
    node: &Node,
    id: ValueId,
    dtype: DataType,
    result: Option<Form>,
) -> Option<TensorId> {
    let value = lower.graph.value(id);
    let reals = value.reals()?;
    let form = match (value.encoding.as_ref().and_then(Form::of), result) {
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
fn addend(result: Form, reals: &[f64]) -> Form {
    const HALF: f64 = 32767.0;
    let largest = reals.iter().fold(0.0, |most: f64, r| most.max(r.abs()));
    let mut scale = result.scale;
    while largest / f64::from(scale) > HALF && scale < f32::MAX / 2.0 {
        scale *= 2.0;
    }
    while largest / f64::from(scale / 2.0) <= HALF && scale > result.scale / 64.0 {
        scale /= 2.0;
    }
    Form { dtype: DataType::UFixed16, scale, offset: -32768 }
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
    let stored: Vec<f64> = reals.iter().map(|r| (r / f64::from(scale)).round_ties_even()).collect();
    let data = encode(dtype.storage(), &stored);
    let shape = lower.graph.shape(id).to_vec();
    Some(lower.quantized_constant(node, dtype, Quant::PerTensor { scale, offset: 0 }, &shape, data))
}

/// The form of numbers without an encoding.
pub(in crate::lower) fn around(dtype: DataType, reals: &[f64]) -> Form {
    let low = reals.iter().copied().fold(0.0, f64::min);
    let high = reals.iter().copied().fold(0.0, f64::max);
    Form::around(dtype, low, high)
}

/// The real numbers of a constant as floats of a type.
pub(super) fn float(lower: &mut Lower<'_>, node: &Node, id: ValueId, dtype: DataType) -> Option<TensorId> {
    let value = lower.graph.value(id);
    let (reals, shape) = (value.reals()?, value.ty.shape.clone());
    Some(lower.constant(node, dtype, &shape, encode(dtype, &reals)))
}

/// A weight: symmetric ones signed, others unsigned with one zero point. `None` for what HTP has no form of: zero points a
/// channel, or scales along another axis than the output channels.
pub(super) fn weight(lower: &mut Lower<'_>, node: &Node, id: ValueId, axis: usize) -> Option<TensorId> {
    let value = lower.graph.value(id);
    let encoding = value.encoding.as_ref()?;
    if encoding.bits > 16 || encoding.block > 0 || encoding.axis.is_some_and(|own| own != axis) {
        return None;
    }
    let half = 1 << (encoding.bits - 1);
    let centre = if encoding.signed { 0 } else { half };
    let symmetric = encoding.zero_points.iter().all(|&z| z == centre);
    let integers = value.data.as_ref()?.to_i64(value.ty.dtype);
    let shape = value.ty.shape.clone();
    let wide = encoding.bits > 8;
    let (dtype, shift, quant) = if symmetric {
        let dtype = if wide { DataType::SFixed16 } else { DataType::SFixed8 };
        (dtype, i64::from(centre), signed(encoding, axis))
    } else {
        let (scale, zero) = encoding.per_tensor()?;
        let low = encoding.limits().0;
        let offset = i32::try_from(low - i64::from(zero)).ok()?;
        let dtype = if wide { DataType::UFixed16 } else { DataType::UFixed8 };
        (dtype, low, Quant::PerTensor { scale, offset })
    };
    let stored: Vec<f64> = integers.into_iter().map(|q| (q - shift) as f64).collect();
    let data = encode(dtype.storage(), &stored);
    Some(lower.quantized_constant(node, dtype, quant, &shape, data))
}

/// The encoding of integers around zero.
fn signed(encoding: &Encoding, axis: usize) -> Quant {
    let narrow = encoding.bits < 8;
    let bits = u32::from(encoding.bits);
    match (encoding.axis, &encoding.scales[..]) {
        (None, &[scale]) if narrow => Quant::BitWidth { bits, scale, offset: 0 },
        (None, &[scale]) => Quant::PerTensor { scale, offset: 0 },
        (_, scales) => {
            let scale_offsets = scales.iter().map(|&s| (s, 0)).collect();
            let axis = axis as u32;
            if narrow {
                Quant::BitWidthPerAxis { bits, axis, scale_offsets }
            } else {
                Quant::PerAxis { axis, scale_offsets }
            }
        }
    }
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
        .map(|c| (reals[c % reals.len()] / f64::from(units[c % units.len()])).round_ties_even() + lost)
        .collect();
    if stored.iter().any(|q| q.abs() > f64::from(i32::MAX)) {
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
