//! Windows over spatial axes.

use crate::infer;
use crate::lower::fixed::fits;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Operands, Results, Scale};
use crate::op::integers::{self, Integers};
use crate::op::row::{Row, gone, row};

pub(super) const ROWS: &[Row] = &[
    row(Op::AveragePool, Onnx::Itself, infer::spatial::pool)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Homogeneous, Results::ByEnds)
        .integers(integers::only(1, fits::plain_average))
        .fold(Fold::Reference)
        .lower(lower::pool::average, "PoolAvg2d; with padding DepthWiseConv2d or MatMul; 1-D and 2-D"),
    row(Op::Conv, Onnx::Itself, infer::spatial::conv)
        .axes(Axes::Spatial(Operands::ConvWeight))
        .numbers(Elements::Computed, Scale::Linear, Results::Any)
        .integers(integers::only(1, fits::little_padding))
        .fold(Fold::Reference)
        .lower(lower::conv::conv, "Conv2d, DepthWiseConv2d; 1-D and 2-D"),
    gone(Op::ConvInteger, Onnx::Itself, infer::spatial::conv_integer, Fold::Reference),
    row(Op::ConvTranspose, Onnx::Itself, infer::spatial::conv_transpose)
        .axes(Axes::Spatial(Operands::ConvTransposeWeight))
        .numbers(Elements::Computed, Scale::Linear, Results::Any)
        .integers(integers::only(1, fits::has_weight))
        .fold(Fold::Reference)
        .lower(lower::conv::transpose, "TransposeConv2d; 1-D and 2-D"),
    gone(Op::DeformConv, Onnx::Itself, infer::spatial::conv, Fold::Reference),
    row(Op::DepthToSpace, Onnx::Itself, infer::spatial::depth_to_space)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::spatial::depth_to_space, "DepthToSpace"),
    row(Op::GlobalAveragePool, Onnx::Itself, infer::spatial::global_pool)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Homogeneous, Results::ByEnds)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::pool::global_average, "PoolAvg2d"),
    row(Op::GlobalLpPool, Onnx::Itself, infer::spatial::global_pool)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::pool::global_lp, "PoolAvg2d of powers"),
    row(Op::GlobalMaxPool, Onnx::Itself, infer::spatial::global_pool)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Compared { inputs: &[0], stored: true }, Scale::Homogeneous, Results::ByEnds)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::pool::global_max, "PoolMax2d"),
    row(Op::GridSample, Onnx::Itself, infer::spatial::grid_sample)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::worse(2))
        .fold(Fold::Reference)
        .lower(lower::spatial::grid_sample, "GridSample; linear and nearest; places are fp16"),
    row(Op::LpPool, Onnx::Itself, infer::spatial::pool)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::pool::lp, "Pad, PoolAvg2d of powers; 1-D and 2-D"),
    row(Op::MaxPool, Onnx::Itself, infer::spatial::pool)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::pool::max, "PoolMax2d, also with Pad before it; 1-D and 2-D; no indices"),
    gone(Op::MaxRoiPool, Onnx::Itself, infer::spatial::max_roi_pool, Fold::Reference),
    gone(Op::MaxUnpool, Onnx::Itself, infer::spatial::max_unpool, Fold::Reference),
    gone(Op::QLinearConv, Onnx::Itself, infer::spatial::qlinear_conv, Fold::Reference),
    row(Op::Resize, Onnx::Itself, infer::spatial::resize)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Compared { inputs: &[0], stored: true }, Scale::Homogeneous, Results::ByEnds)
        .integers(integers::only(1, fits::native_resize))
        .fold(Fold::Reference)
        .lower(lower::resize::resize, "ResizeBilinear, ResizeNearestNeighbor, Resize (cubic); what these get wrong MatMul or Gather by axis"),
    gone(Op::RoiAlign, Onnx::Itself, infer::spatial::roi_align, Fold::Reference),
    row(Op::SpaceToDepth, Onnx::Itself, infer::spatial::space_to_depth)
        .axes(Axes::Spatial(Operands::PerChannel))
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::spatial::space_to_depth, "SpaceToDepth"),
    gone(Op::MsFusedConv, Onnx::Itself, infer::spatial::conv, Fold::Reference),
    gone(Op::MsGridSample, Onnx::Itself, infer::spatial::grid_sample, Fold::Reference),
    gone(Op::MsQLinearAveragePool, Onnx::Itself, infer::spatial::pool, Fold::Reference),
    gone(Op::MsQLinearGlobalAveragePool, Onnx::Itself, infer::spatial::global_pool, Fold::Reference),
];
