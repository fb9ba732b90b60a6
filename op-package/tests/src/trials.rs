//! Cases with what must come out of them: many sizes, ranges, storage types and encodings per kernel.

use crate::harness::{Buffer, Case, Kernel, describe};
use crate::reference::{self, Near};
use crate::stored::{ALL, Encoding, Stored};

pub struct Trial {
    pub case: Case,
    /// An entry an element of the output, where the kernel was to write.
    pub expected: Vec<Expected>,
    /// Whether every build must give the same bits: sums differ in their order, all else does not.
    pub same_bits: bool,
}

#[derive(Clone, Debug)]
pub enum Expected {
    /// As it was before.
    Untouched,
    /// These bytes.
    Bytes(Vec<u8>),
    /// A number.
    Near(Near),
}

/// A deterministic sequence.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end.max(1) as u64) as usize
    }

    /// Of -1 to 1, denser around zero.
    pub fn signed(&mut self) -> f64 {
        let mut uniform = || (self.bits() & 0xff_ffff) as f64 / f64::from(1 << 23) - 1.0;
        uniform() * uniform().abs()
    }

    /// Numbers of -`limit` to `limit`, as the type stores them.
    pub fn buffer(&mut self, encoding: Encoding, count: usize, limit: f64) -> Buffer {
        let numbers: Vec<f64> = (0..count).map(|_| self.signed() * limit).collect();
        Buffer { encoding, bytes: encoding.encode(&numbers) }
    }

    /// Bytes that no kernel is likely to write.
    fn output(&mut self, encoding: Encoding, count: usize) -> Buffer {
        let bytes = (0..count * encoding.stored.size()).map(|_| self.bits() as u8).collect();
        Buffer { encoding, bytes }
    }

    /// A part of 0 to `count`, all of it half of the time.
    fn part(&mut self, count: usize) -> (usize, usize) {
        if self.bits().is_multiple_of(2) {
            return (0, count);
        }
        let (a, b) = (self.below(count + 1), self.below(count + 1));
        (a.min(b), a.max(b))
    }
}

/// Around the sizes of vectors, groups and pieces, nothing and one.
pub const SIZES: [usize; 21] =
    [0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1000, 4096];

fn numbers(buffer: &Buffer) -> Vec<f64> {
    buffer.encoding.decode(&buffer.bytes)
}

/// A kernel that computes each element from those at the same place.
fn elementwise(
    random: &mut Random,
    kernel: Kernel,
    encodings: &[Encoding],
    limit: f64,
    count: usize,
    of: impl Fn(&[f64]) -> Near,
) -> Trial {
    let (begin, end) = random.part(count);
    let mut buffers = vec![random.output(encodings[0], count)];
    buffers.extend(encodings[1..].iter().map(|encoding| random.buffer(*encoding, count, limit)));
    let inputs: Vec<Vec<f64>> = buffers[1..].iter().map(numbers).collect();
    let expected = (0..count).map(|i| match (begin..end).contains(&i) {
        true => Expected::Near(of(&inputs.iter().map(|input| input[i]).collect::<Vec<_>>())),
        false => Expected::Untouched,
    });
    let expected = expected.collect();
    Trial { case: Case { kernel, begin, end, arguments: vec![], buffers }, expected, same_bits: true }
}

pub fn silu(random: &mut Random) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stored in ALL {
        let (x, y) = (Encoding::for_limit(stored, 9.0), Encoding::for_limit(stored, 9.0));
        // 5000 makes use of the table.
        for count in SIZES.into_iter().chain([5000, 5001, 1030]) {
            trials.push(elementwise(random, Kernel::Silu, &[y, x], 9.0, count, |v| reference::silu(v[0])));
        }
    }
    // Where the exponential has no room left.
    let x = Encoding::for_limit(Stored::F32, 0.0);
    trials.push(elementwise(random, Kernel::Silu, &[x, x], 60000.0, 999, |v| reference::silu(v[0])));
    trials
}

pub fn silu_mul(random: &mut Random) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stored in ALL {
        let [gate, up, y] = [6.0, 3.0, 9.0].map(|limit| Encoding::for_limit(stored, limit));
        for count in SIZES {
            let of = |v: &[f64]| reference::silu_mul(v[0], v[1]);
            trials.push(elementwise(random, Kernel::SiluMul, &[y, gate, up], 6.0, count, of));
        }
    }
    trials
}

