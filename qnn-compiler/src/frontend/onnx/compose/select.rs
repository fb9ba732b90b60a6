//! Elements chosen by their values or by conditions.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{Attr, DType};
use crate::infer::{Answer, Reason};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("Compress", "Gather; the condition must be constant", compress),
    row("Hardmax", "ArgMax, Equal, Cast", hardmax),
    row("ReverseSequence", "Gather of computed rows", reverse_sequence),
    row("SwiGLU", "Swish, Mul", swiglu),
];

fn compress(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, condition) = (p.input(0)?, p.input(1)?);
    let Some(condition) = p.known_ints(condition) else {
        return Err(Reason::DataDependent(
            "how many elements Compress keeps depends on its condition".to_owned(),
        ));
    };
    let kept: Vec<i64> = (0..).zip(&condition).filter(|(_, keep)| **keep != 0).map(|(i, _)| i).collect();
    let axis = p.node.attrs.int("axis");
    let x = match axis {
        Some(_) => x,
        None => p.reshape(x, &[p.shape(x).iter().product()])?,
    };
    let kept = p.ints(DType::I64, &[kept.len()], &kept);
    Ok(Some(vec![p.with(Op::Gather, &[x, kept], [("axis", Attr::Int(axis.unwrap_or(0)))])?]))
}

/// One where the first of the largest elements is, zero elsewhere.
fn hardmax(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let x = p.input(0)?;
    let (shape, dtype) = (p.shape(x), p.dtype(x));
    if shape.is_empty() {
        return Ok(Some(vec![p.scalar(dtype, 1.0)]));
    }
    let axis = p.site().axis("axis", -1, shape.len())?;
    let attrs = [("axis", Attr::Int(axis as i64)), ("keepdims", Attr::Int(1))];
    let largest = p.with(Op::ArgMax, &[x], attrs)?;
    let mut places = vec![1; shape.len()];
    places[axis] = shape[axis];
    let numbers: Vec<i64> = (0..shape[axis] as i64).collect();
    let numbers = p.ints(DType::I64, &places, &numbers);
    let hot = p.op(Op::Equal, &[largest, numbers])?;
    Ok(Some(vec![p.cast(hot, dtype)?]))
}

fn swiglu(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (gate, value) = (p.input(0)?, p.input(1)?);
    let alpha = p.node.attrs.float_or("alpha", 1.0);
    let gate = p.with(Op::Swish, &[gate], [("alpha", Attr::Float(alpha))])?;
    Ok(Some(vec![p.op(Op::Mul, &[gate, value])?]))
}

/// The first elements of each sequence are read backwards, as many as it is long.
fn reverse_sequence(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, lengths) = (p.input(0)?, p.input(1)?);
    let shape = p.shape(x);
    let (batch, time) =
        (p.site().axis("batch_axis", 1, shape.len())?, p.site().axis("time_axis", 0, shape.len())?);
    if batch == time {
        return p.refuse("batch_axis and time_axis are the same");
    }
    let rest = (0..shape.len()).filter(|a| *a != batch && *a != time);
    let perm: Vec<usize> = [batch, time].into_iter().chain(rest).collect();
    let (n, t) = (shape[batch] as i64, shape[time] as i64);
    let turned = p.transpose(x, &perm)?;
    let moved = p.shape(turned);
    let table = p.reshape(turned, &[(n * t) as usize, moved[2..].iter().product()])?;
    let lengths = p.cast(lengths, DType::I32)?;
    let lengths = p.reshape(lengths, &[n as usize, 1])?;
    let places = p.ints(DType::I32, &[1, t as usize], &(0..t).collect::<Vec<_>>());
    let inside = p.op(Op::Less, &[places, lengths])?;
    let last = p.by(Op::Sub, lengths, 1.0)?;
    let mirrored = p.op(Op::Sub, &[last, places])?;
    let from = p.op(Op::Where, &[inside, mirrored, places])?;
    let starts = p.ints(DType::I32, &[n as usize, 1], &(0..n).map(|i| i * t).collect::<Vec<_>>());
    let from = p.op(Op::Add, &[from, starts])?;
    let from = p.reshape(from, &[(n * t) as usize])?;
    let taken = p.rows(table, from)?;
    let taken = p.reshape(taken, &moved)?;
    let mut back = vec![0; perm.len()];
    perm.iter().enumerate().for_each(|(i, a)| back[*a] = i);
    Ok(Some(vec![p.transpose(taken, &back)?]))
}
