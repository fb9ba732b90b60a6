//! Formats of stored elements, and their numbers.

mod layout;

use std::ops::Range;

use qnn_types::quant::{Encoding, Invalid, Storage};

use crate::problem::Problem;
use crate::weights::{Format, Weight};
use layout::{Layout, half};

/// Name, elements of a block, bytes of a block.
const FORMATS: &[(Format, &str, usize, usize)] = &[
    (Format::F32, "F32", 1, 4),
    (Format::F16, "F16", 1, 2),
    (Format::BF16, "BF16", 1, 2),
    (Format::Q8_0, "Q8_0", 32, 34),
    (Format::Q4_0, "Q4_0", 32, 18),
    (Format::Q4_1, "Q4_1", 32, 20),
    (Format::Q5_0, "Q5_0", 32, 22),
    (Format::Q5_1, "Q5_1", 32, 24),
    (Format::Q4_K, "Q4_K", 256, 144),
    (Format::Q5_K, "Q5_K", 256, 176),
    (Format::Q6_K, "Q6_K", 256, 210),
];

impl Format {
    /// All formats.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|(format, ..)| *format)
    }

    fn row(self) -> (&'static str, usize, usize) {
        let row = FORMATS.iter().find(|(format, ..)| *format == self);
        row.map_or(("", 1, 1), |(_, name, block, bytes)| (name, *block, *bytes))
    }

    /// As users know it.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Elements of a block; 1 where each is stored by itself.
    pub fn block(self) -> usize {
        self.row().1
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        self.row().2
    }

    /// All names, for messages.
    pub(crate) fn names() -> String {
        FORMATS.iter().map(|(_, name, ..)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// Rows of a weight as integers, and what these mean: a scale for each block along a row, and a minimum where the format has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Unpacked {
    /// One for each element, rows one after another.
    pub q: Vec<i8>,
    /// Blocks along axis 1 of (rows, columns).
    pub encoding: Encoding,
}

/// The same while blocks are read.
struct Blocks {
    q: Vec<i8>,
    bits: u8,
    size: usize,
    scales: Vec<f32>,
    minimums: Vec<f32>,
}

impl Blocks {
    fn new(elements: usize) -> Self {
        Self { q: vec![0; elements], bits: 0, size: 0, scales: Vec::new(), minimums: Vec::new() }
    }

    /// Blocks of equal numbers may have a scale of zero, which no encoding has: their integers are zero then, at any scale.
    fn encoded(mut self) -> Result<Unpacked, Invalid> {
        for (at, scale) in self.scales.iter_mut().enumerate().filter(|(_, scale)| **scale == 0.0) {
            *scale = 1.0;
            self.q[at * self.size..][..self.size].fill(0);
        }
        let storage = Storage::new(self.bits, true)?;
        let along = (1, self.size);
        let encoding = Encoding::new_per_block(storage, along, self.scales, Vec::new(), self.minimums)?;
        Ok(Unpacked { q: self.q, encoding })
    }
}

/// Calls `$run` with a format's layout.
macro_rules! with_layout {
    ($format:expr, $run:ident($($argument:expr),*), $float:pat => $else:expr) => {
        match $format {
            Format::Q4_0 => $run::<layout::Q4_0, 18, 32, 1>($($argument),*),
            Format::Q4_1 => $run::<layout::Q4_1, 20, 32, 1>($($argument),*),
            Format::Q5_0 => $run::<layout::Q5_0, 22, 32, 1>($($argument),*),
            Format::Q5_1 => $run::<layout::Q5_1, 24, 32, 1>($($argument),*),
            Format::Q8_0 => $run::<layout::Q8_0, 34, 32, 1>($($argument),*),
            Format::Q4_K => $run::<layout::Q4K, 144, 256, 8>($($argument),*),
            Format::Q5_K => $run::<layout::Q5K, 176, 256, 8>($($argument),*),
            Format::Q6_K => $run::<layout::Q6K, 210, 256, 16>($($argument),*),
            $float => $else,
        }
    };
}

/// Rows of a weight as numbers, equal in every bit to what ggml makes of them. `out` is as long as the rows together.
///
/// A number or a scale that is not finite is an error that names the row.
pub fn dequantize_rows(weight: &Weight, rows: Range<usize>, out: &mut [f32]) -> Result<(), Problem> {
    let bytes = stored(weight, &rows)?;
    if out.len() != rows.len() * weight.columns {
        let message =
            format!("`{}`: room for {} numbers instead of {} rows", weight.name, out.len(), rows.len());
        return Err(Problem::config(message));
    }
    for (index, (bytes, out)) in
        by_row(weight, bytes).zip(out.chunks_exact_mut(weight.columns.max(1))).enumerate()
    {
        let finite = with_layout!(weight.format, blocks(bytes, out), Format::F32 | Format::F16 | Format::BF16 => {
            floats(weight.format, bytes, out)
        });
        if !finite {
            return Err(not_finite(weight, rows.start + index));
        }
    }
    Ok(())
}

/// Rows of a quantized weight as the integers that are stored, centered around zero.
///
/// A scale that is not finite is an error that names the row, and so is a weight of floats.
pub fn unpack_rows(weight: &Weight, rows: Range<usize>) -> Result<Unpacked, Problem> {
    let bytes = stored(weight, &rows)?;
    let elements = rows.len() * weight.columns;
    let mut unpacked = Blocks::new(elements);
    let first_bad = with_layout!(weight.format, unpack(bytes, &mut unpacked), _ => {
        let message = format!("`{}` is of the type {}, which has no blocks", weight.name, weight.format.name());
        return Err(Problem::config(message));
    });
    match first_bad {
        None => unpacked.encoded().map_err(|why| Problem::config(format!("`{}` has {why}", weight.name))),
        Some(element) => Err(not_finite(weight, rows.start + element / weight.columns.max(1))),
    }
}

/// The stored bytes of rows.
fn stored<'a>(weight: &'a Weight, rows: &Range<usize>) -> Result<&'a [u8], Problem> {
    let row = row_bytes(weight);
    let range = rows.start.checked_mul(row).zip(rows.end.checked_mul(row));
    let bytes =
        range.and_then(|(start, end)| weight.data.get(start..end)).filter(|_| rows.end <= weight.rows);
    bytes.filter(|_| weight.columns.is_multiple_of(weight.format.block())).ok_or_else(|| {
        let message = format!(
            "`{}` has {} rows of {} in {} bytes, and rows {} to {} were asked for",
            weight.name,
            weight.rows,
            weight.columns,
            weight.data.len(),
            rows.start,
            rows.end
        );
        Problem::config(message)
    })
}

