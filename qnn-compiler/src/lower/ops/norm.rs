//! Normalizations. Spatial ones see (N, spatial…, C).

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::{Data, Node};
use crate::lower::engine::{Lower, Ops};
use crate::op::Op;
use crate::program::{Quant, TensorId};

/// The most axes that HTP's normalizations take (measured; five are refused).
const RANK: usize = 4;

/// A parameter that QNN wants as `count` numbers: a constant of another shape is spread, a computed one must have them.
fn vector(ops: &mut Ops<'_, '_, '_>, i: usize, shape: &[usize]) -> Result<TensorId, Diagnostic> {
    let ty = ops.input_type(i)?;
    let tensor = ops.input(i)?;
    let count: usize = shape.iter().product();
    if ty.elements() == count {
        return Ok(ops.reshape(tensor, &[count]));
    }
    let id = ops.value(i)?;
    let values = ops.lower.graph.const_f32(id).map(|v| spread(&v, &ty.shape, shape));
    match values {
        Some(Some(values)) => {
            let dtype = ops.dtype(tensor);
            Ok(ops.constant(dtype, &[count], &values))
        }
        _ => {
            let message = format!("parameter {i} of shape {:?} does not give {count} numbers", ty.shape);
            Err(ops.refuse(message))
        }
    }
}

/// Numbers broadcast from one shape to another; `None` where they do not fit.
fn spread(values: &[f32], from: &[usize], to: &[usize]) -> Option<Vec<f64>> {
    let lead = to.len().checked_sub(from.len())?;
    if from.iter().zip(&to[lead..]).any(|(&f, &t)| f != t && f != 1) {
        return None;
    }
    let count: usize = to.iter().product();
    let mut result = Vec::with_capacity(count);
    for flat in 0..count {
        let (mut rest, mut at, mut step) = (flat, 0, 1);
        for axis in (0..to.len()).rev() {
            let index = rest % to[axis];
            rest /= to[axis];
            if axis >= lead {
                let dim = from[axis - lead];
                at += if dim == 1 { 0 } else { index * step };
                step *= dim;
            }
        }
        result.push(f64::from(*values.get(at)?));
    }
    Some(result)
}

/// A spatial input with at most four axes, spatial ones joined.
fn plane(ops: &mut Ops<'_, '_, '_>, x: TensorId) -> TensorId {
    match &ops.shape(x)[..] {
        [n, outer @ .., w, c] if outer.len() > 1 => {
            let shape = [*n, outer.iter().product(), *w, *c];
            ops.reshape(x, &shape)
        }
        _ => x,
    }
}

fn channels(ops: &Ops<'_, '_, '_>) -> Result<usize, Diagnostic> {
    let shape = &ops.input_type(0)?.shape;
    if shape.len() < 2 {
        return Err(ops.refuse(format!("the input has {} axes; batch and channels are needed", shape.len())));
    }
    Ok(shape[shape.len() - 1])
}

/// Refuses outputs beyond the first that something reads.
fn only_first_output(ops: &Ops<'_, '_, '_>) -> Result<(), Diagnostic> {
    match (1..ops.node.outputs.len()).find(|&i| ops.node.output(i).is_some()) {
        None => Ok(()),
        Some(i) => {
            let mut p = ops.refuse(format!("output {i} (a statistic) is not supported"));
            p.help = Some("statistics are for training; export the model for inference".to_owned());
            Err(p)
        }
    }
}

