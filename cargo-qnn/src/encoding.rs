//! Encodings as `inspect` and reports show them.

use qnn_types::quant::{self, Granularity};
use serde::Serialize;

/// How the values of a quantized tensor are to be read.
#[derive(Debug, Serialize)]
pub(crate) struct Encoding {
    /// `per-tensor`, `per-axis`, `per-block`, `block-expansion`, or the library's number of another kind.
    kind: String,
    /// Bits in use, where these are fewer than the storage has.
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    axis: Option<usize>,
    /// Elements of a block along the axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<usize>,
    /// Scale and offset of each slice, channel or block (one, when it is per-tensor): `real = (q + offset) * scale`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scale_offsets: Vec<(f32, i64)>,
}

impl Encoding {
    /// One of a kind that is not read.
    pub(crate) fn other(kind: String) -> Self {
        Self { kind, bits: None, axis: None, block: None, scale_offsets: Vec::new() }
    }

    /// In a few words.
    pub(crate) fn text(&self) -> String {
        let bits = self.bits.map_or(String::new(), |bits| format!("{bits}-bit "));
        match (self.scale_offsets.as_slice(), self.axis, self.block) {
            ([(scale, offset)], None, None) => format!("{bits}scale {scale} offset {offset}"),
            (list, Some(axis), None) => format!("{bits}{} scales along axis {axis}", list.len()),
            (list, Some(axis), Some(block)) => {
                format!("{bits}{} scales, blocks of {block} along axis {axis}", list.len())
            }
            _ => format!("{bits}{}", self.kind),
        }
    }
}

impl From<&quant::Encoding> for Encoding {
    fn from(encoding: &quant::Encoding) -> Self {
        let (kind, axis, block, zeros) = match encoding.granularity() {
            Granularity::PerTensor(_) => ("per-tensor", None, None, &[][..]),
            Granularity::PerAxis(slices) => ("per-axis", Some(slices.axis()), None, slices.zero_points()),
            Granularity::PerBlock(blocks) => {
                ("per-block", Some(blocks.axis()), Some(blocks.size()), blocks.zero_points())
            }
            Granularity::BlockExpansion(expansion) => {
                ("block-expansion", Some(expansion.axis()), Some(expansion.size()), &[][..])
            }
        };
        let zero = |at: usize| match encoding.per_tensor() {
            Some((_, zero)) => zero,
            None => zeros.get(at).copied().unwrap_or(0),
        };
        let each = |(at, &scale): (usize, &f32)| (scale, -i64::from(zero(at)));
        Self {
            kind: kind.to_owned(),
            bits: Some(encoding.bits()).filter(|bits| ![8, 16, 32].contains(bits)),
            axis,
            block,
            scale_offsets: encoding.scales().iter().enumerate().map(each).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use qnn_types::quant::Storage;

    use super::*;

    #[test]
    fn scales_are_counted_along_their_axis() {
        let text = |encoding: quant::Encoding| Encoding::from(&encoding).text();
        let one = quant::Encoding::new_per_tensor(Storage::U8, 0.5, 128).unwrap();
        assert_eq!(text(one), "scale 0.5 offset -128");
        let slices = quant::Encoding::new_per_axis(Storage::I4, 1, vec![0.5; 3], vec![]).unwrap();
        assert_eq!(text(slices), "4-bit 3 scales along axis 1");
        let blocks = quant::Encoding::new_per_block(Storage::I4, (1, 32), vec![0.5; 6], vec![], vec![]);
        assert_eq!(text(blocks.unwrap()), "4-bit 6 scales, blocks of 32 along axis 1");
    }

    #[test]
    fn json_is_what_it_was() {
        let one = quant::Encoding::new_per_tensor(Storage::U8, 0.5, 128).unwrap();
        let json = serde_json::to_string(&Encoding::from(&one)).unwrap();
        assert_eq!(json, r#"{"kind":"per-tensor","scale_offsets":[[0.5,-128]]}"#);
    }
}
