//! Tensor types by their number in GGUF files.

use crate::weights::Format;

/// A type whose size is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    number: u32,
    pub(super) name: &'static str,
    /// Elements of a block.
    pub(super) block: u64,
    /// Bytes of a block.
    pub(super) bytes: u64,
    pub(super) format: Option<Format>,
}

const fn row(number: u32, name: &'static str, block: u64, bytes: u64, format: Option<Format>) -> Row {
    Row { number, name, block, bytes, format }
}

const ROWS: &[Row] = &[
    row(0, "F32", 1, 4, Some(Format::F32)),
    row(1, "F16", 1, 2, Some(Format::F16)),
    row(2, "Q4_0", 32, 18, Some(Format::Q4_0)),
    row(3, "Q4_1", 32, 20, Some(Format::Q4_1)),
    row(6, "Q5_0", 32, 22, Some(Format::Q5_0)),
    row(7, "Q5_1", 32, 24, Some(Format::Q5_1)),
    row(8, "Q8_0", 32, 34, Some(Format::Q8_0)),
    row(9, "Q8_1", 32, 36, None),
    row(10, "Q2_K", 256, 84, None),
    row(11, "Q3_K", 256, 110, None),
    row(12, "Q4_K", 256, 144, Some(Format::Q4_K)),
    row(13, "Q5_K", 256, 176, Some(Format::Q5_K)),
    row(14, "Q6_K", 256, 210, Some(Format::Q6_K)),
    row(15, "Q8_K", 256, 292, None),
    row(16, "IQ2_XXS", 256, 66, None),
    row(17, "IQ2_XS", 256, 74, None),
    row(18, "IQ3_XXS", 256, 98, None),
    row(19, "IQ1_S", 256, 50, None),
    row(20, "IQ4_NL", 32, 18, None),
    row(21, "IQ3_S", 256, 110, None),
    row(22, "IQ2_S", 256, 82, None),
    row(23, "IQ4_XS", 256, 136, None),
    row(24, "I8", 1, 1, None),
    row(25, "I16", 1, 2, None),
    row(26, "I32", 1, 4, None),
    row(27, "I64", 1, 8, None),
    row(28, "F64", 1, 8, None),
    row(29, "IQ1_M", 256, 56, None),
    row(30, "BF16", 1, 2, Some(Format::BF16)),
    row(34, "TQ1_0", 256, 54, None),
    row(35, "TQ2_0", 256, 66, None),
    row(39, "MXFP4", 32, 17, None),
    row(40, "NVFP4", 64, 36, None),
    row(41, "Q1_0", 128, 18, None),
];

pub(super) fn find(number: u32) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.number == number)
}

/// The number of a format.
pub(super) fn number(format: Format) -> u32 {
    ROWS.iter().find(|row| row.format == Some(format)).map_or(u32::MAX, |row| row.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_large_as_their_format_says() {
        for row in ROWS {
            if let Some(format) = row.format {
                assert_eq!(
                    (row.block, row.bytes),
                    (format.block() as u64, format.block_bytes() as u64),
                    "{}",
                    row.name
                );
                assert_eq!(format.name(), row.name);
            }
        }
    }
}
