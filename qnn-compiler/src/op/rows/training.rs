//! Losses and optimizers.

use crate::infer;
use crate::op::Op;
use crate::op::columns::{Fold, Onnx};
use crate::op::row::{Row, gone};

pub(super) const ROWS: &[Row] = &[
    gone(Op::NegativeLogLikelihoodLoss, Onnx::Itself, infer::training::loss, Fold::Reference),
    gone(Op::SoftmaxCrossEntropyLoss, Onnx::Itself, infer::training::loss, Fold::Reference),
    gone(Op::Adagrad, Onnx::Itself, |site| infer::training::optimizer(site, 1), Fold::Reference),
    gone(Op::Adam, Onnx::Itself, |site| infer::training::optimizer(site, 2), Fold::Reference),
    gone(Op::Momentum, Onnx::Itself, |site| infer::training::optimizer(site, 1), Fold::Reference),
];
