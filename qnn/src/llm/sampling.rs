//! Choosing the next token.

use qnn_llm::deployment::Advice;

use super::error;
use super::random::Pcg32;
use crate::Result;

/// How the next token is chosen from the logits, and when to stop.
///
/// Steps, in this order: repetition penalty, temperature, `top_k`, `top_p`, `min_p`, a draw. The defaults are those that most
/// chat programs have.
///
/// ```
/// use qnn::llm::Sampling;
///
/// let sampling = Sampling::default().with_temperature(0.6).with_max_tokens(200);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sampling {
    /// What logits are divided by: small is cautious. 0 always takes the likeliest token; the draws' options have no effect then.
    pub temperature: f32,
    /// Only this many of the likeliest tokens are drawn from; 0 is no limit.
    pub top_k: usize,
    /// Only the likeliest tokens that together have at least this probability are drawn from; 1 is no limit.
    pub top_p: f32,
    /// Only tokens with at least this share of the likeliest one's probability are drawn from; 0 is no limit.
    pub min_p: f32,
    /// Logits of tokens that occurred are divided by this where positive, multiplied where negative; 1 is none.
    pub repetition_penalty: f32,
    /// How many of the last tokens count as having occurred.
    pub repetition_window: usize,
    /// The same seed and logits give the same tokens.
    pub seed: u64,
    /// Stop after this number of tokens; `None` is until the context is full.
    pub max_tokens: Option<usize>,
    /// Stop before one of these texts, which is not part of the answer.
    pub stop: Vec<String>,
    /// Go on after the model's own stop tokens.
    pub ignore_stop_tokens: bool,
}

/// Setters, each as the field of its name.
macro_rules! setters {
    ($($name:ident = $field:ident: $ty:ty => $value:expr;)*) => {
        impl Sampling {
            $(
                #[doc = concat!("Sets [`Sampling::", stringify!($field), "`].")]
                #[must_use]
                pub fn $name(mut self, $field: $ty) -> Sampling {
                    self.$field = $value;
                    self
                }
            )*
        }
    };
}

setters! {
    with_temperature = temperature: f32 => temperature;
    with_top_k = top_k: usize => top_k;
    with_top_p = top_p: f32 => top_p;
    with_min_p = min_p: f32 => min_p;
    with_repetition_penalty = repetition_penalty: f32 => repetition_penalty;
    with_repetition_window = repetition_window: usize => repetition_window;
    with_seed = seed: u64 => seed;
    with_max_tokens = max_tokens: usize => Some(max_tokens);
    with_stop = stop: impl IntoIterator<Item = impl Into<String>> => stop.into_iter().map(Into::into).collect();
    with_ignore_stop_tokens = ignore_stop_tokens: bool => ignore_stop_tokens;
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling {
            temperature: 0.8,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
            repetition_penalty: 1.0,
            repetition_window: 64,
            seed: 0,
            max_tokens: None,
            stop: Vec::new(),
            ignore_stop_tokens: false,
        }
    }
}

impl Sampling {
    /// The likeliest token, always.
    pub fn greedy() -> Sampling {
        Sampling { temperature: 0.0, ..Sampling::default() }
    }

    /// What the model's makers advise, and the defaults where they say nothing.
    pub fn advised(advice: &Advice) -> Sampling {
        let usual = Sampling::default();
        Sampling {
            temperature: advice.temperature.unwrap_or(usual.temperature),
            top_k: advice.top_k.map_or(usual.top_k, |k| k as usize),
            top_p: advice.top_p.unwrap_or(usual.top_p),
            min_p: advice.min_p.unwrap_or(usual.min_p),
            repetition_penalty: advice.repetition_penalty.unwrap_or(usual.repetition_penalty),
            ..usual
        }
    }

    fn check(&self) -> Result<()> {
        let rules = [
            ("temperature", self.temperature, 0.0..=f32::MAX, "0 or more"),
            ("top_p", self.top_p, f32::MIN_POSITIVE..=1.0, "above 0, at most 1"),
            ("min_p", self.min_p, 0.0..=1.0, "from 0 to 1"),
            ("repetition_penalty", self.repetition_penalty, f32::MIN_POSITIVE..=f32::MAX, "above 0"),
        ];
        match rules.into_iter().find(|(_, value, range, _)| !range.contains(value)) {
            Some((option, value, _, range)) => Err(error::sampling(option, value, range)),
            None => Ok(()),
        }
    }
}

