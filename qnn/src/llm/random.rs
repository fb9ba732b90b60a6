//! Random numbers that are the same on every machine.

/// PCG-XSH-RR with 64 bits of state and 32 of output (M. E. O'Neill, *PCG: A Family of Simple Fast Space-Efficient
/// Statistically Good Algorithms for Random Number Generation*, HMC-CS-2014-0905).
#[derive(Clone, Debug)]
pub(super) struct Pcg32 {
    state: u64,
    increment: u64,
}

impl Pcg32 {
    pub(super) fn new(seed: u64, stream: u64) -> Pcg32 {
        let mut random = Pcg32 { state: 0, increment: (stream << 1) | 1 };
        random.next();
        random.state = random.state.wrapping_add(seed);
        random.next();
        random
    }

    pub(super) fn next(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(self.increment);
        let shifted = (((old >> 18) ^ old) >> 27) as u32;
        shifted.rotate_right((old >> 59) as u32)
    }

    /// Uniform in [0, 1), in steps of 2^-32.
    pub(super) fn unit(&mut self) -> f64 {
        f64::from(self.next()) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_generators_own_demonstration() {
        let mut random = Pcg32::new(42, 54);
        let first: Vec<u32> = (0..6).map(|_| random.next()).collect();
        assert_eq!(first, [0xa15c_02b7, 0x7b47_f409, 0xba1d_3330, 0x83d2_f293, 0xbfa4_784b, 0xcbed_606e]);
    }
}
