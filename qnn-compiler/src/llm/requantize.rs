//! Weights as integers with a scale per row, from their real numbers.

use qnn_types::quant::Invalid;

use crate::graph::{Encoding, Storage};

/// Rows of integers.
pub(super) struct Rows {
    pub(super) stored: Vec<i8>,
    /// A scale a row.
    pub(super) encoding: Encoding,
    /// Sum of the squares of the numbers.
    pub(super) signal: f64,
    /// Sum of the squares of what rounding changed.
    pub(super) noise: f64,
}

/// Part of a row's largest number that the largest integer stands for: with few bits it is better to cut off the rare large
/// numbers than to round all others more coarsely. Of these the one with the least squared error is taken, row by row.
const CUTS: [f32; 6] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.7];

/// Rounds rows of so many columns to integers of 8 or 4 bits around zero; the least integer, which has no counterpart, is not used.
///
/// # Errors
/// No rows, or numbers that are not finite.
pub(super) fn rows(numbers: &[f32], columns: usize, bits: u8) -> Result<Rows, Invalid> {
    let storage = Storage::new(bits, true)?;
    let most_stored = storage.limits().1;
    let largest = most_stored as f32;
    // One step of 8 bits is too fine for a cut to gain anything.
    let cuts = if bits == 4 { &CUTS[..] } else { &CUTS[..1] };
    let count = numbers.len() / columns.max(1);
    let mut scales = Vec::with_capacity(count);
    let (mut signal, mut noise) = (0.0, 0.0);
    for row in numbers.chunks_exact(columns.max(1)) {
        let most = row.iter().fold(0.0f32, |most, v| most.max(v.abs()));
        let scale_of = |cut: f32| Some(most * cut / largest).filter(|scale| *scale > 0.0).unwrap_or(1.0);
        let error = |cut: f32| {
            let scale = scale_of(cut);
            let inverse = 1.0 / scale;
            row.iter()
                .map(|v| {
                    let rounded = (v * inverse).round_ties_even().clamp(-largest, largest) * scale;
                    f64::from((rounded - v) * (rounded - v))
                })
                .sum::<f64>()
        };
        let best = cuts.iter().map(|&cut| (error(cut), cut)).min_by(|a, b| a.0.total_cmp(&b.0));
        let (lost, cut) = best.unwrap_or((0.0, 1.0));
        scales.push(scale_of(cut));
        signal += row.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>();
        noise += lost;
    }
    let encoding = Encoding::new_per_axis(storage, 0, scales, Vec::new())?;
    let stored = encoding.quantize_within(numbers, &[count, columns], (-most_stored, most_stored))?;
    Ok(Rows { stored: stored.into_iter().map(|q| q as i8).collect(), encoding, signal, noise })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_number_of_a_row_is_kept_in_eight_bits() {
        let made = rows(&[1.0, -2.0, 0.5, 0.0, 0.0, 0.0], 3, 8).unwrap();
        assert_eq!(made.stored, [64, -127, 32, 0, 0, 0]);
        assert_eq!(made.encoding.scales(), [2.0 / 127.0, 1.0]);
        assert!(made.noise > 0.0 && made.noise < 1e-3);
    }

    #[test]
    fn four_bits_cut_off_a_rare_large_number_where_that_costs_less() {
        let mut row = vec![0.6f32; 200];
        row[0] = 8.0;
        let made = rows(&row, 200, 4).unwrap();
        let scale = made.encoding.scales()[0];
        assert!(scale < 8.0 / 7.0, "{scale}");
        assert!(made.stored.iter().all(|q| (-7..=7).contains(q)));
    }
}
