//! A checksum of files that an app loads: XXH64, as its specification describes it.
//!
//! It tells damaged and mistaken files from the right one, at more than a gigabyte a second (optimized) and without a dependency. It is no cryptographic
//! hash: a file that somebody has made on purpose can have any checksum.

use std::fmt;
use std::str::FromStr;

const PRIME: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];
/// Bytes that are taken at once.
const STRIPE: usize = 32;

/// A finished checksum; its text is 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sum(pub u64);

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Sum {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// A checksum in the making.
#[derive(Clone, Debug)]
pub struct Checksum {
    seed: u64,
    lanes: [u64; 4],
    /// Bytes that do not fill a stripe yet.
    rest: [u8; STRIPE],
    held: usize,
    bytes: u64,
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

impl Checksum {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::with_seed(0)
    }

    /// Another function for each seed.
    pub fn with_seed(seed: u64) -> Self {
        let lanes = [
            seed.wrapping_add(PRIME[0]).wrapping_add(PRIME[1]),
            seed.wrapping_add(PRIME[1]),
            seed,
            seed.wrapping_sub(PRIME[0]),
        ];
        Self { seed, lanes, rest: [0; STRIPE], held: 0, bytes: 0 }
    }

    /// Takes more bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.bytes = self.bytes.wrapping_add(bytes.len() as u64);
        if self.held > 0 {
            let taken = bytes.len().min(STRIPE - self.held);
            self.rest[self.held..self.held + taken].copy_from_slice(&bytes[..taken]);
            self.held += taken;
            bytes = &bytes[taken..];
            if self.held < STRIPE {
                return;
            }
            let stripe = self.rest;
            self.stripes(&stripe);
            self.held = 0;
        }
        let whole = bytes.len() / STRIPE * STRIPE;
        self.stripes(&bytes[..whole]);
        let left = &bytes[whole..];
        self.rest[..left.len()].copy_from_slice(left);
        self.held = left.len();
    }

    fn stripes(&mut self, bytes: &[u8]) {
        let (stripes, _) = bytes.as_chunks::<STRIPE>();
        let [mut a, mut b, mut c, mut d] = self.lanes;
        // Written out, and by index: builds without optimization check gigabytes, too.
        for s in stripes {
            a = round(a, u64::from_le_bytes([s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]]));
            b = round(b, u64::from_le_bytes([s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15]]));
            c = round(c, u64::from_le_bytes([s[16], s[17], s[18], s[19], s[20], s[21], s[22], s[23]]));
            d = round(d, u64::from_le_bytes([s[24], s[25], s[26], s[27], s[28], s[29], s[30], s[31]]));
        }
        self.lanes = [a, b, c, d];
    }

    /// The checksum of all bytes so far.
    pub fn finish(&self) -> Sum {
        let [a, b, c, d] = self.lanes;
        let mut sum = if self.bytes >= STRIPE as u64 {
            let joined = a
                .rotate_left(1)
                .wrapping_add(b.rotate_left(7))
                .wrapping_add(c.rotate_left(12))
                .wrapping_add(d.rotate_left(18));
            self.lanes.iter().fold(joined, |sum, lane| {
                (sum ^ round(0, *lane)).wrapping_mul(PRIME[0]).wrapping_add(PRIME[3])
            })
        } else {
            self.seed.wrapping_add(PRIME[4])
        };
        sum = sum.wrapping_add(self.bytes);
        let (words, rest) = self.rest[..self.held].as_chunks::<8>();
        for word in words {
            sum ^= round(0, u64::from_le_bytes(*word));
            sum = sum.rotate_left(27).wrapping_mul(PRIME[0]).wrapping_add(PRIME[3]);
        }
        let (halves, rest) = rest.as_chunks::<4>();
        for half in halves {
            sum ^= u64::from(u32::from_le_bytes(*half)).wrapping_mul(PRIME[0]);
            sum = sum.rotate_left(23).wrapping_mul(PRIME[1]).wrapping_add(PRIME[2]);
        }
        for byte in rest {
            sum ^= u64::from(*byte).wrapping_mul(PRIME[4]);
            sum = sum.rotate_left(11).wrapping_mul(PRIME[0]);
        }
        sum ^= sum >> 33;
        sum = sum.wrapping_mul(PRIME[1]);
        sum ^= sum >> 29;
        sum = sum.wrapping_mul(PRIME[2]);
        Sum(sum ^ (sum >> 32))
    }
}

#[inline(always)]
fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(PRIME[1])).rotate_left(31).wrapping_mul(PRIME[0])
}

/// The checksum of bytes that are all there.
pub fn checksum(bytes: &[u8]) -> Sum {
    let mut sum = Checksum::new();
    sum.update(bytes);
    sum.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the Python package `xxhash` 3 (the reference implementation) gives for the bytes `i * 7 % 251`.
    const KNOWN: &[(usize, u64, u64)] = &[
        (0, 0xef46_db37_51d8_e999, 0xf6cf_42b7_7638_25c2),
        (1, 0xe934_a84a_db05_2768, 0x9b98_b250_1eb4_e0fd),
        (3, 0x9ff7_0a63_5a62_09ab, 0xec31_add1_594d_cf11),
        (4, 0xae5a_cdc0_0a55_ac41, 0xd787_f58c_da8f_818c),
        (7, 0xd734_a6b2_6f3d_a63e, 0xbd2a_9bed_d363_81fe),
        (8, 0x8711_6b33_65b9_24eb, 0x2d4f_7311_e235_b684),
        (13, 0x92e7_ac00_fd9c_e667, 0x3649_cd8a_6489_6be7),
        (31, 0x0f18_7c62_b1e7_22b7, 0x09a8_b152_b788_924e),
        (32, 0x91b0_cb09_31a8_c629, 0xce47_4e96_80aa_0bd7),
        (33, 0x931b_043c_f8d6_5b94, 0xc11e_441c_7232_e562),
        (63, 0x5751_86c1_2dce_bcfd, 0xbff4_8ca7_cc83_5ed6),
        (64, 0xab64_977b_5af9_d022, 0x5d91_e54c_01b8_2373),
        (100, 0xb7fe_1d84_b2f2_3a05, 0x0147_d8fe_a952_46c3),
        (1000, 0x023f_d2ed_1ff9_57d5, 0x6f0c_7473_5056_373a),
        (100_003, 0x1d0e_db76_d73b_0886, 0xf6da_b717_dd08_46ec),
    ];

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 7 % 251) as u8).collect()
    }

    #[test]
    fn it_is_xxh64() {
        for (length, plain, seeded) in KNOWN {
            assert_eq!(checksum(&bytes(*length)), Sum(*plain), "{length}");
            let mut sum = Checksum::with_seed(2_026);
            sum.update(&bytes(*length));
            assert_eq!(sum.finish(), Sum(*seeded), "{length}");
        }
    }

    #[test]
    fn how_the_bytes_come_does_not_matter() {
        let all = bytes(1000);
        for step in [1, 5, 31, 32, 33, 500] {
            let mut sum = Checksum::new();
            all.chunks(step).for_each(|part| sum.update(part));
            assert_eq!(sum.finish(), checksum(&all), "{step}");
        }
    }

    #[test]
    fn its_text_can_be_read_again() {
        let sum = Sum(0x00ab_cdef);
        assert_eq!(sum.to_string(), "0000000000abcdef");
        assert_eq!(sum.to_string().parse(), Ok(sum));
    }
}
