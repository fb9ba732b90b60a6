//! Einsum as transposes, sums and one matrix product.

use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::transpose::transposed;
use crate::lower::engine::{Lower, Ops, is_float};
use crate::lower::ops::matmul;
use crate::problem::node_problem;
use crate::program::TensorId;

/// An operand: its tensor, and the size and letter of each axis.
struct Term {
    tensor: TensorId,
    axes: Vec<(u8, usize)>,
}

impl Term {
    fn has(&self, letter: u8) -> bool {
        self.axes.iter().any(|(l, _)| *l == letter)
    }

    fn size(&self, letter: u8) -> usize {
        self.axes.iter().find(|(l, _)| *l == letter).map_or(1, |(_, d)| *d)
    }
}

/// Einsum of one or two operands, no letter twice in one of them.
pub(crate) fn einsum(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let equation: String = node.attrs.str_or("equation", "").split_whitespace().collect();
    let (operands, result) = match equation.split_once("->") {
        Some((operands, result)) => (operands.to_owned(), result.as_bytes().to_vec()),
        None => (equation.clone(), implicit(&equation)),
    };
    let mut terms = Vec::new();
    for (i, letters) in operands.split(',').enumerate() {
        terms.push(term(&mut ops, i, letters)?);
    }
    let repeated = (0..result.len()).any(|i| result[..i].contains(&result[i]));
    if repeated || !result.iter().all(u8::is_ascii_alphabetic) {
        return Err(refused(&ops, &equation));
    }
    let known = |letter: &u8| terms.iter().any(|t| t.has(*letter));
    if !result.iter().all(known) {
        return Err(refused(&ops, &equation));
    }
    let product = match &mut terms[..] {
        [only] => {
            let lonely: Vec<u8> = only.axes.iter().map(|(l, _)| *l).filter(|l| !result.contains(l)).collect();
            sum(&mut ops, only, &lonely)?;
            Term { tensor: only.tensor, axes: only.axes.clone() }
        }
        [a, b] => product(&mut ops, a, b, &result)?,
        _ => return Err(refused(&ops, &equation)),
    };
    let shape: Vec<usize> = product.axes.iter().map(|(_, d)| *d).collect();
    let perm: Vec<usize> =
        result.iter().filter_map(|l| product.axes.iter().position(|(own, _)| own == l)).collect();
    let y = transposed(&mut ops, product.tensor, &shape, &perm)?;
    ops.output(0, y)
}

/// Without an arrow the result has the letters that occur once, in the alphabet's order.
fn implicit(operands: &str) -> Vec<u8> {
    let mut letters: Vec<u8> = operands.bytes().filter(u8::is_ascii_alphabetic).collect();
    letters.sort_unstable();
    letters.iter().copied().filter(|l| letters.iter().filter(|m| *m == l).count() == 1).collect()
}

fn refused(ops: &Ops<'_, '_, '_>, equation: &str) -> Diagnostic {
    let mut p = node_problem("E0302", ops.node, format!("equation {equation:?} is not a matrix product"));
    p.help = Some(
        "one or two float operands are supported, without ellipsis and with each letter once an operand; \
         write the rest with MatMul, Transpose and ReduceSum"
            .to_owned(),
    );
    p
}

fn term(ops: &mut Ops<'_, '_, '_>, i: usize, letters: &str) -> Result<Term, Diagnostic> {
    let shape = ops.input_type(i)?.shape.clone();
    let letters = letters.as_bytes();
    let unique = (0..letters.len()).all(|k| !letters[..k].contains(&letters[k]));
    if letters.len() != shape.len() || !unique || !letters.iter().all(u8::is_ascii_alphabetic) {
        return Err(refused(ops, ops.node.attrs.str_or("equation", "")));
    }
    let tensor = ops.input(i)?;
    if !is_float(ops.dtype(tensor)) {
        return Err(ops.refuse("of integers has no HTP op"));
    }
    Ok(Term { tensor, axes: letters.iter().copied().zip(shape).collect() })
}

/// Sums over letters that are in no other place.
fn sum(ops: &mut Ops<'_, '_, '_>, term: &mut Term, letters: &[u8]) -> Result<(), Diagnostic> {
    if letters.is_empty() {
        return Ok(());
    }
    let kept: Vec<(u8, usize)> = term.axes.iter().copied().filter(|(l, _)| !letters.contains(l)).collect();
    let order: Vec<u8> = kept.iter().map(|(l, _)| *l).chain(letters.iter().copied()).collect();
    let (rows, columns): (usize, usize) =
        (kept.iter().map(|(_, d)| d).product(), letters.iter().map(|l| term.size(*l)).product());
    let flat = arranged(ops, term, &order)?;
    let flat = ops.reshape(flat, &[rows, columns]);
    let dtype = ops.dtype(flat);
    term.tensor = ops.step("ReduceSum", &[flat], dtype, &[rows, 1], |op| {
        op.u32s("axes", &[1], &[1]).bool("keep_dims", true)
    });
    term.axes = kept;
    Ok(())
}

/// The term with its axes in the order of these letters.
fn arranged(ops: &mut Ops<'_, '_, '_>, term: &Term, order: &[u8]) -> Result<TensorId, Diagnostic> {
    let shape: Vec<usize> = term.axes.iter().map(|(_, d)| *d).collect();
    let perm: Vec<usize> =
        order.iter().filter_map(|l| term.axes.iter().position(|(own, _)| own == l)).collect();
    transposed(ops, term.tensor, &shape, &perm)
}

/// (batch, rows, inner) times (batch, inner, columns).
fn product(ops: &mut Ops<'_, '_, '_>, a: &mut Term, b: &mut Term, result: &[u8]) -> Result<Term, Diagnostic> {
    let lonely = |own: &Term, other: &Term| -> Vec<u8> {
        own.axes.iter().map(|(l, _)| *l).filter(|l| !other.has(*l) && !result.contains(l)).collect()
    };
    let (of_a, of_b) = (lonely(a, b), lonely(b, a));
    sum(ops, a, &of_a)?;
    sum(ops, b, &of_b)?;
    let letters = |from: &Term, keep: &dyn Fn(u8) -> bool| -> Vec<u8> {
        from.axes.iter().map(|(l, _)| *l).filter(|l| keep(*l)).collect()
    };
    let batch = letters(a, &|l| b.has(l) && result.contains(&l));
    let inner = letters(a, &|l| b.has(l) && !result.contains(&l));
    let rows = letters(a, &|l| !b.has(l));
    let columns = letters(b, &|l| !a.has(l));
    let size = |of: &Term, letters: &[u8]| letters.iter().map(|l| of.size(*l)).product::<usize>();
    let (nb, nr, ni, nc) = (size(a, &batch), size(a, &rows), size(a, &inner), size(b, &columns));
    let left = arranged(ops, a, &[&batch[..], &rows, &inner].concat())?;
    let right = arranged(ops, b, &[&batch[..], &inner, &columns].concat())?;
    let left = ops.reshape(left, &[nb, nr, ni]);
    let right = ops.reshape(right, &[nb, ni, nc]);
    let tensor = matmul::of_operands(ops, (left, false), (right, false), &[nb, nr, nc])?;
    let axes = batch
        .iter()
        .chain(&rows)
        .map(|l| (*l, a.size(*l)))
        .chain(columns.iter().map(|l| (*l, b.size(*l))))
        .collect();
    Ok(Term { tensor, axes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equation_without_arrow_keeps_what_occurs_once() {
        assert_eq!(implicit("bij,bjk"), b"ik");
        assert_eq!(implicit("ba"), b"ab");
    }
}
