//! Encodings as text.

use super::constant::float;
use super::lex::Token;
use super::parse::Parser;
use super::{Detail, ParseError};
use crate::graph::Encoding;

/// `u8(0.5, 128)` and its like.
pub(super) fn print(encoding: &Encoding, detail: Detail) -> String {
    let Encoding { bits, signed, axis, block, scales, zero_points, shifts } = encoding;
    let mut parts = Vec::new();
    parts.extend(axis.map(|axis| format!("axis {axis}")));
    parts.extend((*block > 0).then(|| format!("block {block}")));
    let scales: Vec<String> = scales.iter().copied().map(float).collect();
    let zeros: Vec<String> = zero_points.iter().map(ToString::to_string).collect();
    let zero = zero_points.iter().all(|z| *z == 0) && zero_points.len() == scales.len();
    match (axis, &scales[..], &zeros[..]) {
        (None, [scale], [zero]) => {
            parts.push(scale.clone());
            parts.extend((zero != "0").then(|| zero.clone()));
        }
        _ => {
            parts.push(list(&scales, detail));
            parts.extend((!zero).then(|| list(&zeros, detail)));
        }
    }
    if !shifts.is_empty() {
        let shifts: Vec<String> = shifts.iter().copied().map(float).collect();
        parts.push(format!("shifts {}", list(&shifts, detail)));
    }
    format!("{}{bits}({})", if *signed { 'i' } else { 'u' }, parts.join(", "))
}

/// Lists up to this length are written item by item though all are equal.
const SHORT: usize = 8;

/// A list in brackets; `[0.5 x 40]` where many are equal, the first and `...` where there are too many.
pub(super) fn list(items: &[String], detail: Detail) -> String {
    match items {
        [first, ..] if items.len() > SHORT && items.iter().all(|item| item == first) => {
            format!("[{first} x {}]", items.len())
        }
        [first, ..] if items.len() > detail.most() => format!("[{first} ... x {}]", items.len()),
        _ => format!("[{}]", items.join(", ")),
    }
}

/// Reads what [`print`] writes.
pub(super) fn parse(parser: &mut Parser) -> Result<Encoding, ParseError> {
    let storage = parser.word("bits and sign of the stored integers, such as u8")?;
    let signed = storage.starts_with('i');
    let bits = storage.strip_prefix(['i', 'u']).and_then(|bits| bits.parse().ok());
    let bits = bits.ok_or_else(|| parser.behind(format!("{storage:?} is no storage such as u8 or i4")))?;
    let mut encoding = Encoding { bits, signed, ..Encoding::default() };
    parser.sign('(')?;
    if parser.keyword("axis") {
        encoding.axis = Some(parser.count("an axis")?);
        parser.sign(',')?;
    }
    if parser.keyword("block") {
        encoding.block = parser.count("elements of a block")?;
        parser.sign(',')?;
    }
    encoding.scales = numbers(parser, "a scale")?;
    encoding.zero_points = vec![0; encoding.scales.len()];
    while parser.comma() {
        if parser.keyword("shifts") {
            encoding.shifts = numbers(parser, "a shift")?;
        } else {
            encoding.zero_points = numbers(parser, "a zero point")?;
        }
    }
    parser.sign(')')?;
    Ok(encoding)
}

/// One number, or a list of them.
fn numbers<T: std::str::FromStr>(parser: &mut Parser, what: &str) -> Result<Vec<T>, ParseError> {
    let texts = match parser.peek() {
        Some(Token::Sign('[')) => parser.list(what)?,
        _ => vec![parser.number(what)?],
    };
    let read = |text: &String| text.parse().map_err(|_| parser.behind(format!("{text} is not {what}")));
    texts.iter().map(read).collect()
}
