//! Encodings as the vendor's library takes and gives them.

use qnn::{DataType, Quant, TensorInfo};

use crate::graph::{Encoding, Granularity, Storage};

/// The type of a tensor of such integers: fewer bits take the room of more. `None` for more than 16 unsigned bits.
pub fn stored_type(storage: Storage) -> Option<DataType> {
    Some(match (storage.bits(), storage.is_signed()) {
        (..=8, false) => DataType::UFixed8,
        (..=8, true) => DataType::SFixed8,
        (..=16, false) => DataType::UFixed16,
        (..=16, true) => DataType::SFixed16,
        (_, true) => DataType::SFixed32,
        (_, false) => return None,
    })
}

/// An encoding of a tensor of this shape, whose output channels are along an axis, as the library takes it; `None` for what it has no
/// form of, or of another shape.
pub fn quant(encoding: &Encoding, shape: &[usize], channel_axis: usize) -> Option<Quant> {
    encoding.fits(shape).ok()?;
    stored_type(encoding.storage())?;
    let bits = u32::from(encoding.bits());
    // Widths that are said beside the scale are those of fewer than 8 bits.
    let narrow = bits < 8;
    let offset = |zero: &i32| zero.checked_neg();
    Some(match encoding.granularity() {
        Granularity::PerTensor(one) => {
            let (scale, offset) = (one.scale(), offset(&one.zero_point())?);
            if narrow { Quant::BitWidth { bits, scale, offset } } else { Quant::PerTensor { scale, offset } }
        }
        Granularity::PerAxis(slices) => {
            let zeros = slices.zero_points();
            let offsets: Vec<i32> = match zeros.is_empty() {
                true => vec![0; slices.scales().len()],
                false => zeros.iter().map(offset).collect::<Option<_>>()?,
            };
            let scale_offsets = slices.scales().iter().copied().zip(offsets).collect();
            let axis = u32::try_from(slices.axis()).ok()?;
            match narrow {
                true => Quant::BitWidthPerAxis { bits, axis, scale_offsets },
                false => Quant::PerAxis { axis, scale_offsets },
            }
        }
        Granularity::PerBlock(blocks) => {
            let each = |(at, &scale): (usize, &f32)| {
                let zero = blocks.zero_points().get(at).map_or(0, |&zero| zero) as f32;
                let minimum = blocks.minimums().get(at).copied().unwrap_or(0.0);
                (scale, minimum / scale - zero)
            };
            let row_major: Vec<(f32, f32)> = blocks.scales().iter().enumerate().map(each).collect();
            let mut extents = vec![1; shape.len()];
            extents[blocks.axis()] = u32::try_from(blocks.size()).ok()?;
            let by_channel = by_channel(row_major, shape, channel_axis, (blocks.axis(), blocks.size()))?;
            Quant::FloatBlocks { bits, block: extents, scale_offsets: by_channel.into() }
        }
        Granularity::BlockExpansion(expansion) => {
            let row_major: Vec<u8> =
                expansion.block_scales().iter().map(|&s| u8::try_from(s).ok()).collect::<Option<_>>()?;
            let along = (expansion.axis(), expansion.size());
            let by_channel = by_channel(row_major, shape, expansion.channel_axis(), along)?;
            Quant::BlockExpansion {
                axis: u32::try_from(expansion.channel_axis()).ok()?,
                scales: expansion.scales().to_vec(),
                block_scale_bits: u32::from(expansion.block_scale_bits()),
                block_scales: by_channel.into(),
            }
        }
    })
}

/// What blocks have, row-major, in the library's order: channel by channel, the blocks of a channel in order. `None` where other axes
/// than these two have more than one element: nobody has seen their order.
fn by_channel<T: Copy>(
    row_major: Vec<T>,
    shape: &[usize],
    channel_axis: usize,
    (axis, size): (usize, usize),
) -> Option<Vec<T>> {
    let (channels, blocks) = (*shape.get(channel_axis)?, shape.get(axis)?.div_ceil(size));
    if channel_axis == axis || row_major.len() != channels * blocks {
        return None;
    }
    if channel_axis < axis {
        return Some(row_major);
    }
    let places = (0..channels).flat_map(|channel| (0..blocks).map(move |block| block * channels + channel));
    places.map(|at| row_major.get(at).copied()).collect()
}