/// BatchNormalization: one scale and one offset a channel, from the four vectors, in double precision where these are
/// constants.
pub(crate) fn batch(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    only_first_output(&ops)?;
    let count = channels(&ops)?;
    let epsilon = f64::from(node.attrs.float_or("epsilon", 1e-5));
    let x = ops.input(0)?;
    let x = plane(&mut ops, x);
    let Some([gamma, beta, mean, variance]) = constants(&ops, count)? else {
        let y = batch_computed(&mut ops, x, count, epsilon)?;
        return ops.output(0, y);
    };
    let scale: Vec<f64> = gamma.iter().zip(&variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
    let far = |(m, v): (&f64, &f64)| m.abs() > FAR * (v + epsilon).sqrt();
    if !ops.dtype(x).is_quantized() && mean.iter().zip(&variance).any(far) {
        let y = batch_apart(&mut ops, x, &scale, &mean, &beta);
        return ops.output(0, y);
    }
    let offset: Vec<f64> = beta.iter().zip(&mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
    let dtype = ops.dtype(x);
    let (scale, offset) = (ops.constant(dtype, &[count], &scale), ops.constant(dtype, &[count], &offset));
    let shape = ops.shape(x);
    if dtype.is_quantized() {
        let scaled = ops.binary("ElementWiseMultiply", x, scale);
        let y = ops.binary("ElementWiseAdd", offset, scaled);
        return ops.output(0, y);
    }
    let y = ops.step("Batchnorm", &[x, scale, offset], dtype, &shape, |op| op);
    ops.output(0, y)
}

/// Deviations that a mean may be away from zero: with more, the product is so much larger than the result that fp16 has few of
/// its digits left (18 dB at 2000).
const FAR: f64 = 32.0;

/// (x − m) · s + b, where the difference is taken first: m is what fp16 has of the mean, and b has the rest.
fn batch_apart(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    scale: &[f64],
    mean: &[f64],
    beta: &[f64],
) -> TensorId {
    let (dtype, count) = (ops.dtype(x), [scale.len()]);
    let near: Vec<f64> = mean.iter().map(|&m| half::f16::from_f64(m).to_f64()).collect();
    let rest: Vec<f64> =
        mean.iter().zip(&near).zip(scale).zip(beta).map(|(((m, near), s), b)| b - (m - near) * s).collect();
    let minus: Vec<f64> = near.iter().map(|m| -m).collect();
    let minus = ops.constant(dtype, &count, &minus);
    let centred = ops.binary("ElementWiseAdd", x, minus);
    let (scale, rest) = (ops.constant(dtype, &count, scale), ops.constant(dtype, &count, &rest));
    let shape = ops.shape(x);
    ops.step("Batchnorm", &[centred, scale, rest], dtype, &shape, |op| op)
}

/// Scale, bias, mean and variance; `None` where one of them is computed.
fn constants(ops: &Ops<'_, '_, '_>, count: usize) -> Result<Option<[Vec<f64>; 4]>, Diagnostic> {
    let mut vectors: [Vec<f64>; 4] = Default::default();
    for (vector, i) in vectors.iter_mut().zip(1..) {
        let value = ops.lower.graph.value(ops.value(i)?);
        if value.ty.elements() != count {
            return Err(
                ops.refuse(format!("input {i} does not have one number for each of {count} channels"))
            );
        }
        let Some(values) = value.reals() else { return Ok(None) };
        *vector = values;
    }
    Ok(Some(vectors))
}

/// The same from vectors that are computed.
fn batch_computed(
    ops: &mut Ops<'_, '_, '_>,
    x: TensorId,
    count: usize,
    epsilon: f64,
) -> Result<TensorId, Diagnostic> {
    let [gamma, beta, mean, variance] = [1, 2, 3, 4].map(|i| vector(ops, i, &[count]));
    let positive = ops.with("ElementWiseAdd", variance?, epsilon);
    let deviation = ops.unary("ElementWiseSquareRoot", positive);
    let scale = ops.binary("ElementWiseDivide", gamma?, deviation);
    let shift = ops.binary("ElementWiseMultiply", mean?, scale);
    let offset = ops.binary("ElementWiseSubtract", beta?, shift);
    let scaled = ops.binary("ElementWiseMultiply", x, scale);
    Ok(ops.binary("ElementWiseAdd", scaled, offset))
}

/// InstanceNormalization.
pub(crate) fn instance(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let count = channels(&ops)?;
    let epsilon = node.attrs.float_or("epsilon", 1e-5);
    let (scale, bias) = vectors(&mut ops, &[count])?;
    let x = ops.input(0)?;
    let x = plane(&mut ops, x);
    let y = ops.instance_norm(x, scale, bias, epsilon);
    let y = scaled_apart(&mut ops, y, &[count])?;
    ops.output(0, y)
}

/// Scale and offset of a normalization over a plane: ones and zeros where they are applied apart.
fn vectors(ops: &mut Ops<'_, '_, '_>, shape: &[usize]) -> Result<(TensorId, TensorId), Diagnostic> {
    if ops.lower.ranges.is_none() {
        return Ok((vector(ops, 1, shape)?, vector(ops, 2, shape)?));
    }
    let count: usize = shape.iter().product();
    let zeros = Data::from_i32(&vec![0; count]);
    let unit = Quant::PerTensor { scale: 1e-6, offset: 0 };
    let zeros = ops.lower.quantized_constant(ops.node, DataType::SFixed32, unit, &[count], zeros);
    Ok((ones(ops, shape), zeros))
}

/// Factors that change nothing, in the 8 bits that every chip takes.
fn ones(ops: &mut Ops<'_, '_, '_>, shape: &[usize]) -> TensorId {
    let count: usize = shape.iter().product();
    ops.constant(DataType::UFixed8, &[count], &vec![1.0; count])
}

/// A normalized tensor of integers times the node's scale and plus its offset, where these are ops of their own.
fn scaled_apart(ops: &mut Ops<'_, '_, '_>, y: TensorId, shape: &[usize]) -> Result<TensorId, Diagnostic> {
    if ops.lower.ranges.is_none() {
        return Ok(y);
    }
    let constant = |ops: &mut Ops<'_, '_, '_>, i: usize, same: f64| -> Result<Option<TensorId>, Diagnostic> {
        let Some(id) = ops.node.input(i) else { return Ok(None) };
        let value = ops.lower.graph.value(id);
        let numbers: Vec<f32> = value.reals().unwrap_or_default().iter().map(|&v| v as f32).collect();
        let numbers = spread(&numbers, &value.ty.shape, shape)
            .ok_or_else(|| ops.refuse(format!("parameter {i} does not fit the channels")))?;
        let nothing = numbers.iter().all(|&v| v == same);
        let count = numbers.len();
        Ok(if nothing { None } else { Some(ops.constant(DataType::UFixed16, &[count], &numbers)) })
    };
    let y = match constant(ops, 1, 1.0)? {
        Some(scale) => ops.binary("ElementWiseMultiply", y, scale),
        None => y,
    };
    Ok(match constant(ops, 2, 0.0)? {
        Some(offset) => ops.binary("ElementWiseAdd", offset, y),
        None => y,
    })
}

impl Ops<'_, '_, '_> {
    /// Normalizes each channel of each sample of a (N, H, W, C).
    fn instance_norm(&mut self, x: TensorId, scale: TensorId, bias: TensorId, epsilon: f32) -> TensorId {
        let (dtype, shape) = (self.dtype(x), self.shape(x));
        self.step("InstanceNorm", &[x, scale, bias], dtype, &shape, |op| op.f32("epsilon", epsilon))
    }
}

