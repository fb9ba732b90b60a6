//! Rotary position embeddings: from the files' parameters to the model's.

use crate::config::{Config, RopeScaling};
use crate::problem::Problem;

/// Numbers that a frequency can be divided by.
pub(crate) fn check(config: &Config) -> Result<(), Problem> {
    let positive = |value: &f32| value.is_finite() && *value > 0.0;
    let fine = match &config.rope.scaling {
        None => true,
        Some(RopeScaling::Linear { factor }) => positive(factor),
        Some(RopeScaling::Factors { factors }) => {
            factors.len() == config.head_dim / 2 && factors.iter().all(positive)
        }
        Some(RopeScaling::Llama3 {
            factor,
            low_frequency_factor,
            high_frequency_factor,
            original_context,
        }) => {
            [factor, low_frequency_factor, high_frequency_factor, original_context].into_iter().all(positive)
                && high_frequency_factor > low_frequency_factor
        }
        Some(RopeScaling::Yarn {
            factor,
            original_context,
            beta_fast,
            beta_slow,
            amplitude,
            factors,
            ..
        }) => {
            [factor, original_context, beta_fast, beta_slow, amplitude].into_iter().all(positive)
                && (factors.is_empty() || factors.len() == config.head_dim / 2)
                && factors.iter().all(positive)
        }
    };
    if fine {
        return Ok(());
    }
    let message = match &config.rope.scaling {
        Some(RopeScaling::Factors { factors }) => format!(
            "the rotary factors are {} numbers, and should be {} that are greater than 0",
            factors.len(),
            config.head_dim / 2
        ),
        scaling => format!("the rotary scaling {scaling:?} cannot be"),
    };
    Err(Problem::config(message))
}

/// A kind of scaling that is not supported.
pub(crate) fn unsupported(kind: &str) -> Problem {
    Problem::config(format!("rotary scaling of the kind `{kind}` is not supported"))
        .note("none, linear, llama3, yarn and dynamic are")
        .help(
            "the model was trained with it, so leaving it out would give other texts: take a model of another kind of scaling",
        )
}

/// What YaRN multiplies cosines and sines by where nothing else is said.
pub(crate) fn yarn_amplitude(factor: f64) -> f64 {
    if factor <= 1.0 { 1.0 } else { 0.1 * factor.ln() + 1.0 }
}

/// Scaling that follows the length of the text: up to the context that the model was trained with it changes nothing.
pub(crate) fn dynamic(context: usize, original: Option<usize>, notes: &mut Vec<String>) -> usize {
    let limit = original.map_or(context, |original| original.min(context));
    notes.push(format!(
        "dynamic rotary scaling changes nothing up to {limit} tokens, and contexts are limited to these"
    ));
    limit
}

/// The longest context within which a sliding window changes nothing, and what to say of it.
pub(crate) fn windowed(context: usize, window: Option<usize>, notes: &mut Vec<String>) -> usize {
    match window.filter(|window| *window > 0) {
        Some(window) if window < context => {
            notes.push(format!(
                "a sliding window of {window} tokens is not computed, so contexts are limited to {window} instead of {context}"
            ));
            window
        }
        _ => context,
    }
}
