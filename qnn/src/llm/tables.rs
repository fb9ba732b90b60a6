//! Inputs of a step beside tokens and KV cache: rotary angles of the positions, and the attention mask.

use qnn_llm::Config;
use qnn_llm::deployment::MASKED;

use super::decoder::Float;

/// Cosines and sines of all positions' angles, row by row: a graph's `cos` and `sin` are rows of it.
#[derive(Debug)]
pub(super) struct Rope<F> {
    pairs: usize,
    cos: Vec<F>,
    sin: Vec<F>,
    /// The same without their means over the context, for biases of keys; empty where no part asks for them.
    bias: [Vec<F>; 2],
}

impl<F: Float> Rope<F> {
    /// `bias`: with the angles of biases of keys.
    pub(super) fn new(config: &Config, context: usize, bias: bool) -> Rope<F> {
        let frequencies = config.rope_frequencies();
        let angles = || {
            let frequencies = &frequencies;
            (0..context).flat_map(move |position| {
                frequencies.iter().map(move |frequency| position as f64 * frequency)
            })
        };
        let amplitude = config.rope_amplitude();
        let float = |value: f64| F::from((value * amplitude) as f32);
        Rope {
            pairs: frequencies.len(),
            cos: angles().map(|angle| float(angle.cos())).collect(),
            sin: angles().map(|angle| float(angle.sin())).collect(),
            bias: match bias {
                true => {
                    let means = config.rope_means(context);
                    let less = |which: usize, of: fn(f64) -> f64| {
                        let means = means.iter().cycle();
                        angles().zip(means).map(|(angle, mean)| float(of(angle) - mean[which])).collect()
                    };
                    [less(0, f64::cos), less(1, f64::sin)]
                }
                false => Default::default(),
            },
        }
    }

    /// Angles of biases of keys of `count` positions from `first`, in the order of their inputs' names.
    pub(super) fn bias(&self, first: usize, count: usize) -> [&[F]; 2] {
        self.bias.each_ref().map(|all| &all[first * self.pairs..(first + count) * self.pairs])
    }

    /// Cosines of `count` positions from `first`.
    pub(super) fn cos(&self, first: usize, count: usize) -> &[F] {
        &self.cos[first * self.pairs..(first + count) * self.pairs]
    }

    /// Sines of the same.
    pub(super) fn sin(&self, first: usize, count: usize) -> &[F] {
        &self.sin[first * self.pairs..(first + count) * self.pairs]
    }
}

/// A graph's mask: which of the past and of the new positions each new token sees. It is changed in place: from one step to the
/// next only the columns of new past positions differ.
#[derive(Debug)]
pub(super) struct Mask<F> {
    context: usize,
    tokens: usize,
    past: usize,
    values: Vec<F>,
}

impl<F: Float> Mask<F> {
    pub(super) fn new(context: usize, tokens: usize) -> Mask<F> {
        let mut values = vec![F::from(MASKED); tokens * context];
        for (row, columns) in values.chunks_exact_mut(context).enumerate() {
            let first_new = context - tokens;
            columns[first_new..=first_new + row].fill(F::default());
        }
        Mask { context, tokens, past: 0, values }
    }

    /// The mask with so many past positions, at most `context - tokens`.
    pub(super) fn with_past(&mut self, past: usize) -> &[F] {
        let (from, to) = (self.past.min(past), self.past.max(past));
        let value = if past > self.past { F::default() } else { F::from(MASKED) };
        for columns in self.values.chunks_exact_mut(self.context) {
            columns[from..to].fill(value);
        }
        debug_assert!(past <= self.context - self.tokens, "{past} of {} - {}", self.context, self.tokens);
        self.past = past;
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use qnn_llm::{Rope as RopeConfig, RopeScaling};

    use super::*;
    use crate::F16;

    fn config(head_dim: usize, theta: f32, scaling: Option<RopeScaling>) -> Config {
        Config {
            architecture: "llama".into(),
            hidden: 64,
            layers: 1,
            heads: 1,
            kv_heads: 1,
            head_dim,
            intermediate: 64,
            vocabulary: 8,
            rms_epsilon: 1e-6,
            rope: RopeConfig { theta, scaling },
            max_context: 4096,
            qkv_bias: false,
            qk_norm: false,
            tied: false,
        }
    }

    /// Rows of the rotary embeddings of Hugging Face transformers.
    #[derive(serde::Deserialize)]
    struct Case {
        head_dim: usize,
        theta: f32,
        scaling: Option<RopeScaling>,
        rows: Vec<Row>,
    }

    #[derive(serde::Deserialize)]
    struct Row {
        position: usize,
        cos: Vec<f32>,
        sin: Vec<f32>,
    }

    #[test]
    fn the_table_is_that_of_transformers() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/llm/rope.json")).unwrap();
        assert_eq!(cases.len(), 6);
        for case in cases {
            let context = case.rows.iter().map(|row| row.position).max().unwrap() + 1;
            let rope: Rope<F16> = Rope::new(&config(case.head_dim, case.theta, case.scaling), context, false);
            for row in &case.rows {
                let tables = [(rope.cos(row.position, 1), &row.cos), (rope.sin(row.position, 1), &row.sin)];
                for (ours, theirs) in tables {
                    assert_eq!(ours.len(), theirs.len());
                    for (pair, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                        // Half a step of fp16 below 1 is 2^-12, and up to 2 it is 2^-11; theirs has angles in fp32.
                        let step = if theirs.abs() < 1.0 { 2f32.powi(-12) } else { 2f32.powi(-11) };
                        let error = (f32::from(*ours) - theirs).abs();
                        let fp32 = row.position as f32 * f32::EPSILON;
                        assert!(
                            error <= step + fp32,
                            "position {}, pair {pair}: {ours:?}, not {theirs}",
                            row.position
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_mask_shows_the_past_and_what_is_not_later_whatever_it_was_before() {
        let (context, tokens) = (12, 4);
        let mut mask: Mask<F16> = Mask::new(context, tokens);
        for past in [0, 3, 8, 5, 0, 1] {
            let values = mask.with_past(past).to_vec();
            for row in 0..tokens {
                for column in 0..context {
                    let seen = match column.checked_sub(context - tokens) {
                        None => column < past,
                        Some(new) => new <= row,
                    };
                    let expected = if seen { 0.0 } else { -10000.0 };
                    assert_eq!(f32::from(values[row * context + column]), expected, "{past} {row} {column}");
                }
            }
        }
    }
}