/// Chooses tokens by a [`Sampling`]; its random numbers go on from token to token.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    random: Pcg32,
    /// Tokens and their logits; kept for its memory.
    candidates: Vec<(u32, f32)>,
}

impl Sampler {
    /// A sampler at the beginning of its seed.
    ///
    /// # Errors
    /// [`Sampling`](crate::ErrorKind::Sampling) for an option out of its range.
    pub fn new(sampling: &Sampling) -> Result<Sampler> {
        sampling.check()?;
        Ok(Sampler {
            sampling: sampling.clone(),
            random: Pcg32::new(sampling.seed, 0),
            candidates: Vec::new(),
        })
    }

    /// The next token. `history` is what came before, its last `repetition_window` tokens are penalized.
    ///
    /// # Errors
    /// [`NotANumber`](crate::ErrorKind::NotANumber) when a logit is NaN, or there is none.
    pub fn sample(&mut self, logits: &[f32], history: &[u32]) -> Result<u32> {
        let likely = self.probabilities(logits, history)?;
        if likely.len() == 1 {
            return Ok(likely[0].0);
        }
        let mut left = self.random.unit();
        for (token, probability) in &likely {
            left -= f64::from(*probability);
            if left < 0.0 {
                return Ok(*token);
            }
        }
        // The probabilities' sum is 1 but for rounding.
        likely.last().map(|row| row.0).ok_or_else(|| error::not_a_number(history.len()))
    }

    /// What [`Sampler::sample`] draws from: tokens and their probabilities, the likeliest first. With temperature 0 one token.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn probabilities(&mut self, logits: &[f32], history: &[u32]) -> Result<Vec<(u32, f32)>> {
        let Sampling { temperature, top_k, top_p, min_p, .. } = self.sampling;
        if logits.is_empty() || logits.iter().any(|logit| logit.is_nan()) {
            return Err(error::not_a_number(history.len()));
        }
        let candidates = &mut self.candidates;
        candidates.clear();
        candidates.extend((0..).zip(logits.iter().copied()));
        penalize(candidates, &self.sampling, history);

        let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        let keep = if temperature == 0.0 { 1 } else { top_k };
        if keep > 0 && keep < candidates.len() {
            candidates.select_nth_unstable_by(keep - 1, order);
            candidates.truncate(keep);
        }
        candidates.sort_unstable_by(order);

        // The difference first: a tiny temperature makes it large, not infinite minus infinite.
        let best = candidates[0].1;
        let weight = |logit: f32| if logit == best { 1.0 } else { ((logit - best) / temperature).exp() };
        let total: f32 = candidates.iter().map(|row| weight(row.1)).sum();
        let mut sum = 0.0;
        let mut kept = Vec::new();
        for (token, logit) in candidates.iter() {
            let weight = weight(*logit);
            let enough = top_p < 1.0 && sum / total >= top_p;
            if enough || (weight < min_p && !kept.is_empty()) {
                break;
            }
            sum += weight;
            kept.push((*token, weight));
        }
        for row in &mut kept {
            row.1 /= sum;
        }
        Ok(kept)
    }
}

