//! Activations.

use crate::fold;
use crate::infer;
use crate::lower::fixed::fits;
use crate::lower::ops as lower;
use crate::op::Op;
use crate::op::columns::{Axes, Elements, Fold, Onnx, Results, Scale};
use crate::op::integers::{self, Steps};
use crate::op::row::{Row, gone, row};

pub(super) const ROWS: &[Row] = &[
    row(Op::Celu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::activation::celu, "Elu, ElementWiseMultiply"),
    row(Op::Clip, Onnx::Itself, infer::elementwise::clip)
        .axes(Axes::Elementwise)
        .numbers(Elements::Compared { inputs: &[0, 1, 2], stored: true }, Scale::Other, Results::ByEnds)
        .integers(integers::well(1))
        .fold(Fold::By(fold::arithmetic::clip))
        .lower(
            lower::activation::clip,
            "Relu, ReluMinMax; computed bounds ElementWiseMaximum, ElementWiseMinimum",
        ),
    row(Op::Elu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::activation::elu, "Elu"),
    row(Op::Gelu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::activation::gelu, "Gelu, also for the tanh approximation"),
    row(Op::HardSigmoid, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(0.0, 1.0))
        .integers(integers::within(0.0, 1.0))
        .fold(Fold::Reference)
        .lower(lower::activation::hard_sigmoid, "ElementWiseNeuron"),
    row(Op::HardSwish, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::ByEnds)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::unary::unary, "HardSwish"),
    gone(Op::Hardmax, Onnx::Itself, infer::elementwise::same, Fold::Reference),
    row(Op::LeakyRelu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Homogeneous, Results::ByEnds)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::activation::leaky_relu, "Prelu"),
    row(Op::LogSoftmax, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::InnermostAxis)
        .numbers(Elements::Computed, Scale::Other, Results::Between(f64::NEG_INFINITY, 0.0))
        .integers(integers::worse(1))
        .fold(Fold::Reference)
        .lower(lower::softmax::log_softmax, "LogSoftmax; wrong where logits span more than about 240"),
    row(Op::Mish, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::activation::mish, "Exp, Multiply, Divide"),
    row(Op::PRelu, Onnx::Itself, infer::elementwise::slope)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Homogeneous, Results::ByEnds)
        .integers(integers::steps(2, Steps::DerivedWide, fits::narrow))
        .fold(Fold::Reference)
        .lower(lower::activation::prelu, "Prelu"),
    row(Op::Relu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Homogeneous, Results::ByEnds)
        .integers(integers::well(1))
        .fold(Fold::By(fold::arithmetic::relu))
        .lower(lower::unary::unary, "Relu"),
    row(Op::Selu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::activation::selu, "Elu, ElementWiseMultiply"),
    row(Op::Shrink, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::activation::shrink, "ElementWiseSelect"),
    row(Op::Sigmoid, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(0.0, 1.0))
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::unary::unary, "Sigmoid"),
    row(Op::Softmax, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::InnermostAxis)
        .numbers(Elements::Computed, Scale::Other, Results::Between(0.0, 1.0))
        .integers(integers::within(0.0, 1.0))
        .fold(Fold::Reference)
        .lower(lower::softmax::softmax, "Softmax"),
    row(Op::Softplus, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(0.0, f64::INFINITY))
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::activation::softplus, "Exp and a series"),
    row(Op::Softsign, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::unary::formula, "ElementWiseDivide, ElementWiseAbs"),
    gone(Op::SwiGLU, Onnx::Itself, infer::elementwise::same, Fold::Reference),
    row(Op::Swish, Onnx::Since { attribute: "", version: 24 }, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::activation::swish, "Sigmoid, ElementWiseMultiply"),
    row(Op::Tanh, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Between(-1.0, 1.0))
        .integers(integers::within(-1.0, 1.0))
        .fold(Fold::Reference)
        .lower(lower::unary::unary, "Tanh"),
    row(Op::ThresholdedRelu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::activation::thresholded_relu, "ElementWiseGreater, ElementWiseSelect"),
    row(Op::MsBiasGelu, Onnx::Itself, infer::elementwise::arithmetic)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(2))
        .fold(Fold::Reference)
        .lower(lower::activation::bias_gelu, "ElementWiseAdd, Gelu"),
    row(Op::MsFastGelu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(2))
        .fold(Fold::Reference)
        .lower(lower::activation::bias_gelu, "ElementWiseAdd, Gelu"),
    row(Op::MsGelu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::well(1))
        .fold(Fold::Reference)
        .lower(lower::activation::gelu, "Gelu"),
    row(Op::MsQuickGelu, Onnx::Itself, infer::elementwise::same)
        .axes(Axes::Elementwise)
        .numbers(Elements::Computed, Scale::Other, Results::Any)
        .integers(integers::formula(1))
        .fold(Fold::Reference)
        .lower(lower::activation::swish, "Sigmoid, ElementWiseMultiply"),
];
