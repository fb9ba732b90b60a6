//! Which elements share a scale.

/// Which elements share a scale, with the scales. Only [`Encoding`](super::Encoding)'s constructors make one.
#[derive(Clone, Debug, PartialEq)]
pub enum Granularity {
    /// All of them.
    PerTensor(PerTensor),
    /// Those of a slice along an axis.
    PerAxis(PerAxis),
    /// Those of a block along an axis.
    PerBlock(PerBlock),
    /// Those of a block along an axis, by the scale of their channel and an integer of the block (LPBQ).
    BlockExpansion(BlockExpansion),
}

/// One scale: `real = (q - zero_point) * scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerTensor {
    pub(super) scale: f32,
    pub(super) zero_point: i32,
}

/// A scale for each slice along an axis: `real = (q - zero_point) * scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct PerAxis {
    pub(super) axis: usize,
    pub(super) scales: Vec<f32>,
    /// As many, or none where all are zero.
    pub(super) zero_points: Vec<i32>,
}

/// A scale for each block of elements along an axis: `real = (q - zero_point) * scale + minimum`. Scales, zero points and minimums
/// are tensors, row-major, of the value's shape with the axis divided by the block's size.
#[derive(Clone, Debug, PartialEq)]
pub struct PerBlock {
    pub(super) axis: usize,
    pub(super) size: usize,
    pub(super) scales: Vec<f32>,
    /// As many, or none where all are zero.
    pub(super) zero_points: Vec<i32>,
    /// As many, or none where all are zero.
    pub(super) minimums: Vec<f32>,
}

/// A scale for each channel times an integer for each block of elements along another axis (LPBQ): `real = q * scale * block scale`.
/// Block scales are a tensor, row-major, of the value's shape with the axis divided by the block's size.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockExpansion {
    pub(super) channel_axis: usize,
    pub(super) axis: usize,
    pub(super) size: usize,
    pub(super) scales: Vec<f32>,
    pub(super) block_scale_bits: u8,
    pub(super) block_scales: Vec<u16>,
}

impl PerTensor {
    /// The step between two neighbouring integers.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The integer that stands for zero.
    pub fn zero_point(&self) -> i32 {
        self.zero_point
    }
}

impl PerAxis {
    /// The axis, from the outermost.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// One a slice.
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// One a slice; empty where all are zero.
    pub fn zero_points(&self) -> &[i32] {
        &self.zero_points
    }
}

impl PerBlock {
    /// The axis that blocks lie along, from the outermost.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// Elements of a block.
    pub fn size(&self) -> usize {
        self.size
    }

    /// One a block; finite and not zero, but of either sign, as llama.cpp's Q4_0 has them.
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// One a block; empty where all are zero.
    pub fn zero_points(&self) -> &[i32] {
        &self.zero_points
    }

    /// What is added to each real number, one a block; empty where all are zero.
    pub fn minimums(&self) -> &[f32] {
        &self.minimums
    }
}

impl BlockExpansion {
    /// The axis that has a scale a slice, from the outermost: output channels.
    pub fn channel_axis(&self) -> usize {
        self.channel_axis
    }

    /// The axis that blocks lie along, from the outermost.
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// Elements of a block.
    pub fn size(&self) -> usize {
        self.size
    }

    /// One a channel.
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Bits of a block's integer.
    pub fn block_scale_bits(&self) -> u8 {
        self.block_scale_bits
    }

    /// One a block, from 1 to 2 to the power of the bits.
    pub fn block_scales(&self) -> &[u16] {
        &self.block_scales
    }
}
