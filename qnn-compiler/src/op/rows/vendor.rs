//! The vendor's ops that ONNX does not have: patterns become them.

use crate::infer;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Operands, Results, Scale};
use crate::op::integers::Integers;
use crate::op::row::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row(Op::HtpChannelShuffle, Onnx::Nothing, infer::reduction::first)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(
            lower::spatial::channel_shuffle,
            "ChannelShuffle; what Reshape, Transpose, Reshape that shuffle channels become",
        ),
    row(Op::HtpRotaryEmbedding, Onnx::Nothing, infer::reduction::first)
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(
            lower::rotary::rotary,
            "RotaryEmbedding; of language models, ONNX's operator of that name is written as products",
        ),
];
