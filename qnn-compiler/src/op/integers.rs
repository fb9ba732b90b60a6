//! How well HTP computes an operator on integers.

use qnn::DataType;
use qnn_types::Target;

use crate::graph::{Graph, Node};

/// What HTP makes of an operator whose operands are integers that stand for numbers, by measurement on SM8650 (QNN 2.51) against the
/// arithmetic in doubles: within one step of 8 bits, and better than 60 dB with 16 bits, unless `fits` says otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Integers {
    /// It has the operator on them.
    On(OnIntegers),
    /// It has not, or nobody has measured it: floats between Dequantize and Quantize.
    No,
}

/// An operator on integers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnIntegers {
    /// How many inputs are operands.
    pub(crate) operands: usize,
    /// How well it computes a node.
    pub(crate) fits: Fits,
    /// The range that the result must have where the op computes garbage, or is refused, with another.
    pub(crate) range: Option<(f64, f64)>,
    /// How the steps of a node that is several ops are encoded.
    pub(crate) steps: Steps,
}

/// How well HTP computes a node on integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// As near as floats, or nearer.
    Well,
    /// Right, but not as near as floats: for SoCs that have none.
    Worse,
    /// Not at all.
    No,
}

impl Fit {
    pub(crate) const fn well(fits: bool) -> Self {
        if fits { Self::Well } else { Self::No }
    }
}

/// Says how this very node can be lowered on integers of a type for a SoC.
pub(crate) type Fits = fn(&Graph, &Node, DataType, &Target) -> Fit;

/// The encoding of steps between the operands of a node and its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steps {
    /// As the result.
    Result,
    /// 16 bits over the range that the step's own operands let it have; the result is rounded once more.
    Derived,
    /// So where operands or result have 16 bits; one op, which HTP makes a table of, where they have 8.
    DerivedWide,
}

/// As near as floats, or nearer.
pub(crate) const fn well(operands: usize) -> Integers {
    only(operands, |_, _, _, _| Fit::Well)
}

/// For SoCs without floats.
pub(crate) const fn worse(operands: usize) -> Integers {
    only(operands, |_, _, _, _| Fit::Worse)
}

/// As well as `fits` says.
pub(crate) const fn only(operands: usize, fits: Fits) -> Integers {
    steps(operands, Steps::Result, fits)
}

/// Several ops, for SoCs without floats.
pub(crate) const fn formula(operands: usize) -> Integers {
    steps(operands, Steps::Derived, |_, _, _, _| Fit::Worse)
}

/// As well as `fits` says, in steps that are encoded so.
pub(crate) const fn steps(operands: usize, steps: Steps, fits: Fits) -> Integers {
    Integers::On(OnIntegers { operands, fits, range: None, steps })
}

/// With one operand, where the result has this range.
pub(crate) const fn within(low: f64, high: f64) -> Integers {
    Integers::On(OnIntegers {
        operands: 1,
        fits: |_, _, _, _| Fit::Well,
        range: Some((low, high)),
        steps: Steps::Result,
    })
}
