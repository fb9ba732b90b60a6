//! Forms of ops that the library takes, finalizes and computes garbage for, all in silence: the last guard before a program is
//! handed over. Lowering writes none of them; a row here is what it must keep to.

use qnn::DataType;
use qnn_types::Diagnostic;

use super::packages::VENDOR;
use crate::problem::problem;
use crate::program::{Op, Param, Program, Quant, Role, Scalar, Tensor};

/// What was measured to be garbage, by ops of the vendor's package (QNN 2.51, SM8350 to SM8850 unless said otherwise).
struct Trap {
    /// Types of ops.
    ops: &'static [&'static str],
    /// Whether an op is of this form.
    holds: fn(&Look<'_>) -> bool,
    /// What the form is, and what comes of it.
    why: &'static str,
}

/// An op with what it reads and makes.
struct Look<'p> {
    program: &'p Program,
    op: &'p Op,
}

impl Look<'_> {
    fn input(&self, i: usize) -> Option<&Tensor> {
        self.op.inputs.get(i).map(|&id| self.program.tensor(id))
    }

    fn output(&self) -> Option<&Tensor> {
        self.op.outputs.first().map(|&id| self.program.tensor(id))
    }

    fn scalar(&self, wanted: &str) -> Option<Scalar> {
        self.op.params.iter().find_map(|param| match param {
            Param::Scalar(name, value) if name == wanted => Some(*value),
            _ => None,
        })
    }

    /// Whether the first input is the result of a Convert: of a FullyConnected itself, of convolutions in another shape.
    fn is_converted(&self) -> bool {
        let maker = |id| self.program.ops.iter().find(|op| op.outputs.contains(&id));
        let mut at = self.op.inputs.first().and_then(|&x| maker(x));
        let direct = self.op.ty == "FullyConnected";
        let reshaped = at.is_some_and(|op| op.ty == "Reshape");
        while let Some(op) = at.filter(|op| op.ty == "Reshape") {
            at = op.inputs.first().and_then(|&x| maker(x));
        }
        (direct || reshaped) && at.is_some_and(|op| op.ty == "Convert")
    }

    fn everything(&self) -> impl Iterator<Item = &Tensor> {
        self.op.inputs.iter().chain(&self.op.outputs).map(|&id| self.program.tensor(id))
    }
}

const WEIGHTED: &[&str] = &["Conv2d", "DepthWiseConv2d", "FullyConnected", "TransposeConv2d"];

/// Ops that copy stored integers: the encoding of their result is not looked at.
const COPYING: &[&str] = &[
    "DepthToSpace",
    "ExpandDims",
    "Reshape",
    "ResizeNearestNeighbor",
    "SpaceToDepth",
    "Squeeze",
    "Transpose",
];

