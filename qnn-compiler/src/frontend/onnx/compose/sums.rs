//! Einsum that needs more than one matrix product.

use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{Attr, DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[row(
    "Einsum",
    "of more than two operands, with ellipsis or diagonals: Gather, and Einsum of pairs",
    einsum,
)];

/// An operand and the letter of each axis.
#[derive(Clone)]
struct Term {
    id: ValueId,
    letters: Vec<u8>,
}

/// Letters that stand for the axes of an ellipsis, the innermost first.
const HIDDEN: &[u8] = b"0123456789";

fn einsum(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let equation: String = p.node.attrs.str_or("equation", "").split_whitespace().collect();
    let (operands, result) = match equation.split_once("->") {
        Some((operands, result)) => (operands.to_owned(), Some(result.to_owned())),
        None => (equation.clone(), None),
    };
    let listed: Vec<&str> = operands.split(',').collect();
    let diagonal =
        |text: &str| text.bytes().enumerate().any(|(i, l)| l != b'.' && text.as_bytes()[..i].contains(&l));
    if listed.len() <= 2 && !equation.contains('.') && !listed.iter().any(|text| diagonal(text)) {
        return Ok(None);
    }
    let mut terms = Vec::new();
    let mut hidden = 0;
    for (i, text) in listed.iter().enumerate() {
        let id = p.input(i)?;
        let (letters, own) = spelled(text, p.shape(id).len())?;
        hidden = hidden.max(own);
        terms.push(Term { id, letters });
    }
    let result = match result {
        Some(text) => spelled(&text, hidden + text.bytes().filter(|l| *l != b'.').count())?.0,
        None => implicit(&terms, hidden),
    };
    for term in &mut terms {
        without_diagonals(p, term)?;
    }
    without_units(p, &mut terms)?;
    let mut rest = terms.into_iter();
    let Some(mut sum) = rest.next() else { return invalid("it has no operands") };
    let rest: Vec<Term> = rest.collect();
    for i in 0..rest.len() {
        let later = |l: &u8| result.contains(l) || rest[i + 1..].iter().any(|t| t.letters.contains(l));
        let mut kept: Vec<u8> = sum.letters.iter().chain(&rest[i].letters).copied().filter(later).collect();
        let mut seen = Vec::new();
        kept.retain(|l| {
            !seen.contains(l) && {
                seen.push(*l);
                true
            }
        });
        let kept = if i + 1 == rest.len() { result.clone() } else { kept };
        sum = paired(p, &[sum.clone(), rest[i].clone()], kept)?;
    }
    if rest.is_empty() {
        sum = paired(p, &[sum], result.clone())?;
    }
    Ok(Some(vec![sum.id]))
}

/// The letters of each of `rank` axes, and how many of them an ellipsis stands for.
fn spelled(text: &str, rank: usize) -> Answer<(Vec<u8>, usize)> {
    let Some((before, after)) = text.split_once("...") else { return Ok((text.bytes().collect(), 0)) };
    let hidden = rank.checked_sub(before.len() + after.len()).filter(|h| *h <= HIDDEN.len());
    let Some(hidden) = hidden else { return invalid(format!("'{text}' for {rank} axes")) };
    Ok((
        [before.as_bytes(), &HIDDEN.iter().take(hidden).rev().copied().collect::<Vec<_>>(), after.as_bytes()]
            .concat(),
        hidden,
    ))
}

/// Without an arrow: the axes of the ellipsis, then the letters that occur once, in the alphabet's order.
fn implicit(terms: &[Term], hidden: usize) -> Vec<u8> {
    let all: Vec<u8> = terms.iter().flat_map(|t| t.letters.iter().copied()).collect();
    let mut once: Vec<u8> = all
        .iter()
        .copied()
        .filter(|l| l.is_ascii_alphabetic() && all.iter().filter(|m| *m == l).count() == 1)
        .collect();
    once.sort_unstable();
    [HIDDEN.iter().take(hidden).rev().copied().collect::<Vec<_>>(), once].concat()
}

/// Takes the diagonal of axes that share a letter.
fn without_diagonals(p: &mut Parts<'_, '_>, term: &mut Term) -> Answer<()> {
    loop {
        let twice = (0..term.letters.len())
            .find_map(|b| term.letters[..b].iter().position(|l| *l == term.letters[b]).map(|a| (a, b)));
        let Some((a, b)) = twice else { return Ok(()) };
        let shape = p.shape(term.id);
        let n = shape[a];
        if shape.get(b) != Some(&n) {
            return invalid(format!("axes {a} and {b} of an operand share a letter and differ"));
        }
        let rest: Vec<usize> = (0..shape.len()).filter(|i| *i != a && *i != b).collect();
        let perm: Vec<usize> = rest.iter().copied().chain([a, b]).collect();
        let turned = p.transpose(term.id, &perm)?;
        let outer: Vec<usize> = rest.iter().map(|i| shape[*i]).collect();
        let flat = p.reshape(turned, &[&outer[..], &[n * n]].concat())?;
        let places: Vec<i64> = (0..n).map(|i| (i * (n + 1)) as i64).collect();
        let places = p.ints(DType::I64, &[n], &places);
        term.id = p.with(Op::Gather, &[flat, places], [("axis", Attr::Int(outer.len() as i64))])?;
        let letter = term.letters[a];
        term.letters = rest.iter().map(|i| term.letters[*i]).chain([letter]).collect();
    }
}

/// Drops axes of one element that broadcast against longer ones of the same letter.
fn without_units(p: &mut Parts<'_, '_>, terms: &mut [Term]) -> Answer<()> {
    let longer: Vec<u8> = terms
        .iter()
        .flat_map(|t| t.letters.iter().copied().zip(p.shape(t.id)))
        .filter(|(_, extent)| *extent > 1)
        .map(|(l, _)| l)
        .collect();
    for term in terms {
        let shape = p.shape(term.id);
        let kept: Vec<usize> =
            (0..shape.len()).filter(|i| shape[*i] > 1 || !longer.contains(&term.letters[*i])).collect();
        term.id = p.reshape(term.id, &kept.iter().map(|i| shape[*i]).collect::<Vec<_>>())?;
        term.letters = kept.iter().map(|i| term.letters[*i]).collect();
    }
    Ok(())
}

/// One or two operands as an Einsum of plain letters.
fn paired(p: &mut Parts<'_, '_>, terms: &[Term], result: Vec<u8>) -> Answer<Term> {
    let mut names: Vec<u8> = Vec::new();
    let mut spell = |letters: &[u8]| -> String {
        letters
            .iter()
            .map(|l| {
                let at = names.iter().position(|n| n == l).unwrap_or_else(|| {
                    names.push(*l);
                    names.len() - 1
                });
                char::from(b'a' + at as u8)
            })
            .collect()
    };
    let operands: Vec<String> = terms.iter().map(|t| spell(&t.letters)).collect();
    let equation = format!("{}->{}", operands.join(","), spell(&result));
    let inputs: Vec<ValueId> = terms.iter().map(|t| t.id).collect();
    let id = p.with(Op::Einsum, &inputs, [("equation", Attr::Str(equation))])?;
    Ok(Term { id, letters: result })
}