/// Every type to every other: quantize, dequantize, change of encoding.
pub fn convert(random: &mut Random) -> Vec<Trial> {
    let mut trials = Vec::new();
    for from in ALL {
        for to in ALL {
            // The output has less room than the input: some numbers saturate.
            let (x, y) = (Encoding::for_limit(from, 5.0), Encoding::for_limit(to, 3.5));
            for count in [0, 1, 33, 64, 127, 128, 129, 300] {
                let of = |v: &[f64]| reference::identity(v[0]);
                trials.push(elementwise(random, Kernel::Convert, &[y, x], 5.0, count, of));
            }
        }
    }
    // All of half's ranges: subnormals, what becomes infinite.
    let (x, y) = (Encoding::for_limit(Stored::F32, 0.0), Encoding::for_limit(Stored::F16, 0.0));
    for limit in [1e-7, 1e-5, 1e-3, 1.0, 131072.0] {
        trials.push(elementwise(random, Kernel::Convert, &[y, x], limit, 515, |v| reference::identity(v[0])));
        trials.push(elementwise(random, Kernel::Convert, &[x, y], limit, 515, |v| reference::identity(v[0])));
    }
    trials
}

pub fn add_bias(random: &mut Random) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stored in [Stored::U8, Stored::S8, Stored::U16, Stored::S16] {
        for float in [Stored::F32, Stored::F16] {
            for (width, rows) in [(1, 5), (3, 7), (64, 4), (100, 3), (257, 2), (600, 1)] {
                let (x, y) = (Encoding::for_limit(stored, 4.0), Encoding::for_limit(float, 0.0));
                let count = width * rows;
                let (begin, end) = random.part(count);
                let buffers =
                    vec![random.output(y, count), random.buffer(x, count, 4.0), random.buffer(y, width, 2.0)];
                let (a, b) = (numbers(&buffers[1]), numbers(&buffers[2]));
                let expected = (0..count).map(|i| match (begin..end).contains(&i) {
                    true => Expected::Near(reference::sum(a[i], b[i % width])),
                    false => Expected::Untouched,
                });
                let expected = expected.collect();
                let case =
                    Case { kernel: Kernel::AddBias, begin, end, arguments: vec![width as u32], buffers };
                trials.push(Trial { case, expected, same_bits: true });
            }
        }
    }
    trials
}

/// A kernel on rows of the last dimension.
fn rowwise(
    random: &mut Random,
    case: Case,
    width: usize,
    of: impl Fn(usize, &[f64]) -> Vec<Near>,
    same_bits: bool,
) -> Trial {
    let x = numbers(&case.buffers[1]);
    let rows = x.len().checked_div(width).unwrap_or(0);
    let (begin, end) = random.part(rows);
    let expected = (0..rows).flat_map(|row| match (begin..end).contains(&row) {
        true => of(row, &x[row * width..][..width]).into_iter().map(Expected::Near).collect(),
        false => vec![Expected::Untouched; width],
    });
    let expected = expected.collect();
    Trial { case: Case { begin, end, ..case }, expected, same_bits }
}

pub fn rms_norm(random: &mut Random) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stored in [Stored::F32, Stored::F16, Stored::U8, Stored::U16] {
        for width in SIZES.into_iter().filter(|width| *width > 0) {
            let [x, weight, y] = [3.0, 2.0, 9.0].map(|limit| Encoding::for_limit(stored, limit));
            let rows = 1 + random.below(3);
            let buffers = vec![
                random.output(y, rows * width),
                random.buffer(x, rows * width, 3.0),
                random.buffer(weight, width, 2.0),
            ];
            let w = numbers(&buffers[2]);
            let arguments = vec![width as u32, 1e-5f32.to_bits()];
            let case = Case { kernel: Kernel::RmsNorm, begin: 0, end: 0, arguments, buffers };
            let of = |_: usize, x: &[f64]| reference::rms_norm(x, &w, f64::from(1e-5f32));
            trials.push(rowwise(random, case, width, of, false));
        }
    }
    trials
}

pub fn layer_norm(random: &mut Random) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stored in [Stored::F32, Stored::F16, Stored::U8, Stored::U16] {
        for width in SIZES.into_iter().filter(|width| *width > 0) {
            let [x, weight, bias, y] = [3.0, 2.0, 1.0, 9.0].map(|limit| Encoding::for_limit(stored, limit));
            let rows = 1 + random.below(3);
            let buffers = vec![
                random.output(y, rows * width),
                random.buffer(x, rows * width, 3.0),
                random.buffer(weight, width, 2.0),
                random.buffer(bias, width, 1.0),
            ];
            let (w, b) = (numbers(&buffers[2]), numbers(&buffers[3]));
            let arguments = vec![width as u32, 1e-3f32.to_bits()];
            let case = Case { kernel: Kernel::LayerNorm, begin: 0, end: 0, arguments, buffers };
            let of = |_: usize, x: &[f64]| reference::layer_norm(x, &w, &b, f64::from(1e-3f32));
            trials.push(rowwise(random, case, width, of, false));
        }
    }
    trials
}

