//! Encodings as text.

use super::constant::float;
use super::lex::Token;
use super::parse::Parser;
use super::{Detail, ParseError};
use crate::graph::Encoding;
use qnn_types::quant::{Granularity, Storage};

/// `u8(0.5, 128)` and its like.
pub(super) fn print(encoding: &Encoding, detail: Detail) -> String {
    let floats = |all: &[f32]| list(&all.iter().copied().map(float).collect::<Vec<_>>(), detail);
    let zeros = |all: &[i32]| {
        let zeros: Vec<String> = all.iter().map(ToString::to_string).collect();
        (!all.is_empty()).then(|| list(&zeros, detail))
    };
    let mut parts = Vec::new();
    match encoding.granularity() {
        Granularity::PerTensor(one) => {
            parts.push(float(one.scale()));
            parts.extend((one.zero_point() != 0).then(|| one.zero_point().to_string()));
        }
        Granularity::PerAxis(slices) => {
            parts.extend([format!("axis {}", slices.axis()), floats(slices.scales())]);
            parts.extend(zeros(slices.zero_points()));
        }
        Granularity::PerBlock(blocks) => {
            parts.extend([format!("axis {}", blocks.axis()), format!("block {}", blocks.size())]);
            parts.push(floats(blocks.scales()));
            parts.extend(zeros(blocks.zero_points()));
            let minimums = blocks.minimums();
            parts.extend((!minimums.is_empty()).then(|| format!("minimums {}", floats(minimums))));
        }
        Granularity::BlockExpansion(blocks) => {
            parts.extend([format!("axis {}", blocks.axis()), format!("block {}", blocks.size())]);
            let scales: Vec<String> = blocks.block_scales().iter().map(ToString::to_string).collect();
            parts.extend([list(&scales, detail), format!("bits {}", blocks.block_scale_bits())]);
            parts.push(format!("channels {} {}", blocks.channel_axis(), floats(blocks.scales())));
        }
    }
    let storage = encoding.storage();
    format!("{}{}({})", if storage.is_signed() { 'i' } else { 'u' }, storage.bits(), parts.join(", "))
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
    let word = parser.word("bits and sign of the stored integers, such as u8")?;
    let bits = word.strip_prefix(['i', 'u']).and_then(|bits| bits.parse().ok());
    let storage = bits.and_then(|bits| Storage::new(bits, word.starts_with('i')).ok());
    let storage = storage.ok_or_else(|| parser.behind(format!("{word:?} is no storage such as u8 or i4")))?;
    parser.sign('(')?;
    let axis: Option<usize> = if parser.keyword("axis") { Some(parser.count("an axis")?) } else { None };
    if axis.is_some() {
        parser.sign(',')?;
    }
    let block = if parser.keyword("block") { Some(parser.count("elements of a block")?) } else { None };
    if block.is_some() {
        parser.sign(',')?;
    }
    let scales: Vec<f32> = numbers(parser, "a scale")?;
    let (mut zeros, mut minimums, mut expansion) = (Vec::new(), Vec::new(), None);
    while parser.comma() {
        if parser.keyword("minimums") {
            minimums = numbers(parser, "a minimum")?;
        } else if parser.keyword("bits") {
            let bits: u8 = parser.count("bits of a block's scale")?;
            parser.sign(',')?;
            if !parser.keyword("channels") {
                return Err(parser.behind("the axis of channels and their scales are expected"));
            }
            expansion = Some((bits, parser.count("an axis")?, numbers(parser, "a scale")?));
        } else {
            zeros = numbers(parser, "a zero point")?;
        }
    }
    parser.sign(')')?;
    let made = match (axis, block, expansion) {
        (Some(axis), Some(size), Some((bits, channels, of_channels))) => {
            let block_scales = scales.iter().map(|scale| *scale as u16).collect();
            Encoding::new_block_expansion(storage, channels, (axis, size), of_channels, bits, block_scales)
        }
        (Some(axis), Some(size), None) => {
            Encoding::new_per_block(storage, (axis, size), scales, zeros, minimums)
        }
        (Some(axis), None, None) => Encoding::new_per_axis(storage, axis, scales, zeros),
        (None, None, None) if scales.len() == 1 => {
            Encoding::new_per_tensor(storage, scales[0], zeros.first().copied().unwrap_or(0))
        }
        _ => return Err(parser.behind("an axis is expected for more than one scale")),
    };
    made.map_err(|why| parser.behind(why.to_string()))
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
