//! Attention and what stands around it.

use crate::infer;
use crate::op::Op;
use crate::op::columns::{Fold, Onnx};
use crate::op::row::{Row, gone};

pub(super) const ROWS: &[Row] = &[
    gone(
        Op::Attention,
        Onnx::Since { attribute: "", version: 24 },
        infer::attention::attention,
        Fold::Reference,
    ),
    gone(Op::CausalConvWithState, Onnx::Itself, infer::attention::causal, Fold::Reference),
    gone(Op::LinearAttention, Onnx::Itself, infer::attention::linear, Fold::Reference),
    gone(
        Op::RotaryEmbedding,
        Onnx::Since { attribute: "", version: 23 },
        infer::attention::first,
        Fold::Reference,
    ),
    gone(Op::MsAttention, Onnx::Itself, infer::attention::packed, Fold::Reference),
    gone(Op::MsBiasAdd, Onnx::Itself, infer::attention::first, Fold::Reference),
    gone(Op::MsBiasSplitGelu, Onnx::Itself, infer::attention::split_gelu, Fold::Reference),
    gone(Op::MsEmbedLayerNormalization, Onnx::Itself, infer::attention::embed, Fold::Reference),
    gone(Op::MsGroupNorm, Onnx::Itself, infer::attention::first, Fold::Reference),
    gone(Op::MsGroupQueryAttention, Onnx::Itself, infer::attention::grouped, Fold::Reference),
    gone(Op::MsMultiHeadAttention, Onnx::Itself, infer::attention::multi_head, Fold::Reference),
    gone(Op::MsRotaryEmbedding, Onnx::Itself, infer::attention::first, Fold::Reference),
    gone(Op::MsSkipGroupNorm, Onnx::Itself, infer::attention::with_sum, Fold::Reference),
];