pub fn rope(random: &mut Random) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stored in ALL {
        for interleaved in [0, 1] {
            // The last ones rotate a part of the row, an odd one too.
            for (width, pairs) in
                [(2, 1), (6, 3), (64, 32), (66, 33), (128, 64), (254, 127), (600, 300), (80, 16), (7, 2)]
            {
                let (positions, heads, outer) = (3, 2, 2);
                let [x, table, y] = [4.0, 1.0, 6.0].map(|limit| Encoding::for_limit(stored, limit));
                let rows = outer * positions * heads;
                let buffers = vec![
                    random.output(y, rows * width),
                    random.buffer(x, rows * width, 4.0),
                    random.buffer(table, positions * pairs, 1.0),
                    random.buffer(table, positions * pairs, 1.0),
                ];
                let (sin, cos) = (numbers(&buffers[2]), numbers(&buffers[3]));
                let arguments =
                    [width, pairs, heads, positions, interleaved].map(|value| value as u32).to_vec();
                let case = Case { kernel: Kernel::Rope, begin: 0, end: 0, arguments, buffers };
                let of = |row: usize, x: &[f64]| {
                    let angle = row / heads % positions * pairs;
                    reference::rope(x, &sin[angle..][..pairs], &cos[angle..][..pairs], interleaved == 1)
                };
                trials.push(rowwise(random, case, width, of, true));
            }
        }
    }
    trials
}

pub fn causal_mask(random: &mut Random) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stored in ALL {
        let encoding = Encoding::for_limit(stored, 8.0);
        // A position may be anything: the largest must not wrap around.
        for (queries, keys, position) in [
            (1, 1, 0),
            (5, 5, 0),
            (4, 70, 66),
            (3, 300, 100),
            (7, 3, 0),
            (2, 130, 500),
            (2, 9, u32::MAX),
            (3, 513, 511),
        ] {
            let rows = 2 * queries;
            let (begin, end) = random.part(rows);
            let buffers =
                vec![random.output(encoding, rows * keys), random.buffer(encoding, rows * keys, 8.0)];
            // Saturates for fixed point.
            let blocked = encoding.encode(&[encoding.saturated(-65504.0)]);
            let size = stored.size();
            let expected = (0..rows * keys).map(|i| {
                let (row, key) = (i / keys, i % keys);
                if !(begin..end).contains(&row) {
                    Expected::Untouched
                } else if key as u64 <= (row % queries) as u64 + u64::from(position) {
                    Expected::Bytes(buffers[1].bytes[i * size..][..size].to_vec())
                } else {
                    Expected::Bytes(blocked.clone())
                }
            });
            let expected = expected.collect();
            let arguments = vec![(-65504f32).to_bits(), position, queries as u32, keys as u32];
            let case = Case { kernel: Kernel::CausalMask, begin, end, arguments, buffers };
            trials.push(Trial { case, expected, same_bits: true });
        }
    }
    trials
}

pub fn kv_append(random: &mut Random) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stored in ALL {
        let encoding = Encoding::for_limit(stored, 8.0);
        for (outer, rows, added, inner, position) in [
            (1, 1, 1, 1, 0),
            (2, 16, 1, 64, 15),
            (3, 10, 4, 33, 0),
            (2, 7, 0, 5, 7),
            (1, 40, 40, 3, 0),
            (2, 9, 3, 130, 5),
        ] {
            for in_place in [false, true] {
                let (begin, end) = random.part(outer);
                let cache = random.buffer(encoding, outer * rows * inner, 8.0);
                let more = random.buffer(encoding, outer * added * inner, 8.0);
                let output =
                    if in_place { cache.clone() } else { random.output(encoding, outer * rows * inner) };
                let size = stored.size();
                let expected = (0..outer * rows * inner).map(|i| {
                    let (part, row, place) = (i / (rows * inner), i / inner % rows, i % inner);
                    if !(begin..end).contains(&part) {
                        Expected::Untouched
                    } else if (position..position + added).contains(&row) {
                        let at = (part * added + row - position) * inner + place;
                        Expected::Bytes(more.bytes[at * size..][..size].to_vec())
                    } else {
                        Expected::Bytes(cache.bytes[i * size..][..size].to_vec())
                    }
                });
                let expected = expected.collect();
                let arguments = [rows, added, inner, position].map(|value| value as u32).to_vec();
                let (kernel, buffers) = match in_place {
                    false => (Kernel::KvAppend, vec![output, cache, more]),
                    true => (Kernel::KvAppendInPlace, vec![output, more]),
                };
                trials.push(Trial {
                    case: Case { kernel, begin, end, arguments, buffers },
                    expected,
                    same_bits: true,
                });
            }
        }
    }
    trials
}

