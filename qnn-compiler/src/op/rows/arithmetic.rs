//! Operators on numbers, one by one.

use crate::fold;
use crate::infer;
use crate::lower::fixed::fits;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Results, Scale};
use crate::op::integers::{self, Integers};
use crate::op::row::{Row, gone, row};

pub(super) const ROWS: &[Row] = &[
    row(Op::Abs, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Homogeneous, Results::Any)
        .integers(integers::well(1))
        .fold(Fold::By(fold::arithmetic::abs))
        .lower(lower::unary::unary, "ElementWiseAbs"),
    row(Op::Add, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Sum, Results::Any)
        .integers(integers::well(2))
        .fold(Fold::By(fold::arithmetic::add))
        .lower(lower::elementwise::nary, "ElementWiseAdd"),
    gone(Op::BitShift, Onnx::Itself, infer::elementwise::arithmetic, Fold::Reference),
    gone(Op::BitwiseAnd, Onnx::Itself, infer::elementwise::arithmetic, Fold::Reference),
    gone(Op::BitwiseNot, Onnx::Itself, infer::elementwise::same, Fold::Reference),
    gone(Op::BitwiseOr, Onnx::Itself, infer::elementwise::arithmetic, Fold::Reference),
    gone(Op::BitwiseXor, Onnx::Itself, infer::elementwise::arithmetic, Fold::Reference),
    row(Op::Ceil, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::By(fold::arithmetic::ceil))
        .lower(lower::unary::unary, "ElementWiseCeil"),
    gone(Op::CumProd, Onnx::Since { attribute: "", version: 26 }, infer::elementwise::same, Fold::Reference),
    row(Op::CumSum, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::Reference)
        .lower(lower::arg::cum_sum, "CumulativeSum"),
    row(Op::Div, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::well(2))
        .fold(Fold::Division(fold::arithmetic::div))
        .lower(lower::elementwise::nary, "ElementWiseDivide"),
    row(Op::Floor, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::By(fold::arithmetic::floor))
        .lower(lower::unary::unary, "ElementWiseFloor"),
    row(Op::Max, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Compared { inputs: &[0, 1, 2, 3, 4, 5, 6, 7], stored: true }, Scale::Sum, Results::ByEnds)
        .integers(integers::well(2))
        .fold(Fold::By(fold::arithmetic::max))
        .lower(lower::elementwise::nary, "ElementWiseMaximum"),
    row(Op::Mean, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Sum, Results::Any)
        .integers(integers::formula(usize::MAX))
        .fold(Fold::Reference)
        .lower(lower::elementwise::nary, "ElementWiseAdd, ElementWiseMultiply"),
    row(Op::Min, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Compared { inputs: &[0, 1, 2, 3, 4, 5, 6, 7], stored: true }, Scale::Sum, Results::ByEnds)
        .integers(integers::well(2))
        .fold(Fold::By(fold::arithmetic::min))
        .lower(lower::elementwise::nary, "ElementWiseMinimum"),
    row(Op::Mod, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Division(fold::arithmetic::modulo))
        .lower(lower::elementwise::modulo, "ElementWiseMod; with fmod Divide, Multiply, Subtract"),
    row(Op::Mul, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::well(2))
        .fold(Fold::By(fold::arithmetic::mul))
        .lower(lower::elementwise::nary, "ElementWiseMultiply"),
    row(Op::Neg, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Homogeneous, Results::Any)
        .integers(integers::well(1))
        .fold(Fold::By(fold::arithmetic::neg))
        .lower(lower::unary::unary, "ElementWiseNeg"),
    row(Op::Pow, Onnx::Itself, infer::elementwise::power)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::By(fold::arithmetic::power))
        .lower(lower::elementwise::pow, "Multiply, SquareRoot, Rsqrt or Divide where the exponent is that simple, ElementWisePower else; integers to a constant power of 0 to 4"),
    row(Op::Reciprocal, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::By(fold::arithmetic::reciprocal))
        .lower(lower::unary::formula, "ElementWiseDivide"),
    row(Op::Round, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::By(fold::arithmetic::round))
        .lower(lower::unary::unary, "ElementWiseRound"),
    row(Op::Sign, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::By(fold::arithmetic::sign))
        .lower(lower::unary::unary, "ElementWiseSign"),
    row(Op::Sqrt, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(0.0, f64::INFINITY))
        .integers(integers::only(1, fits::narrow))
        .fold(Fold::By(fold::arithmetic::sqrt))
        .lower(lower::unary::unary, "ElementWiseSquareRoot"),
    row(Op::Sub, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Sum, Results::Any)
        .integers(integers::well(2))
        .fold(Fold::By(fold::arithmetic::sub))
        .lower(lower::elementwise::nary, "ElementWiseSubtract"),
    row(Op::Sum, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Sum, Results::Any)
        .integers(integers::formula(usize::MAX))
        .fold(Fold::By(fold::arithmetic::sum))
        .lower(lower::elementwise::nary, "ElementWiseAdd"),
];
