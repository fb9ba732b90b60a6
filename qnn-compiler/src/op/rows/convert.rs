//! The same numbers in another type or encoding.

use crate::fold;
use crate::infer;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Results, Scale};
use crate::op::integers::Integers;
use crate::op::row::{Row, gone, row};

pub(super) const ROWS: &[Row] = &[
    gone(
        Op::BitCast,
        Onnx::Since { attribute: "", version: 26 },
        infer::elementwise::bit_cast,
        Fold::Reference,
    ),
    row(Op::Cast, Onnx::Since { attribute: "round_mode", version: 24 }, infer::elementwise::cast)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::By(fold::arithmetic::cast))
        .lower(lower::convert::cast, "Cast; to bool ElementWiseNotEqual"),
    row(Op::CastLike, Onnx::Itself, infer::elementwise::cast_like)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::By(fold::arithmetic::cast))
        .lower(lower::convert::cast, "as Cast"),
    gone(
        Op::DequantizeLinear,
        Onnx::Itself,
        infer::quant::dequantize,
        Fold::Number(fold::arithmetic::dequantize),
    ),
    gone(Op::DynamicQuantizeLinear, Onnx::Itself, infer::quant::dynamic, Fold::Never),
    row(Op::Identity, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(Integers::No)
        .fold(Fold::By(fold::movement::keep))
        .lower(lower::convert::identity, "nothing; Reshape where the app reads the result"),
    gone(
        Op::QuantizeLinear,
        Onnx::Since { attribute: "precision", version: 23 },
        infer::quant::quantize,
        Fold::Never,
    ),
];
