//! What files say of rotary position embeddings, in the model's terms.

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
pub(crate) fn unsupported(kind: &str, original: Option<usize>) -> Problem {
    let problem = Problem::config(format!("rotary scaling of the kind `{kind}` is not supported"))
        .note("none, linear and llama3 are");
    match original {
        Some(context) => problem.help(format!(
            "for contexts of up to {context} tokens, remove the scaling from the model's configuration: \
             it changes nothing for the better there"
        )),
        None => problem,
    }
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
