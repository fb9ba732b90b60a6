//! Random numbers.

use crate::infer;
use crate::op::Op;
use crate::op::columns::{Fold, Onnx};
use crate::op::row::{Row, gone};

pub(super) const ROWS: &[Row] = &[
    gone(Op::Bernoulli, Onnx::Itself, infer::elementwise::random_like, Fold::Never),
    gone(Op::Multinomial, Onnx::Itself, infer::signal::multinomial, Fold::Never),
    gone(Op::RandomNormal, Onnx::Itself, infer::signal::random, Fold::Never),
    gone(Op::RandomNormalLike, Onnx::Itself, infer::elementwise::random_like, Fold::Never),
    gone(Op::RandomUniform, Onnx::Itself, infer::signal::random, Fold::Never),
    gone(Op::RandomUniformLike, Onnx::Itself, infer::elementwise::random_like, Fold::Never),
];
