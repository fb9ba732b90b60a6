//! Comparisons, and what is made of yes and no.

use crate::fold;
use crate::infer;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Results, Scale};
use crate::op::integers::{self, Integers};
use crate::op::row::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row(Op::And, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::By(fold::arithmetic::and))
        .lower(lower::logic::logic, "ElementWiseAnd"),
    row(Op::Equal, Onnx::Itself, infer::elementwise::comparison)
        .axes(Axes::Elementwise)
        .numbers(Elements::Compared { inputs: &[0, 1], stored: false }, Scale::Other, Results::Any)
        .integers(integers::worse(2))
        .fold(Fold::By(fold::arithmetic::equal))
        .lower(lower::logic::compare, "ElementWiseEqual"),
    row(Op::Greater, Onnx::Itself, infer::elementwise::comparison)
        .axes(Axes::Elementwise)
        .numbers(Elements::Compared { inputs: &[0, 1], stored: false }, Scale::Other, Results::Any)
        .integers(integers::worse(2))
        .fold(Fold::By(fold::arithmetic::greater))
        .lower(lower::logic::compare, "ElementWiseGreater"),
    row(Op::GreaterOrEqual, Onnx::Itself, infer::elementwise::comparison)
        .axes(Axes::Elementwise)
        .numbers(Elements::Compared { inputs: &[0, 1], stored: false }, Scale::Other, Results::Any)
        .integers(integers::worse(2))
        .fold(Fold::By(fold::arithmetic::greater_or_equal))
        .lower(lower::logic::compare, "ElementWiseGreaterEqual"),
    row(Op::IsInf, Onnx::Itself, infer::elementwise::test)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::logic::is_inf, "IsNan, comparisons; float32 infinity and NaN are one to HTP"),
    row(Op::IsNaN, Onnx::Itself, infer::elementwise::test)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::logic::is_nan, "IsNan, comparisons; float32 infinity and NaN are one to HTP"),
    row(Op::Less, Onnx::Itself, infer::elementwise::comparison)
        .axes(Axes::Elementwise)
        .numbers(Elements::Compared { inputs: &[0, 1], stored: false }, Scale::Other, Results::Any)
        .integers(integers::worse(2))
        .fold(Fold::By(fold::arithmetic::less))
        .lower(lower::logic::compare, "ElementWiseLess"),
    row(Op::LessOrEqual, Onnx::Itself, infer::elementwise::comparison)
        .axes(Axes::Elementwise)
        .numbers(Elements::Compared { inputs: &[0, 1], stored: false }, Scale::Other, Results::Any)
        .integers(integers::worse(2))
        .fold(Fold::By(fold::arithmetic::less_or_equal))
        .lower(lower::logic::compare, "ElementWiseLessEqual"),
    row(Op::Not, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::By(fold::arithmetic::not))
        .lower(lower::logic::not, "ElementWiseNot"),
    row(Op::Or, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::By(fold::arithmetic::or))
        .lower(lower::logic::logic, "ElementWiseOr"),
    row(Op::Where, Onnx::Itself, infer::elementwise::choose)
        .axes(Axes::Elementwise)
        .numbers(Elements::Compared { inputs: &[1, 2], stored: true }, Scale::Other, Results::Any)
        .integers(integers::worse(3))
        .fold(Fold::By(fold::arithmetic::choose))
        .lower(lower::logic::select, "ElementWiseSelect; of bool And, Not, Or"),
    row(Op::Xor, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::By(fold::arithmetic::xor))
        .lower(lower::logic::logic, "ElementWiseXor"),
];