const TRAPS: &[Trap] = &[
    Trap {
        ops: COPYING,
        holds: other_encoding,
        why: "copies stored integers between two encodings: numbers are off by up to the whole range",
    },
    Trap {
        ops: &["Pad"],
        holds: |look| !scheme(look, &[0]) && other_encoding(look),
        why: "copies stored integers between two encodings when it pads with elements of the tensor",
    },
    Trap {
        ops: &["Pad"],
        holds: |look| scheme(look, &[3]),
        why: "pads with the edge, where it writes other elements than the last",
    },
    Trap {
        ops: &["FullyConnected"],
        holds: torn_rows,
        why: "multiplies floats with integers that have a scale a row, of rows that are not whole 32-bit words",
    },
    Trap {
        ops: &["MatMul"],
        holds: |look| look.input(0).is_some_and(|a| a.dtype == DataType::UFixed8) && signed_factor(look),
        why: "multiplies unsigned with computed signed integers of 8 bits: 0.7 dB",
    },
    Trap {
        ops: &["MatMul"],
        holds: |look| look.op.inputs.len() > 2 && look.input(0).is_some_and(is_fixed),
        why: "has a bias on integers, which is ignored or taken in another unit",
    },
    Trap {
        ops: WEIGHTED,
        holds: bias_of_another_kind,
        why: "has a bias of another kind of encoding than its weight: one has a scale a channel, one has not",
    },
    Trap {
        ops: WEIGHTED,
        holds: |look| {
            look.input(2).is_some_and(|bias| bias.dtype == DataType::UFixed8)
                && look.input(1).is_some_and(|weight| scales(weight) > 1)
        },
        why: "has a bias of 8 bits beside a weight with a scale a channel",
    },
    Trap {
        ops: WEIGHTED,
        holds: expanded_kernel,
        why: "has a weight in expanded blocks and a kernel of more than one element, or groups: -6 to 0 dB",
    },
    Trap {
        ops: &["Softmax"],
        holds: |look| look.output().is_some_and(|y| y.dtype == DataType::UFixed8 && offset(y) != Some(0)),
        why: "makes 8 bits with an offset, which is ignored: 55 steps off everywhere",
    },
    Trap {
        ops: &["LogSoftmax"],
        holds: |look| {
            let outside = |y: &Tensor| offset(y).is_some_and(|o| o < -65535);
            look.output().is_some_and(|y| y.dtype == DataType::UFixed16 && outside(y))
        },
        why: "makes 16 bits whose zero is outside them",
    },
    Trap {
        ops: &["ElementWiseLog"],
        holds: unsaturated_log,
        why: "makes 16 bits from numbers whose logarithm is below their range, where it does not saturate",
    },
    Trap {
        ops: WEIGHTED,
        holds: |look| look.input(1).is_some_and(|w| scales(w) > 1 && scales(w) != along(w)),
        why: "has a weight with more or fewer scales than channels: the library reads past them",
    },
    Trap {
        ops: &[],
        holds: |look| look.everything().any(|t| is_fixed(t) && unscaled(t)),
        why: "has an operand in integers that no number of steps is said of",
    },
    Trap {
        ops: &[],
        holds: |look| look.everything().any(short),
        why: "has a constant of fewer bytes than its elements take: the library reads past them",
    },
    Trap {
        ops: &["FullyConnected"],
        holds: |look| {
            let sixteen = |t: &Tensor| t.dtype == DataType::UFixed16 && t.dims.first() == Some(&16);
            look.input(0).is_some_and(sixteen) && look.input(1).is_some_and(|w| scales(w) > 1)
        },
        why: "has 16 rows of 16 bits and a weight with a scale a channel: behind a Quantize of floats all rows but one are garbage",
    },
    Trap {
        ops: WEIGHTED,
        holds: |look| {
            let sixteen = look.input(0).is_some_and(|x| x.dtype == DataType::UFixed16);
            sixteen && look.input(1).is_some_and(|w| scales(w) > 1) && look.is_converted()
        },
        why: "reads a Convert of 16 bits and has a weight with a scale a channel: the two are joined as if there were one scale",
    },
];

/// What a program holds that the library would compute garbage for.
pub(super) fn found(program: &Program) -> Vec<Diagnostic> {
    let vendor = program.ops.iter().filter(|op| op.package == VENDOR);
    vendor.flat_map(|op| traps_of(program, op)).collect()
}

fn traps_of<'p>(program: &'p Program, op: &'p Op) -> impl Iterator<Item = Diagnostic> + 'p {
    let hit = move |trap: &&Trap| {
        (trap.ops.is_empty() || trap.ops.contains(&&*op.ty)) && (trap.holds)(&Look { program, op })
    };
    TRAPS.iter().filter(hit).map(|trap| {
        let mut p = problem("E0313", format!("the {} that this node becomes {}", op.ty, trap.why));
        (p.node, p.op) = (Some(op.origin.node.clone()), Some(op.origin.op.clone()));
        p.help = Some(
            "this is a fault of the compiler: please report it; until then leave the node to the app with \
             `outputs`, or give its values other encodings"
                .to_owned(),
        );
        p
    })
}

