//! What an encodings file says of a tensor, and the encoding that it is for a tensor of some shape.

use qnn_types::quant::Invalid;

use crate::graph::{Encoding, Storage};

/// What a tensor's entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A computed value, or an input.
    Activation,
    /// A constant.
    Parameter,
    /// The file does not say.
    Either,
}

/// The scales of one tensor: `real = (q - zero_point) * scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The tensor's name in the model.
    pub name: String,
    /// What it is for.
    pub target: Target,
    /// What integers are stored.
    pub storage: Storage,
    /// Whether zero is in the middle of the integers.
    pub symmetric: bool,
    /// The axis that scales run along, where the file says it; that of the blocks where these have scales.
    pub axis: Option<i64>,
    /// One, one a channel, or one a block.
    pub scales: Vec<f32>,
    /// As many.
    pub zero_points: Vec<i32>,
    /// Where blocks of elements have scales.
    pub blocks: Option<Blocks>,
}

/// Blocks along an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    /// Elements of a block.
    pub size: usize,
    /// Whether a matrix's blocks are listed channel by channel, as version 1.0.0 does, and not in the tensor's own order.
    pub by_channel: bool,
    /// Block expansion (LPBQ): the bits of integers, and one a block; scales are those of channels then.
    pub expansion: Option<(u8, Vec<u16>)>,
}

/// Why an entry is no encoding of a tensor.
pub(super) enum Unfit {
    /// There are so many scales, and no axis has as many slices, or blocks.
    Count(usize),
    /// The numbers themselves.
    Invalid(Invalid),
}

impl From<Invalid> for Unfit {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl Entry {
    /// One without scales.
    pub(super) fn named(name: &str, target: Target) -> Self {
        Self {
            name: name.to_owned(),
            target,
            storage: Storage::U8,
            symmetric: false,
            axis: None,
            scales: Vec::new(),
            zero_points: Vec::new(),
            blocks: None,
        }
    }

    /// The encoding of a computed value, which has one scale; `None` where there are several.
    pub(super) fn of_activation(&self) -> Option<Result<Encoding, Invalid>> {
        match (&self.blocks, &self.scales[..], &self.zero_points[..]) {
            (None, &[scale], &[zero]) => Some(Encoding::new_per_tensor(self.storage, scale, zero)),
            _ => None,
        }
    }

    /// The encoding of a constant of this shape. `channels` are the axes that scales may run along, the likeliest first.
    pub(super) fn of_parameter(&self, shape: &[usize], channels: &[usize]) -> Result<Encoding, Unfit> {
        if let Some(blocks) = &self.blocks {
            return self.in_blocks(blocks, shape, channels);
        }
        let count = self.scales.len();
        let axis = match count {
            1 => None,
            _ => {
                let fits = |axis: &&usize| shape.get(**axis) == Some(&count);
                Some(*channels.iter().find(fits).ok_or(Unfit::Count(count))?)
            }
        };
        let (storage, zero_points) = self.centred(self.symmetric || axis.is_some());
        let encoding = match (axis, &self.scales[..], &zero_points[..]) {
            (Some(axis), scales, _) => Encoding::new_per_axis(storage, axis, scales.to_vec(), zero_points),
            (None, &[scale], &[]) => Encoding::new_per_tensor(storage, scale, 0),
            (None, &[scale], &[zero]) => Encoding::new_per_tensor(storage, scale, zero),
            (None, ..) => return Err(Unfit::Count(count)),
        };
        Ok(encoding?)
    }

    /// Integers around zero where the zero is in the middle, or one beside it, where exporters put that of symmetric integers.
    fn centred(&self, symmetric: bool) -> (Storage, Vec<i32>) {
        let centre = self.storage.centre();
        let near = self.zero_points.iter().all(|zero| (i64::from(*zero) - centre).abs() <= 1);
        match Storage::new(self.storage.bits(), true) {
            Ok(signed) if near && symmetric => (signed, Vec::new()),
            _ => (self.storage, self.zero_points.clone()),
        }
    }

