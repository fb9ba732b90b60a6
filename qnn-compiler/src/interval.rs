//! What the results of operators can be, from what their operands can be: sound bounds, for encodings of values that have none.

/// The least and the largest number that a value can be.
pub(crate) type Interval = (f64, f64);

/// The name in ONNX of an HTP op.
const NAMES: &[(&str, &str)] = &[
    ("ElementWiseAbs", "Abs"),
    ("ElementWiseAdd", "Add"),
    ("ElementWiseAsin", "Asin"),
    ("ElementWiseAtan", "Atan"),
    ("ElementWiseCeil", "Ceil"),
    ("ElementWiseCos", "Cos"),
    ("ElementWiseDivide", "Div"),
    ("ElementWiseExp", "Exp"),
    ("ElementWiseFloor", "Floor"),
    ("ElementWiseLog", "Log"),
    ("ElementWiseMaximum", "Max"),
    ("ElementWiseMinimum", "Min"),
    ("ElementWiseMultiply", "Mul"),
    ("ElementWiseNeg", "Neg"),
    ("ElementWiseRound", "Round"),
    ("ElementWiseRsqrt", "Rsqrt"),
    ("ElementWiseSelect", "Where"),
    ("ElementWiseSign", "Sign"),
    ("ElementWiseSin", "Sin"),
    ("ElementWiseSquareRoot", "Sqrt"),
    ("ElementWiseSubtract", "Sub"),
    ("ReluMinMax", "Clip"),
];

/// The range of an operator's result. `op` is ONNX's name or HTP's. Of operators that sum, `terms` is how many numbers; `same` says
/// that both operands are one value. `None` where there is no bound, or none is known.
pub(crate) fn of(op: &str, operands: &[Interval], terms: usize, same: bool) -> Option<Interval> {
    let op = NAMES.iter().find(|(htp, _)| *htp == op).map_or(op, |(_, onnx)| onnx);
    let &(low, high) = operands.first()?;
    let second = operands.get(1).copied();
    let through = |f: fn(f64) -> f64| Some((f(low), f(high)));
    let found = match op {
        "Abs" => {
            let most = high.abs().max(low.abs());
            Some((if low <= 0.0 && high >= 0.0 { 0.0 } else { low.abs().min(high.abs()) }, most))
        }
        "Add" => second.map(|(a, b)| (low + a, high + b)),
        "Sub" if same => Some((0.0, 0.0)),
        "Sub" => second.map(|(a, b)| (low - b, high - a)),
        "Mul" if same => {
            let (a, b) = (low * low, high * high);
            Some((if low <= 0.0 && high >= 0.0 { 0.0 } else { a.min(b) }, a.max(b)))
        }
        "Mul" => second.map(|b| product((low, high), b)),
        "Div" => second
            .filter(|(a, b)| *a > 0.0 || *b < 0.0)
            .map(|(a, b)| product((low, high), (1.0 / b, 1.0 / a))),
        "Max" => second.map(|(a, b)| (low.max(a), high.max(b))),
        "Min" => second.map(|(a, b)| (low.min(a), high.min(b))),
        "Where" | "Concat" => {
            let least = operands.iter().map(|o| o.0).fold(f64::INFINITY, f64::min);
            let most = operands.iter().map(|o| o.1).fold(f64::NEG_INFINITY, f64::max);
            Some((least, most))
        }
        "Neg" => Some((-high, -low)),
        "Relu" => through(|v| v.max(0.0)),
        "Exp" => through(f64::exp),
        "Log" if low > 0.0 => through(f64::ln),
        "Sqrt" => through(|v| v.max(0.0).sqrt()),
        "Rsqrt" if low > 0.0 => Some((1.0 / high.sqrt(), 1.0 / low.sqrt())),
        "Reciprocal" if low > 0.0 || high < 0.0 => Some((1.0 / high, 1.0 / low)),
        "Sigmoid" => through(|v| 1.0 / (1.0 + (-v).exp())),
        "Tanh" => Some((-1.0, 1.0)),
        "Softmax" | "HardSigmoid" => Some((0.0, 1.0)),
        "Atan" => through(f64::atan),
        "Asin" => through(|v| v.clamp(-1.0, 1.0).asin()),
        "Sin" | "Cos" | "Sign" | "Erf" | "Softsign" => Some((-1.0, 1.0)),
        "Floor" => through(f64::floor),
        "Ceil" => through(f64::ceil),
        "Round" => through(f64::round),
        "Gelu" => Some((low.clamp(-0.2, 0.0), high.max(0.0))),
        "HardSwish" | "Swish" | "Mish" => Some((low.clamp(-0.4, 0.0), high.max(0.0))),
        "Elu" => {
            Some((if low < 0.0 { low.exp_m1() } else { low }, if high < 0.0 { high.exp_m1() } else { high }))
        }
        "Softplus" => through(|v| v.max(0.0) + (-v.abs()).exp().ln_1p()),
        "Prelu" | "PRelu" => second.map(|slope| {
            let below = product((low.min(0.0), 0.0), slope);
            (below.0.min(low.max(0.0)), below.1.max(high.max(0.0)))
        }),
        "ReduceMax" | "ReduceMean" | "ReduceMin" | "AveragePool" | "GlobalAveragePool" => Some((low, high)),
        "MaxPool" | "GlobalMaxPool" => Some((low, high)),
        "ReduceSum" => Some((low * terms as f64, high * terms as f64)),
        "MatMul" => second.map(|b| {
            let (a, b) = product((low, high), b);
            (a * terms as f64, b * terms as f64)
        }),
        _ => None,
    };
    found.filter(|(low, high)| low.is_finite() && high.is_finite() && low <= high)
}

/// The range of the products of two numbers.
pub(crate) fn product(a: Interval, b: Interval) -> Interval {
    let corners = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
    (
        corners.iter().copied().fold(f64::INFINITY, f64::min),
        corners.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_every_result() {
        assert_eq!(of("Mul", &[(-2.0, 3.0), (-1.0, 4.0)], 1, false), Some((-8.0, 12.0)));
        assert_eq!(of("ElementWiseMultiply", &[(-2.0, 3.0), (-2.0, 3.0)], 1, true), Some((0.0, 9.0)));
        assert_eq!(of("Div", &[(1.0, 1.0), (2.0, 4.0)], 1, false), Some((0.25, 0.5)));
        assert_eq!(of("MatMul", &[(0.0, 2.0), (-1.0, 1.0)], 10, false), Some((-20.0, 20.0)));
        assert_eq!(of("PRelu", &[(-2.0, 3.0), (0.1, 0.5)], 1, false), Some((-1.0, 3.0)));
        assert_eq!(of("Abs", &[(-2.0, 1.0)], 1, false), Some((0.0, 2.0)));
    }

    #[test]
    fn what_has_no_bound_has_no_range() {
        assert_eq!(of("Div", &[(1.0, 1.0), (-1.0, 4.0)], 1, false), None);
        assert_eq!(of("Log", &[(0.0, 4.0)], 1, false), None);
        assert_eq!(of("Exp", &[(0.0, 1e4)], 1, false), None);
    }
}