/// All of them.
pub fn all() -> Vec<Trial> {
    let mut random = Random::new(1);
    let makers = [silu, silu_mul, convert, add_bias, rms_norm, layer_norm, rope, causal_mask, kv_append];
    makers.iter().flat_map(|make| make(&mut random)).collect()
}

/// Of each kernel in each kind of storage one call on 4096 elements, for counting instructions.
pub fn typical() -> Vec<(String, Case)> {
    let mut random = Random::new(3);
    let mut cases = Vec::new();
    let mut add = |name: String, kernel, end, arguments: &[u32], operands: &[(Encoding, usize)]| {
        let buffers =
            operands.iter().map(|(encoding, count)| random.buffer(*encoding, *count, 4.0)).collect();
        cases.push((name, Case { kernel, begin: 0, end, arguments: arguments.to_vec(), buffers }));
    };
    const N: usize = 4096;
    for stored in [Stored::F32, Stored::F16, Stored::U8, Stored::U16] {
        let e = Encoding::for_limit(stored, 8.0);
        let name = |op: &str| format!("{op} {stored:?}");
        add(name("SiLU"), Kernel::Silu, N, &[], &[(e, N), (e, N)]);
        add(name("SiluMul"), Kernel::SiluMul, N, &[], &[(e, N), (e, N), (e, N)]);
        let epsilon = 1e-5f32.to_bits();
        add(name("RMSNorm"), Kernel::RmsNorm, 4, &[1024, epsilon], &[(e, N), (e, N), (e, 1024)]);
        let norm = [(e, N), (e, N), (e, 1024), (e, 1024)];
        add(name("LayerNorm"), Kernel::LayerNorm, 4, &[1024, epsilon], &norm);
        let table = (e, 8 * 64);
        for (way, interleaved) in [("halves", 0), ("neighbours", 1)] {
            let arguments = [128, 64, 4, 8, interleaved];
            add(name(&format!("RoPE {way}")), Kernel::Rope, 32, &arguments, &[(e, N), (e, N), table, table]);
        }
        let arguments = [(-65504f32).to_bits(), 128, 16, 256];
        add(name("CausalMask"), Kernel::CausalMask, 16, &arguments, &[(e, N), (e, N)]);
        add(name("KVCache"), Kernel::KvAppend, 1, &[32, 1, 128, 9], &[(e, N), (e, N), (e, 128)]);
    }
    for (fixed, float) in [(Stored::U8, Stored::F16), (Stored::U16, Stored::F16), (Stored::U8, Stored::F32)] {
        let (q, f) = (Encoding::for_limit(fixed, 8.0), Encoding::for_limit(float, 0.0));
        add(format!("Quantize {float:?} to {fixed:?}"), Kernel::Convert, N, &[], &[(q, N), (f, N)]);
        add(format!("Dequantize {fixed:?} to {float:?}"), Kernel::Convert, N, &[], &[(f, N), (q, N)]);
        let name = format!("DequantizeAdd {fixed:?} to {float:?}");
        add(name, Kernel::AddBias, N, &[1024], &[(f, N), (q, N), (f, 1024)]);
    }
    cases
}

/// Asserts that an output is what a trial expects; returns the largest error, in units of what was allowed.
pub fn verify(trial: &Trial, output: &[u8]) -> f64 {
    let Buffer { encoding, bytes: before } = &trial.case.buffers[0];
    let size = encoding.stored.size();
    assert_eq!(output.len(), trial.expected.len() * size, "{}", describe(&trial.case));
    let numbers = encoding.decode(output);
    let mut worst = 0f64;
    for (i, expected) in trial.expected.iter().enumerate() {
        let found = &output[i * size..][..size];
        match expected {
            Expected::Untouched => {
                assert_eq!(found, &before[i * size..][..size], "element {i} of {}", describe(&trial.case));
            }
            Expected::Bytes(bytes) => assert_eq!(found, bytes, "element {i} of {}", describe(&trial.case)),
            Expected::Near(near) => {
                let exact = encoding.saturated(near.value);
                let allowed = encoding.tolerance(exact, near.slack);
                let error = if numbers[i] == exact { 0.0 } else { (numbers[i] - exact).abs() };
                assert!(
                    error <= allowed,
                    "element {i} is {}, expected {exact} within {allowed:e}: {}",
                    numbers[i],
                    describe(&trial.case)
                );
                if error > 0.0 {
                    worst = worst.max(error / allowed);
                }
            }
        }
    }
    worst
}
