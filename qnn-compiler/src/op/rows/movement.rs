//! Elements put elsewhere, taken apart and put together.

use crate::fold;
use crate::infer;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Results, Scale};
use crate::op::integers::{self, Integers};
use crate::op::row::{Row, gone, row};

pub(super) const ROWS: &[Row] = &[
    gone(Op::CenterCropPad, Onnx::Itself, infer::shaping::center_crop_pad, Fold::Reference),
    gone(Op::Compress, Onnx::Itself, infer::shaping::compress, Fold::Reference),
    row(Op::Concat, Onnx::Itself, infer::shaping::concat)
        .axes(Axes::Axis)
        .numbers(Elements::Moved(usize::MAX), Scale::Sum, Results::Any)
        .integers(integers::well(usize::MAX))
        .fold(Fold::By(fold::movement::concat))
        .lower(lower::slice::concat, "Concat"),
    gone(
        Op::ConstantOfShape,
        Onnx::Itself,
        infer::shaping::constant_of_shape,
        Fold::By(fold::movement::constant_of_shape),
    ),
    row(Op::Expand, Onnx::Itself, infer::shaping::expand)
        .axes(Axes::Expand)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::expand))
        .lower(lower::expand::expand, "Tile"),
    row(Op::EyeLike, Onnx::Itself, infer::shaping::eye_like)
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::mask::eye_like, "a constant"),
    row(Op::Flatten, Onnx::Itself, infer::shaping::flatten)
        .axes(Axes::Reshape)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::keep))
        .lower(lower::shape::reshape, "Reshape"),
    row(Op::Gather, Onnx::Itself, infer::shaping::gather)
        .axes(Axes::Gather)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::gather))
        .lower(lower::gather::gather, "Gather; evenly spaced constant indices StridedSlice"),
    row(Op::GatherElements, Onnx::Itself, infer::shaping::gather_elements)
        .axes(Axes::Axis)
        .numbers(Elements::Compared { inputs: &[0], stored: true }, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::Reference)
        .lower(lower::gather::gather_elements, "GatherElements"),
    row(Op::GatherND, Onnx::Itself, infer::shaping::gather_nd)
        .axes(Axes::Opaque)
        .numbers(Elements::Compared { inputs: &[0], stored: true }, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::Reference)
        .lower(lower::gather::gather_nd, "Gather"),
    gone(Op::NonZero, Onnx::Itself, infer::shaping::non_zero, Fold::By(fold::movement::non_zero)),
    row(Op::OneHot, Onnx::Itself, infer::shaping::one_hot)
        .axes(Axes::Opaque)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(Integers::No)
        .fold(Fold::Reference)
        .lower(lower::mask::one_hot, "ElementWiseEqual, ElementWiseSelect"),
    row(Op::Pad, Onnx::Itself, infer::shaping::pad)
        .axes(Axes::Pad)
        .numbers(Elements::Compared { inputs: &[0, 2], stored: true }, Scale::Other, Results::ByEnds)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::pad::pad, "Pad; what HTP cannot pad Concat or Gather; a constant value"),
    gone(Op::Range, Onnx::Itself, infer::shaping::range, Fold::By(fold::movement::range)),
    row(Op::Reshape, Onnx::Itself, infer::shaping::reshape)
        .axes(Axes::Reshape)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::keep))
        .lower(lower::shape::reshape, "Reshape"),
    gone(Op::ReverseSequence, Onnx::Itself, infer::shaping::first, Fold::Reference),
    gone(Op::Scatter, Onnx::Itself, infer::shaping::first, Fold::Reference),
    row(Op::ScatterElements, Onnx::Itself, infer::shaping::first)
        .axes(Axes::Axis)
        .numbers(Elements::Compared { inputs: &[0, 2], stored: true }, Scale::Other, Results::Any)
        .integers(integers::worse(3))
        .fold(Fold::Reference)
        .lower(lower::scatter::scatter_elements, "ScatterElements, ScatterNd; reductions none, add, mul"),
    row(Op::ScatterND, Onnx::Itself, infer::shaping::first)
        .axes(Axes::Opaque)
        .numbers(Elements::Compared { inputs: &[0, 2], stored: true }, Scale::Other, Results::Any)
        .integers(integers::worse(3))
        .fold(Fold::By(fold::movement::scatter_nd))
        .lower(lower::scatter::scatter_nd, "ScatterNd; reductions none, add, mul"),
    gone(Op::Shape, Onnx::Itself, infer::shaping::shape, Fold::OfShape(fold::movement::shape)),
    gone(Op::Size, Onnx::Itself, infer::shaping::size, Fold::OfShape(fold::movement::size)),
    row(Op::Slice, Onnx::Itself, infer::shaping::slice)
        .axes(Axes::Slice)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::slice))
        .lower(lower::slice::slice, "StridedSlice"),
    row(Op::Split, Onnx::Itself, infer::shaping::split)
        .axes(Axes::Axis)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::split))
        .lower(lower::slice::split, "Split"),
    row(Op::Squeeze, Onnx::Itself, infer::shaping::squeeze)
        .axes(Axes::Reshape)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::keep))
        .lower(lower::shape::reshape, "Reshape"),
    gone(
        Op::TensorScatter,
        Onnx::Since { attribute: "", version: 24 },
        infer::shaping::first,
        Fold::Reference,
    ),
    row(Op::Tile, Onnx::Itself, infer::shaping::tile)
        .axes(Axes::PerAxis)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::tile))
        .lower(lower::expand::tile_node, "Tile"),
    row(Op::Transpose, Onnx::Itself, infer::shaping::transpose)
        .axes(Axes::Transpose)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::transpose))
        .lower(lower::shape::transpose, "Transpose"),
    row(Op::Trilu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Opaque)
        .numbers(Elements::Compared { inputs: &[0], stored: true }, Scale::Other, Results::Any)
        .integers(integers::worse(1))
        .fold(Fold::By(fold::movement::trilu))
        .lower(lower::mask::trilu, "ElementWiseSelect by a constant mask"),
    row(Op::Unsqueeze, Onnx::Itself, infer::shaping::unsqueeze)
        .axes(Axes::Reshape)
        .numbers(Elements::Moved(1), Scale::Homogeneous, Results::Among)
        .integers(integers::well(1))
        .fold(Fold::By(fold::movement::keep))
        .lower(lower::shape::reshape, "Reshape"),
    gone(Op::MsExpandDims, Onnx::Itself, infer::shaping::expand_dims, Fold::Reference),
    gone(Op::MsGatherND, Onnx::Itself, infer::shaping::gather_nd, Fold::Reference),
    gone(Op::MsPad, Onnx::Itself, infer::shaping::pad, Fold::Reference),
    gone(Op::MsTrilu, Onnx::Itself, infer::elementwise::same, Fold::Reference),
];
