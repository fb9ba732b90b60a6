//! How the blocks of each quantized format are laid out.
//!
//! Every format is integers `q` around zero, with a scale and, in some, a minimum for each run of elements:
//! `real = (q + CENTER) * scale + minimum`. Products are taken in the order in which ggml takes them, so results are equal in every bit.

/// Scales and minimums of a block's runs.
pub(super) struct Factors<const RUNS: usize> {
    pub(super) scales: [f32; RUNS],
    /// Zeros in a format that has none.
    pub(super) minimums: [f32; RUNS],
}

/// A format: blocks of `BYTES` bytes with `ELEMENTS` elements in `RUNS` runs.
pub(super) trait Layout<const BYTES: usize, const ELEMENTS: usize, const RUNS: usize> {
    /// Bits that `q` needs.
    const BITS: u8;
    /// What was taken from the stored integer so that `q` lies around zero, in a format with minimums; `None` in one without.
    const CENTER: Option<i8>;

    fn quants(block: &[u8; BYTES], q: &mut [i8; ELEMENTS]);

    fn factors(block: &[u8; BYTES]) -> Factors<RUNS>;
}

/// A half float, in a form that compilers vectorize: shifted into place it is short of its value by a power of two.
#[inline]
pub(super) fn half(bits: u16) -> f32 {
    let bits = u32::from(bits);
    // 2^112, the difference of the exponents' biases.
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits(0x7780_0000);
    let endless = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(magnitude.to_bits() | endless | (bits & 0x8000) << 16)
}

#[inline]
fn half_at(block: &[u8], at: usize) -> f32 {
    half(u16::from_le_bytes([block[at], block[at + 1]]))
}

impl Factors<1> {
    fn scale(block: &[u8]) -> Self {
        Self { scales: [half_at(block, 0)], minimums: [0.0] }
    }

    fn scale_and_minimum(block: &[u8]) -> Self {
        Self { scales: [half_at(block, 0)], minimums: [half_at(block, 2)] }
    }
}

/// 16 bytes of two nibbles: the low ones come first. `taken` is taken from each.
#[inline]
fn nibbles(bytes: &[u8], q: &mut [i8; 32], taken: i8) {
    let (low, high) = q.split_at_mut(16);
    for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
        *low = (byte & 15) as i8 - taken;
        *high = (byte >> 4) as i8 - taken;
    }
}

/// The same with a fifth bit for each element.
#[inline]
fn nibbles_and_bits(bytes: &[u8], bits: [u8; 4], q: &mut [i8; 32]) {
    nibbles(bytes, q, 16);
    for (eight, byte) in q.as_chunks_mut::<8>().0.iter_mut().zip(bits) {
        // A mask for each place, since few processors shift bytes by different counts at once.
        for (q, mask) in eight.iter_mut().zip([1, 2, 4, 8, 16, 32, 64, 128]) {
            *q += if byte & mask == 0 { 0 } else { 16 };
        }
    }
}

pub(super) struct Q4_0;
pub(super) struct Q4_1;
pub(super) struct Q5_0;
pub(super) struct Q5_1;
pub(super) struct Q8_0;
pub(super) struct Q4K;
pub(super) struct Q5K;
pub(super) struct Q6K;

impl Layout<18, 32, 1> for Q4_0 {
    const BITS: u8 = 4;
    const CENTER: Option<i8> = None;

    #[inline]
    fn quants(block: &[u8; 18], q: &mut [i8; 32]) {
        nibbles(&block[2..], q, 8);
    }

    #[inline]
    fn factors(block: &[u8; 18]) -> Factors<1> {
        Factors::scale(block)
    }
}

impl Layout<20, 32, 1> for Q4_1 {
    const BITS: u8 = 4;
    const CENTER: Option<i8> = Some(8);

    #[inline]
    fn quants(block: &[u8; 20], q: &mut [i8; 32]) {
        nibbles(&block[4..], q, 8);
    }

    #[inline]
    fn factors(block: &[u8; 20]) -> Factors<1> {
        Factors::scale_and_minimum(block)
    }
}

impl Layout<22, 32, 1> for Q5_0 {
    const BITS: u8 = 5;
    const CENTER: Option<i8> = None;

    #[inline]
    fn quants(block: &[u8; 22], q: &mut [i8; 32]) {
        nibbles_and_bits(&block[6..], [block[2], block[3], block[4], block[5]], q);
    }

    #[inline]
    fn factors(block: &[u8; 22]) -> Factors<1> {
        Factors::scale(block)
    }
}

impl Layout<24, 32, 1> for Q5_1 {
    const BITS: u8 = 5;
    const CENTER: Option<i8> = Some(16);

    #[inline]
    fn quants(block: &[u8; 24], q: &mut [i8; 32]) {
        nibbles_and_bits(&block[8..], [block[4], block[5], block[6], block[7]], q);
    }

