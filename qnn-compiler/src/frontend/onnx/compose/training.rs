//! Operators of training that a static graph can express: optimizer steps, batch statistics.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::ValueId;
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    Row { domain: PREVIEW, op: "Adagrad", note: STEP, rule: adagrad },
    Row { domain: PREVIEW, op: "Adam", note: STEP, rule: adam },
    row("BatchNormalization", "in training mode ReduceMean, Sub, Mul, Div", batch_norm),
    Row { domain: PREVIEW, op: "Momentum", note: STEP, rule: momentum },
];

const PREVIEW: &str = "ai.onnx.preview.training";
const STEP: &str = "Mul, Add, Sub, Div, Sqrt";

fn attr(p: &Parts<'_, '_>, name: &str, default: f32) -> f64 {
    f64::from(p.node.attrs.float_or(name, default))
}

/// The tensors, gradients and states of an optimizer: input `2 + group · tensors + i`.
fn group(p: &Parts<'_, '_>, groups: usize) -> Answer<Vec<Vec<ValueId>>> {
    let tensors = (p.node.inputs.len() - 2) / groups;
    (0..tensors).map(|i| (0..groups).map(|g| p.input(2 + g * tensors + i)).collect()).collect()
}

/// New tensors, then the new states, state by state.
fn sorted(results: Vec<Vec<ValueId>>) -> Written {
    let states = results.first().map_or(0, Vec::len);
    Some((0..states).flat_map(|s| results.iter().map(move |r| r[s])).collect())
}

/// The gradient with that of the norm of the tensor.
fn regularized(p: &mut Parts<'_, '_>, x: ValueId, gradient: ValueId) -> Answer<ValueId> {
    let factor = attr(p, "norm_coefficient", 0.0);
    if factor == 0.0 {
        return Ok(gradient);
    }
    let own = p.by(Op::Mul, x, factor)?;
    p.op(Op::Add, &[own, gradient])
}

/// `a · x + b · y`
fn mixed(p: &mut Parts<'_, '_>, (a, x): (f64, ValueId), (b, y): (f64, ValueId)) -> Answer<ValueId> {
    let (x, y) = (p.by(Op::Mul, x, a)?, p.by(Op::Mul, y, b)?);
    p.op(Op::Add, &[x, y])
}

/// The step number as a float of the tensors' type.
fn count(p: &mut Parts<'_, '_>) -> Answer<ValueId> {
    let dtype = p.types[0].dtype;
    let steps = p.input(1)?;
    p.cast(steps, dtype)
}

fn adagrad(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let rate = p.input(0)?;
    let steps = count(p)?;
    let decay = p.by(Op::Mul, steps, attr(p, "decay_factor", 0.0))?;
    let decay = p.by(Op::Add, decay, 1.0)?;
    let rate = p.op(Op::Div, &[rate, decay])?;
    let epsilon = attr(p, "epsilon", 0.0);
    let mut results = Vec::new();
    for list in group(p, 3)? {
        let &[x, gradient, sum] = &list[..] else { return invalid("three tensors belong together") };
        let gradient = regularized(p, x, gradient)?;
        let square = p.op(Op::Mul, &[gradient, gradient])?;
        let sum = p.op(Op::Add, &[sum, square])?;
        let root = p.op(Op::Sqrt, &[sum])?;
        let root = p.by(Op::Add, root, epsilon)?;
        let step = p.op(Op::Mul, &[rate, gradient])?;
        let step = p.op(Op::Div, &[step, root])?;
        results.push(vec![p.op(Op::Sub, &[x, step])?, sum]);
    }
    Ok(sorted(results))
}

