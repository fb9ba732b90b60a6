//! The first divergence of a model from its reference: where it is, what may cause it, and what helps.

use qnn_types::ComputedValue;
use serde::Serialize;

use super::outputs::LARGEST;
use super::pipeline::LayerVerdict;
use crate::failure::Result;

/// The first value that is too far from the reference.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Divergence {
    /// The value and the node that computes it.
    #[serde(flatten)]
    pub(crate) layer: LayerVerdict,
    /// Why it may be wrong.
    pub(crate) reason: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

impl Divergence {
    /// The first of all compared values that is too far. Where none is, although the model's outputs are, the values were right only
    /// because each was an output, which keeps the vendor's compiler from fusing: then the model is cut, half by half, until the first
    /// wrong value is the only output. `look` compiles and compares some values.
    pub(super) fn find(
        layers: &[ComputedValue],
        compared: &[LayerVerdict],
        look: impl Fn(&[ComputedValue]) -> Result<Vec<LayerVerdict>>,
    ) -> Result<Option<Self>> {
        if let Some(first) = compared.iter().find(|layer| !layer.comparison.ok) {
            return Ok(Some(Self::of(first.clone(), layers, compared)));
        }
        let (mut right, mut wrong, mut found) = (0, layers.len(), None);
        while right < wrong {
            let middle = usize::midpoint(right, wrong);
            match look(&layers[middle..=middle])?.pop() {
                Some(layer) if !layer.comparison.ok => {
                    wrong = middle;
                    found = Some(layer);
                }
                _ => right = middle + 1,
            }
        }
        Ok(found.map(|layer| Self::of(layer, layers, compared)))
    }

    fn of(layer: LayerVerdict, layers: &[ComputedValue], compared: &[LayerVerdict]) -> Self {
        let range = layer.comparison.range;
        let before = layers.iter().position(|other| other.value == layer.comparison.name).unwrap_or(0);
        let largest_before =
            compared.iter().take(before).map(|other| other.comparison.max_reference).fold(0.0, f64::max);
        let case = Case { op: &layer.op, range, largest: layer.comparison.max_reference, largest_before };
        let advice = ADVICE.iter().find(|advice| (advice.applies)(&case)).unwrap_or(&OTHERWISE);
        let (low, high) = range;
        let reason = format!("{} (from {low:.3e} to {high:.3e})", advice.reason);
        Self { layer, reason, remedy: advice.remedy.to_owned() }
    }
}

/// What advice depends on.
struct Case<'a> {
    op: &'a str,
    range: (f64, f64),
    largest: f64,
    /// Largest number of the values that were right.
    largest_before: f64,
}

struct Advice {
    applies: fn(&Case<'_>) -> bool,
    reason: &'static str,
    remedy: &'static str,
}

/// The smallest number of fp16 that has all of its digits.
const SMALLEST: f64 = 6.1e-5;
/// Squares of larger numbers leave the range of fp16.
const LARGEST_SQUARE: f64 = 256.0;
const SUMS: &[&str] =
    &["ReduceSum", "ReduceSumSquare", "ReduceMean", "Pow", "Mul", "ReduceProd", "CumSum", "LRN", "Einsum"];
const EXPONENTIALS: &[&str] = &["Exp", "Softmax", "LogSoftmax", "ReduceLogSumExp", "Cosh", "Sinh"];

/// The first that applies is given.
const ADVICE: &[Advice] = &[
    Advice {
        applies: |case| case.op == "Exp" && case.largest > LARGEST,
        reason: "an exponential leaves the range of fp16, which ends at 65504",
        remedy: "subtract the largest operand before the Exp, as a softmax does, or use Softmax or Softplus",
    },
    Advice {
        applies: |case| case.range.0 < -LARGEST || case.range.1 > LARGEST,
        reason: "its values leave the range of fp16, which ends at 65504",
        remedy: "divide what it is computed from by a power of two, and multiply after the next normalization or where the \
                 numbers are small again",
    },
    Advice {
        applies: |case| case.largest > 0.0 && case.largest < SMALLEST,
        reason: "its values are smaller than fp16 can hold with all digits, 6.1e-5",
        remedy: "multiply what it is computed from by a power of two, and divide later",
    },
    Advice {
        applies: |case| SUMS.contains(&case.op) && case.largest_before > LARGEST_SQUARE,
        reason: "a sum, square or product inside of it may leave the range of fp16",
        remedy: "divide its operand by a power of two, and multiply its result back",
    },
    Advice {
        applies: |case| case.op == "Sub" || case.op == "Add",
        reason: "a small difference of large numbers: fp16 has 11 bits",
        remedy: "write it so that the numbers are small before the difference, E[(x - E[x])^2] and not E[x^2] - E[x]^2",
    },
    Advice {
        applies: |case| EXPONENTIALS.contains(&case.op),
        reason: "its operand is large: an error in it is multiplied by the exponential",
        remedy: "keep the scores small, by a scale before the matrix product and not after it",
    },
];

const OTHERWISE: Advice = Advice {
    applies: |_| true,
    reason: "its range is no reason",
    remedy: "read the values before it with `outputs`; if they are right, please report the operator with its attributes",
};

#[cfg(test)]
mod tests {
    use super::super::metrics::{Thresholds, compare};
    use super::*;

    const LIMITS: Thresholds =
        Thresholds { min_sqnr: 30.0, min_cosine: None, max_abs: None, min_equal: 0.99 };

    fn layers(count: usize) -> Vec<ComputedValue> {
        (0..count)
            .map(|i| ComputedValue { value: format!("v{i}"), node: format!("n{i}"), op: "Mul".to_owned() })
            .collect()
    }

    fn verdict(layer: &ComputedValue, found: f64) -> LayerVerdict {
        let comparison = compare(&layer.value, "float32", &[found], &[1e5], &LIMITS);
        LayerVerdict { node: layer.node.clone(), op: layer.op.clone(), comparison }
    }

    #[test]
    fn the_first_wrong_value_is_named_with_a_reason() {
        let layers = layers(5);
        let all: Vec<_> =
            layers.iter().enumerate().map(|(i, l)| verdict(l, if i < 3 { 1e5 } else { 6e4 })).collect();
        let found =
            Divergence::find(&layers, &all, |_| panic!("nothing is left to look at")).unwrap().unwrap();
        assert_eq!(found.layer.node, "n3");
        assert!(found.reason.contains("65504") && found.remedy.contains("power of two"), "{found:?}");
    }

    #[test]
    fn what_every_output_hides_is_found_by_cutting() {
        let layers = layers(100);
        let all: Vec<_> = layers.iter().map(|l| verdict(l, 1e5)).collect();
        let looks = std::cell::Cell::new(0);
        let look = |wanted: &[ComputedValue]| {
            looks.set(looks.get() + 1);
            let number: usize = wanted[0].value[1..].parse().unwrap();
            Ok(vec![verdict(&wanted[0], if number < 61 { 1e5 } else { 6e4 })])
        };
        assert_eq!(Divergence::find(&layers, &all, look).unwrap().unwrap().layer.node, "n61");
        assert!(looks.get() <= 7, "{} compiles", looks.get());
    }

    #[test]
    fn without_a_wrong_value_nothing_is_named() {
        let layers = layers(9);
        let all: Vec<_> = layers.iter().map(|l| verdict(l, 1e5)).collect();
        let look = |wanted: &[ComputedValue]| Ok(vec![verdict(&wanted[0], 1e5)]);
        assert!(Divergence::find(&layers, &all, look).unwrap().is_none());
    }
}
