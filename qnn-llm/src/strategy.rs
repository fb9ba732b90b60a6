//! The encoding that a weight gets on the HTP, by its stored format, the SoC's architecture and the requested strategy.

use serde::Serialize;

use crate::deployment::Strategy;
use crate::weights::Format;

/// How the HTP gets a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum WeightFormat {
    /// 16-bit floats.
    Fp16,
    /// Integers with a float scale and a float offset for each block of a row (`BW_FLOAT_BLOCK`).
    FloatBlock {
        /// Bits of an integer: 4 or 8.
        bits: u32,
        /// Elements of a block.
        block: usize,
    },
    /// 8-bit integers with a scale for each row (`AXIS_SCALE_OFFSET`).
    AxisInt8,
    /// 4-bit integers with a scale for each row (`BW_AXIS_SCALE_OFFSET`).
    AxisInt4,
}

/// A decision, and what to say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// How the HTP gets the weight.
    #[serde(rename = "encoding")]
    pub format: WeightFormat,
    /// Whether it computes with the numbers of the file, but for rounding of scales (or of the numbers) to fp16.
    pub exact: bool,
    /// Why.
    pub why: String,
}

/// The first architecture with encodings in blocks; measured by op validation on v68 to v81.
const FIRST_WITH_BLOCKS: u32 = 69;

const fn blocks(bits: u32, block: usize) -> WeightFormat {
    WeightFormat::FloatBlock { bits, block }
}

/// What `native` makes of each format, whether that is exact, and why.
const NATIVE: &[(Format, WeightFormat, bool, &str)] = &[
    (Format::Q4_0, blocks(4, 32), true, "the file's own blocks; scales are fp16 already"),
    (
        Format::Q4_1,
        blocks(4, 32),
        true,
        "the file's own blocks; scales are fp16 already, minimums are rounded",
    ),
    (Format::Q8_0, blocks(8, 32), true, "the file's own blocks; scales are fp16 already"),
    (
        Format::Q4_K,
        blocks(4, 32),
        true,
        "the file's own blocks of 32; the product of both scales is rounded to fp16",
    ),
    (
        Format::Q5_0,
        blocks(8, 32),
        true,
        "widened: HTP has no blocks of 5 bits, and 8 bits hold them; larger than the file",
    ),
    (
        Format::Q5_1,
        blocks(8, 32),
        true,
        "widened: HTP has no blocks of 5 bits, and 8 bits hold them; larger than the file",
    ),
    (
        Format::Q5_K,
        blocks(8, 32),
        true,
        "widened: HTP has no blocks of 5 bits, and 8 bits hold them; larger than the file",
    ),
    (
        Format::Q6_K,
        blocks(8, 16),
        true,
        "widened: HTP has no blocks of 6 bits, and 8 bits hold them; larger than the file",
    ),
    (Format::F16, WeightFormat::Fp16, true, "fp16 as in the file"),
    (Format::BF16, WeightFormat::Fp16, false, "rounded to fp16, which has more digits and less range"),
    (Format::F32, WeightFormat::Fp16, false, "rounded to fp16"),
];

/// What becomes of a weight of this format on an HTP of architecture `arch` (75 for v75).
pub fn choose(strategy: Strategy, format: Format, arch: u32) -> Choice {
    let choice = |format, exact, why: &str| Choice { format, exact, why: why.to_owned() };
    match strategy {
        Strategy::FloatFallback => choice(
            WeightFormat::Fp16,
            format == Format::F16,
            "`float-fallback`: dequantized and rounded to fp16",
        ),
        Strategy::RequantizeInt8 => choice(
            WeightFormat::AxisInt8,
            false,
            "`requantize-int8`: dequantized, then 8 bits with a scale for each row",
        ),
        Strategy::RequantizeInt4 => choice(
            WeightFormat::AxisInt4,
            false,
            "`requantize-int4`: dequantized, then 4 bits with a scale for each row",
        ),
        Strategy::Auto | Strategy::Native => {
            let row = NATIVE.iter().find(|(known, ..)| *known == format);
            let (_, encoding, exact, why) =
                row.copied().unwrap_or((format, WeightFormat::Fp16, false, "rounded to fp16"));
            let in_blocks = matches!(encoding, WeightFormat::FloatBlock { .. });
            if in_blocks && arch < FIRST_WITH_BLOCKS {
                let why = format!(
                    "v{arch} has no encodings in blocks (v{FIRST_WITH_BLOCKS} and later have): dequantized, then 8 bits with a scale for each row"
                );
                return Choice { format: WeightFormat::AxisInt8, exact: false, why };
            }
            choice(encoding, exact, why)
        }
    }
}

/// Bits that a weight takes on the HTP, its scales and offsets as fp16 included.
pub fn bits_per_weight(format: WeightFormat) -> f64 {
    match format {
        WeightFormat::Fp16 => 16.0,
        WeightFormat::FloatBlock { bits, block } => f64::from(bits) + 32.0 / block as f64,
        WeightFormat::AxisInt8 => 8.0,
        WeightFormat::AxisInt4 => 4.0,
    }
}

impl std::fmt::Display for WeightFormat {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fp16 => out.write_str("fp16"),
            Self::FloatBlock { bits, block } => write!(out, "int{bits} per block of {block}"),
            Self::AxisInt8 => out.write_str("int8 per row"),
            Self::AxisInt4 => out.write_str("int4 per row"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_row() {
        for format in Format::all() {
            assert_eq!(NATIVE.iter().filter(|(known, ..)| *known == format).count(), 1, "{format:?}");
        }
    }

    #[test]
    fn blocks_are_kept_where_the_soc_has_them() {
        let native = choose(Strategy::Auto, Format::Q4_0, 75);
        assert_eq!((native.format, native.exact), (blocks(4, 32), true));
        assert_eq!(choose(Strategy::Auto, Format::Q6_K, 69).format, blocks(8, 16));
        let v68 = choose(Strategy::Auto, Format::Q4_0, 68);
        assert_eq!((v68.format, v68.exact), (WeightFormat::AxisInt8, false));
        assert!(v68.why.contains("v68"));
        // Floats need no blocks.
        assert_eq!(choose(Strategy::Auto, Format::F16, 68).format, WeightFormat::Fp16);
        assert_eq!(choose(Strategy::RequantizeInt4, Format::Q8_0, 75).format, WeightFormat::AxisInt4);
        assert_eq!(choose(Strategy::FloatFallback, Format::Q8_0, 75).format, WeightFormat::Fp16);
    }
}
