//! Recurrent nets.

use crate::infer;
use crate::op::Op;
use crate::op::columns::{Fold, Onnx};
use crate::op::row::{Row, gone};

pub(super) const ROWS: &[Row] = &[
    gone(Op::GRU, Onnx::Itself, infer::recurrent::recurrent, Fold::Reference),
    gone(Op::LSTM, Onnx::Itself, infer::recurrent::recurrent, Fold::Reference),
    gone(Op::RNN, Onnx::Itself, infer::recurrent::recurrent, Fold::Reference),
    gone(Op::MsDynamicQuantizeLSTM, Onnx::Itself, infer::recurrent::quantized, Fold::Reference),
];
