//! The encoding and its checked constructors.

use serde::{Deserialize, Serialize};

use super::described::Described;
use super::{BlockExpansion, Granularity, Invalid, PerAxis, PerBlock, PerTensor, Storage};

/// How stored integers stand for real numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Described", into = "Described")]
pub struct Encoding {
    storage: Storage,
    granularity: Granularity,
}

/// Zero points of up to 16 bits lie among the integers or near: further out no integer stands for a number near zero, and
/// arithmetic leaves 32 bits.
const FARTHEST_ZERO_POINT: i32 = 1 << 20;

impl Encoding {
    /// One scale for all elements.
    ///
    /// # Errors
    /// A scale that is not finite and above zero; a zero point far from all integers.
    pub fn new_per_tensor(storage: Storage, scale: f32, zero_point: i32) -> Result<Self, Invalid> {
        positive(scale)?;
        near(storage, &[zero_point])?;
        Ok(Self { storage, granularity: Granularity::PerTensor(PerTensor { scale, zero_point }) })
    }

    /// A scale for each slice along an axis; no zero points stand for zeros.
    ///
    /// # Errors
    /// No scale, one that is not finite and above zero, zero points far from all integers or not as many as scales.
    pub fn new_per_axis(
        storage: Storage,
        axis: usize,
        scales: Vec<f32>,
        zero_points: Vec<i32>,
    ) -> Result<Self, Invalid> {
        some("scales", &scales)?;
        scales.iter().try_for_each(|&scale| positive(scale))?;
        near(storage, &zero_points)?;
        let zero_points = each_or_none("zero points", zero_points, scales.len())?;
        Ok(Self { storage, granularity: Granularity::PerAxis(PerAxis { axis, scales, zero_points }) })
    }

    /// A scale for each block of `size` elements along an axis, with what is added to the numbers of each; no zero points and no
    /// minimums stand for zeros. Scales may be negative.
    ///
    /// # Errors
    /// Blocks of no elements, no scale, one that is not finite or zero, zero points or minimums that are not as many as scales, far
    /// from all integers or not finite.
    pub fn new_per_block(
        storage: Storage,
        (axis, size): (usize, usize),
        scales: Vec<f32>,
        zero_points: Vec<i32>,
        minimums: Vec<f32>,
    ) -> Result<Self, Invalid> {
        some("scales", &scales)?;
        sized(size)?;
        match scales.iter().find(|scale| !scale.is_finite() || **scale == 0.0) {
            Some(&scale) => return Err(Invalid::Scale { scale }),
            None => near(storage, &zero_points)?,
        }
        finite(&minimums)?;
        let zero_points = each_or_none("zero points", zero_points, scales.len())?;
        let minimums = each_or_none("minimums", minimums, scales.len())?;
        let blocks = PerBlock { axis, size, scales, zero_points, minimums };
        Ok(Self { storage, granularity: Granularity::PerBlock(blocks) })
    }

    /// A scale for each slice along `channel_axis`, times an integer for each block of `size` elements along `axis` (LPBQ).
    ///
    /// # Errors
    /// Unsigned integers, one axis for both, blocks of no elements, no scale, one that is not finite and above zero, integers of
    /// no or more than 15 bits, one of 0 or above 2 to the power of its bits.
    pub fn new_block_expansion(
        storage: Storage,
        channel_axis: usize,
        (axis, size): (usize, usize),
        scales: Vec<f32>,
        block_scale_bits: u8,
        block_scales: Vec<u16>,
    ) -> Result<Self, Invalid> {
        if !storage.is_signed() {
            return Err(Invalid::Kind { what: "unsigned integers, which block expansion does not have" });
        }
        if channel_axis == axis {
            return Err(Invalid::Axis { axis, rank: 0 });
        }
        some("scales", &scales)?;
        some("block scales", &block_scales)?;
        sized(size)?;
        scales.iter().try_for_each(|&scale| positive(scale))?;
        if !(1..=15).contains(&block_scale_bits) {
            return Err(Invalid::Bits { bits: block_scale_bits });
        }
        let most = 1 << block_scale_bits;
        if let Some(&scale) = block_scales.iter().find(|&&scale| scale == 0 || scale > most) {
            return Err(Invalid::BlockScale { scale, most });
        }
        let expansion = BlockExpansion { channel_axis, axis, size, scales, block_scale_bits, block_scales };
        Ok(Self { storage, granularity: Granularity::BlockExpansion(expansion) })
    }

    /// Of a kind that is made of checked parts.
    pub(super) fn from_parts(storage: Storage, granularity: Granularity) -> Self {
        Self { storage, granularity }
    }

