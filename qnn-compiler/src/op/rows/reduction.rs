//! Reductions, and places of extremes.

use crate::fold;
use crate::infer;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Results, Scale};
use crate::op::integers::{self, Integers};
use crate::op::row::{Row, gone, row};

pub(super) const ROWS: &[Row] = &[
    row(Op::ArgMax, Onnx::Itself, infer::reduction::arg)
        .axes(Axes::ArgReduce)
        .numbers(Elements::Compared { inputs: &[0], stored: false }, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::Reference)
        .lower(lower::arg::extreme, "Argmax"),
    row(Op::ArgMin, Onnx::Itself, infer::reduction::arg)
        .axes(Axes::ArgReduce)
        .numbers(Elements::Compared { inputs: &[0], stored: false }, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::Reference)
        .lower(lower::arg::extreme, "Argmin"),
    row(Op::ReduceL1, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Computed, Scale::Homogeneous, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::reduce::norm, "Abs, ReduceSum"),
    row(Op::ReduceL2, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Computed, Scale::Homogeneous, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::reduce::norm, "ReduceMax, Multiply, ReduceSum, SquareRoot"),
    row(Op::ReduceLogSum, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::reduce::norm, "ReduceSum, Log"),
    row(Op::ReduceLogSumExp, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::reduce::norm, "ReduceMax, Exp, ReduceSum, Log"),
    row(Op::ReduceMax, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Compared { inputs: &[0], stored: true }, Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::arithmetic::reduce_max))
        .lower(lower::reduce::reduce, "ReduceMax"),
    row(Op::ReduceMean, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Computed, Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::reduce::reduce, "ReduceMean"),
    row(Op::ReduceMin, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Compared { inputs: &[0], stored: true }, Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::arithmetic::reduce_min))
        .lower(lower::reduce::reduce, "ReduceMin"),
    row(Op::ReduceProd, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::By(fold::arithmetic::reduce_prod))
        .lower(lower::reduce::product, "StridedSlice, ElementWiseMultiply"),
    row(Op::ReduceSum, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Computed, Scale::Homogeneous, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::By(fold::arithmetic::reduce_sum))
        .lower(lower::reduce::reduce, "ReduceSum"),
    row(Op::ReduceSumSquare, Onnx::Itself, infer::reduction::reduce)
        .axes(Axes::Reduce)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::reduce::norm, "Multiply, ReduceSum"),
    row(Op::TopK, Onnx::Itself, infer::reduction::top_k)
        .axes(Axes::InnermostAxis)
        .numbers(Elements::Compared { inputs: &[0], stored: true }, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::Reference)
        .lower(lower::arg::top_k, "TopK of the elements in reverse, so that equal ones come in ONNX's order"),
    gone(Op::MsQLinearReduceMean, Onnx::Itself, infer::reduction::qlinear_reduce, Fold::Reference),
];
