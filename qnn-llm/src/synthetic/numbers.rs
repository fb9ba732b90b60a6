//! Reproducible random weights, and their blocks.

use half::{bf16, f16};

use crate::weights::Format;

/// Standard deviation of the weights, about that of trained models.
const DEVIATION: f32 = 0.02;

/// A stream of random numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of a tensor's row: the same whatever was written before it.
    pub(super) fn new(seed: u64, name: &str, row: usize) -> Self {
        let start = name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut random = Self(start.wrapping_add((row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Self(random.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Nearly normal numbers of mean `mean`: each the sum of four bytes.
    pub(super) fn normal(&mut self, mean: f32, out: &mut [f32]) {
        // Of a sum of four bytes: mean and standard deviation.
        const SUM: (f32, f32) = (510.0, 147.8);
        for pair in out.chunks_mut(2) {
            let bytes = self.next().to_le_bytes();
            for (out, bytes) in pair.iter_mut().zip(bytes.as_chunks::<4>().0) {
                let sum: u16 = bytes.iter().map(|byte| u16::from(*byte)).sum();
                *out = mean + (f32::from(sum) - SUM.0) * (DEVIATION / SUM.1);
            }
        }
    }

    fn bytes(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.iter_mut().zip(bytes).for_each(|(out, byte)| *out = byte);
        }
    }
}

/// A row of `columns` weights around zero in a format. Formats in blocks of 32 hold quantized normal numbers; those in blocks of
/// 256 hold uniform integers with scales that give the same deviation.
pub(super) fn row(random: &mut Random, format: Format, columns: usize, out: &mut Vec<u8>) {
    out.clear();
    if format.block() == 256 {
        for _ in 0..columns / 256 {
            super_block(random, format, out);
        }
        return;
    }
    let mut numbers = vec![0.0; columns];
    random.normal(0.0, &mut numbers);
    encode(format, &numbers, out);
}

/// Numbers as elements of a format other than those in blocks of 256.
pub(super) fn encode(format: Format, numbers: &[f32], out: &mut Vec<u8>) {
    match format {
        Format::F32 => numbers.iter().for_each(|number| out.extend(number.to_le_bytes())),
        Format::F16 => numbers.iter().for_each(|number| out.extend(f16::from_f32(*number).to_le_bytes())),
        Format::BF16 => numbers.iter().for_each(|number| out.extend(bf16::from_f32(*number).to_le_bytes())),
        _ => numbers.as_chunks::<32>().0.iter().for_each(|numbers| block(format, numbers, out)),
    }
}

fn block(format: Format, numbers: &[f32; 32], out: &mut Vec<u8>) {
    let bits = match format {
        Format::Q4_0 | Format::Q4_1 => 4,
        Format::Q5_0 | Format::Q5_1 => 5,
        _ => 8,
    };
    let (least, most) = numbers
        .iter()
        .fold((f32::MAX, f32::MIN), |(least, most), number| (least.min(*number), most.max(*number)));
    // Integer steps: from the least number up, or from the middle to both sides.
    let steps = (1u32 << bits) - 1;
    let (scale, start) = match format {
        Format::Q4_1 | Format::Q5_1 => ((most - least) / steps as f32, least),
        Format::Q8_0 => (least.abs().max(most.abs()) / 127.0, 0.0),
        _ => {
            let half = 1 << (bits - 1);
            let extreme = if least.abs() > most.abs() { least } else { most };
            let scale = extreme / -(half as f32);
            (scale, -(half as f32) * scale)
        }
    };
    out.extend(f16::from_f32(scale).to_le_bytes());
    let inverse = if scale == 0.0 { 0.0 } else { scale.recip() };
    if format == Format::Q8_0 {
        out.extend(numbers.map(|number| (number * inverse).round() as i8 as u8));
        return;
    }
    if matches!(format, Format::Q4_1 | Format::Q5_1) {
        out.extend(f16::from_f32(start).to_le_bytes());
    }
    let q = numbers.map(|number| (((number - start) * inverse + 0.5) as u32).min(steps));
    if bits == 5 {
        let high = q.iter().enumerate().fold(0, |high, (index, q)| high | (q >> 4) << index);
        out.extend(high.to_le_bytes());
    }
    let (low, high) = q.split_at(16);
    out.extend(low.iter().zip(high).map(|(low, high)| (low & 15 | (high & 15) << 4) as u8));
}

fn super_block(random: &mut Random, format: Format, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + format.block_bytes(), 0);
    let block = &mut out[start..];
    random.bytes(block);
    // Uniform integers of n bits deviate by about 2^n / 3.46 steps; a step is the scale times some 6-bit or 8-bit number.
    let set = |block: &mut [u8], at: usize, number: f32| {
        block[at..at + 2].copy_from_slice(&f16::from_f32(number).to_le_bytes());
    };
    let fixed = |block: &mut [u8], range: std::ops::Range<usize>, byte: u8| block[range].fill(byte);
    match format {
        Format::Q6_K => {
            fixed(block, 192..208, 64);
            set(block, 208, DEVIATION * 3.46 / 64.0 / 64.0);
        }
        _ => {
            let levels = if format == Format::Q4_K { 16.0 } else { 32.0 };
            // All scales and minimums are 32 of 63: bit 5 of the low ones, the upper bits of the high ones.
            fixed(block, 4..12, 0b1010_0000);
            fixed(block, 12..16, 0);
            let scale = DEVIATION * 3.46 / levels / 32.0;
            set(block, 0, scale);
            set(block, 2, scale * (levels - 1.0) / 2.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::dequantize_rows;
    use crate::weights::Weight;

    #[test]
    fn weights_of_every_format_have_the_deviation_of_trained_ones() {
        for format in Format::all() {
            let mut data = Vec::new();
            row(&mut Random::new(1, "w", 0), format, 65536, &mut data);
            let weight = Weight { name: "w".to_owned(), rows: 1, columns: 65536, format, data: data.into() };
            let mut out = vec![0.0; 65536];
            dequantize_rows(&weight, 0..1, &mut out).unwrap();
            let mean = out.iter().sum::<f32>() / 65536.0;
            let deviation = (out.iter().map(|number| (number - mean).powi(2)).sum::<f32>() / 65536.0).sqrt();
            assert!(
                mean.abs() < 0.001 && (deviation - DEVIATION).abs() < 0.002,
                "{format:?}: {mean} {deviation}"
            );
        }
    }
}
