//! What two readers of a text differ in.

use qnn_types::Evaluation;

use super::reader::Named;

/// Signal and noise.
#[derive(Clone, Copy, Default)]
pub(super) struct Noise {
    signal: f64,
    noise: f64,
}

impl Noise {
    pub(super) fn add(&mut self, wanted: &[f32], found: &[f32]) {
        for (&wanted, &found) in wanted.iter().zip(found) {
            self.signal += f64::from(wanted) * f64::from(wanted);
            self.noise += f64::from(wanted - found) * f64::from(wanted - found);
        }
    }

    /// No more than 300 dB, which equal numbers have.
    pub(super) fn db(&self) -> f64 {
        (10.0 * (self.signal / self.noise.max(f64::MIN_POSITIVE)).log10()).min(300.0)
    }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Tally {
    predicted: u64,
    loss: [f64; 2],
    all: Noise,
    positions: u64,
    same: u64,
    layers: Vec<(String, f64)>,
}

impl Tally {
    /// Hidden states of `count` tokens, rows of `width`; there may be padding behind them.
    pub(super) fn layers(&mut self, count: usize, width: usize, found: &Named, wanted: &Named) {
        for ((name, found), (_, wanted)) in found.iter().zip(wanted) {
            let mut noise = Noise::default();
            noise.add(
                wanted.get(..count * width).unwrap_or_default(),
                found.get(..count * width).unwrap_or_default(),
            );
            self.layers.push((name.clone(), noise.db()));
        }
    }

    /// Logits after each of `ids`, of both, and how likely they thought each id that came: the first was predicted by what was `before`.
    pub(super) fn rows(&mut self, before: Option<&[Vec<f32>; 2]>, rows: &[Vec<Vec<f32>>; 2], ids: &[u32]) {
        for (found, wanted) in rows[0].iter().zip(&rows[1]) {
            self.all.add(wanted, found);
            self.positions += 1;
            self.same += u64::from(most_likely(found) == most_likely(wanted));
        }
        for (at, &id) in ids.iter().enumerate() {
            let row = |which: usize| match at {
                0 => before.map(|last| &last[which]),
                _ => rows[which].get(at - 1),
            };
            let (Some(found), Some(wanted)) = (row(0), row(1)) else { continue };
            self.predicted += 1;
            self.loss[0] += loss(found, id);
            self.loss[1] += loss(wanted, id);
        }
    }

    pub(super) fn finish(self) -> Evaluation {
        let perplexity = |loss: f64| (loss / (self.predicted.max(1)) as f64).exp();
        Evaluation {
            predicted: self.predicted,
            perplexity: perplexity(self.loss[0]),
            reference_perplexity: perplexity(self.loss[1]),
            sqnr_db: self.all.db(),
            same_top: self.same as f64 / self.positions.max(1) as f64,
            layers: self.layers,
            ..Evaluation::default()
        }
    }
}

fn most_likely(logits: &[f32]) -> Option<usize> {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
}

/// The negative logarithm of how likely a token is.
fn loss(logits: &[f32], id: u32) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|v| f64::from(v - most).exp()).sum();
    let own = logits.get(id as usize).copied().unwrap_or(f32::NEG_INFINITY);
    sum.ln() - f64::from(own - most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_vocabulary() {
        assert!((loss(&[1.0; 8], 3) - 8f64.ln()).abs() < 1e-12);
        assert!(loss(&[0.0, 100.0], 1) < 1e-12);
    }

    #[test]
    fn a_token_is_predicted_by_the_row_before_it_whichever_chunk_that_is_in() {
        let certain =
            |id: usize| -> Vec<f32> { (0..4).map(|at| if at == id { 50.0 } else { 0.0 }).collect() };
        let mut tally = Tally::default();
        let first = [vec![certain(1), certain(2)], vec![certain(1), certain(2)]];
        tally.rows(None, &first, &[0, 1]);
        let before = [certain(2), certain(2)];
        tally.rows(Some(&before), &[vec![certain(3)], vec![certain(0)]], &[2]);
        let evaluation = tally.finish();
        assert_eq!(evaluation.predicted, 2);
        assert!((evaluation.perplexity - 1.0).abs() < 1e-9);
        assert!((evaluation.same_top - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn padding_behind_the_tokens_is_no_part_of_a_layers_noise() {
        let named = |values: [f32; 4]| vec![("layers.0.out".to_owned(), values.to_vec())];
        let mut tally = Tally::default();
        tally.layers(1, 2, &named([1.0, 2.0, 7.0, 7.0]), &named([1.0, 2.0, 0.0, 0.0]));
        assert_eq!(tally.finish().layers, [("layers.0.out".to_owned(), 300.0)]);
    }
}