fn is_fixed(tensor: &Tensor) -> bool {
    matches!(tensor.dtype, DataType::UFixed8 | DataType::UFixed16 | DataType::SFixed8 | DataType::SFixed16)
}

fn offset(tensor: &Tensor) -> Option<i32> {
    match tensor.quant {
        Quant::PerTensor { offset, .. } => Some(offset),
        _ => None,
    }
}

/// How many scales a tensor has.
fn scales(tensor: &Tensor) -> usize {
    match &tensor.quant {
        Quant::PerAxis { scale_offsets, .. } | Quant::BitWidthPerAxis { scale_offsets, .. } => {
            scale_offsets.len()
        }
        Quant::BlockExpansion { scales, .. } => scales.len(),
        _ => 1,
    }
}

/// The extent of the axis that a tensor has scales along.
fn along(tensor: &Tensor) -> usize {
    match &tensor.quant {
        Quant::PerAxis { axis, .. }
        | Quant::BitWidthPerAxis { axis, .. }
        | Quant::BlockExpansion { axis, .. } => tensor.dims.get(*axis as usize).map_or(0, |&d| d as usize),
        _ => 1,
    }
}

fn other_encoding(look: &Look<'_>) -> bool {
    let (Some(x), Some(y)) = (look.input(0), look.output()) else { return false };
    is_fixed(x) && is_fixed(y) && (x.dtype != y.dtype || x.quant != y.quant)
}

fn scheme(look: &Look<'_>, of: &[u32]) -> bool {
    matches!(look.scalar("scheme"), Some(Scalar::U32(scheme)) if of.contains(&scheme))
}

fn torn_rows(look: &Look<'_>) -> bool {
    let float = look.input(0).is_some_and(|x| matches!(x.dtype, DataType::Float16 | DataType::Float32));
    let Some(weight) = look.input(1).filter(|_| float) else { return false };
    let bits = match weight.quant {
        Quant::PerAxis { .. } if weight.dtype == DataType::SFixed8 => 8,
        Quant::BitWidthPerAxis { bits, .. } => bits,
        _ => return false,
    };
    weight.dims.last().is_some_and(|columns| !(columns * bits).is_multiple_of(32))
}

fn signed_factor(look: &Look<'_>) -> bool {
    look.input(1).is_some_and(|b| b.dtype == DataType::SFixed8 && !matches!(b.role, Role::Static(_)))
}

fn bias_of_another_kind(look: &Look<'_>) -> bool {
    let (Some(weight), Some(bias)) = (look.input(1), look.input(2)) else { return false };
    let by_channel = |t: &Tensor| {
        matches!(
            t.quant,
            Quant::PerAxis { .. } | Quant::BitWidthPerAxis { .. } | Quant::BlockExpansion { .. }
        )
    };
    is_fixed(weight) && bias.dtype == DataType::SFixed32 && by_channel(weight) != by_channel(bias)
}

fn expanded_kernel(look: &Look<'_>) -> bool {
    let Some(weight) = look.input(1).filter(|w| matches!(w.quant, Quant::BlockExpansion { .. })) else {
        return false;
    };
    let kernel = weight.dims.len() == 4 && weight.dims[..2] != [1, 1];
    kernel || matches!(look.scalar("group"), Some(Scalar::U32(groups)) if groups > 1)
}

/// Whether the logarithm of the smallest number that an operand may be, a step of it, is below what the result can say.
fn unsaturated_log(look: &Look<'_>) -> bool {
    let (Some(x), Some(y)) = (look.input(0), look.output()) else { return false };
    let (&Quant::PerTensor { scale: step, offset }, &Quant::PerTensor { scale, offset: lowest }) =
        (&x.quant, &y.quant)
    else {
        return false;
    };
    let least = f64::from(offset.max(1)) * f64::from(step);
    y.dtype == DataType::UFixed16 && least.ln() < (f64::from(lowest) - 0.5) * f64::from(scale)
}

