//! Element types.

use std::fmt;

/// Type of a tensor's elements, as the library knows it.
///
/// `UFixed` and `SFixed` types are quantized: their values mean `(q + offset) * scale` by the tensor's encoding. In memory
/// they are the plain integers that [`DataType::storage`] names, and tensors of those integers are accepted for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// 32-bit float.
    Float32,
    /// 16-bit float, see [`crate::F16`].
    Float16,
    /// 16-bit brain float.
    BFloat16,
    /// 64-bit float.
    Float64,
    /// Signed 8-bit integer.
    Int8,
    /// Signed 16-bit integer.
    Int16,
    /// Signed 32-bit integer.
    Int32,
    /// Signed 64-bit integer.
    Int64,
    /// Unsigned 8-bit integer.
    Uint8,
    /// Unsigned 16-bit integer.
    Uint16,
    /// Unsigned 32-bit integer.
    Uint32,
    /// Unsigned 64-bit integer.
    Uint64,
    /// Boolean in one byte, 0 or 1.
    Bool,
    /// Quantized, unsigned 8-bit.
    UFixed8,
    /// Quantized, unsigned 16-bit.
    UFixed16,
    /// Quantized, unsigned 32-bit.
    UFixed32,
    /// Quantized, signed 8-bit.
    SFixed8,
    /// Quantized, signed 16-bit.
    SFixed16,
    /// Quantized, signed 32-bit.
    SFixed32,
}

use DataType::*;

/// Type, the library's code for it, its name, bytes of an element.
#[rustfmt::skip]
const TYPES: &[(DataType, u32, &str, usize)] = &[
    (Float32,  0x232, "float32",  4),
    (Float16,  0x216, "float16",  2),
    (BFloat16, 0x226, "bfloat16", 2),
    (Float64,  0x264, "float64",  8),
    (Int8,     0x008, "int8",     1),
    (Int16,    0x016, "int16",    2),
    (Int32,    0x032, "int32",    4),
    (Int64,    0x064, "int64",    8),
    (Uint8,    0x108, "uint8",    1),
    (Uint16,   0x116, "uint16",   2),
    (Uint32,   0x132, "uint32",   4),
    (Uint64,   0x164, "uint64",   8),
    (Bool,     0x508, "bool",     1),
    (UFixed8,  0x408, "ufixed8",  1),
    (UFixed16, 0x416, "ufixed16", 2),
    (UFixed32, 0x432, "ufixed32", 4),
    (SFixed8,  0x308, "sfixed8",  1),
    (SFixed16, 0x316, "sfixed16", 2),
    (SFixed32, 0x332, "sfixed32", 4),
];

impl DataType {
    /// All types.
    pub fn all() -> impl Iterator<Item = DataType> {
        TYPES.iter().map(|row| row.0)
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        self.row().3
    }

    /// The library's number for the type.
    pub fn code(self) -> u32 {
        self.row().1
    }