fn penalize(logits: &mut [(u32, f32)], sampling: &Sampling, history: &[u32]) {
    let penalty = sampling.repetition_penalty;
    if penalty == 1.0 {
        return;
    }
    let mut recent = history[history.len().saturating_sub(sampling.repetition_window)..].to_vec();
    recent.sort_unstable();
    recent.dedup();
    for token in recent {
        if let Some((_, logit)) = logits.get_mut(token as usize) {
            *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the logits processors of Hugging Face transformers leave of the logits, as probabilities.
    #[derive(serde::Deserialize)]
    struct Case {
        temperature: f32,
        top_k: usize,
        top_p: f32,
        min_p: f32,
        repetition_penalty: f32,
        history: Vec<u32>,
        logits: Vec<f32>,
        probabilities: Vec<f32>,
    }

    fn cases() -> Vec<(Sampling, Case)> {
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/llm/sampling.json")).unwrap();
        assert!(cases.len() >= 20, "{}", cases.len());
        cases
            .into_iter()
            .map(|case| {
                let sampling = Sampling {
                    temperature: case.temperature,
                    top_k: case.top_k,
                    top_p: case.top_p,
                    min_p: case.min_p,
                    repetition_penalty: case.repetition_penalty,
                    repetition_window: usize::MAX,
                    ..Sampling::default()
                };
                (sampling, case)
            })
            .collect()
    }

    #[test]
    fn the_distribution_is_that_of_transformers_processors() {
        for (sampling, case) in cases() {
            let kept = Sampler::new(&sampling).unwrap().probabilities(&case.logits, &case.history).unwrap();
            let mut probabilities = vec![0.0; case.logits.len()];
            for (token, probability) in kept {
                probabilities[token as usize] = probability;
            }
            for (token, (ours, theirs)) in probabilities.iter().zip(&case.probabilities).enumerate() {
                assert!((ours - theirs).abs() < 1e-5, "{sampling:?}: token {token}: {ours}, not {theirs}");
                assert_eq!(*ours == 0.0, *theirs == 0.0, "{sampling:?}: token {token} kept or not");
            }
        }
    }

    #[test]
    fn draws_follow_the_distribution() {
        const DRAWS: usize = 20_000;
        for (sampling, case) in cases().into_iter().take(6) {
            let mut sampler = Sampler::new(&sampling).unwrap();
            let mut counts = vec![0usize; case.logits.len()];
            for _ in 0..DRAWS {
                counts[sampler.sample(&case.logits, &case.history).unwrap() as usize] += 1;
            }
            for (token, (count, probability)) in counts.iter().zip(&case.probabilities).enumerate() {
                let expected = f64::from(*probability) * DRAWS as f64;
                let deviation = (expected * (1.0 - f64::from(*probability))).sqrt();
                let off = (*count as f64 - expected).abs();
                assert!(
                    off <= 5.0 * deviation + 1e-3,
                    "{sampling:?}: token {token}: {count}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_tokens_and_another_seed_others() {
        let logits: Vec<f32> = (0..50).map(|i| (i as f32 * 0.37).sin()).collect();
        let draw = |seed| {
            let mut sampler = Sampler::new(&Sampling { seed, ..Sampling::default() }).unwrap();
            (0..40).map(|_| sampler.sample(&logits, &[]).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn greedy_takes_the_first_of_the_likeliest() {
        let mut sampler = Sampler::new(&Sampling::greedy()).unwrap();
        assert_eq!(sampler.sample(&[0.5, 2.0, 2.0, -1.0], &[]).unwrap(), 1);
        assert_eq!(sampler.sample(&[f32::NEG_INFINITY, -3.0], &[]).unwrap(), 1);
    }

    #[test]
    fn only_recent_tokens_are_penalized_and_each_once() {
        let sampling = Sampling { repetition_penalty: 2.0, repetition_window: 3, ..Sampling::greedy() };
        let mut sampler = Sampler::new(&sampling).unwrap();
        // Token 0 is out of the window, token 1 is in it twice.
        assert_eq!(sampler.sample(&[4.0, 5.0, 2.0], &[0, 1, 1, 2]).unwrap(), 0);
        assert_eq!(sampler.sample(&[2.4, 5.0, 2.0], &[0, 1, 1, 2]).unwrap(), 1);
    }

    #[test]
    fn extreme_numbers_give_a_token_and_nan_an_error() {
        let tiny = Sampling { temperature: 1e-30, ..Sampling::default() };
        assert_eq!(Sampler::new(&tiny).unwrap().sample(&[-6e4, 6e4, 5e4], &[]).unwrap(), 1);
        let mut sampler = Sampler::new(&Sampling::default()).unwrap();
        assert_eq!(sampler.sample(&[f32::NEG_INFINITY, 1.0], &[]).unwrap(), 1);
        assert_eq!(sampler.sample(&[f32::INFINITY, 1.0], &[]).unwrap(), 0);
        let error = sampler.sample(&[1.0, f32::NAN], &[3, 4]).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::NotANumber);
        assert!(error.to_string().contains("after 2 tokens"), "{error}");
    }

    #[test]
    fn options_out_of_range_are_refused_by_name() {
        for (option, sampling) in [
            ("temperature", Sampling { temperature: -0.1, ..Sampling::default() }),
            ("temperature", Sampling { temperature: f32::NAN, ..Sampling::default() }),
            ("top_p", Sampling { top_p: 0.0, ..Sampling::default() }),
            ("min_p", Sampling { min_p: 1.5, ..Sampling::default() }),
            ("repetition_penalty", Sampling { repetition_penalty: 0.0, ..Sampling::default() }),
        ] {
            let error = Sampler::new(&sampling).unwrap_err().to_string();
            assert!(error.contains(option) && error.contains("help: "), "{error}");
        }
    }
}