fn adam(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let rate = p.input(0)?;
    let (alpha, beta) = (attr(p, "alpha", 0.9), attr(p, "beta", 0.999));
    let (epsilon, post) = (attr(p, "epsilon", 0.0), attr(p, "norm_coefficient_post", 0.0));
    let steps = count(p)?;
    let dtype = p.dtype(steps);
    let mut remainders = Vec::new();
    for factor in [alpha, beta] {
        // 1 - factorᵗ, of which fp16 would keep little for a factor near 1: -t·ln(factor) is small there, and so
        // 1 - exp(-z) is z·(1 - z/2 + z²/6).
        let z = p.by(Op::Mul, steps, -factor.ln())?;
        let power = p.op(Op::Neg, &[z])?;
        let power = p.op(Op::Exp, &[power])?;
        let one = p.scalar(dtype, 1.0);
        let far = p.op(Op::Sub, &[one, power])?;
        let series = p.by(Op::Mul, z, 1.0 / 6.0)?;
        let series = p.by(Op::Sub, series, 0.5)?;
        let series = p.op(Op::Mul, &[series, z])?;
        let series = p.by(Op::Add, series, 1.0)?;
        let series = p.op(Op::Mul, &[series, z])?;
        let small = p.by(Op::Less, z, 0.125)?;
        remainders.push(p.op(Op::Where, &[small, series, far])?);
    }
    let started = p.by(Op::Greater, steps, 0.0)?;
    let root = p.op(Op::Sqrt, &[remainders[1]])?;
    let adjusted = p.op(Op::Mul, &[rate, root])?;
    let one = p.scalar(dtype, 1.0);
    let divisor = p.op(Op::Where, &[started, remainders[0], one])?;
    let adjusted = p.op(Op::Div, &[adjusted, divisor])?;
    let rate = p.op(Op::Where, &[started, adjusted, rate])?;
    let mut results = Vec::new();
    for list in group(p, 4)? {
        let &[x, gradient, mean, square] = &list[..] else { return invalid("four tensors belong together") };
        let gradient = regularized(p, x, gradient)?;
        let mean = mixed(p, (alpha, mean), (1.0 - alpha, gradient))?;
        let own = p.op(Op::Mul, &[gradient, gradient])?;
        let square = mixed(p, (beta, square), (1.0 - beta, own))?;
        let root = p.op(Op::Sqrt, &[square])?;
        let root = p.by(Op::Add, root, epsilon)?;
        let step = p.op(Op::Mul, &[rate, mean])?;
        let step = p.op(Op::Div, &[step, root])?;
        let mut x = p.op(Op::Sub, &[x, step])?;
        if post != 0.0 {
            x = p.by(Op::Mul, x, 1.0 - post)?;
        }
        results.push(vec![x, mean, square]);
    }
    Ok(sorted(results))
}

fn momentum(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let rate = p.input(0)?;
    let (alpha, beta) = (attr(p, "alpha", 0.0), attr(p, "beta", 0.0));
    let nesterov = p.node.attrs.str_or("mode", "standard") == "nesterov";
    let steps = count(p)?;
    let dtype = p.dtype(steps);
    let started = p.by(Op::Greater, steps, 0.0)?;
    let (one, beta) = (p.scalar(dtype, 1.0), p.scalar(dtype, beta));
    let beta = p.op(Op::Where, &[started, beta, one])?;
    let mut results = Vec::new();
    for list in group(p, 3)? {
        let &[x, gradient, state] = &list[..] else { return invalid("three tensors belong together") };
        let gradient = regularized(p, x, gradient)?;
        let kept = p.by(Op::Mul, state, alpha)?;
        let own = p.op(Op::Mul, &[gradient, beta])?;
        let state = p.op(Op::Add, &[kept, own])?;
        let direction = match nesterov {
            true => {
                let ahead = p.by(Op::Mul, state, alpha)?;
                p.op(Op::Add, &[gradient, ahead])?
            }
            false => state,
        };
        let step = p.op(Op::Mul, &[rate, direction])?;
        results.push(vec![p.op(Op::Sub, &[x, step])?, state]);
    }
    Ok(sorted(results))
}

/// Normalization by the statistics of the batch, which also move the running ones.
fn batch_norm(p: &mut Parts<'_, '_>) -> Answer<Written> {
    if p.node.attrs.int_or("training_mode", 0) == 0 {
        return Ok(None);
    }
    let x = p.input(0)?;
    let shape = p.shape(x);
    let mut plane = vec![1; shape.len()];
    plane[1] = shape[1];
    let axes: Vec<usize> = (0..shape.len()).filter(|a| *a != 1).collect();
    let mean = p.reduce(Op::ReduceMean, x, &axes, true)?;
    let centred = p.op(Op::Sub, &[x, mean])?;
    let square = p.op(Op::Mul, &[centred, centred])?;
    let variance = p.reduce(Op::ReduceMean, square, &axes, true)?;
    let shifted = p.by(Op::Add, variance, attr(p, "epsilon", 1e-5))?;
    let deviation = p.op(Op::Sqrt, &[shifted])?;
    let (scale, bias) = (p.input(1)?, p.input(2)?);
    let (scale, bias) = (p.reshape(scale, &plane)?, p.reshape(bias, &plane)?);
    let y = p.op(Op::Div, &[centred, deviation])?;
    let y = p.op(Op::Mul, &[y, scale])?;
    let y = p.op(Op::Add, &[y, bias])?;
    let mut values = vec![y];
    let kept = attr(p, "momentum", 0.9);
    for (i, own) in [(3, mean), (4, variance)].into_iter().take(p.outputs.saturating_sub(1)) {
        let running = p.input(i)?;
        let own = p.reshape(own, &[shape[1]])?;
        let own = p.cast(own, p.dtype(running))?;
        values.push(mixed(p, (kept, running), (1.0 - kept, own))?);
    }
    Ok(Some(values))
}
