//! Matrix products.

use crate::infer;
use crate::lower::fixed::fits;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Results, Scale};
use crate::op::integers::{self, Integers};
use crate::op::row::{Row, gone, row};

pub(super) const ROWS: &[Row] = &[
    gone(Op::Det, Onnx::Itself, infer::linear::det, Fold::Reference),
    row(Op::Einsum, Onnx::Itself, infer::linear::einsum)
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::worse(2))
        .fold(Fold::Reference)
        .lower(lower::einsum::einsum, "Transpose, MatMul, ReduceSum; one or two operands without ellipsis"),
    row(Op::Gemm, Onnx::Itself, infer::linear::gemm)
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Linear, Results::Any)
        .integers(integers::only(1, fits::unscaled))
        .fold(Fold::Reference)
        .lower(lower::matmul::gemm, "FullyConnected for a constant (out, in) operand, else MatMul"),
    row(Op::MatMul, Onnx::Itself, infer::linear::matmul)
        .axes(Axes::MatMul)
        .numbers(Elements::Computed, Scale::Linear, Results::Any)
        .integers(integers::only(2, fits::product))
        .fold(Fold::Reference)
        .lower(lower::matmul::matmul, "MatMul"),
    gone(Op::MatMulInteger, Onnx::Itself, infer::linear::matmul_integer, Fold::Reference),
    gone(Op::QLinearMatMul, Onnx::Itself, infer::linear::qlinear_matmul, Fold::Reference),
    gone(Op::MsDynamicQuantizeMatMul, Onnx::Itself, infer::linear::dynamic_matmul, Fold::Reference),
    gone(Op::MsFusedGemm, Onnx::Itself, infer::linear::gemm, Fold::Reference),
    row(Op::MsFusedMatMul, Onnx::Itself, infer::linear::fused_matmul)
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::matmul::fused, "MatMul, ElementWiseMultiply"),
    gone(Op::MsGemmFastGelu, Onnx::Itself, infer::linear::matmul, Fold::Reference),
    gone(Op::MsMatMulBnb4, Onnx::Itself, infer::linear::matmul_nbits, Fold::Reference),
    gone(Op::MsMatMulIntegerToFloat, Onnx::Itself, infer::linear::integer_to_float, Fold::Reference),
    gone(Op::MsMatMulNBits, Onnx::Itself, infer::linear::matmul_nbits, Fold::Reference),
    gone(Op::MsQGemm, Onnx::Itself, infer::linear::qgemm, Fold::Reference),
    gone(Op::MsTransposeMatMul, Onnx::Itself, infer::linear::fused_matmul, Fold::Reference),
];
