//! Normalizations.

use crate::infer;
use crate::lower::fixed::fits;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Operands, Results, Scale};
use crate::op::integers::{self, Integers, Steps};
use crate::op::row::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row(Op::BatchNormalization, Onnx::Itself, infer::reduction::batch_norm)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::steps(1, Steps::Derived, fits::constant_affine))
        .fold(Fold::Reference)
        .lower(lower::norm::batch, "Batchnorm, or part of the convolution before it"),
    row(Op::GroupNormalization, Onnx::Itself, infer::reduction::first)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Invariant, Results::Any)
        .integers(integers::only(1, fits::constant_affine))
        .fold(Fold::Reference)
        .lower(lower::norm::group, "GroupNorm"),
    row(Op::InstanceNormalization, Onnx::Itself, infer::reduction::first)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Invariant, Results::Any)
        .integers(integers::only(1, fits::constant_affine))
        .fold(Fold::Reference)
        .lower(lower::norm::instance, "InstanceNorm"),
    row(Op::LRN, Onnx::Itself, infer::reduction::first)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::only(1, fits::narrow_only))
        .fold(Fold::Reference)
        .lower(lower::norm::local_response, "Lrn; odd sizes"),
    row(Op::LayerNormalization, Onnx::Itself, infer::reduction::layer_norm)
        .axes(Axes::InnermostFrom)
        .numbers(Elements::Computed, Scale::Invariant, Results::Any)
        .integers(integers::only(1, fits::constant_vectors))
        .fold(Fold::Reference)
        .lower(lower::norm::layer, "LayerNorm; no statistics as outputs"),
    row(Op::LpNormalization, Onnx::Itself, infer::reduction::first)
        .axes(Axes::Axis)
        .numbers(Elements::Computed, Scale::Invariant, Results::Any)
        .integers(integers::only(1, fits::euclidean))
        .fold(Fold::Reference)
        .lower(lower::norm::lp, "L2Norm; for p = 1 ReduceSum, ElementWiseDivide"),
    row(Op::MeanVarianceNormalization, Onnx::Itself, infer::reduction::first)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(
            lower::norm::mean_variance,
            "InstanceNorm, LayerNorm; the channels, or all spatial axes together",
        ),
    row(Op::RMSNormalization, Onnx::Since { attribute: "", version: 23 }, infer::reduction::first)
        .axes(Axes::InnermostFrom)
        .numbers(Elements::Computed, Scale::Invariant, Results::Any)
        .integers(integers::only(2, fits::constant_vectors))
        .fold(Fold::Reference)
        .lower(lower::norm::rms, "RmsNorm"),
    row(Op::SimplifiedLayerNormalization, Onnx::Itself, infer::reduction::first)
        .axes(Axes::InnermostFrom)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::only(2, fits::constant_vectors))
        .fold(Fold::Reference)
        .lower(lower::norm::rms, "RmsNorm"),
    row(Op::MsSkipLayerNormalization, Onnx::Itself, infer::reduction::skip_norm)
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::norm::skip, "ElementWiseAdd, LayerNorm"),
    row(Op::MsSkipSimplifiedLayerNormalization, Onnx::Itself, infer::reduction::skip_norm)
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::norm::skip, "ElementWiseAdd, RmsNorm"),
];
