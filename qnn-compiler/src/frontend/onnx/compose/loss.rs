//! Losses.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{Attr, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("NegativeLogLikelihoodLoss", "Equal, Where, ReduceSum over the classes", likelihood),
    row("SoftmaxCrossEntropyLoss", "LogSoftmax, then as NegativeLogLikelihoodLoss", cross_entropy),
];

fn likelihood(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    Ok(Some(vec![loss(p, x)?]))
}

fn cross_entropy(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let log = p.with(Op::LogSoftmax, &[x], [("axis", Attr::Int(1))])?;
    let mut values = vec![loss(p, log)?];
    if p.outputs > 1 {
        values.push(log);
    }
    Ok(Some(values))
}

/// Loss from logarithms of probabilities (batch, classes, …); the node's inputs are those, the target, and the classes' weights.
fn loss(p: &mut Parts<'_, '_>, log: ValueId) -> Answer<ValueId> {
    let (shape, dtype) = (p.shape(log), p.dtype(log));
    let &[n, classes, ref rest @ ..] = &shape[..] else { return invalid("the input has no classes") };
    let samples = n * rest.iter().product::<usize>();
    let innermost: Vec<usize> = [0].into_iter().chain(2..shape.len()).chain([1]).collect();
    let log = p.transpose(log, &innermost)?;
    let log = p.reshape(log, &[samples, classes])?;
    let target = p.input(1)?;
    let target = p.reshape(target, &[samples, 1])?;
    let numbers: Vec<i64> = (0..classes as i64).collect();
    let numbers = p.ints(p.dtype(target), &[1, classes], &numbers);
    let hot = p.op(Op::Equal, &[target, numbers])?;
    // A product with zeros would make NaN of a logarithm of zero.
    let zero = p.scalar(dtype, 0.0);
    let picked = p.op(Op::Where, &[hot, log, zero])?;
    let picked = p.reduce(Op::ReduceSum, picked, &[1], true)?;
    let mut losses = p.op(Op::Neg, &[picked])?;
    let weights = weights(p, target, hot, samples, classes)?;
    if let Some(weights) = weights {
        losses = p.op(Op::Mul, &[losses, weights])?;
    }
    match p.node.attrs.str_or("reduction", "mean") {
        "none" => {
            let shape = p.types[0].shape.clone();
            p.reshape(losses, &shape)
        }
        "sum" => p.reduce(Op::ReduceSum, losses, &[0, 1], false),
        "mean" => match weights {
            None => p.reduce(Op::ReduceMean, losses, &[0, 1], false),
            Some(weights) => {
                let sum = p.reduce(Op::ReduceSum, losses, &[0, 1], false)?;
                let all = p.reduce(Op::ReduceSum, weights, &[0, 1], false)?;
                p.op(Op::Div, &[sum, all])
            }
        },
        other => invalid(format!("attribute reduction is '{other}'")),
    }
}

/// What each sample counts: its class's weight, nothing where the class is to be ignored. `None` where all count one.
fn weights(
    p: &mut Parts<'_, '_>,
    target: ValueId,
    hot: ValueId,
    samples: usize,
    classes: usize,
) -> Answer<Option<ValueId>> {
    let dtype = p.types[0].dtype;
    let ignored = p.node.attrs.int("ignore_index");
    let mut weights = match p.node.input(2) {
        None if ignored.is_none() => return Ok(None),
        None => p.floats(dtype, &[1, 1], &[1.0]),
        Some(weights) => {
            let weights = p.reshape(weights, &[1, classes])?;
            let zero = p.scalar(dtype, 0.0);
            let own = p.op(Op::Where, &[hot, weights, zero])?;
            p.reduce(Op::ReduceSum, own, &[1], true)?
        }
    };
    if let Some(ignored) = ignored {
        let ignored = p.ints(p.dtype(target), &[1, 1], &[ignored]);
        let out = p.op(Op::Equal, &[target, ignored])?;
        let zero = p.floats(dtype, &[1, 1], &[0.0]);
        weights = p.op(Op::Where, &[out, zero, weights])?;
    }
    debug_assert_eq!(p.shape(weights), [samples, 1]);
    Ok(Some(weights))
}