/// GroupNormalization; the front end gives scale and bias one number a channel.
pub(crate) fn group(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let count = channels(&ops)?;
    let groups = node.attrs.int_or("num_groups", 1);
    if groups < 1 || count as i64 % groups != 0 {
        return Err(ops.refuse(format!("{count} channels do not divide into {groups} groups")));
    }
    let (scale, bias) = vectors(&mut ops, &[count])?;
    let x = ops.input(0)?;
    let x = plane(&mut ops, x);
    let epsilon = node.attrs.float_or("epsilon", 1e-5);
    let (dtype, shape) = (ops.dtype(x), ops.shape(x));
    let y = if groups as usize == count {
        // GroupNorm of single channels takes twice the room in the binary.
        ops.instance_norm(x, scale, bias, epsilon)
    } else {
        ops.step("GroupNorm", &[x, scale, bias], dtype, &shape, |op| {
            op.f32("epsilon", epsilon).u32("group", groups as u32)
        })
    };
    let y = scaled_apart(&mut ops, y, &[count])?;
    ops.output(0, y)
}

/// The innermost axes from attribute `axis` on as one axis, in at most four: HTP normalizes over the last axis alone.
fn flattened(ops: &mut Ops<'_, '_, '_>) -> Result<(TensorId, Vec<usize>), Diagnostic> {
    let shape = ops.input_type(0)?.shape.clone();
    let rank = shape.len();
    let axis = ops.node.attrs.int_or("axis", -1);
    let axis = usize::try_from(if axis < 0 { axis + rank as i64 } else { axis })
        .ok()
        .filter(|&a| a < rank)
        .ok_or_else(|| ops.refuse(format!("axis {axis} is outside of a tensor of {rank} axes")))?;
    let inner = shape[axis..].to_vec();
    let x = ops.input(0)?;
    if axis + 1 == rank && rank <= RANK {
        return Ok((x, inner));
    }
    let view = [shape[..axis].iter().product(), inner.iter().product()];
    Ok((ops.reshape(x, &view), inner))
}

