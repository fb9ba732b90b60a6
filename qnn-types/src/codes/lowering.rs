//! E03xx: what the model asks for and the HTP, or this version's lowering to it, cannot do.

use super::{Class, Code, row};

pub(super) const ROWS: &[Code] = &[
    row(
        "E0301",
        "the op is not supported",
        "\
No lowering to QNN ops exists for this ONNX op. docs/SUPPORTED-OPS.md lists the supported ones.
All unsupported nodes of a model are listed in one report. Ways out: export the model with other
ops, cut the model before the node with `outputs = [..]` and do the rest in Rust, or add a
lowering (docs/ARCHITECTURE.md says how: one row and one function).
",
    ),
    row(
        "E0302",
        "the op is not supported in this form",
        "\
The op is known, but not with these attributes, shapes or dtypes; the message says which.
docs/SUPPORTED-OPS.md lists the conditions of every op. Often an export option or a simplifier
(`onnxsim`) changes the form.
",
    ),
    row(
        "E0303",
        "a 64-bit integer does not fit 32 bits",
        "\
The HTP has no 64-bit integers: int64 tensors become int32. A constant of the model is outside
the range of int32. Values that stand for \"to the end\" in Slice are handled; others must be
changed in the model.
",
    ),
    row(
        "E0304",
        "the dtype does not exist on the HTP",
        "\
float64, uint64, bfloat16 and string tensors, for example, cannot be computed on the HTP. Export
the model with float32; for a constant or an input the dtype can be set by `inputs.NAME.dtype`.
",
    ),
    row(
        "E0305",
        "the rank is not supported",
        "\
The HTP works on tensors of 1 to 5 dimensions, some ops on fewer. A tensor of this node has
more. Fold dimensions together (a Reshape in the model), usually a batch dimension of size 1.
",
    ),
    row(
        "E0306",
        "the QNN library refused an op",
        "\
The op was lowered, and the vendor's own validation (`backendValidateOpConfig`, error 3110)
refuses it for this SoC. The notes hold the library's words, which usually name the tensor and
what it may be. Going on would give a binary that computes garbage.
",
    )
    .class(Class::Compile),
    row(
        "E0307",
        "an input must be a constant",
        "\
QNN takes this operand (a shape, an axis, a padding, a weight, …) as a parameter or static
tensor, but the model computes it at run time. Fix the model's dynamic dimensions so that it can
be computed at build time, or export the model with the value as a constant.
",
    ),
    row(
        "E0308",
        "the model is too large for one context",
        "\
A context binary holds at most 2 GiB. Divide the model into parts that run one after the other,
each a model of its own in the manifest (`outputs` of the first are inputs of the second), or
use weights of fewer bits.
",
    ),
    row(
        "E0309",
        "a tensor is too large",
        "\
A single tensor has more elements or bytes than the QNN interface can describe (32-bit sizes),
or than the HTP can place. Fix smaller input shapes, or divide the work into tiles.
",
    ),
    row(
        "E0310",
        "the graph computes nothing from an input",
        "\
No output depends on an input: every result is known when the model is compiled, and the HTP does
not run such a graph. Read other outputs, or keep the values in the app.
",
    ),
    row(
        "E0311",
        "a value leaves the range of fp16",
        "\
The calibration run (`samples`) found numbers in a value that fp16 cannot hold: HTP saturates them,
and what is computed from them is wrong. The compiler carries powers of two through linear
operators, so that values fit, but not through the node that is named, or the value is an output of
the model. Scale its operands in the model, or read another output.
",
    ),
    row(
        "E0312",
        "parts of a quantized model would compute with floats",
        "\
The HTP of the SoC has no floating-point unit (for example QCS6490, SM7325, SM8635). A quantized
model runs there as far as every operator computes on integers: what it reads and makes needs an
encoding, and HTP must have the operator on integers. The notes name each node that is in the way,
and what it lacks. Encodings that follow from others need not be there: of what only moves or
chooses elements, of Relu and Clip, and of Softmax, Sigmoid and Tanh.

Give the named values an encoding, in the model (QuantizeLinear and DequantizeLinear) or in an
encodings file (`quantize.encodings`). What HTP has no integers for, leave to the app: `outputs`
ends the model before it. Inputs and outputs of the app may be float32: they are converted.
",
    ),
    row(
        "E0313",
        "an op in a form that HTP takes and computes garbage for",
        "\
The QNN library takes some forms of ops without a word, finalizes them, and computes other numbers
than those that were asked for. Lowering writes other forms of them; this is the last guard, by a
table of what was measured, before a program is handed to the library. Where it finds something,
the fault is in the compiler and not in the model: please report it, with the model if you can.
Until then, leave the named node to the app with `outputs`, or give what it reads and makes other
encodings.
",
    ),
    row(
        "E0314",
        "a constant has numbers that fp16 does not have",
        "\
A weight or another constant of the model is NaN, infinite, or beyond 65504, the largest number of
fp16, in which HTP computes: it takes 65504 instead. Weights of products and convolutions that are
finite are divided by a power of two, and the result is multiplied with it; numbers that only choose
or block, as the masks of attention do, are right as 65504. The constant that is named is neither.
Often such a number comes from a training that diverged, or from a division by zero when the model
was exported.
",
    ),
    row(
        "E0315",
        "angles are too large for fp16",
        "\
A sine or cosine is taken of angles in the hundreds or more, of which fp16 has no digits behind the
point: the result is noise. Products of integer positions, or of what the app passes, with constant
frequencies are computed exactly; the one that is named is another. Take whole turns off the angle
before it becomes large, compute it from the position in one product, or pass sines and cosines.
",
    ),
    row(
        "E0316",
        "the model looks for NaN or infinity",
        "\
IsNaN and IsInf are computed, but HTP has no infinity: what would become one stops at
the largest number, and a NaN that the app passes reads as infinity. As guards in front of finite
numbers they are right.
",
    ),
];
