//! Causal convolutions over time, with a state: their last inputs are carried from one call to the next.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::Attr;
use crate::infer::{Answer, dims, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] =
    &[row("CausalConvWithState", "Concat, Conv, Sigmoid and Mul, Slice; a state that is not empty", conv)];

fn conv(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let (x, weight) = (p.site().id(0)?, p.site().id(1)?);
    let (shape, kernel) = (p.shape(x), p.shape(weight));
    let (&[batch, channels, _], &[out, 1, width]) = (&shape[..], &kernel[..]) else {
        return invalid(format!("input {} with weight {}", dims(&shape), dims(&kernel)));
    };
    if out != channels || width == 0 {
        return invalid(format!("weight {} for {channels} channels", dims(&kernel)));
    }
    let before = width - 1;
    if before == 0 && p.outputs > 1 {
        return p.refuse("a kernel of one carries an empty state, and HTP has no empty tensors");
    }
    let past = match p.node.input(3) {
        _ if before == 0 => None,
        Some(past) => Some(past),
        None => {
            let zeros = vec![0.0; batch * channels * before];
            Some(p.floats(p.dtype(x), &[batch, channels, before], &zeros))
        }
    };
    let seen = match past {
        Some(past) => p.concat(&[past, x], 2)?,
        None => x,
    };
    let operands: Vec<_> = [Some(seen), Some(weight), p.node.input(2)].into_iter().flatten().collect();
    let mut y = p.with(Op::Conv, &operands, [("group", Attr::Int(channels as i64))])?;
    match p.node.attrs.str_or("activation", "none") {
        "none" => {}
        "silu" | "swish" => {
            let gate = p.op(Op::Sigmoid, &[y])?;
            y = p.op(Op::Mul, &[y, gate])?;
        }
        other => return invalid(format!("attribute activation is {other}")),
    }
    let mut values = vec![y];
    if p.outputs > 1 {
        let length = p.shape(seen)[2];
        values.push(p.range(seen, 2, length - before, length)?);
    }
    Ok(Some(values))
}