/// LayerNormalization.
pub(crate) fn layer(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    only_first_output(&ops)?;
    let (x, inner) = flattened(&mut ops)?;
    let epsilon = node.attrs.float_or("epsilon", 1e-5);
    if ops.lower.ranges.is_some() {
        let ones = ones(&mut ops, &inner);
        let y = over_last(&mut ops, "LayerNorm", &[x, ones], epsilon);
        let y = scaled_apart(&mut ops, y, &inner)?;
        return ops.output(0, y);
    }
    let mut inputs = vec![x, vector(&mut ops, 1, &inner)?];
    if node.input(2).is_some() {
        inputs.push(vector(&mut ops, 2, &inner)?);
    }
    let y = over_last(&mut ops, "LayerNorm", &inputs, epsilon);
    ops.output(0, y)
}

/// RMSNormalization and SimplifiedLayerNormalization.
pub(crate) fn rms(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    only_first_output(&ops)?;
    let (x, inner) = flattened(&mut ops)?;
    let scale = vector(&mut ops, 1, &inner)?;
    let y = rms_norm(&mut ops, x, scale, node.attrs.float_or("epsilon", 1e-5));
    ops.output(0, y)
}

/// RmsNorm wants an offset: zeros. Over more than eight rows at the axis before the last two it gives wrong numbers (SM8650:
/// 9 dB for 1x12x12x8, 70 dB for the same as 144x8), so that all rows are put at one axis.
fn rms_norm(ops: &mut Ops<'_, '_, '_>, x: TensorId, scale: TensorId, epsilon: f32) -> TensorId {
    let (dtype, shape) = (ops.dtype(scale), ops.shape(scale));
    let zeros = ops.filled(dtype, &shape, 0.0);
    let rows = match &ops.shape(x)[..] {
        [outer @ .., rows, last] if outer.iter().any(|&d| d > 1) => {
            let view = [outer.iter().product::<usize>() * rows, *last];
            ops.reshape(x, &view)
        }
        _ => x,
    };
    over_last(ops, "RmsNorm", &[rows, scale, zeros], epsilon)
}

fn over_last(ops: &mut Ops<'_, '_, '_>, ty: &'static str, inputs: &[TensorId], epsilon: f32) -> TensorId {
    let (dtype, shape) = (ops.dtype(inputs[0]), ops.shape(inputs[0]));
    let last = shape.len() as u32 - 1;
    ops.step(ty, inputs, dtype, &shape, |op| op.f32("epsilon", epsilon).u32s("axes", &[1], &[last]))
}

/// SkipLayerNormalization and SkipSimplifiedLayerNormalization: the sum of both inputs (and a bias) normalized; output
/// 3 is the sum.
pub(crate) fn skip(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    if let Some(i) = [1, 2].into_iter().find(|&i| node.output(i).is_some()) {
        return Err(ops.refuse(format!("output {i} (a statistic) is not supported")));
    }
    let simplified = node.op == Op::MsSkipSimplifiedLayerNormalization;
    let (x, other) = (ops.input(0)?, ops.input(1)?);
    let mut sum = ops.binary("ElementWiseAdd", x, other);
    let inner = ops.input_type(0)?.shape.last().copied().unwrap_or(1);
    // The norm's offset is input 3 of the full form, the summed bias the last input of both.
    let (beta, bias) = if simplified { (None, Some(3)) } else { (Some(3), Some(4)) };
    if let Some(i) = bias.filter(|&i| node.input(i).is_some()) {
        let bias = vector(&mut ops, i, &[inner])?;
        sum = ops.binary("ElementWiseAdd", sum, bias);
    }
    let gamma = vector(&mut ops, 2, &[inner])?;
    let epsilon = node.attrs.float_or("epsilon", 1e-12);
    let y = if simplified {
        rms_norm(&mut ops, sum, gamma, epsilon)
    } else {
        let mut inputs = vec![sum, gamma];
        if let Some(i) = beta.filter(|&i| node.input(i).is_some()) {
            inputs.push(vector(&mut ops, i, &[inner])?);
        }
        over_last(&mut ops, "LayerNorm", &inputs, epsilon)
    };
    ops.output(0, y)?;
    ops.output(3, sum)
}

/// LRN; QNN's alpha is not divided by the window's size.
pub(crate) fn local_response(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    channels(&ops)?;
    let size = node.attrs.int_or("size", 0);
    if size < 1 || size % 2 == 0 {
        return Err(ops.refuse(format!("a window of {size} channels; an odd number is needed")));
    }
    let attr = |name: &str, default: f32| node.attrs.float_or(name, default);
    let (alpha, beta, bias) = (attr("alpha", 1e-4) / size as f32, attr("beta", 0.75), attr("bias", 1.0));
    let x = ops.input(0)?;
    let x = plane(&mut ops, x);
    let (dtype, shape) = (ops.dtype(x), ops.shape(x));
    let y = ops.step("Lrn", &[x], dtype, &shape, |op| {
        op.f32("alpha", alpha)
            .f32("beta", beta)
            .f32("bias", bias)
            .i32("radius", ((size - 1) / 2) as i32)
            .u32("region", 0)
    });
    ops.output(0, y)
}

