//! Encodings as JSON has them.

use serde::{Deserialize, Serialize};

use super::{Encoding, Granularity, Invalid, Storage};

/// The form in which encodings are written and read; reading one goes through the constructors.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Described {
    bits: u8,
    signed: bool,
    #[serde(flatten)]
    scales: Scales,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "granularity", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
enum Scales {
    PerTensor {
        scale: f32,
        zero_point: i32,
    },
    PerAxis {
        axis: usize,
        scales: Vec<f32>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        zero_points: Vec<i32>,
    },
    PerBlock {
        axis: usize,
        block: usize,
        scales: Vec<f32>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        zero_points: Vec<i32>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        minimums: Vec<f32>,
    },
    BlockExpansion {
        channel_axis: usize,
        axis: usize,
        block: usize,
        scales: Vec<f32>,
        block_scale_bits: u8,
        block_scales: Vec<u16>,
    },
}

impl From<Encoding> for Described {
    fn from(encoding: Encoding) -> Self {
        let storage = encoding.storage();
        let scales = match encoding.granularity().clone() {
            Granularity::PerTensor(one) => Scales::PerTensor { scale: one.scale, zero_point: one.zero_point },
            Granularity::PerAxis(slices) => {
                let (axis, scales, zero_points) = (slices.axis, slices.scales, slices.zero_points);
                Scales::PerAxis { axis, scales, zero_points }
            }
            Granularity::PerBlock(blocks) => Scales::PerBlock {
                axis: blocks.axis,
                block: blocks.size,
                scales: blocks.scales,
                zero_points: blocks.zero_points,
                minimums: blocks.minimums,
            },
            Granularity::BlockExpansion(expansion) => Scales::BlockExpansion {
                channel_axis: expansion.channel_axis,
                axis: expansion.axis,
                block: expansion.size,
                scales: expansion.scales,
                block_scale_bits: expansion.block_scale_bits,
                block_scales: expansion.block_scales,
            },
        };
        Self { bits: storage.bits(), signed: storage.is_signed(), scales }
    }
}

impl TryFrom<Described> for Encoding {
    type Error = Invalid;

    fn try_from(described: Described) -> Result<Self, Invalid> {
        let storage = Storage::new(described.bits, described.signed)?;
        match described.scales {
            Scales::PerTensor { scale, zero_point } => Self::new_per_tensor(storage, scale, zero_point),
            Scales::PerAxis { axis, scales, zero_points } => {
                Self::new_per_axis(storage, axis, scales, zero_points)
            }
            Scales::PerBlock { axis, block, scales, zero_points, minimums } => {
                Self::new_per_block(storage, (axis, block), scales, zero_points, minimums)
            }
            Scales::BlockExpansion { channel_axis, axis, block, scales, block_scale_bits, block_scales } => {
                let along = (axis, block);
                Self::new_block_expansion(
                    storage,
                    channel_axis,
                    along,
                    scales,
                    block_scale_bits,
                    block_scales,
                )
            }
        }
    }
}
