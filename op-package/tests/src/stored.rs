//! Element types as kernels store them, and how near a result must be.

use half::f16;

/// A storage type; the discriminants are HTP's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    U8 = 1,
    U16 = 2,
    S16 = 3,
    F32 = 4,
    S8 = 7,
    F16 = 8,
}

pub const ALL: [Stored; 6] = [Stored::F32, Stored::F16, Stored::U8, Stored::S8, Stored::U16, Stored::S16];

impl Stored {
    pub fn size(self) -> usize {
        match self {
            Stored::U8 | Stored::S8 => 1,
            Stored::U16 | Stored::S16 | Stored::F16 => 2,
            Stored::F32 => 4,
        }
    }

    /// Smallest and largest integer, none of floats.
    pub fn range(self) -> Option<(i32, i32)> {
        match self {
            Stored::U8 => Some((0, 255)),
            Stored::S8 => Some((-128, 127)),
            Stored::U16 => Some((0, 65535)),
            Stored::S16 => Some((-32768, 32767)),
            Stored::F32 | Stored::F16 => None,
        }
    }
}

/// A storage type with what its integers mean: `(q - zero) * step`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Encoding {
    pub stored: Stored,
    pub zero: i32,
    pub step: f32,
}

impl Encoding {
    /// For numbers of -`limit` to `limit`, with zero not quite in the middle.
    pub fn for_limit(stored: Stored, limit: f32) -> Encoding {
        match stored.range() {
            None => Encoding { stored, zero: 0, step: 0.0 },
            Some((low, high)) => Encoding {
                stored,
                zero: low + (high - low) * 15 / 32,
                step: 2.0 * limit / (high - low) as f32 * 1.07,
            },
        }
    }

    /// The numbers that bytes mean.
    pub fn decode(self, bytes: &[u8]) -> Vec<f64> {
        let number = |q: i32| f64::from(q - self.zero) * f64::from(self.step);
        bytes
            .chunks_exact(self.stored.size())
            .map(|b| match self.stored {
                Stored::U8 => number(i32::from(b[0])),
                Stored::S8 => number(i32::from(b[0] as i8)),
                Stored::U16 => number(i32::from(u16::from_le_bytes([b[0], b[1]]))),
                Stored::S16 => number(i32::from(i16::from_le_bytes([b[0], b[1]]))),
                Stored::F16 => f64::from(f16::from_le_bytes([b[0], b[1]])),
                Stored::F32 => f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
            })
            .collect()
    }

    /// The nearest bytes for numbers.
    pub fn encode(self, numbers: &[f64]) -> Vec<u8> {
        let integer = |number: f64| {
            let (low, high) = self.stored.range().unwrap();
            let q = (number / f64::from(self.step)).round_ties_even() + f64::from(self.zero);
            q.clamp(f64::from(low), f64::from(high)) as i32
        };
        numbers
            .iter()
            .flat_map(|number| match self.stored {
                Stored::U8 | Stored::S8 => vec![integer(*number) as u8],
                Stored::U16 | Stored::S16 => (integer(*number) as u16).to_le_bytes().to_vec(),
                Stored::F16 => f16::from_f64(*number).to_le_bytes().to_vec(),
                Stored::F32 => (*number as f32).to_le_bytes().to_vec(),
            })
            .collect()
    }

    /// How far a stored result may be from `exact` when computing it was off by `slack`: half a unit of the type more.
    pub fn tolerance(self, exact: f64, slack: f64) -> f64 {
        match self.stored {
            Stored::F32 => slack,
            Stored::F16 => {
                let magnitude = exact.abs().max(f64::from(f16::MIN_POSITIVE));
                let unit = f64::exp2(magnitude.log2().floor() - 10.0);
                slack + unit * 0.5
            }
            // Computing the integer is off by a few units of float32, too.
            _ => slack + f64::from(self.step) * 0.5 * (1.0 + 1e-6) + exact.abs() * 3e-7,
        }
    }

    /// What `exact` saturates to.
    pub fn saturated(self, exact: f64) -> f64 {
        match self.stored.range() {
            Some((low, high)) => {
                let end = |q: i32| f64::from(q - self.zero) * f64::from(self.step);
                exact.clamp(end(low), end(high))
            }
            None if self.stored == Stored::F16 && exact.abs() >= 65520.0 => f64::INFINITY.copysign(exact),
            None => exact,
        }
    }
}