/// LpNormalization along one axis.
pub(crate) fn lp(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let shape = ops.input_type(0)?.shape.clone();
    let axis = usize::try_from(node.attrs.int_or("axis", -1)).ok().filter(|&a| a < shape.len());
    let axis = axis.unwrap_or(shape.len() - 1);
    let mut view: Vec<usize> = vec![shape[..axis].iter().product(), shape[axis]];
    if axis + 1 < shape.len() {
        view.push(shape[axis + 1..].iter().product());
    }
    let x = ops.input(0)?;
    let x = ops.reshape(x, &view);
    let dtype = ops.dtype(x);
    let y = match node.attrs.int_or("p", 2) {
        2 => ops.step("L2Norm", &[x], dtype, &view, |op| op.u32("axis", 1).f32("epsilon", 1e-12)),
        1 => {
            let size = ops.unary("ElementWiseAbs", x);
            let mut sums = view.clone();
            sums[1] = 1;
            let sum = ops.step("ReduceSum", &[size], dtype, &sums, |op| {
                op.u32s("axes", &[1], &[1]).bool("keep_dims", true)
            });
            ops.binary("ElementWiseDivide", x, sum)
        }
        p => return Err(ops.refuse(format!("the norm of order {p} is not defined; 1 and 2 are"))),
    };
    ops.output(0, y)
}

/// MeanVarianceNormalization over (N, H, W, C); attribute `axes` counts as the model does.
pub(crate) fn mean_variance(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    /// What ONNX adds to the standard deviation.
    const EPSILON: f32 = 1e-9;
    let mut ops = Ops::new(lower, node);
    let count = channels(&ops)?;
    let shape = ops.input_type(0)?.shape.clone();
    let rank = shape.len();
    let mut axes: Vec<usize> =
        node.attrs.ints("axes").unwrap_or(&[0, 2, 3]).iter().map(|&a| a as usize).collect();
    axes.sort_unstable();
    let spatial: Vec<usize> = (2..rank).collect();
    let with_batch: Vec<usize> = [0].into_iter().chain(2..rank).collect();
    let x = ops.input(0)?;
    if axes == [1] {
        let dtype = ops.dtype(x);
        let view = [shape.iter().product::<usize>() / count.max(1), count];
        let ones = ops.filled(dtype, &[count], 1.0);
        let rows = ops.reshape(x, &view);
        let y = over_last(&mut ops, "LayerNorm", &[rows, ones], EPSILON);
        return ops.output(0, y);
    }
    let view = if axes == spatial {
        [shape[0], shape[1..rank - 1].iter().product(), 1, count]
    } else if axes == with_batch {
        [1, shape[..rank - 1].iter().product(), 1, count]
    } else if axes == (0..rank).collect::<Vec<_>>() {
        [1, shape.iter().product(), 1, 1]
    } else if axes == (1..rank).collect::<Vec<_>>() {
        [shape[0], shape[1..].iter().product(), 1, 1]
    } else {
        return Err(
            ops.refuse(format!("axes {axes:?}; the channels, or all spatial axes together, are needed"))
        );
    };
    let x = ops.reshape(x, &view);
    let dtype = ops.dtype(x);
    let ones = ops.filled(dtype, &[view[3]], 1.0);
    let zeros = ops.filled(dtype, &[view[3]], 0.0);
    let y = ops.instance_norm(x, ones, zeros, EPSILON);
    ops.output(0, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_of_one_row_is_spread_over_all_rows() {
        assert_eq!(spread(&[1.0, 2.0], &[2], &[2, 2]), Some(vec![1.0, 2.0, 1.0, 2.0]));
        assert_eq!(spread(&[1.0, 2.0], &[2, 1], &[2, 2]), Some(vec![1.0, 1.0, 2.0, 2.0]));
        assert_eq!(spread(&[3.0], &[], &[2]), Some(vec![3.0, 3.0]));
    }

    #[test]
    fn a_scale_that_does_not_fit_is_refused() {
        assert_eq!(spread(&[1.0, 2.0, 3.0], &[3], &[2]), None);
        assert_eq!(spread(&[1.0], &[1, 1], &[2]), None);
    }
}
