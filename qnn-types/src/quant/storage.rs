//! What integers are stored.

use super::Invalid;

/// Bits in use, at most 32, and the sign of stored integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Storage {
    bits: u8,
    signed: bool,
}

impl Storage {
    /// Unsigned, 4 bits.
    pub const U4: Self = Self { bits: 4, signed: false };
    /// Signed, 4 bits.
    pub const I4: Self = Self { bits: 4, signed: true };
    /// Unsigned, 8 bits.
    pub const U8: Self = Self { bits: 8, signed: false };
    /// Signed, 8 bits.
    pub const I8: Self = Self { bits: 8, signed: true };
    /// Unsigned, 16 bits.
    pub const U16: Self = Self { bits: 16, signed: false };
    /// Signed, 16 bits.
    pub const I16: Self = Self { bits: 16, signed: true };
    /// Signed, 32 bits.
    pub const I32: Self = Self { bits: 32, signed: true };

    /// Integers of some bits.
    ///
    /// # Errors
    /// Fewer than 2 bits, or more than 32.
    pub const fn new(bits: u8, signed: bool) -> Result<Self, Invalid> {
        match bits {
            2..=32 => Ok(Self { bits, signed }),
            _ => Err(Invalid::Bits { bits }),
        }
    }

    /// Bits in use.
    pub const fn bits(self) -> u8 {
        self.bits
    }

    /// Whether there are negative integers.
    pub const fn is_signed(self) -> bool {
        self.signed
    }

    /// As many bits without a sign.
    #[must_use]
    pub const fn unsigned(self) -> Self {
        Self { signed: false, ..self }
    }

    /// The least and the largest integer.
    pub const fn limits(self) -> (i64, i64) {
        let most = (1 << self.bits) - 1;
        if self.signed { (-(1 << (self.bits - 1)), most >> 1) } else { (0, most) }
    }

    /// The integer in the middle: zero of signed ones.
    pub const fn centre(self) -> i64 {
        if self.signed { 0 } else { 1 << (self.bits - 1) }
    }
}