    fn in_blocks(&self, blocks: &Blocks, shape: &[usize], channels: &[usize]) -> Result<Encoding, Unfit> {
        let rank = shape.len();
        let said = self.axis.and_then(|axis| usize::try_from(axis.rem_euclid(rank.max(1) as i64)).ok());
        let count = |axis: usize| shape[axis].div_ceil(blocks.size.max(1));
        // The axis of blocks is said, or the other one beside the channels.
        let pairs = channels.iter().flat_map(|&channel| {
            let along = move |axis: &usize| said.map_or(*axis != channel, |said| said == *axis);
            (0..rank).filter(along).map(move |axis| (channel, axis))
        });
        let fits = |&(channel, axis): &(usize, usize)| {
            let others = (0..rank).filter(|&at| at != axis).map(|at| shape[at]).product::<usize>();
            let whole = others * count(axis);
            let scales = match &blocks.expansion {
                None => self.scales.len() == whole,
                Some((_, ints)) => ints.len() == whole && self.scales.len() == shape[channel],
            };
            scales && channel != axis && channel < rank
        };
        let (channel, axis) = pairs.into_iter().find(fits).ok_or(Unfit::Count(self.scales.len()))?;
        let turned = blocks.by_channel && rank == 2 && channel > axis;
        let (channel_at, axis_at) = if turned { (0, 1) } else { (channel, axis) };
        let along = (axis_at, blocks.size);
        let encoding = match &blocks.expansion {
            Some((bits, ints)) => Encoding::new_block_expansion(
                self.storage,
                channel_at,
                along,
                self.scales.clone(),
                *bits,
                ints.clone(),
            ),
            None => {
                let (storage, zero_points) = self.centred(true);
                Encoding::new_per_block(storage, along, self.scales.clone(), zero_points, Vec::new())
            }
        }?;
        match turned {
            true => Ok(encoding.transposed(&[shape[1], shape[0]], &[1, 0])?),
            false => Ok(encoding),
        }
    }
}

#[cfg(test)]
mod tests {
    use qnn_types::quant::Granularity;

    use super::*;

    fn entry(axis: Option<i64>, scales: usize, by_channel: bool, ints: &[u16]) -> Entry {
        Entry {
            storage: Storage::I4,
            symmetric: true,
            axis,
            scales: (1..=scales).map(|scale| scale as f32).collect(),
            zero_points: vec![0; scales],
            blocks: Some(Blocks { size: 2, by_channel, expansion: Some((4, ints.to_vec())) }),
            ..Entry::named("w", Target::Either)
        }
    }

    fn expansion(entry: &Entry, shape: &[usize], channels: &[usize]) -> (usize, usize, Vec<u16>) {
        let Ok(encoding) = entry.of_parameter(shape, channels) else { panic!("no encoding") };
        let Granularity::BlockExpansion(found) = encoding.granularity() else { panic!("{encoding:?}") };
        assert_eq!(encoding.fits(shape), Ok(()));
        (found.channel_axis(), found.axis(), found.block_scales().to_vec())
    }

    #[test]
    fn blocks_lie_along_the_axis_that_is_said_or_the_one_beside_the_channels() {
        let ints = [1, 2, 3, 4, 5, 6];
        // (in, out) as MatMul has it: version 2.0.0 in the tensor's order, version 1.0.0 channel by channel.
        let said = entry(Some(0), 3, false, &ints);
        assert_eq!(expansion(&said, &[4, 3], &[1, 0]), (1, 0, ints.to_vec()));
        let listed = entry(None, 3, true, &ints);
        assert_eq!(expansion(&listed, &[4, 3], &[1, 0]), (1, 0, vec![1, 3, 5, 2, 4, 6]));
        // (out, in) and convolutions are in one order in both.
        assert_eq!(expansion(&listed, &[3, 4], &[0, 1]), (0, 1, ints.to_vec()));
        assert_eq!(expansion(&listed, &[3, 4, 1, 1], &[0, 1, 2, 3]), (0, 1, ints.to_vec()));
        let said = entry(Some(1), 3, false, &ints);
        assert_eq!(expansion(&said, &[3, 4, 1, 1], &[0, 1, 2, 3]), (0, 1, ints.to_vec()));
    }

    #[test]
    fn blocks_of_other_counts_are_refused() {
        let short = entry(Some(1), 3, false, &[1; 5]);
        assert!(matches!(short.of_parameter(&[3, 4], &[0, 1]), Err(Unfit::Count(3))));
        assert!(matches!(short.of_parameter(&[], &[]), Err(Unfit::Count(3))));
    }
}
