//! Interval arithmetic: sound bounds of results from bounds of operands, for encodings of values that have none.

use crate::op::Op;

/// The least and the largest number that a value can be.
pub(crate) type Interval = (f64, f64);

/// The operator that an HTP op of another name is.
const NAMES: &[(&str, Op)] = &[
    ("ElementWiseAbs", Op::Abs),
    ("ElementWiseAdd", Op::Add),
    ("ElementWiseAsin", Op::Asin),
    ("ElementWiseAtan", Op::Atan),
    ("ElementWiseCeil", Op::Ceil),
    ("ElementWiseCos", Op::Cos),
    ("ElementWiseDivide", Op::Div),
    ("ElementWiseExp", Op::Exp),
    ("ElementWiseFloor", Op::Floor),
    ("ElementWiseLog", Op::Log),
    ("ElementWiseMaximum", Op::Max),
    ("ElementWiseMinimum", Op::Min),
    ("ElementWiseMultiply", Op::Mul),
    ("ElementWiseNeg", Op::Neg),
    ("ElementWiseRound", Op::Round),
    ("ElementWiseSelect", Op::Where),
    ("ElementWiseSign", Op::Sign),
    ("ElementWiseSin", Op::Sin),
    ("ElementWiseSquareRoot", Op::Sqrt),
    ("ElementWiseSubtract", Op::Sub),
    ("Prelu", Op::PRelu),
    ("ReluMinMax", Op::Clip),
];

/// The range of an HTP op's result; see [`of`].
pub(crate) fn of_htp(ty: &str, operands: &[Interval], terms: usize, same: bool) -> Option<Interval> {
    if ty == "ElementWiseRsqrt" {
        return operands.first().filter(|x| x.0 > 0.0).map(|x| (1.0 / x.1.sqrt(), 1.0 / x.0.sqrt()));
    }
    let op = NAMES.iter().find(|(htp, _)| *htp == ty).map(|(_, op)| *op).or_else(|| Op::known("", ty))?;
    of(op, operands, terms, same)
}

/// The range of an operator's result. Of operators that sum, `terms` is how many numbers; `same` says
/// that both operands are one value. `None` where there is no bound, or none is known.
pub(crate) fn of(op: Op, operands: &[Interval], terms: usize, same: bool) -> Option<Interval> {
    let &(low, high) = operands.first()?;
    let second = operands.get(1).copied();
    let through = |f: fn(f64) -> f64| Some((f(low), f(high)));
    let found = match op {
        Op::Abs => {
            let most = high.abs().max(low.abs());
            Some((if low <= 0.0 && high >= 0.0 { 0.0 } else { low.abs().min(high.abs()) }, most))
        }
        Op::Add => second.map(|(a, b)| (low + a, high + b)),
        Op::Sub if same => Some((0.0, 0.0)),
        Op::Sub => second.map(|(a, b)| (low - b, high - a)),
        Op::Mul if same => {
            let (a, b) = (low * low, high * high);
            Some((if low <= 0.0 && high >= 0.0 { 0.0 } else { a.min(b) }, a.max(b)))
        }
        Op::Mul => second.map(|b| product((low, high), b)),
        Op::Div => second
            .filter(|(a, b)| *a > 0.0 || *b < 0.0)
            .map(|(a, b)| product((low, high), (1.0 / b, 1.0 / a))),
        Op::Max => second.map(|(a, b)| (low.max(a), high.max(b))),
        Op::Min => second.map(|(a, b)| (low.min(a), high.min(b))),
        Op::Where | Op::Concat => {
            let least = operands.iter().map(|o| o.0).fold(f64::INFINITY, f64::min);
            let most = operands.iter().map(|o| o.1).fold(f64::NEG_INFINITY, f64::max);
            Some((least, most))
        }
        Op::Neg => Some((-high, -low)),
        Op::Relu => through(|v| v.max(0.0)),
        Op::Exp => through(f64::exp),
        Op::Log if low > 0.0 => through(f64::ln),
        Op::Sqrt => through(|v| v.max(0.0).sqrt()),
        Op::Reciprocal if low > 0.0 || high < 0.0 => Some((1.0 / high, 1.0 / low)),
        Op::Sigmoid => through(|v| 1.0 / (1.0 + (-v).exp())),
        Op::Tanh => Some((-1.0, 1.0)),
        Op::Softmax | Op::HardSigmoid => Some((0.0, 1.0)),
        Op::Atan => through(f64::atan),
        Op::Asin => through(|v| v.clamp(-1.0, 1.0).asin()),
        Op::Sin | Op::Cos | Op::Sign | Op::Erf | Op::Softsign => Some((-1.0, 1.0)),
        Op::Floor => through(f64::floor),
        Op::Ceil => through(f64::ceil),
        Op::Round => through(f64::round),
        Op::Gelu => Some((low.clamp(-0.2, 0.0), high.max(0.0))),
        Op::HardSwish | Op::Swish | Op::Mish => Some((low.clamp(-0.4, 0.0), high.max(0.0))),
        Op::Elu => {
            Some((if low < 0.0 { low.exp_m1() } else { low }, if high < 0.0 { high.exp_m1() } else { high }))
        }
        Op::Softplus => through(|v| v.max(0.0) + (-v.abs()).exp().ln_1p()),
        Op::PRelu => second.map(|slope| {
            let below = product((low.min(0.0), 0.0), slope);
            (below.0.min(low.max(0.0)), below.1.max(high.max(0.0)))
        }),
        Op::ReduceMax | Op::ReduceMean | Op::ReduceMin | Op::AveragePool | Op::GlobalAveragePool => {
            Some((low, high))
        }
        Op::MaxPool | Op::GlobalMaxPool => Some((low, high)),
        Op::ReduceSum => Some((low * terms as f64, high * terms as f64)),
        Op::MatMul => second.map(|b| {
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
        assert_eq!(of(Op::Mul, &[(-2.0, 3.0), (-1.0, 4.0)], 1, false), Some((-8.0, 12.0)));
        assert_eq!(of_htp("ElementWiseMultiply", &[(-2.0, 3.0), (-2.0, 3.0)], 1, true), Some((0.0, 9.0)));
        assert_eq!(of(Op::Div, &[(1.0, 1.0), (2.0, 4.0)], 1, false), Some((0.25, 0.5)));
        assert_eq!(of(Op::MatMul, &[(0.0, 2.0), (-1.0, 1.0)], 10, false), Some((-20.0, 20.0)));
        assert_eq!(of(Op::PRelu, &[(-2.0, 3.0), (0.1, 0.5)], 1, false), Some((-1.0, 3.0)));
        assert_eq!(of(Op::Abs, &[(-2.0, 1.0)], 1, false), Some((0.0, 2.0)));
    }

    #[test]
    fn what_has_no_bound_has_no_range() {
        assert_eq!(of(Op::Div, &[(1.0, 1.0), (-1.0, 4.0)], 1, false), None);
        assert_eq!(of(Op::Log, &[(0.0, 4.0)], 1, false), None);
        assert_eq!(of(Op::Exp, &[(0.0, 1e4)], 1, false), None);
    }
}
