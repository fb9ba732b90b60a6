//! Operators that cannot be expressed whatever their operands are: each with its reason.

use super::table::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("Bernoulli", RANDOM, |p| p.refuse(DRAWS)),
    row("Multinomial", RANDOM, |p| p.refuse(DRAWS)),
    row("RandomNormal", RANDOM, |p| p.refuse(DRAWS)),
    row("RandomNormalLike", RANDOM, |p| p.refuse(DRAWS)),
    row("RandomUniform", RANDOM, |p| p.refuse(DRAWS)),
    row("RandomUniformLike", RANDOM, |p| p.refuse(DRAWS)),
];

const RANDOM: &str = "refused: it draws random numbers";
const DRAWS: &str = "it draws random numbers, also with a seed others than ONNX Runtime's: make them in the app and pass them as an input";
