//! The fixed-point form that an encoding has on the device.

use qnn::DataType;

use crate::graph::{Encoding, Storage};
use crate::program::Quant;

/// Type, scale and offset (the negated zero point) of a tensor of unsigned integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::lower) struct FixedPoint {
    /// `UFixed8` or `UFixed16`.
    pub(in crate::lower) dtype: DataType,
    /// Step size.
    pub(in crate::lower) scale: f32,
    /// Offset: `real = (q + offset) * scale`.
    pub(in crate::lower) offset: i32,
}

impl FixedPoint {
    /// The stored form of an encoding; `None` for one of several scales, or of more than 16 bits.
    pub(in crate::lower) fn of(encoding: &Encoding) -> Option<Self> {
        let (scale, zero) = encoding.per_tensor()?;
        let (low, high) = encoding.limits();
        let dtype = match encoding.bits() {
            1..=8 => DataType::UFixed8,
            9..=16 => DataType::UFixed16,
            _ => return None,
        };
        let offset = low - i64::from(zero);
        let form = Self { dtype, scale, offset: i32::try_from(offset).ok()? };
        // Fewer bits than are stored: the same range in finer steps, so that it saturates where it did.
        let factor = form.steps() / (high - low) as f64;
        Some(if factor == 1.0 { form } else { form.finer(dtype, factor) })
    }

    /// The form that holds the numbers from `low` to `high` and zero.
    pub(in crate::lower) fn around(dtype: DataType, low: f64, high: f64) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let form = Self { dtype, scale: 1.0, offset: 0 };
        if high <= low {
            return form;
        }
        let scale = ((high - low) / form.steps()) as f32;
        Self { scale, offset: (low / f64::from(scale)).round() as i32, ..form }
    }

    /// The largest stored integer.
    fn steps(&self) -> f64 {
        if self.dtype == DataType::UFixed8 { 255.0 } else { 65535.0 }
    }

    fn finer(&self, dtype: DataType, factor: f64) -> Self {
        Self {
            dtype,
            scale: (f64::from(self.scale) / factor) as f32,
            offset: (f64::from(self.offset) * factor).round() as i32,
        }
    }

    /// The same numbers in another type; those of 8 bits are all numbers of 16 bits too.
    pub(in crate::lower) fn with(&self, dtype: DataType) -> Self {
        match (self.dtype, dtype) {
            (DataType::UFixed8, DataType::UFixed16) => self.finer(dtype, 257.0),
            (DataType::UFixed16, DataType::UFixed8) => self.finer(dtype, 1.0 / 257.0),
            _ => *self,
        }
    }

    /// As a tensor has it.
    pub(in crate::lower) fn quant(&self) -> Quant {
        Quant::PerTensor { scale: self.scale, offset: self.offset }
    }

    /// The stored integer of a number.
    pub(in crate::lower) fn store(&self, real: f64) -> f64 {
        let storage = if self.dtype == DataType::UFixed8 { Storage::U8 } else { Storage::U16 };
        storage.store(real, self.scale, self.offset.saturating_neg()) as f64
    }
}

/// The wider of two types of stored integers.
pub(in crate::lower) fn wider(a: DataType, b: DataType) -> DataType {
    if a == DataType::UFixed16 || b == DataType::UFixed16 { DataType::UFixed16 } else { DataType::UFixed8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(bits: u8, signed: bool, scale: f32, zero: i32) -> Encoding {
        Encoding::new_per_tensor(Storage::new(bits, signed).unwrap(), scale, zero).unwrap()
    }

    #[test]
    fn signed_integers_are_shifted_to_unsigned_ones() {
        let form = FixedPoint::of(&encoding(16, true, 0.5, 0)).unwrap();
        assert_eq!(form, FixedPoint { dtype: DataType::UFixed16, scale: 0.5, offset: -32768 });
        assert_eq!(FixedPoint::of(&encoding(8, true, 0.5, 3)).unwrap().offset, -131);
    }

    #[test]
    fn four_bits_keep_their_range_in_eight() {
        let form = FixedPoint::of(&encoding(4, false, 17.0, 5)).unwrap();
        assert_eq!(form, FixedPoint { dtype: DataType::UFixed8, scale: 1.0, offset: -85 });
        assert_eq!(form.store(1e9), 255.0);
    }

    #[test]
    fn eight_bits_are_exact_in_sixteen() {
        let narrow = FixedPoint { dtype: DataType::UFixed8, scale: 257.0, offset: -7 };
        let wide = narrow.with(DataType::UFixed16);
        assert_eq!(wide, FixedPoint { dtype: DataType::UFixed16, scale: 1.0, offset: -1799 });
        assert_eq!(wide.store(257.0 * 100.0), 1799.0 + 25700.0);
    }
}