    /// What integers are stored.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// Bits in use.
    pub fn bits(&self) -> u8 {
        self.storage.bits()
    }

    /// The least and the largest stored integer.
    pub fn limits(&self) -> (i64, i64) {
        self.storage.limits()
    }

    /// Which elements share a scale.
    pub fn granularity(&self) -> &Granularity {
        &self.granularity
    }

    /// Scale and zero point where there is one of each.
    pub fn per_tensor(&self) -> Option<(f32, i32)> {
        match self.granularity {
            Granularity::PerTensor(PerTensor { scale, zero_point }) => Some((scale, zero_point)),
            _ => None,
        }
    }

    /// Whether blocks of elements share a scale.
    pub fn is_in_blocks(&self) -> bool {
        matches!(self.granularity, Granularity::PerBlock(_) | Granularity::BlockExpansion(_))
    }

    /// Zero points, one a scale; none where all are zero.
    fn zero_points(&self) -> &[i32] {
        match &self.granularity {
            Granularity::PerTensor(one) => std::slice::from_ref(&one.zero_point),
            Granularity::PerAxis(slices) => &slices.zero_points,
            Granularity::PerBlock(blocks) => &blocks.zero_points,
            Granularity::BlockExpansion(_) => &[],
        }
    }

    /// Whether all zero points are one integer.
    pub fn has_zero_point(&self, zero_point: i64) -> bool {
        let own = self.zero_points();
        if own.is_empty() { zero_point == 0 } else { own.iter().all(|&own| i64::from(own) == zero_point) }
    }

    /// Whether zero is the integer in the middle everywhere.
    pub fn is_symmetric(&self) -> bool {
        self.has_zero_point(self.storage.centre())
    }

    /// The same numbers as integers with or without a sign, and what is to be added to each stored integer for that.
    ///
    /// # Errors
    /// Block expansion without a sign; zero points that would be too far out.
    pub fn with_sign(&self, signed: bool) -> Result<(Self, i64), Invalid> {
        let storage = Storage::new(self.bits(), signed)?;
        let shift = storage.limits().0 - self.limits().0;
        if shift == 0 {
            return Ok((self.clone(), 0));
        }
        let moved = |zero: i32| -> Result<i32, Invalid> {
            let far = Invalid::ZeroPoint { zero_point: zero, bits: storage.bits() };
            i32::try_from(i64::from(zero) + shift).map_err(|_| far)
        };
        let all = |count: usize| -> Result<Vec<i32>, Invalid> {
            let own = self.zero_points();
            (0..count).map(|at| moved(own.get(at).copied().unwrap_or(0))).collect()
        };
        let changed = match &self.granularity {
            Granularity::PerTensor(one) => Self::new_per_tensor(storage, one.scale, moved(one.zero_point)?),
            Granularity::PerAxis(PerAxis { axis, scales, .. }) => {
                Self::new_per_axis(storage, *axis, scales.clone(), all(scales.len())?)
            }
            Granularity::PerBlock(PerBlock { axis, size, scales, minimums, .. }) => {
                let zero_points = all(scales.len())?;
                Self::new_per_block(storage, (*axis, *size), scales.clone(), zero_points, minimums.clone())
            }
            Granularity::BlockExpansion(_) => {
                Err(Invalid::Kind { what: "unsigned integers, which block expansion does not have" })
            }
        };
        Ok((changed?, shift))
    }

    /// The same integers in wider storage.
    ///
    /// # Errors
    /// Storage of fewer bits, or of another sign.
    pub fn widened(self, storage: Storage) -> Result<Self, Invalid> {
        if storage.bits() < self.bits() || storage.is_signed() != self.storage.is_signed() {
            return Err(Invalid::Bits { bits: storage.bits() });
        }
        Ok(Self { storage, ..self })
    }

    /// The encoding of numbers that are so many times as large; the integers stay.
    ///
    /// # Errors
    /// A factor, or a product, that is not finite and above zero.
    pub fn scaled(mut self, factor: f32) -> Result<Self, Invalid> {
        positive(factor)?;
        let times = |list: &mut [f32]| list.iter_mut().for_each(|value| *value *= factor);
        match &mut self.granularity {
            Granularity::PerTensor(one) => one.scale *= factor,
            Granularity::PerAxis(slices) => times(&mut slices.scales),
            Granularity::PerBlock(blocks) => {
                times(&mut blocks.scales);
                times(&mut blocks.minimums);
            }
            Granularity::BlockExpansion(expansion) => times(&mut expansion.scales),
        }
        let scale = self.scales().iter().find(|scale| !scale.is_finite() || **scale == 0.0);
        if let Some(&scale) = scale {
            return Err(Invalid::Scale { scale });
        }
        if let Granularity::PerBlock(blocks) = &self.granularity {
            finite(&blocks.minimums)?;
        }
        Ok(self)
    }

