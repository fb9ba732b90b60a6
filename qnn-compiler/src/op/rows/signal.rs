//! Signals, windows and text.

use crate::infer;
use crate::op::Op;
use crate::op::columns::{Fold, Onnx};
use crate::op::row::{Row, gone};

pub(super) const ROWS: &[Row] = &[
    gone(Op::AffineGrid, Onnx::Itself, infer::signal::affine_grid, Fold::Reference),
    gone(Op::BlackmanWindow, Onnx::Itself, infer::signal::window, Fold::Reference),
    gone(Op::Col2Im, Onnx::Itself, infer::signal::col2im, Fold::Reference),
    gone(Op::DFT, Onnx::Itself, infer::signal::dft, Fold::Reference),
    gone(Op::HammingWindow, Onnx::Itself, infer::signal::window, Fold::Reference),
    gone(Op::HannWindow, Onnx::Itself, infer::signal::window, Fold::Reference),
    gone(Op::ImageDecoder, Onnx::Itself, infer::signal::data_dependent, Fold::Reference),
    gone(Op::MelWeightMatrix, Onnx::Itself, infer::signal::mel_weights, Fold::Reference),
    gone(Op::NonMaxSuppression, Onnx::Itself, infer::signal::data_dependent, Fold::Reference),
    gone(Op::RegexFullMatch, Onnx::Itself, infer::signal::text, Fold::Reference),
    gone(Op::STFT, Onnx::Itself, infer::signal::stft, Fold::Reference),
    gone(Op::StringConcat, Onnx::Itself, infer::signal::text, Fold::Reference),
    gone(Op::StringNormalizer, Onnx::Itself, infer::signal::text, Fold::Reference),
    gone(Op::StringSplit, Onnx::Itself, infer::signal::text, Fold::Reference),
    gone(Op::Unique, Onnx::Itself, infer::signal::data_dependent, Fold::Reference),
    gone(Op::MsInverse, Onnx::Itself, infer::signal::first, Fold::Reference),
];
