//! Quantization encodings of values.

/// How stored integers stand for real numbers: `real = (q - zero_point) * scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// Bits in use; at most the dtype's.
    pub bits: u8,
    /// Whether the stored integers are signed.
    pub signed: bool,
    /// Axis that `scales` runs along; `None` means per tensor.
    pub axis: Option<usize>,
    /// One scale per tensor, or one per slice along `axis`.
    pub scales: Vec<f32>,
    /// As many as `scales`.
    pub zero_points: Vec<i32>,
}
