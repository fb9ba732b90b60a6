//! Encodings of tensors whose axes are put in another order, or whose elements are put in another shape.

use super::{BlockExpansion, Encoding, Granularity, Invalid, PerAxis, PerBlock};

impl Encoding {
    /// The encoding of a tensor of shape `from` whose axes are put in another order, the `i`-th from axis `order[i]`.
    ///
    /// # Errors
    /// It does not fit the shape, or `order` is no order of its axes.
    pub fn transposed(&self, from: &[usize], order: &[usize]) -> Result<Self, Invalid> {
        self.fits(from)?;
        let mut seen = vec![false; from.len()];
        for &axis in order {
            match seen.get_mut(axis) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(Invalid::Axis { axis, rank: from.len() }),
            }
        }
        if order.len() != from.len() {
            return Err(Invalid::Count { what: "axes", found: order.len(), wanted: from.len() });
        }
        let to = |axis: usize| order.iter().position(|&from| from == axis).unwrap_or(axis);
        let blocks = |axis: usize, size: usize| -> Vec<usize> {
            let mut blocks = from.to_vec();
            blocks[axis] = blocks[axis].div_ceil(size);
            blocks
        };
        let granularity = match self.granularity() {
            Granularity::PerTensor(one) => Granularity::PerTensor(*one),
            Granularity::PerAxis(slices) => {
                Granularity::PerAxis(PerAxis { axis: to(slices.axis), ..slices.clone() })
            }
            Granularity::PerBlock(PerBlock { axis, size, scales, zero_points, minimums }) => {
                let from = blocks(*axis, *size);
                Granularity::PerBlock(PerBlock {
                    axis: to(*axis),
                    size: *size,
                    scales: moved(scales, &from, order),
                    zero_points: moved(zero_points, &from, order),
                    minimums: moved(minimums, &from, order),
                })
            }
            Granularity::BlockExpansion(expansion) => {
                let from = blocks(expansion.axis, expansion.size);
                Granularity::BlockExpansion(BlockExpansion {
                    channel_axis: to(expansion.channel_axis),
                    axis: to(expansion.axis),
                    block_scales: moved(&expansion.block_scales, &from, order),
                    ..expansion.clone()
                })
            }
        };
        Ok(Self::from_parts(self.storage(), granularity))
    }

    /// The encoding of a tensor of shape `from` whose elements are put in the shape `to`, in the same order. Each of its axes needs
    /// one of the same extent with as many elements before it.
    ///
    /// # Errors
    /// It fits neither shape.
    pub fn reshaped(&self, from: &[usize], to: &[usize]) -> Result<Self, Invalid> {
        self.fits(from)?;
        let place = |axis: usize| -> Result<usize, Invalid> {
            if from == to {
                return Ok(axis);
            }
            let before = |shape: &[usize], axis: usize| shape[..axis].iter().product::<usize>();
            // An axis of one element may have several places: the one that is as far from the end.
            let same = |at: &usize| to[*at] == from[axis] && before(to, *at) == before(from, axis);
            let behind = |at: &usize| (to.len() - at).abs_diff(from.len() - axis);
            let places = (0..to.len()).filter(same);
            places.min_by_key(behind).ok_or(Invalid::Axis { axis, rank: to.len() })
        };
        let granularity = match self.granularity() {
            Granularity::PerTensor(one) => Granularity::PerTensor(*one),
            Granularity::PerAxis(slices) => {
                Granularity::PerAxis(PerAxis { axis: place(slices.axis)?, ..slices.clone() })
            }
            Granularity::PerBlock(blocks) => {
                Granularity::PerBlock(PerBlock { axis: place(blocks.axis)?, ..blocks.clone() })
            }
            Granularity::BlockExpansion(expansion) => Granularity::BlockExpansion(BlockExpansion {
                channel_axis: place(expansion.channel_axis)?,
                axis: place(expansion.axis)?,
                ..expansion.clone()
            }),
        };
        let reshaped = Self::from_parts(self.storage(), granularity);
        reshaped.fits(to)?;
        Ok(reshaped)
    }
}

/// Elements of a tensor of shape `from` with its axes in another order; nothing where there are none.
fn moved<T: Copy>(elements: &[T], from: &[usize], order: &[usize]) -> Vec<T> {
    let mut steps = vec![1; from.len()];
    for axis in (1..from.len()).rev() {
        steps[axis - 1] = steps[axis] * from[axis];
    }
    let to: Vec<usize> = order.iter().map(|&axis| from[axis]).collect();
    let at = |flat: usize| {
        let mut rest = flat;
        order.iter().zip(&to).rev().fold(0, |at, (&axis, &extent)| {
            let index = rest % extent;
            rest /= extent;
            at + index * steps[axis]
        })
    };
    (0..elements.len()).filter_map(|flat| elements.get(at(flat)).copied()).collect()
}