    /// The name in manifests and reports, for example `float32`.
    pub fn name(self) -> &'static str {
        self.row().2
    }

    /// The type of a library's number; `None` for one that is not a whole number of bytes or not known.
    pub fn from_code(code: u32) -> Option<DataType> {
        TYPES.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    /// The type of a name such as `float32`.
    pub fn from_name(name: &str) -> Option<DataType> {
        TYPES.iter().find(|row| row.2 == name).map(|row| row.0)
    }

    /// Whether values are quantized.
    pub fn is_quantized(self) -> bool {
        self.storage() != self
    }

    /// The plain type that elements have in memory: `Uint8` for `UFixed8`; itself when not quantized.
    pub fn storage(self) -> DataType {
        match self {
            UFixed8 => Uint8,
            UFixed16 => Uint16,
            UFixed32 => Uint32,
            SFixed8 => Int8,
            SFixed16 => Int16,
            SFixed32 => Int32,
            plain => plain,
        }
    }

    fn row(self) -> &'static (DataType, u32, &'static str, usize) {
        // The test below holds that every type has a row.
        TYPES.iter().find(|row| row.0 == self).unwrap_or(&TYPES[0])
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A 16-bit IEEE float: its bits. Converts from and to `f32`; `#[repr(transparent)]` over `u16`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct F16(pub u16);

impl From<f32> for F16 {
    /// Rounds to the nearest, ties to even; too large a value becomes infinite.
    fn from(value: f32) -> F16 {
        let bits = value.to_bits();
        let sign = ((bits >> 16) & 0x8000) as u16;
        let magnitude = bits & 0x7fff_ffff;
        if magnitude > 0x7f80_0000 {
            return F16(sign | 0x7e00);
        }
        if magnitude >= 0x477f_f000 {
            return F16(sign | 0x7c00);
        }
        if magnitude < 0x3880_0000 {
            // Subnormal: adding 0.5 puts the result's bits, rounded by the hardware, at the bottom of the mantissa.
            let rounded = f32::from_bits(magnitude) + 0.5;
            return F16(sign | (rounded.to_bits() - 0x3f00_0000) as u16);
        }
        let odd = (magnitude >> 13) & 1;
        let rounded = magnitude.wrapping_sub(0x3800_0000) + 0xfff + odd;
        F16(sign | (rounded >> 13) as u16)
    }
}

impl From<F16> for f32 {
    fn from(half: F16) -> f32 {
        let sign = u32::from(half.0 & 0x8000) << 16;
        let (exponent, mantissa) = (u32::from(half.0 >> 10) & 0x1f, u32::from(half.0) & 0x3ff);
        let magnitude = match exponent {
            0 => {
                return f32::from_bits(sign)
                    + f32::from_bits(sign | 0x3f80_0000) * mantissa as f32 * 2f32.powi(-24);
            }
            0x1f => 0x7f80_0000 | (mantissa << 13),
            _ => ((exponent + 112) << 23) | (mantissa << 13),
        };
        f32::from_bits(sign | magnitude)
    }
}

#[cfg(feature = "half")]
impl From<half::f16> for F16 {
    fn from(value: half::f16) -> F16 {
        F16(value.to_bits())
    }
}

#[cfg(feature = "half")]
impl From<F16> for half::f16 {
    fn from(value: F16) -> half::f16 {
        half::f16::from_bits(value.0)
    }
}

impl fmt::Debug for F16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", f32::from(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_number_and_its_name() {
        for dtype in DataType::all() {
            assert_eq!(dtype.row().0, dtype);
            assert_eq!(DataType::from_code(dtype.code()), Some(dtype));
            assert_eq!(DataType::from_name(dtype.name()), Some(dtype));
            assert_eq!(dtype.storage().size(), dtype.size());
        }
        // A new type that was left out of the table would be counted here.
        assert_eq!(TYPES.len(), SFixed32 as usize + 1);
        assert_eq!(DataType::from_code(0x304), None);
    }

    #[test]
    fn every_half_survives_the_way_through_f32() {
        for bits in 0..=u16::MAX {
            let value = f32::from(F16(bits));
            if value.is_nan() {
                assert!(f32::from(F16::from(value)).is_nan());
            } else {
                assert_eq!(F16::from(value), F16(bits), "{value}");
            }
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_even() {
        for (value, expected) in [
            (1.0, 0x3c00),
            (1.0 + 1.0 / 2048.0, 0x3c00),
            (1.0 + 3.0 / 2048.0, 0x3c02),
            (65504.0, 0x7bff),
            (65519.0, 0x7bff),
            (65520.0, 0x7c00),
            (-2.0, 0xc000),
            (5.960_464_5e-8, 0x0001),
            (2.980_232_2e-8, 0x0000),
            (2.99e-8, 0x0001),
            (0.1, 0x2e66),
        ] {
            assert_eq!(F16::from(value).0, expected, "{value}");
        }
    }
}