/// The encoding of a tensor at a graph's edge, as a binary describes it; `None` where it has none, or one of a kind that is not read.
pub fn described(info: &TensorInfo) -> Option<Encoding> {
    let (bits, signed) = match info.dtype {
        DataType::UFixed8 => (8, false),
        DataType::SFixed8 => (8, true),
        DataType::UFixed16 => (16, false),
        DataType::SFixed16 => (16, true),
        DataType::SFixed32 => (32, true),
        _ => return None,
    };
    let of = |bits: u32| Storage::new(u8::try_from(bits).ok()?, signed).ok();
    let axis_of = |axis: u32, list: &[(f32, i32)], storage: Storage| {
        let scales = list.iter().map(|(scale, _)| *scale).collect();
        let zeros = list.iter().map(|(_, offset)| offset.checked_neg()).collect::<Option<_>>()?;
        Encoding::new_per_axis(storage, axis as usize, scales, zeros).ok()
    };
    let encoding = match &info.quant {
        Quant::PerTensor { scale, offset } => {
            Encoding::new_per_tensor(of(bits)?, *scale, offset.checked_neg()?).ok()
        }
        Quant::BitWidth { bits, scale, offset } => {
            Encoding::new_per_tensor(of(*bits)?, *scale, offset.checked_neg()?).ok()
        }
        Quant::PerAxis { axis, scale_offsets } => axis_of(*axis, scale_offsets, of(bits)?),
        Quant::BitWidthPerAxis { bits, axis, scale_offsets } => axis_of(*axis, scale_offsets, of(*bits)?),
        // Weights are not at a graph's edge.
        _ => None,
    };
    let shape: Vec<usize> = info.dims.iter().map(|&dim| dim as usize).collect();
    encoding.filter(|encoding| encoding.fits(&shape).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_in_the_order_of_channels_whatever_the_layout() {
        // (in, out), blocks of two along `in`.
        let encoding = Encoding::new_block_expansion(
            Storage::I4,
            1,
            (0, 2),
            vec![0.5, 0.25, 2.0],
            4,
            vec![1, 2, 3, 4, 5, 6],
        )
        .unwrap();
        let Some(Quant::BlockExpansion { axis, block_scales, .. }) = quant(&encoding, &[4, 3], 1) else {
            panic!("no block expansion")
        };
        assert_eq!((axis, &block_scales[..]), (1, &[1, 4, 2, 5, 3, 6][..]));
        let turned = encoding.transposed(&[4, 3], &[1, 0]).unwrap();
        let Some(Quant::BlockExpansion { axis, block_scales: same, .. }) = quant(&turned, &[3, 4], 0) else {
            panic!("no block expansion")
        };
        assert_eq!((axis, same), (0, block_scales));
    }

    #[test]
    fn minimums_become_offsets_in_steps() {
        let encoding =
            Encoding::new_per_block(Storage::U4, (1, 2), vec![0.5, 2.0], vec![8, 0], vec![1.0, 0.0]);
        let (signed, _) = encoding.unwrap().with_sign(true).unwrap();
        let Some(Quant::FloatBlocks { bits, block, scale_offsets }) = quant(&signed, &[1, 4], 0) else {
            panic!("no blocks")
        };
        assert_eq!((bits, block, &scale_offsets[..]), (4, vec![1, 2], &[(0.5, 2.0), (2.0, 8.0)][..]));
    }

    #[test]
    fn fewer_bits_than_are_stored_are_said() {
        let of = |bits| {
            Encoding::new_per_axis(Storage::new(bits, true).unwrap(), 0, vec![0.5; 2], vec![]).unwrap()
        };
        assert!(matches!(quant(&of(4), &[2, 1], 0), Some(Quant::BitWidthPerAxis { bits: 4, .. })));
        assert!(matches!(quant(&of(8), &[2, 1], 0), Some(Quant::PerAxis { axis: 0, .. })));
        assert_eq!(quant(&of(8), &[3, 1], 0), None);
    }
}