fn row_bytes(weight: &Weight) -> usize {
    (weight.columns / weight.format.block()).saturating_mul(weight.format.block_bytes())
}

fn by_row<'a>(weight: &Weight, bytes: &'a [u8]) -> std::slice::ChunksExact<'a, u8> {
    bytes.chunks_exact(row_bytes(weight).max(1))
}

fn not_finite(weight: &Weight, row: usize) -> Problem {
    Problem::damaged(format!("`{}` holds a scale or number that is not finite in row {row}", weight.name))
        .note("a model with such a weight computes nothing but NaN")
        .help("fetch or convert the file again")
}

/// Blocks whose integers are unpacked before they are scaled. One at a time, the compiler would keep its integers in
/// registers, one by one.
const BATCH: usize = 16;

/// Numbers of blocks; whether all are finite.
fn blocks<L: Layout<BYTES, ELEMENTS, RUNS>, const BYTES: usize, const ELEMENTS: usize, const RUNS: usize>(
    bytes: &[u8],
    out: &mut [f32],
) -> bool {
    let mut finite = true;
    let mut batch = [[0; ELEMENTS]; BATCH];
    let (blocks, out) = (bytes.as_chunks::<BYTES>().0, out.as_chunks_mut::<ELEMENTS>().0);
    for (blocks, out) in blocks.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
        blocks.iter().zip(&mut batch).for_each(|(block, q)| L::quants(block, q));
        for ((block, q), out) in blocks.iter().zip(&batch).zip(out) {
            let factors = L::factors(block);
            let runs = out.chunks_exact_mut(ELEMENTS / RUNS).zip(q.chunks_exact(ELEMENTS / RUNS));
            for ((out, q), (scale, minimum)) in runs.zip(factors.scales.into_iter().zip(factors.minimums)) {
                finite &= scale.is_finite() & minimum.is_finite();
                for (out, q) in out.iter_mut().zip(q) {
                    *out = match L::CENTER {
                        Some(center) => f32::from(q + center) * scale + minimum,
                        None => f32::from(*q) * scale,
                    };
                }
            }
        }
    }
    finite
}

fn floats(format: Format, bytes: &[u8], out: &mut [f32]) -> bool {
    match format {
        Format::F32 => {
            let words = bytes.as_chunks::<4>().0;
            out.iter_mut().zip(words).for_each(|(out, bytes)| *out = f32::from_le_bytes(*bytes));
        }
        Format::F16 => {
            let words = bytes.as_chunks::<2>().0;
            out.iter_mut().zip(words).for_each(|(out, bytes)| *out = half(u16::from_le_bytes(*bytes)));
        }
        _ => {
            let words = bytes.as_chunks::<2>().0;
            let wide = |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16);
            out.iter_mut().zip(words).for_each(|(out, bytes)| *out = wide(*bytes));
        }
    }
    out.iter().fold(true, |finite, number| finite & number.is_finite())
}

/// Unpacks blocks; the first element whose factors are not finite, if there is one.
fn unpack<L: Layout<BYTES, ELEMENTS, RUNS>, const BYTES: usize, const ELEMENTS: usize, const RUNS: usize>(
    bytes: &[u8],
    unpacked: &mut Blocks,
) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<BYTES>();
    (unpacked.bits, unpacked.size) = (L::BITS, ELEMENTS / RUNS);
    unpacked.scales = vec![0.0; blocks.len() * RUNS];
    if L::CENTER.is_some() {
        unpacked.minimums = vec![0.0; blocks.len() * RUNS];
    }
    let (scales, _) = unpacked.scales.as_chunks_mut::<RUNS>();
    let (minimums, _) = unpacked.minimums.as_chunks_mut::<RUNS>();
    let mut minimums = minimums.iter_mut();
    let mut bad = None;
    let places = unpacked.q.as_chunks_mut::<ELEMENTS>().0.iter_mut().zip(scales);
    for (index, (block, (q, scales))) in blocks.iter().zip(places).enumerate() {
        L::quants(block, q);
        let factors = L::factors(block);
        *scales = factors.scales;
        let mut finite = factors.scales.iter().fold(true, |finite, scale| finite & scale.is_finite());
        if let (Some(center), Some(minimums)) = (L::CENTER, minimums.next()) {
            for (lowest, (scale, minimum)) in
                minimums.iter_mut().zip(factors.scales.into_iter().zip(factors.minimums))
            {
                *lowest = minimum + f32::from(center) * scale;
                finite &= lowest.is_finite();
            }
        }
        if !finite {
            bad = bad.or(Some(index * ELEMENTS));
        }
    }
    bad
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_row() {
        for format in Format::all() {
            assert_eq!(format!("{format:?}"), format.name());
        }
        assert_eq!(Format::all().count(), Format::Q6_K as usize + 1);
    }
}
