//! Block expansion written out: what it means without blocks.

use super::arithmetic::Walk;
use super::{Encoding, Granularity, Invalid, Storage};

impl Encoding {
    /// Stored integers of block expansion with their blocks' integers multiplied in, and the encoding per axis that these have: exactly
    /// the same numbers, in as many bits more as the blocks' integers have.
    ///
    /// # Errors
    /// An encoding of another kind, or one that does not fit; more than 32 bits, or integers that these do not hold.
    pub fn decompressed(&self, stored: &[i64], shape: &[usize]) -> Result<(Self, Vec<i64>), Invalid> {
        let Granularity::BlockExpansion(expansion) = self.granularity() else {
            return Err(Invalid::Kind { what: "no block expansion" });
        };
        self.fits_all(stored, shape)?;
        let storage = Storage::new(self.bits().saturating_add(expansion.block_scale_bits), true)?;
        let walk = Walk::new(shape, expansion.axis, expansion.size);
        let factor = |at: usize| i64::from(expansion.block_scales[walk.block(at)]);
        let integers: Vec<i64> =
            stored.iter().enumerate().map(|(at, q)| q.saturating_mul(factor(at))).collect();
        let (low, high) = storage.limits();
        if integers.iter().any(|q| !(low..=high).contains(q)) {
            return Err(Invalid::Bits { bits: storage.bits() });
        }
        let axis = expansion.channel_axis;
        let encoding = Self::new_per_axis(storage, axis, expansion.scales.clone(), Vec::new())?;
        Ok((encoding, integers))
    }
}