    /// The scales: one, one a slice or channel, or one a block.
    pub fn scales(&self) -> &[f32] {
        match &self.granularity {
            Granularity::PerTensor(one) => std::slice::from_ref(&one.scale),
            Granularity::PerAxis(slices) => &slices.scales,
            Granularity::PerBlock(blocks) => &blocks.scales,
            Granularity::BlockExpansion(expansion) => &expansion.scales,
        }
    }

    /// The least and the largest real number; `None` where slices or blocks differ.
    pub fn range(&self) -> Option<(f64, f64)> {
        let (scale, zero) = self.per_tensor()?;
        let (low, high) = self.limits();
        let real = |q: i64| (q - i64::from(zero)) as f64 * f64::from(scale);
        Some((real(low), real(high)))
    }

    /// Holds it against a tensor's shape.
    ///
    /// # Errors
    /// An axis that the tensor does not have; more or fewer scales than it has slices or blocks.
    pub fn fits(&self, shape: &[usize]) -> Result<(), Invalid> {
        let rank = shape.len();
        let extent = |axis: usize| shape.get(axis).copied().ok_or(Invalid::Axis { axis, rank });
        match &self.granularity {
            Granularity::PerTensor(_) => Ok(()),
            Granularity::PerAxis(slices) => count("scales", slices.scales.len(), extent(slices.axis)?),
            Granularity::PerBlock(blocks) => {
                extent(blocks.axis)?;
                count("scales", blocks.scales.len(), blocks_in(shape, blocks.axis, blocks.size))
            }
            Granularity::BlockExpansion(expansion) => {
                let BlockExpansion { channel_axis, axis, size, scales, block_scales, .. } = expansion;
                extent(*axis)?;
                count("scales", scales.len(), extent(*channel_axis)?)?;
                count("block scales", block_scales.len(), blocks_in(shape, *axis, *size))
            }
        }
    }
}

/// How many blocks a tensor has.
fn blocks_in(shape: &[usize], axis: usize, size: usize) -> usize {
    let extents = shape.iter().enumerate();
    let blocks = extents.map(|(at, &extent)| if at == axis { extent.div_ceil(size) } else { extent });
    // A product beyond all memory is no number of scales that there are.
    blocks.fold(1, usize::saturating_mul)
}

fn positive(scale: f32) -> Result<(), Invalid> {
    if scale.is_finite() && scale > 0.0 { Ok(()) } else { Err(Invalid::Scale { scale }) }
}

fn finite(minimums: &[f32]) -> Result<(), Invalid> {
    match minimums.iter().find(|minimum| !minimum.is_finite()) {
        Some(&minimum) => Err(Invalid::Minimum { minimum }),
        None => Ok(()),
    }
}

fn near(storage: Storage, zero_points: &[i32]) -> Result<(), Invalid> {
    let far = |zero: &&i32| zero.unsigned_abs() > FARTHEST_ZERO_POINT.unsigned_abs();
    match zero_points.iter().find(far).filter(|_| storage.bits() <= 16) {
        Some(&zero_point) => Err(Invalid::ZeroPoint { zero_point, bits: storage.bits() }),
        None => Ok(()),
    }
}

fn some<T>(what: &'static str, list: &[T]) -> Result<(), Invalid> {
    if list.is_empty() { Err(Invalid::Count { what, found: 0, wanted: 1 }) } else { Ok(()) }
}

fn sized(size: usize) -> Result<(), Invalid> {
    if size == 0 { Err(Invalid::Kind { what: "blocks of no elements" }) } else { Ok(()) }
}

fn count(what: &'static str, found: usize, wanted: usize) -> Result<(), Invalid> {
    if found == wanted { Ok(()) } else { Err(Invalid::Count { what, found, wanted }) }
}

/// A list of the right length; nothing where it is all zeros, so that equal encodings compare equal.
fn each_or_none<T: PartialEq + Default>(
    what: &'static str,
    list: Vec<T>,
    wanted: usize,
) -> Result<Vec<T>, Invalid> {
    if list.iter().all(|entry| *entry == T::default()) {
        let fits = list.is_empty() || list.len() == wanted;
        return if fits { Ok(Vec::new()) } else { Err(Invalid::Count { what, found: list.len(), wanted }) };
    }
    count(what, list.len(), wanted).map(|()| list)
}
