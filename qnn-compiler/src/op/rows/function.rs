//! Functions of one number.

use crate::fold;
use crate::infer;
use crate::lower::fixed::fits;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Results, Scale};
use crate::op::integers::{self, Fit, Integers, Steps};
use crate::op::row::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row(Op::Acos, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "atan, sqrt"),
    row(Op::Acosh, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "log, sqrt"),
    row(Op::Asin, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::only(1, fits::narrow_only))
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "atan, sqrt"),
    row(Op::Asinh, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "log, sqrt"),
    row(Op::Atan, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::Reference)
        .lower(lower::unary::unary, "ElementWiseAtan"),
    row(Op::Atanh, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "log"),
    row(Op::Cos, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(-1.0, 1.0))
        .integers(integers::worse(1))
        .fold(Fold::By(fold::arithmetic::cos))
        .lower(lower::unary::formula, "as Sin"),
    row(Op::Cosh, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "exp"),
    row(Op::Erf, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(-1.0, 1.0))
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "tanh of a polynomial"),
    row(Op::Exp, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(0.0, f64::INFINITY))
        .integers(integers::well(1))
        .fold(Fold::By(fold::arithmetic::exp))
        .lower(lower::unary::unary, "ElementWiseExp"),
    row(Op::Log, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(-17.0, 12.0))
        .integers(integers::steps(1, Steps::DerivedWide, |_, _, _, _| Fit::Worse))
        .fold(Fold::By(fold::arithmetic::log))
        .lower(lower::unary::unary, "ElementWiseLog"),
    row(Op::Sin, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(-1.0, 1.0))
        .integers(integers::worse(1))
        .fold(Fold::By(fold::arithmetic::sin))
        .lower(lower::unary::formula, "ElementWiseSin of the angle less half turns"),
    row(Op::Sinh, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "tanh and exp"),
    row(Op::Tan, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "sin / cos"),
];