    #[inline]
    fn factors(block: &[u8; 24]) -> Factors<1> {
        Factors::scale_and_minimum(block)
    }
}

impl Layout<34, 32, 1> for Q8_0 {
    const BITS: u8 = 8;
    const CENTER: Option<i8> = None;

    #[inline]
    fn quants(block: &[u8; 34], q: &mut [i8; 32]) {
        for (q, byte) in q.iter_mut().zip(&block[2..]) {
            *q = *byte as i8;
        }
    }

    #[inline]
    fn factors(block: &[u8; 34]) -> Factors<1> {
        Factors::scale(block)
    }
}

/// Scales and minimums of the K formats with minimums: two halves, and 6 bits for each of eight runs behind them.
#[inline]
fn six_bit_factors(block: &[u8]) -> Factors<8> {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    let packed = &block[4..16];
    let mut factors = Factors { scales: [0.0; 8], minimums: [0.0; 8] };
    for run in 0..4 {
        // The first four lie in the low bits of bytes 0 to 7; the last four have their low bits in bytes 8 to 11 and
        // their high ones in what is left of the first eight.
        let (a, b, c) = (packed[run], packed[run + 4], packed[run + 8]);
        let set = |factor: &mut [f32; 8], first: u8, last: u8, unit: f32| {
            factor[run] = unit * f32::from(first);
            factor[run + 4] = unit * f32::from(last);
        };
        set(&mut factors.scales, a & 63, c & 15 | a >> 2 & 48, scale);
        set(&mut factors.minimums, b & 63, c >> 4 | b >> 2 & 48, minimum);
    }
    factors.minimums = factors.minimums.map(|minimum| -minimum);
    factors
}

/// 128 bytes of two nibbles: of each 32 bytes the low ones make a run, the high ones the next.
#[inline]
fn nibble_runs(bytes: &[u8], q: &mut [i8; 256], taken: i8) {
    for (q, bytes) in q.as_chunks_mut::<64>().0.iter_mut().zip(bytes.as_chunks::<32>().0) {
        let (low, high) = q.split_at_mut(32);
        for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
            *low = (byte & 15) as i8 - taken;
            *high = (byte >> 4) as i8 - taken;
        }
    }
}

impl Layout<144, 256, 8> for Q4K {
    const BITS: u8 = 4;
    const CENTER: Option<i8> = Some(8);

    #[inline]
    fn quants(block: &[u8; 144], q: &mut [i8; 256]) {
        nibble_runs(&block[16..], q, 8);
    }

    #[inline]
    fn factors(block: &[u8; 144]) -> Factors<8> {
        six_bit_factors(block)
    }
}

impl Layout<176, 256, 8> for Q5K {
    const BITS: u8 = 5;
    const CENTER: Option<i8> = Some(16);

    #[inline]
    fn quants(block: &[u8; 176], q: &mut [i8; 256]) {
        nibble_runs(&block[48..], q, 16);
        for (run, q) in q.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            for (q, bits) in q.iter_mut().zip(&block[16..48]) {
                *q += ((bits >> run & 1) << 4) as i8;
            }
        }
    }

    #[inline]
    fn factors(block: &[u8; 176]) -> Factors<8> {
        six_bit_factors(block)
    }
}

impl Layout<210, 256, 16> for Q6K {
    const BITS: u8 = 6;
    const CENTER: Option<i8> = None;

    #[inline]
    fn quants(block: &[u8; 210], q: &mut [i8; 256]) {
        // Each half has 64 bytes of low nibbles and 32 of four times two high bits.
        let (low, high) = (block[..128].as_chunks::<64>().0, block[128..192].as_chunks::<32>().0);
        for ((q, low), high) in q.as_chunks_mut::<128>().0.iter_mut().zip(low).zip(high) {
            for (run, q) in q.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                let low = &low[32 * (run % 2)..];
                for ((q, low), high) in q.iter_mut().zip(low).zip(high) {
                    *q = (low >> (run / 2 * 4) & 15 | (high >> (run * 2) & 3) << 4) as i8 - 32;
                }
            }
        }
    }

    #[inline]
    fn factors(block: &[u8; 210]) -> Factors<16> {
        let scale = half_at(block, 208);
        let mut factors = Factors { scales: [0.0; 16], minimums: [0.0; 16] };
        for (factor, byte) in factors.scales.iter_mut().zip(&block[192..]) {
            *factor = scale * f32::from(*byte as i8);
        }
        factors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_float_is_converted_as_the_library_does() {
        for bits in 0..=u16::MAX {
            let (ours, theirs) = (half(bits), ::half::f16::from_bits(bits).to_f32());
            assert!(ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan(), "{bits:#x}");
        }
    }
}
