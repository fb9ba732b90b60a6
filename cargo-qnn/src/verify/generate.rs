//! Inputs from a seed: the same on every machine.

/// A small generator of random numbers (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `count` numbers that are evenly spread from `low` to `high`.
    pub(crate) fn uniform(&mut self, count: usize, (low, high): (f64, f64)) -> Vec<f64> {
        let unit = |bits: u64| (bits >> 11) as f64 / (1_u64 << 53) as f64;
        (0..count).map(|_| low + unit(self.next()) * (high - low)).collect()
    }
}

/// The range of generated values of a dtype: -1 to 1 for floats, all values of bytes, 0 and 1 for other integers, which are
/// often indices. Those that stand for real numbers (`encoded`) take all values.
pub(crate) fn default_range(dtype: &str, encoded: bool) -> (f64, f64) {
    match dtype {
        "uint8" => (-0.5, 255.5),
        "int8" => (-128.5, 127.5),
        "uint16" if encoded => (-0.5, 65535.5),
        "int16" if encoded => (-32768.5, 32767.5),
        dtype if dtype.starts_with("float") || dtype.starts_with("bfloat") => (-1.0, 1.0),
        _ => (-0.49, 1.49),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_within_the_range() {
        let numbers = |seed| Random::new(seed).uniform(1000, (-1.0, 1.0));
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        assert!(numbers(7).iter().all(|number| (-1.0..1.0).contains(number)));
        let mean = numbers(7).iter().sum::<f64>() / 1000.0;
        assert!(mean.abs() < 0.1, "{mean}");
    }
}
