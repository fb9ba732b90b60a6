//! Crops of images that a convolution made.
//!
//! HTP takes a crop that does not begin at the first row or column, and a border, for a view of the convolution's result, and kernels
//! that read windows or several operands do not know where it begins: they compute other numbers, which change from run to run, or
//! read beyond their memory (QNN 2.51, v68 to v79; 8x8 to 32x32 pixels: -90 dB). An op by element between the two makes a tensor of
//! its own.

use std::collections::{HashMap, HashSet};

use qnn::DataType;

use crate::program::{Op, Param, Program, Quant, Role, Scalar, Tensor, TensorId};

/// Beyond what activations saturate at.
const ANY: f32 = 131_008.0;

/// Puts an op behind each such crop that is read by one of those kernels.
pub(in crate::lower) fn run(program: &mut Program) {
    let convolved = convolved(program);
    let read: HashSet<TensorId> = program
        .ops
        .iter()
        .filter(|op| reads_windows(program, op))
        .flat_map(|op| op.inputs.iter().copied())
        .collect();
    let mut ops = Vec::with_capacity(program.ops.len());
    let mut instead: HashMap<TensorId, TensorId> = HashMap::new();
    let mut views: HashSet<TensorId> = HashSet::new();
    for mut op in std::mem::take(&mut program.ops) {
        for input in &mut op.inputs {
            *input = instead.get(input).copied().unwrap_or(*input);
        }
        let view = op.inputs.first().is_some_and(|x| {
            views.contains(x) && MOVING.contains(&&*op.ty) || convolved.contains(x) && is_view(program, &op)
        });
        let outputs = if view { op.outputs.clone() } else { Vec::new() };
        let mut copies = Vec::new();
        for y in outputs {
            if read.contains(&y) {
                instead.insert(y, copy(program, &op, y, &mut copies));
            } else {
                views.insert(y);
            }
        }
        ops.push(op);
        ops.extend(copies);
    }
    program.ops = ops;
}

/// Ops that give parts of a tensor, or put something around it.
const MOVING: &[&str] = &["Gather", "Pad", "Reshape", "Split", "StridedSlice"];

/// The same numbers in a tensor of their own.
fn copy(program: &mut Program, of: &Op, from: TensorId, ops: &mut Vec<Op>) -> TensorId {
    let tensor = program.tensor(from).clone();
    let mut step = |ty: &'static str, x: TensorId, dtype: DataType, quant: Quant, params: Vec<Param>| {
        let name = format!("{}.own.{}", tensor.name, program.tensors.len());
        let made = Tensor { name: name.clone(), role: Role::Native, dtype, quant, dims: tensor.dims.clone() };
        program.tensors.push(made);
        let to = TensorId(program.tensors.len() - 1);
        ops.push(Op {
            name,
            package: of.package.clone(),
            ty: ty.into(),
            inputs: vec![x],
            outputs: vec![to],
            params,
            origin: of.origin.clone(),
        });
        to
    };
    if let (DataType::UFixed8, &Quant::PerTensor { scale, offset }) = (tensor.dtype, &tensor.quant) {
        // Of bytes HTP leaves out what changes no number, but not that they become wider and narrow again.
        let finer = Quant::PerTensor { scale: scale / 256.0, offset: offset * 256 };
        let wide = step("Convert", from, DataType::UFixed16, finer, Vec::new());
        return step("Convert", wide, DataType::UFixed8, tensor.quant.clone(), Vec::new());
    }
    let bound = |name: &'static str, value: f32| Param::Scalar(name.into(), Scalar::F32(value));
    let bounds = vec![bound("min_value", -ANY), bound("max_value", ANY)];
    step("ReluMinMax", from, tensor.dtype, tensor.quant.clone(), bounds)
}

/// Tensors that a convolution makes, or what goes element by element or piece by piece from one.
fn convolved(program: &Program) -> HashSet<TensorId> {
    let mut found: HashSet<TensorId> = HashSet::new();
    for op in &program.ops {
        let from = op.inputs.iter().any(|x| found.contains(x));
        let passes = op.ty.starts_with("ElementWise")
            || matches!(
                &*op.ty,
                "Batchnorm"
                    | "Concat"
                    | "Convert"
                    | "DepthToSpace"
                    | "Dequantize"
                    | "Elu"
                    | "Gather"
                    | "Gelu"
                    | "HardSwish"
                    | "Pad"
                    | "Prelu"
                    | "Quantize"
                    | "Relu"
                    | "ReluMinMax"
                    | "Reshape"
                    | "Sigmoid"
                    | "SpaceToDepth"
                    | "Split"
                    | "StridedSlice"
                    | "Tanh"
            );
        if op.ty.contains("Conv") && op.ty != "Convert" || from && passes {
            found.extend(&op.outputs);
        }
    }
    found
}

/// Whether an op gives a part of an image, or an image with a border.
fn is_view(program: &Program, op: &Op) -> bool {
    let Some(&x) = op.inputs.first() else { return false };
    let rank = program.tensor(x).dims.len();
    // The innermost axis is that of the channels, the outermost that of images.
    let spatial = |axis: usize| axis > 0 && axis + 1 < rank;
    let rows = |name: &str| {
        op.params.iter().find_map(|p| match p {
            Param::Tensor { name: own, dims, data, .. } if own == name => {
                let width = dims.last().map_or(1, |&d| d as usize).max(1);
                let values: Vec<i32> = data
                    .bytes()
                    .chunks_exact(4)
                    .filter_map(|b| Some(i32::from_le_bytes(b.try_into().ok()?)))
                    .collect();
                Some(values.chunks(width).map(<[i32]>::to_vec).collect::<Vec<_>>())
            }
            _ => None,
        })
    };
    let axis = || {
        op.params.iter().find_map(|p| match p {
            Param::Scalar(name, Scalar::U32(axis)) if name == "axis" => Some(*axis as usize),
            Param::Scalar(name, Scalar::I32(axis)) if name == "axis" => usize::try_from(*axis).ok(),
            _ => None,
        })
    };
    rank >= 3
        && match &*op.ty {
            "StridedSlice" => {
                rows("ranges").is_some_and(|r| r.iter().enumerate().any(|(a, r)| spatial(a) && r[0] != 0))
            }
            "Pad" => rows("pad_amount")
                .is_some_and(|r| r.iter().enumerate().any(|(a, r)| spatial(a) && r.iter().any(|&n| n != 0))),
            "Gather" | "Split" => axis().is_some_and(spatial),
            _ => false,
        }
}

/// Whether an op reads more than one element of an operand for one of its result, or more than one operand.
fn reads_windows(program: &Program, op: &Op) -> bool {
    let computed = |t: &TensorId| !matches!(program.tensor(*t).role, Role::Static(_));
    match &*op.ty {
        "Conv2d" | "DepthWiseConv2d" | "TransposeConv2d" | "Conv3d" => op.inputs.get(1).is_some_and(|w| {
            let dims = &program.tensor(*w).dims;
            dims.iter().take(2).any(|&d| d != 1)
        }),
        "PoolAvg2d" | "PoolMax2d" | "PoolAvg3d" | "PoolMax3d" | "L2Pool2d" => true,
        ty if ty.starts_with("Reduce") => true,
        ty if ty.starts_with("ElementWise") => op.inputs.iter().filter(|t| computed(t)).count() > 1,
        "InstanceNorm" | "GroupNorm" | "LayerNorm" | "RmsNorm" | "ResizeBilinear" | "Resize" => {
            program.tensor(op.inputs[0]).dtype != DataType::Int32
        }
        _ => false,
    }
}
