//! From real numbers to stored integers and back.

use super::{Encoding, Granularity, Invalid, Storage};

/// A float type that real numbers come in: the division is made in it, as ONNX's QuantizeLinear divides in the type of its operand.
pub trait Real: Copy + sealed::Sealed {
    /// How many steps of `scale` a number is above `minimum`, rounded; halves go to the even number.
    fn steps(self, minimum: f32, scale: f32) -> f64;
}

mod sealed {
    /// Not nameable outside: there are two float types.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    fn steps(self, minimum: f32, scale: f32) -> f64 {
        f64::from(((self - minimum) / scale).round_ties_even())
    }
}

impl Real for f64 {
    fn steps(self, minimum: f32, scale: f32) -> f64 {
        ((self - f64::from(minimum)) / f64::from(scale)).round_ties_even()
    }
}

/// What the integers of some elements mean.
#[derive(Clone, Copy)]
struct Meaning {
    scale: f64,
    zero_point: i32,
    minimum: f32,
}

impl Storage {
    /// The integer that is stored for a real number: the one rule of rounding. It is divided by the scale, halves go to the even
    /// number, the zero point is added, and what is beyond the limits becomes the nearest of them. Not a number becomes zero.
    pub fn store<R: Real>(self, real: R, scale: f32, zero_point: i32) -> i64 {
        saturated(real.steps(0.0, scale), zero_point, self.limits())
    }
}

fn saturated(steps: f64, zero_point: i32, (low, high): (i64, i64)) -> i64 {
    (steps + f64::from(zero_point)).clamp(low as f64, high.max(low) as f64) as i64
}

impl Encoding {
    /// The stored integers of real numbers, a tensor of this shape, as [`Storage::store`] rounds them.
    ///
    /// # Errors
    /// The encoding does not fit the shape, or there are more or fewer numbers.
    pub fn quantize<R: Real>(&self, reals: &[R], shape: &[usize]) -> Result<Vec<i64>, Invalid> {
        self.quantize_within(reals, shape, self.limits())
    }

    /// As [`quantize`](Self::quantize), saturated earlier than the storage does: to -7..7 of 4 bits, for example.
    ///
    /// # Errors
    /// The same.
    pub fn quantize_within<R: Real>(
        &self,
        reals: &[R],
        shape: &[usize],
        limits: (i64, i64),
    ) -> Result<Vec<i64>, Invalid> {
        let mut stored = Vec::with_capacity(reals.len());
        self.for_runs(shape, reals, |run, means| {
            let scale = means.scale as f32;
            stored.extend(run.iter().map(|real| {
                let steps = real.steps(means.minimum, scale);
                saturated(steps, means.zero_point, limits)
            }));
        })?;
        Ok(stored)
    }

    /// The real numbers of stored integers, a tensor of this shape.
    ///
    /// # Errors
    /// The encoding does not fit the shape, or there are more or fewer integers.
    pub fn dequantize(&self, stored: &[i64], shape: &[usize]) -> Result<Vec<f64>, Invalid> {
        let mut reals = Vec::with_capacity(stored.len());
        self.for_runs(shape, stored, |run, means| {
            let (zero, minimum) = (i64::from(means.zero_point), f64::from(means.minimum));
            reals.extend(run.iter().map(|q| q.saturating_sub(zero) as f64 * means.scale + minimum));
        })?;
        Ok(reals)
    }

    /// Holds it, and the number of elements, against a shape.
    pub(super) fn fits_all<T>(&self, elements: &[T], shape: &[usize]) -> Result<(), Invalid> {
        self.fits(shape)?;
        let wanted = shape.iter().copied().fold(1, usize::saturating_mul);
        match elements.len() == wanted {
            true => Ok(()),
            false => Err(Invalid::Count { what: "elements", found: elements.len(), wanted }),
        }
    }

    /// Calls `each` with runs of elements, in order, and what the integers of all in a run mean.
    fn for_runs<T>(
        &self,
        shape: &[usize],
        elements: &[T],
        mut each: impl FnMut(&[T], Meaning),
    ) -> Result<(), Invalid> {
        self.fits_all(elements, shape)?;
        let plain = |scale: f64| Meaning { scale, zero_point: 0, minimum: 0.0 };
        match self.granularity() {
            Granularity::PerTensor(one) => {
                each(elements, Meaning { zero_point: one.zero_point, ..plain(f64::from(one.scale)) });
            }
            Granularity::PerAxis(slices) => {
                let walk = Walk::new(shape, slices.axis, 1);
                walk.runs(elements, |run, at| {
                    let slice = walk.along(at);
                    let zero_point = slices.zero_points.get(slice).copied().unwrap_or(0);
                    each(run, Meaning { zero_point, ..plain(f64::from(slices.scales[slice])) });
                });
            }
            Granularity::PerBlock(blocks) => {
                let walk = Walk::new(shape, blocks.axis, blocks.size);
                walk.runs(elements, |run, at| {
                    let block = walk.block(at);
                    let zero_point = blocks.zero_points.get(block).copied().unwrap_or(0);
                    let minimum = blocks.minimums.get(block).copied().unwrap_or(0.0);
                    each(run, Meaning { scale: f64::from(blocks.scales[block]), zero_point, minimum });
                });
            }
            Granularity::BlockExpansion(expansion) => {
                let channels = Walk::new(shape, expansion.channel_axis, 1);
                let walk = Walk::new(shape, expansion.axis, expansion.size);
                let mut part = |run: &[T], at: usize| {
                    let factor = f64::from(expansion.block_scales[walk.block(at)]);
                    each(run, plain(f64::from(expansion.scales[channels.along(at)]) * factor));
                };
                if expansion.axis + 1 == shape.len() {
                    walk.runs(elements, part);
                } else {
                    // Channels may lie closer together than blocks.
                    elements.chunks(1).enumerate().for_each(|(at, one)| part(one, at));
                }
            }
        }
        Ok(())
    }
}

/// Where elements of a tensor lie along one of its axes.
pub(super) struct Walk {
    extent: usize,
    inner: usize,
    size: usize,
    blocks: usize,
}

impl Walk {
    pub(super) fn new(shape: &[usize], axis: usize, size: usize) -> Self {
        let extent = shape.get(axis).copied().unwrap_or(1).max(1);
        let inner = shape.get(axis + 1..).unwrap_or_default().iter().product::<usize>().max(1);
        Self { extent, inner, size, blocks: extent.div_ceil(size) }
    }

    /// The position of an element along the axis.
    fn along(&self, at: usize) -> usize {
        (at / self.inner) % self.extent
    }

    /// The place of an element's block in a row-major tensor of blocks.
    pub(super) fn block(&self, at: usize) -> usize {
        let outer = at / (self.inner * self.extent);
        (outer * self.blocks + self.along(at) / self.size) * self.inner + at % self.inner
    }

    /// Calls `each` with runs of elements of one block, in order, and where they begin.
    fn runs<T>(&self, elements: &[T], mut each: impl FnMut(&[T], usize)) {
        // Blocks of more than one element are runs where the axis is the last one, slices where it is not.
        let run = match (self.size, self.inner) {
            (1, inner) => inner,
            (size, 1) => size,
            _ => 1,
        };
        let line = if self.inner == 1 { self.extent } else { run };
        let mut at = 0;
        for line in elements.chunks(line) {
            for run in line.chunks(run) {
                each(run, at);
                at += run.len();
            }
        }
    }
}
