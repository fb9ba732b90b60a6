//! Formats of stored elements.

use crate::weights::Format;

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
