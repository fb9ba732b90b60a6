//! Sizes and constants of a decoder.

use serde::{Deserialize, Serialize};

/// A decoder of the Llama family: what its graph is built from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// Architecture, as GGUF files name it: `qwen2`, `llama`, …
    pub architecture: String,
    /// Size of the hidden state.
    pub hidden: usize,
    /// Decoder layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; each serves `heads / kv_heads` query heads.
    pub kv_heads: usize,
    /// Size of a head; need not be `hidden / heads`.
    pub head_dim: usize,
    /// Size of the feed-forward layer.
    pub intermediate: usize,
    /// Rows of the embedding table and of the head.
    pub vocabulary: usize,
    /// Added to the mean of squares in each RMS normalization.
    pub rms_epsilon: f32,
    /// Rotary position embedding.
    pub rope: Rope,
    /// The longest context the model was made for, tokens.
    pub max_context: usize,
    /// Whether query, key and value projections have biases.
    pub qkv_bias: bool,
    /// Whether queries and keys are normalized per head (qwen3).
    pub qk_norm: bool,
    /// Whether the head is the embedding table.
    pub tied: bool,
}

/// Rotary position embedding: position `p` turns the pair `i` of a head by the angle `p * frequency[i]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rope {
    /// Base of the frequencies.
    pub theta: f32,
    /// How frequencies are stretched for long contexts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<RopeScaling>,
}

/// Stretching of rotary frequencies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum RopeScaling {
    /// Every frequency divided by a factor.
    Linear {
        /// The factor.
        factor: f32,
    },
    /// Llama 3: low frequencies divided, high ones kept, those between blended.
    #[serde(rename_all = "kebab-case")]
    Llama3 {
        /// What low frequencies are divided by.
        factor: f32,
        /// Wavelengths above `original_context / low_frequency_factor` are low frequencies.
        low_frequency_factor: f32,
        /// Wavelengths below `original_context / high_frequency_factor` are high frequencies.
        high_frequency_factor: f32,
        /// The context the model was first trained with.
        original_context: f32,
    },
    /// What each frequency is divided by, one factor a pair (the `rope_freqs` tensor of GGUF files).
    Factors {
        /// `head_dim / 2` numbers.
        factors: Vec<f32>,
    },
    /// YaRN: frequencies that turn often enough within the original context are kept, slow ones divided, those between
    /// blended; cosines and sines are multiplied by `amplitude`.
    #[serde(rename_all = "kebab-case")]
    Yarn {
        /// What slow frequencies are divided by.
        factor: f32,
        /// The context the model was first trained with.
        original_context: f32,
        /// Frequencies that turn more often than this within the original context are kept.
        beta_fast: f32,
        /// Frequencies that turn less often than this are divided.
        beta_slow: f32,
        /// What cosines and sines are multiplied by.
        amplitude: f32,
        /// Whether the limits between the three kinds are whole pairs.
        truncate: bool,
        /// What each frequency is divided by before; empty for nothing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        factors: Vec<f32>,
    },
}

impl Config {
    /// Rows of the query projection.
    pub fn query_rows(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Rows of the key and of the value projection.
    pub fn kv_rows(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Angle per position of each of the `head_dim / 2` pairs, radians.
    pub fn rope_frequencies(&self) -> Vec<f64> {
        let pairs = self.head_dim / 2;
        let theta = f64::from(self.rope.theta);
        (0..pairs)
            .map(|i| {
                let frequency = theta.powf(-2.0 * i as f64 / self.head_dim as f64);
                match &self.rope.scaling {
                    None => frequency,
                    Some(scaling) => scaling.apply(frequency, i, self),
                }
            })
            .collect()
    }

    /// Mean cosine and sine of each pair's angles over a number of positions.
    pub fn rope_means(&self, positions: usize) -> Vec<[f64; 2]> {
        let count = positions.max(1) as f64;
        let mean = |frequency: f64| {
            let angles = (0..positions).map(|position| position as f64 * frequency);
            let sums = angles.fold([0.0, 0.0], |[cos, sin], angle| [cos + angle.cos(), sin + angle.sin()]);
            sums.map(|sum| sum / count)
        };
        self.rope_frequencies().into_iter().map(mean).collect()
    }

    /// What cosines and sines of the angles are multiplied by.
    pub fn rope_amplitude(&self) -> f64 {
        match self.rope.scaling {
            Some(RopeScaling::Yarn { amplitude, .. }) => f64::from(amplitude),
            _ => 1.0,
        }
    }
}

impl RopeScaling {
    fn apply(&self, frequency: f64, pair: usize, config: &Config) -> f64 {
        match self {
            Self::Yarn { factor, original_context, beta_fast, beta_slow, truncate, factors, .. } => {
                // The pair that turns so often within the original context.
                let theta = f64::from(config.rope.theta);
                let pair_of = |turns: f32| {
                    let wavelength = f64::from(*original_context) / f64::from(turns);
                    config.head_dim as f64 * (wavelength / std::f64::consts::TAU).ln() / (2.0 * theta.ln())
                };
                let (mut low, mut high) = (pair_of(*beta_fast), pair_of(*beta_slow));
                if *truncate {
                    (low, high) = (low.floor(), high.ceil());
                }
                (low, high) = (low.max(0.0), high.min(config.head_dim as f64 - 1.0));
                let slow = ((pair as f64 - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
                let frequency = frequency / f64::from(factors.get(pair).copied().unwrap_or(1.0));
                frequency * (1.0 - slow) + frequency / f64::from(*factor) * slow
            }
            Self::Linear { factor } => frequency / f64::from(*factor),
            Self::Factors { factors } => frequency / f64::from(factors.get(pair).copied().unwrap_or(1.0)),
            Self::Llama3 { factor, low_frequency_factor, high_frequency_factor, original_context } => {
                let (factor, low, high, original) = (
                    f64::from(*factor),
                    f64::from(*low_frequency_factor),
                    f64::from(*high_frequency_factor),
                    f64::from(*original_context),
                );
                let wavelength = std::f64::consts::TAU / frequency;
                if wavelength < original / high {
                    frequency
                } else if wavelength > original / low {
                    frequency / factor
                } else {
                    let smooth = (original / wavelength - low) / (high - low);
                    (1.0 - smooth) * frequency / factor + smooth * frequency
                }
            }
        }
    }
}
