//! Operators of ONNX Runtime on stored integers.

use crate::infer;
use crate::op::Op;
use crate::op::columns::{Fold, Onnx};
use crate::op::row::{Row, gone};

pub(super) const ROWS: &[Row] = &[
    gone(Op::MsQLinearAdd, Onnx::Itself, infer::quant::qlinear_binary, Fold::Reference),
    gone(Op::MsQLinearConcat, Onnx::Itself, infer::quant::qlinear_concat, Fold::Reference),
    gone(Op::MsQLinearLeakyRelu, Onnx::Itself, infer::quant::qlinear_unary, Fold::Reference),
    gone(Op::MsQLinearMul, Onnx::Itself, infer::quant::qlinear_binary, Fold::Reference),
    gone(Op::MsQLinearSigmoid, Onnx::Itself, infer::quant::qlinear_unary, Fold::Reference),
    gone(Op::MsQLinearSoftmax, Onnx::Itself, infer::quant::qlinear_unary, Fold::Reference),
];
