//! Metrics of the difference of two tensors.

use serde::Serialize;

/// One output of the HTP against the reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Comparison {
    /// The output.
    pub(crate) name: String,
    /// dtype of the reference.
    pub(crate) dtype: String,
    /// Elements, all samples together.
    pub(crate) elements: u64,
    /// Signal-to-quantization-noise ratio, dB; `None` when there is no difference at all (or no signal).
    pub(crate) sqnr_db: Option<f64>,
    /// Cosine of the angle between both; `None` when one of them is all zeros.
    pub(crate) cosine: Option<f64>,
    /// Largest absolute difference.
    pub(crate) max_abs: f64,
    /// Largest absolute value of the reference.
    pub(crate) max_reference: f64,
    /// Smallest and largest number of the reference.
    pub(crate) range: (f64, f64),
    /// Part of the elements that are exactly equal.
    pub(crate) equal: f64,
    /// Whether it is close enough.
    pub(crate) ok: bool,
}

/// What is close enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    /// Least signal-to-quantization-noise ratio, dB.
    pub(crate) min_sqnr: f64,
    /// Least cosine.
    pub(crate) min_cosine: Option<f64>,
    /// Largest absolute difference.
    pub(crate) max_abs: Option<f64>,
    /// Smallest share of equal elements, for integer outputs.
    pub(crate) min_equal: f64,
}

/// Compares values of the HTP with those of the reference, of which there must be as many.
pub(crate) fn compare(
    name: &str,
    dtype: &str,
    found: &[f64],
    reference: &[f64],
    limits: &Thresholds,
) -> Comparison {
    let (mut signal, mut energy, mut noise, mut dot) = (0.0, 0.0, 0.0, 0.0);
    let (mut max_abs, mut max_reference, mut equal) = (0.0_f64, 0.0_f64, 0_u64);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut finite = true;
    for (&f, &r) in found.iter().zip(reference) {
        (low, high) = (low.min(r), high.max(r));
        if f == r || (f.is_nan() && r.is_nan()) {
            equal += 1;
            // Infinities that agree are no difference, and would drown every other number.
            if !r.is_finite() {
                continue;
            }
        }
        finite &= f.is_finite() && r.is_finite();
        signal += r * r;
        energy += f * f;
        dot += f * r;
        let difference = f - r;
        noise += difference * difference;
        max_abs = max_abs.max(difference.abs());
        max_reference = max_reference.max(r.abs());
    }
    let sqnr_db = (finite && noise > 0.0 && signal > 0.0).then(|| 10.0 * (signal / noise).log10());
    let cosine = (finite && signal > 0.0 && energy > 0.0).then(|| dot / (signal.sqrt() * energy.sqrt()));
    let equal = if reference.is_empty() { 1.0 } else { equal as f64 / reference.len() as f64 };
    if !finite {
        max_abs = f64::MAX;
    }
    let is_float = dtype.starts_with("float");
    let close = match sqnr_db {
        Some(sqnr) => sqnr >= limits.min_sqnr,
        // Nothing but noise: fine only when it is nothing.
        None => finite && noise == 0.0,
    };
    let ok = if is_float {
        close
            && limits.min_cosine.is_none_or(|least| cosine.is_none_or(|cosine| cosine >= least))
            && limits.max_abs.is_none_or(|most| max_abs <= most)
    } else {
        equal >= limits.min_equal
    };
    Comparison {
        name: name.to_owned(),
        dtype: dtype.to_owned(),
        elements: reference.len() as u64,
        sqnr_db,
        cosine,
        max_abs,
        max_reference,
        range: if reference.is_empty() { (0.0, 0.0) } else { (low.max(f64::MIN), high.min(f64::MAX)) },
        equal,
        ok,
    }
}

impl Comparison {
    /// The ratio as words.
    pub(crate) fn sqnr(&self) -> String {
        match (self.max_abs == 0.0, self.max_abs == f64::MAX, self.sqnr_db) {
            (true, ..) => "exact".to_owned(),
            (_, true, _) => "not finite".to_owned(),
            (.., Some(db)) => format!("{db:.1} dB"),
            (.., None) => "-".to_owned(),
        }
    }

    /// As a row of a table; see [`Comparison::HEADER`].
    pub(crate) fn row(&self) -> Vec<String> {
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let max_abs =
            if self.max_abs == f64::MAX { "not finite".to_owned() } else { format!("{:.3e}", self.max_abs) };
        vec![
            self.name.clone(),
            self.dtype.clone(),
            self.sqnr(),
            or_dash(self.cosine.map(|cosine| format!("{cosine:.6}"))),
            max_abs,
            format!("{:.3e}", self.max_reference),
            format!("{:.1} %", self.equal * 100.0),
            if self.ok { "ok" } else { "TOO FAR" }.to_owned(),
        ]
    }

    /// Names of the columns of [`Comparison::row`].
    pub(crate) const HEADER: [&str; 8] =
        ["VALUE", "DTYPE", "SQNR", "COSINE", "MAX ABS", "MAX REF", "EQUAL", "VERDICT"];
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Thresholds =
        Thresholds { min_sqnr: 30.0, min_cosine: None, max_abs: None, min_equal: 0.99 };

    #[test]
    fn a_hundredth_of_noise_is_forty_decibels() {
        let reference = vec![1.0; 100];
        let found: Vec<f64> = (0..100).map(|i| if i % 2 == 0 { 1.01 } else { 0.99 }).collect();
        let result = compare("y", "float32", &found, &reference, &LIMITS);
        assert!((result.sqnr_db.unwrap() - 40.0).abs() < 1e-9, "{result:?}");
        assert!((result.max_abs - 0.01).abs() < 1e-12 && result.ok);
        assert!(!compare("y", "float32", &found, &reference, &Thresholds { min_sqnr: 41.0, ..LIMITS }).ok);
    }

    #[test]
    fn equal_tensors_are_ok_even_when_they_are_zero() {
        for values in [vec![0.0; 4], vec![1.0, -2.0], vec![f64::INFINITY, 1.0], vec![]] {
            let result = compare("y", "float32", &values, &values, &LIMITS);
            assert!(result.ok && result.max_abs == 0.0 && result.equal == 1.0, "{result:?}");
        }
    }

    #[test]
    fn noise_without_signal_and_nan_are_never_ok() {
        assert!(!compare("y", "float32", &[0.1], &[0.0], &LIMITS).ok);
        assert!(!compare("y", "float32", &[f64::NAN, 1.0], &[1.0, 1.0], &LIMITS).ok);
    }

    #[test]
    fn integers_are_judged_by_how_many_are_equal() {
        let reference: Vec<f64> = (0..100).map(f64::from).collect();
        let mut found = reference.clone();
        found[0] = 99.0;
        assert!(compare("i", "int32", &found, &reference, &LIMITS).ok);
        found[1] = 99.0;
        assert!(!compare("i", "int32", &found, &reference, &LIMITS).ok);
    }
}
