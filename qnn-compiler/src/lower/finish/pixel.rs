//! Channels of a row or pixel that are divided among more axes.
//!
//! HTP moves what follows a convolution into it, also over a Reshape, and cannot compile what comes of it where the convolution's
//! result has one row or column and the op behind the Reshape five axes: "mismatched scale and bias dimensions" (QNN 2.51, v69
//! to v79; `conv → view(b, 2, c, 1, 1) → sigmoid` of selective kernels and split attention). Without one of their axes of one
//! element these ops mean the same, and compile.

use std::collections::HashMap;

use qnn::DataType;

use crate::graph::Data;
use crate::program::{Op, Param, Program, Quant, Role, Scalar, Tensor, TensorId};

/// The most axes with which HTP gets it right.
const AXES: usize = 4;

/// Gives such ops four axes.
pub(in crate::lower) fn run(program: &mut Program) {
    let moved: HashMap<TensorId, TensorId> = program
        .ops
        .iter()
        .filter(|op| matches!(&*op.ty, "Reshape" | "Transpose"))
        .filter_map(|op| Some((*op.outputs.first()?, *op.inputs.first()?)))
        .collect();
    let mut narrow: HashMap<TensorId, TensorId> = HashMap::new();
    let mut ops = Vec::with_capacity(program.ops.len());
    for mut op in std::mem::take(&mut program.ops) {
        let Some(axis) = axis_to_drop(program, &op, &moved, &narrow) else {
            ops.push(op);
            continue;
        };
        let dropped = if op.ty == "Transpose" { without_in_order(&mut op, axis) } else { axis };
        let inputs: Vec<TensorId> =
            op.inputs.iter().map(|&t| without(program, t, axis, &mut narrow, &op, &mut ops)).collect();
        let out = op.outputs[0];
        let name = format!("{}.four", program.tensor(out).name);
        let mut dims = program.tensor(out).dims.clone();
        dims.remove(dropped);
        let made = Tensor { name, role: Role::Native, dims, ..program.tensor(out).clone() };
        let made = add(program, made);
        narrow.insert(out, made);
        let back = reshape(&op, made, out);
        for param in &mut op.params {
            if let Param::Scalar(name, Scalar::U32(value)) = param
                && name == "axis"
            {
                *value -= 1;
            }
        }
        (op.inputs, op.outputs) = (inputs, vec![made]);
        ops.extend([op, back]);
    }
    program.ops = ops;
}

/// The axis of one element that an op of this kind can do without; `None` for other ops.
fn axis_to_drop(
    program: &Program,
    op: &Op,
    moved: &HashMap<TensorId, TensorId>,
    narrow: &HashMap<TensorId, TensorId>,
) -> Option<usize> {
    let by_element = op.ty.starts_with("ElementWise")
        || matches!(&*op.ty, "Gelu" | "Relu" | "ReluMinMax" | "Sigmoid" | "Softmax" | "Tanh" | "Transpose");
    let &[out] = &op.outputs[..] else { return None };
    let plain = |t: &TensorId| matches!(program.tensor(*t).quant, Quant::None);
    // A Transpose is told by the axes of its input.
    let dims = match (&*op.ty, &op.inputs[..]) {
        ("Transpose", &[x]) => &program.tensor(x).dims,
        _ => &program.tensor(out).dims,
    };
    if !by_element || dims.len() != AXES + 1 || !op.inputs.iter().chain(&op.outputs).all(plain) {
        return None;
    }
    // One of them comes from a single row or column.
    let one_row = |t: &TensorId| {
        let mut at = Some(*t);
        while let Some(t) = at {
            let dims = &program.tensor(t).dims;
            if narrow.contains_key(&t) || (dims.len() == AXES && dims[1..3].contains(&1)) {
                return true;
            }
            at = moved.get(&t).copied();
        }
        false
    };
    if !op.inputs.iter().any(one_row) {
        return None;
    }
    dims[..AXES].iter().position(|&d| d == 1)
}

/// Takes an axis of its input out of a Transpose; returns which one of the output that was.
fn without_in_order(op: &mut Op, axis: usize) -> usize {
    let mut dropped = axis;
    for param in &mut op.params {
        let Param::Tensor { dims, data, dtype, .. } = param else { continue };
        if *dtype != DataType::Uint32 {
            continue;
        }
        let mut order: Vec<u32> = data
            .bytes()
            .chunks_exact(4)
            .filter_map(|b| Some(u32::from_le_bytes(b.try_into().ok()?)))
            .collect();
        dropped = order.iter().position(|&from| from as usize == axis).unwrap_or(axis);
        order.remove(dropped);
        let order = order.into_iter().map(|from| if from as usize > axis { from - 1 } else { from });
        *data = Data::new(order.flat_map(u32::to_le_bytes).collect());
        *dims = vec![AXES as u32];
    }
    dropped
}

/// An operand without an axis of one element, counted from the outermost of five.
fn without(
    program: &mut Program,
    t: TensorId,
    axis: usize,
    narrow: &mut HashMap<TensorId, TensorId>,
    op: &Op,
    ops: &mut Vec<Op>,
) -> TensorId {
    let tensor = program.tensor(t).clone();
    let Some(at) = (axis + tensor.dims.len()).checked_sub(AXES + 1) else { return t };
    let mut dims = tensor.dims.clone();
    dims.remove(at);
    if let Some(&known) = narrow.get(&t)
        && program.tensor(known).dims == dims
    {
        return known;
    }
    if dims.is_empty() {
        return t;
    }
    let constant = matches!(tensor.role, Role::Static(_));
    let name = format!("{}.four.{}", tensor.name, program.tensors.len());
    let role = if constant { tensor.role.clone() } else { Role::Native };
    let made = add(program, Tensor { name, role, dims, ..tensor });
    if !constant {
        ops.push(reshape(op, t, made));
        narrow.insert(t, made);
    }
    made
}

fn add(program: &mut Program, tensor: Tensor) -> TensorId {
    program.tensors.push(tensor);
    TensorId(program.tensors.len() - 1)
}

/// A Reshape for the sake of an op.
fn reshape(of: &Op, from: TensorId, to: TensorId) -> Op {
    Op {
        name: format!("{}.four.{}", of.name, to.0),
        package: of.package.clone(),
        ty: "Reshape".into(),
        inputs: vec![from],
        outputs: vec![to],
        params: Vec::new(),
        origin: of.origin.clone(),
    }
}
