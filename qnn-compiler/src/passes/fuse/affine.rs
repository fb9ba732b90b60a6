//! Folds a scale and shift per channel (BatchNormalization, Mul, Add, Sub, Div with constants) into the convolution, or the
//! normalization of channels, before it.

use super::view::View;
use crate::graph::{DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;

/// Beyond this a folded weight could overflow fp16, so the scale stays apart.
const FP16_SAFE: f32 = 3.0e4;

/// The smallest scale that a weight takes up. Products of small weights lose digits in HTP's fp16 convolution: with every scale
/// folded, PP-OCR v4's detection network loses 2.8 dB on noise, and its classifier gains 2.1 dB; the smallest scales are
/// 0.016. Elsewhere the difference is below 0.6 dB (SM8650, QNN 2.51).
const SMALLEST_SCALE: f64 = 0.125;

/// Operators with a scale and an offset a channel as their second and third operand.
const NORMS: &[Op] = &[Op::BatchNormalization, Op::GroupNormalization, Op::InstanceNormalization];

/// One scale and shift a channel: `y = scale · x + shift`.
struct Affine {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

/// Folds wherever the result before it has no other reader.
pub(super) fn run(graph: &mut Graph) {
    let mut view = View::new(graph);
    for i in 0..graph.nodes.len() {
        let Some((conv, affine)) = candidate(graph, &view, i) else { continue };
        let node = graph.nodes[conv].clone();
        let folded = if NORMS.contains(&node.op) { folded_norm } else { folded };
        let Some((weight, bias)) = folded(graph, &node, &affine) else { continue };
        let Some(y) = std::mem::take(&mut graph.nodes[i].outputs).into_iter().next().flatten() else {
            continue;
        };
        let node = &mut graph.nodes[conv];
        node.inputs.resize(node.inputs.len().max(3), None);
        node.inputs[1] = Some(weight);
        node.inputs[2] = Some(bias);
        node.outputs[0] = Some(y);
        view.made_by(y, conv);
    }
}

fn candidate(graph: &Graph, view: &View, i: usize) -> Option<(usize, Affine)> {
    let node = &graph.nodes[i];
    if !node.op.is_standard() {
        return None;
    }
    let (x, constant) = match node.op {
        Op::BatchNormalization => (node.input(0)?, None),
        Op::Mul | Op::Add => match (graph.is_constant(node.input(0)?), graph.is_constant(node.input(1)?)) {
            (false, true) => (node.input(0)?, node.input(1)),
            (true, false) => (node.input(1)?, node.input(0)),
            _ => return None,
        },
        Op::Sub | Op::Div if graph.is_constant(node.input(1)?) => (node.input(0)?, node.input(1)),
        _ => return None,
    };
    let conv =
        view.maker(graph, x, &[Op::Conv, Op::ConvTranspose]).or_else(|| view.maker(graph, x, NORMS))?;
    if !view.read_once(x) || graph.shape(x) != graph.shape(node.output(0)?) {
        return None;
    }
    // A transposed convolution in groups has its output channels spread over two weight axes.
    if conv.op == Op::ConvTranspose && conv.attrs.int_or("group", 1) != 1 {
        return None;
    }
    let channels = *graph.shape(x).get(1)?;
    let affine = match constant {
        None => batch_norm(graph, node, channels)?,
        Some(constant) => {
            let values = per_channel(graph, constant, graph.shape(x).len(), channels)?;
            match node.op {
                Op::Mul => Affine { scale: values, shift: vec![0.0; channels] },
                Op::Div => {
                    Affine { scale: values.iter().map(|v| 1.0 / v).collect(), shift: vec![0.0; channels] }
                }
                Op::Add => Affine { scale: vec![1.0; channels], shift: values },
                _ => Affine { scale: vec![1.0; channels], shift: values.iter().map(|v| -v).collect() },
            }
        }
    };
    Some((view.position(x)?, affine))
}

/// γ / sqrt(σ² + ε) and β − μ · scale.
fn batch_norm(graph: &Graph, node: &Node, channels: usize) -> Option<Affine> {
    let vector = |i: usize| -> Option<Vec<f64>> {
        let value = graph.value(node.input(i)?);
        let v = value.reals()?;
        (v.len() == channels).then_some(v)
    };
    let (gamma, beta, mean, variance) = (vector(1)?, vector(2)?, vector(3)?, vector(4)?);
    let epsilon = f64::from(node.attrs.float_or("epsilon", 1e-5));
    let scale: Vec<f64> = gamma.iter().zip(&variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
    let shift = beta.iter().zip(&mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
    Some(Affine { scale, shift })
}

/// A constant that broadcasts along channels only, one number a channel.
fn per_channel(graph: &Graph, constant: ValueId, rank: usize, channels: usize) -> Option<Vec<f64>> {
    let value = graph.value(constant);
    let values = value.reals()?;
    let shape = &value.ty.shape;
    if values.len() == 1 && shape.len() <= rank {
        return Some(vec![values[0]; channels]);
    }
    // Aligned at the right, the channel axis must be the only one longer than one.
    let axis = shape.len().checked_sub(rank - 1)?;
    let only = shape.iter().enumerate().all(|(a, &d)| d == 1 || a == axis);
    (shape.len() <= rank && only && values.len() == channels).then_some(values)
}

/// The folded scale and bias of a normalization.
fn folded_norm(graph: &mut Graph, norm: &Node, affine: &Affine) -> Option<(ValueId, ValueId)> {
    let channels = affine.scale.len();
    let mut vector = |i: usize, what: &str, f: &dyn Fn(f64, usize) -> f64| {
        let old = graph.const_f32(norm.input(i)?).filter(|v| v.len() == channels)?;
        let new: Vec<f32> = old.iter().enumerate().map(|(c, &v)| f(v.into(), c) as f32).collect();
        let ty = TensorType::new(DType::F32, [channels]);
        Some(graph.add_constant(format!("{}.{what}", norm.name), ty, Data::from_f32(&new)))
    };
    let scale = vector(1, "scale", &|v, c| v * affine.scale[c])?;
    let bias = vector(2, "bias", &|v, c| v * affine.scale[c] + affine.shift[c])?;
    Some((scale, bias))
}

/// The folded weight and bias; `None` where the weight is not constant or would leave the range of fp16.
fn folded(graph: &mut Graph, conv: &Node, affine: &Affine) -> Option<(ValueId, ValueId)> {
    let weight = graph.value(conv.input(1)?).clone();
    if weight.ty.dtype != DType::F32 {
        return None;
    }
    let channels = affine.scale.len();
    let bias = match conv.input(2) {
        Some(id) => graph.const_f32(id).filter(|b| b.len() == channels)?,
        None => vec![0.0; channels],
    };
    let bias: Vec<f32> = bias
        .iter()
        .enumerate()
        .map(|(c, &b)| (f64::from(b) * affine.scale[c] + affine.shift[c]) as f32)
        .collect();
    let data = weight.data.as_ref()?;
    let safe = |values: &[f32]| values.iter().all(|v| v.abs() <= FP16_SAFE);
    if !safe(&bias) {
        return None;
    }
    let id = if affine.scale.iter().all(|&s| s == 1.0) {
        conv.input(1)?
    } else if affine.scale.iter().any(|s| s.abs() < SMALLEST_SCALE) {
        return None;
    } else {
        let axis = usize::from(conv.op == Op::ConvTranspose);
        let inner: usize = weight.ty.shape.get(axis + 1..)?.iter().product();
        let mut values = data.to_f32(DType::F32);
        for (c, filter) in values.chunks_exact_mut(inner.max(1)).enumerate() {
            let scale = affine.scale[c % channels];
            filter.iter_mut().for_each(|v| *v = (f64::from(*v) * scale) as f32);
        }
        if !safe(&values) {
            return None;
        }
        graph.add_constant(format!("{}.folded", weight.name), weight.ty.clone(), Data::from_f32(&values))
    };
    let ty = TensorType::new(DType::F32, [channels]);
    let bias = graph.add_constant(format!("{}.bias", conv.name), ty, Data::from_f32(&bias));
    Some((id, bias))
}