fn unscaled(tensor: &Tensor) -> bool {
    let wrong = |scale: f32| !(scale.is_finite() && scale > 0.0);
    match &tensor.quant {
        // Integers that stand for themselves are int8 to HTP.
        Quant::None => true,
        Quant::PerTensor { scale, .. } | Quant::BitWidth { scale, .. } => wrong(*scale),
        Quant::PerAxis { scale_offsets, .. } | Quant::BitWidthPerAxis { scale_offsets, .. } => {
            scale_offsets.iter().any(|(scale, _)| wrong(*scale))
        }
        Quant::BlockExpansion { scales, .. } => scales.iter().any(|scale| wrong(*scale)),
        _ => false,
    }
}

fn short(tensor: &Tensor) -> bool {
    let Role::Static(data) = &tensor.role else { return false };
    let elements: usize = tensor.dims.iter().map(|&d| d as usize).product();
    data.len() < elements * tensor.dtype.size()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use std::sync::Arc;

    use super::*;
    use crate::graph::Data;
    use crate::graph::Origin;
    use crate::program::{Activated, TensorId};

    fn tensor(dtype: DataType, dims: &[u32], quant: Quant) -> Tensor {
        Tensor { name: String::new(), role: Role::Native, dtype, dims: dims.to_vec(), quant }
    }

    fn constant(dtype: DataType, dims: &[u32], quant: Quant) -> Tensor {
        let bytes = dims.iter().map(|&d| d as usize).product::<usize>() * dtype.size();
        Tensor { role: Role::Static(Data::new(vec![0; bytes].into())), ..tensor(dtype, dims, quant) }
    }

    fn whole(scale: f32, offset: i32) -> Quant {
        Quant::PerTensor { scale, offset }
    }

    fn by_row(rows: usize) -> Quant {
        Quant::PerAxis { axis: 0, scale_offsets: vec![(0.1, 0); rows] }
    }

    fn u8s(dims: &[u32]) -> Tensor {
        tensor(DataType::UFixed8, dims, whole(0.1, -128))
    }

    fn u16s(dims: &[u32]) -> Tensor {
        tensor(DataType::UFixed16, dims, whole(0.1, -32768))
    }

    /// What is found in an op that makes the last of these tensors of the others.
    fn found_in(ty: &'static str, tensors: Vec<Tensor>, params: Vec<Param>) -> Vec<String> {
        let last = tensors.len() - 1;
        let op = Op {
            name: "op".to_owned(),
            package: Cow::Borrowed(VENDOR),
            ty: Cow::Borrowed(ty),
            inputs: (0..last).map(TensorId).collect(),
            outputs: vec![TensorId(last)],
            params,
            origin: Arc::new(Origin { node: "node".to_owned(), op: "Op".to_owned() }),
        };
        let program =
            Program { name: String::new(), tensors, ops: vec![op], activated: Activated::default() };
        found(&program).into_iter().map(|p| p.message).collect()
    }

    fn is_caught(ty: &'static str, tensors: Vec<Tensor>, why: &str) {
        let found = found_in(ty, tensors, Vec::new());
        assert!(found.iter().any(|message| message.contains(why)), "{ty}: {found:?}");
    }

    fn passes(ty: &'static str, tensors: Vec<Tensor>) {
        assert_eq!(found_in(ty, tensors, Vec::new()), Vec::<String>::new(), "{ty}");
    }

    fn scheme_of(scheme: u32) -> Vec<Param> {
        vec![Param::Scalar("scheme".into(), Scalar::U32(scheme))]
    }

    #[test]
    fn copies_between_two_encodings() {
        let other = tensor(DataType::UFixed8, &[4], whole(0.2, -128));
        is_caught("Reshape", vec![u8s(&[4]), other.clone()], "copies stored integers");
        passes("Reshape", vec![u8s(&[4]), u8s(&[4])]);
        passes("Convert", vec![u8s(&[4]), other.clone()]);
        let mirrored = found_in("Pad", vec![u8s(&[4]), other.clone()], scheme_of(2));
        assert!(mirrored[0].contains("pads with elements"), "{mirrored:?}");
        assert!(found_in("Pad", vec![u8s(&[4]), other], scheme_of(0)).is_empty());
    }

    #[test]
    fn padding_with_the_edge() {
        let edge = found_in("Pad", vec![u8s(&[4]), u8s(&[8])], scheme_of(3));
        assert!(edge[0].contains("edge"), "{edge:?}");
    }

    #[test]
    fn rows_that_are_not_whole_words() {
        let half = |dims: &[u32]| tensor(DataType::Float16, dims, Quant::None);
        let weight = |columns| constant(DataType::SFixed8, &[8, columns], by_row(8));
        let why = "whole 32-bit words";
        is_caught("FullyConnected", vec![half(&[2, 33]), weight(33), half(&[2, 8])], why);
        passes("FullyConnected", vec![half(&[2, 36]), weight(36), half(&[2, 8])]);
        let quant = Quant::BitWidthPerAxis { bits: 4, axis: 0, scale_offsets: vec![(0.1, 0); 8] };
        let four = constant(DataType::SFixed8, &[8, 36], quant);
        is_caught("FullyConnected", vec![half(&[2, 36]), four, half(&[2, 8])], why);
        passes("FullyConnected", vec![u8s(&[2, 33]), weight(33), u8s(&[2, 8])]);
    }

    #[test]
    fn a_convert_before_channels_with_scales_of_their_own() {
        let wide = |scale| tensor(DataType::UFixed16, &[4, 8], whole(scale, 0));
        let made = tensor(DataType::UFixed16, &[4, 3], whole(0.1, 0));
        let weight = constant(DataType::SFixed8, &[3, 8], by_row(3));
        let op = |ty: &'static str, inputs: &[usize], y| Op {
            name: ty.to_owned(),
            package: Cow::Borrowed(VENDOR),
            ty: Cow::Borrowed(ty),
            inputs: inputs.iter().copied().map(TensorId).collect(),
            outputs: vec![TensorId(y)],
            params: Vec::new(),
            origin: Arc::new(Origin { node: "node".to_owned(), op: "Op".to_owned() }),
        };
        let caught = |first: &'static str| {
            let tensors = vec![wide(0.1), wide(0.2), wide(0.2), weight.clone(), made.clone()];
            let ops = vec![op(first, &[0], 1), op("Reshape", &[1], 2), op("FullyConnected", &[2, 3], 4)];
            let program = Program { name: String::new(), tensors, ops, activated: Activated::default() };
            found(&program).iter().any(|p| p.message.contains("as if there were one scale"))
        };
        assert!(caught("Convert"));
        assert!(!caught("Relu"));
    }

    #[test]
    fn products_with_signed_factors_and_with_a_bias() {
        let signed = tensor(DataType::SFixed8, &[4, 4], whole(0.1, 0));
        is_caught("MatMul", vec![u8s(&[4, 4]), signed, u8s(&[4, 4])], "computed signed integers");
        passes(
            "MatMul",
            vec![u8s(&[4, 4]), constant(DataType::SFixed8, &[4, 4], whole(0.1, 0)), u8s(&[4, 4])],
        );
        let bias = constant(DataType::SFixed32, &[4], whole(0.01, 0));
        is_caught("MatMul", vec![u8s(&[4, 4]), u8s(&[4, 4]), bias, u8s(&[4, 4])], "bias on integers");
    }

    #[test]
    fn biases_of_another_kind_than_the_weight() {
        let weight = |quant| constant(DataType::SFixed8, &[4, 4], quant);
        let bias = |quant| constant(DataType::SFixed32, &[4], quant);
        let op = |w, b| vec![u8s(&[2, 4]), weight(w), bias(b), u8s(&[2, 4])];
        is_caught("FullyConnected", op(by_row(4), whole(0.01, 0)), "another kind");
        is_caught("FullyConnected", op(whole(0.1, 0), by_row(4)), "another kind");
        passes("FullyConnected", op(by_row(4), by_row(4)));
        passes("FullyConnected", op(whole(0.1, 0), whole(0.01, 0)));
        let narrow = constant(DataType::UFixed8, &[4], whole(0.1, -128));
        is_caught(
            "FullyConnected",
            vec![u8s(&[2, 4]), weight(by_row(4)), narrow, u8s(&[2, 4])],
            "bias of 8 bits",
        );
    }

    #[test]
    fn expanded_blocks_in_larger_kernels() {
        let weight = |dims: &[u32]| {
            let (scales, block_scales) = (vec![0.1; 4], [1; 8].as_slice().into());
            constant(
                DataType::SFixed8,
                dims,
                Quant::BlockExpansion { axis: 3, scales, block_scale_bits: 4, block_scales },
            )
        };
        let op = |dims: &[u32]| vec![u16s(&[1, 4, 4, 32]), weight(dims), u16s(&[1, 4, 4, 4])];
        is_caught("Conv2d", op(&[3, 3, 32, 4]), "expanded blocks");
        passes("Conv2d", op(&[1, 1, 32, 4]));
        let groups = vec![Param::Scalar("group".into(), Scalar::U32(2))];
        assert!(!found_in("Conv2d", op(&[1, 1, 32, 4]), groups).is_empty());
    }

    #[test]
    fn offsets_that_softmaxes_do_not_take() {
        let shifted = tensor(DataType::UFixed8, &[4], whole(0.01, -10));
        is_caught("Softmax", vec![u8s(&[4]), shifted], "offset, which is ignored");
        passes("Softmax", vec![u8s(&[4]), tensor(DataType::UFixed8, &[4], whole(1.0 / 255.0, 0))]);
        let outside = tensor(DataType::UFixed16, &[4], whole(0.01, -65536));
        is_caught("LogSoftmax", vec![u16s(&[4]), outside], "zero is outside");
    }

    #[test]
    fn logarithms_below_their_range() {
        let x = tensor(DataType::UFixed16, &[4], whole(1e-4, 0));
        let narrow = tensor(DataType::UFixed16, &[4], whole(1e-4, -20000));
        is_caught("ElementWiseLog", vec![x.clone(), narrow], "does not saturate");
        passes("ElementWiseLog", vec![x, tensor(DataType::UFixed16, &[4], whole(2e-4, -50000))]);
    }

    #[test]
    fn what_the_library_reads_beyond() {
        let weight = |rows| constant(DataType::SFixed8, &[4, 4], by_row(rows));
        is_caught("FullyConnected", vec![u8s(&[2, 4]), weight(3), u8s(&[2, 4])], "more or fewer scales");
        is_caught(
            "Relu",
            vec![tensor(DataType::UFixed8, &[4], whole(0.0, 0)), u8s(&[4])],
            "no number of steps",
        );
        let short = Tensor { dims: vec![8], ..constant(DataType::UFixed8, &[4], whole(0.1, 0)) };
        is_caught("Relu", vec![short, u8s(&[8])], "fewer bytes");
    }

    #[test]
    fn sixteen_rows_of_sixteen_bits() {
        let weight = || constant(DataType::SFixed8, &[4, 8], by_row(4));
        is_caught("FullyConnected", vec![u16s(&[16, 8]), weight(), u16s(&[16, 4])], "16 rows");
        passes("FullyConnected", vec![u16s(&[8, 8]), weight(), u16s(&[8, 4])]);
    }
}
