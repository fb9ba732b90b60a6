//! Why something is no encoding.

use std::error::Error;
use std::fmt;

/// What is wrong with an encoding, or with it for a tensor.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Invalid {
    /// No integers have so many bits.
    Bits {
        /// What was asked for.
        bits: u8,
    },
    /// A scale is not finite, zero, or negative where it may not be.
    Scale {
        /// The scale.
        scale: f32,
    },
    /// The zero point is far from all integers: arithmetic on it leaves 32 bits.
    ZeroPoint {
        /// The zero point.
        zero_point: i32,
        /// Bits of the integers.
        bits: u8,
    },
    /// A block's minimum is not finite.
    Minimum {
        /// The minimum.
        minimum: f32,
    },
    /// A block's integer scale is out of its range.
    BlockScale {
        /// The integer.
        scale: u16,
        /// The largest that is possible.
        most: u16,
    },
    /// Lists that belong together have other lengths, or there are too many or too few entries for a tensor.
    Count {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// An axis that is not there, or one twice.
    Axis {
        /// The axis.
        axis: usize,
        /// Axes of the tensor; 0 where an encoding contradicts itself.
        rank: usize,
    },
    /// What a kind of encoding cannot have.
    Kind {
        /// What, and of which kind.
        what: &'static str,
    },
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits { bits } => write!(f, "{bits} bits; 2 to 32 are possible"),
            Self::Scale { scale } => write!(f, "scale {scale}; a scale is finite and above 0"),
            Self::ZeroPoint { zero_point, bits } => {
                write!(f, "its zero at {zero_point}, far from all integers of {bits} bits")
            }
            Self::Minimum { minimum } => write!(f, "a block with minimum {minimum}; it is finite"),
            Self::BlockScale { scale, most } => {
                write!(f, "a block with the integer scale {scale}; 1 to {most} are possible")
            }
            Self::Count { what, found, wanted } => write!(f, "{found} {what} where {wanted} belong"),
            Self::Axis { axis, rank: 0 } => write!(f, "axis {axis} twice"),
            Self::Axis { axis, rank } => write!(f, "scales along axis {axis} of {rank} axes"),
            Self::Kind { what } => f.write_str(what),
        }
    }
}

impl Error for Invalid {}
