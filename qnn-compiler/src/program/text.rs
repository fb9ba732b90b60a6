//! Programs as text, one line an op, for reading: as graphs have it (`graph::text`), with the vendor's names.

use std::fmt::Write;

use qnn::DataType;

use super::{Op, Param, Program, Quant, Role, Scalar, Tensor};
use crate::graph::text::Elements;
use crate::graph::{DType, Data};

/// Elements of a list that are written.
const MOST: usize = 16;

/// Writes a program: inputs, outputs, constants where they are read first, ops.
pub fn print(program: &Program) -> String {
    let mut out = format!("program {}\n", program.name);
    for (word, wanted) in [("input", true), ("output", false)] {
        let role = |tensor: &&Tensor| match tensor.role {
            Role::Input => wanted,
            Role::Output => !wanted,
            _ => false,
        };
        for tensor in program.tensors.iter().filter(role) {
            let _ = writeln!(out, "{word} {}", typed(tensor));
        }
    }
    let mut known = vec![false; program.tensors.len()];
    for op in &program.ops {
        for id in &op.inputs {
            let tensor = program.tensor(*id);
            if let Role::Static(data) = &tensor.role
                && !std::mem::replace(&mut known[id.0], true)
            {
                let _ = writeln!(out, "static {} = {}", typed(tensor), elements(data, tensor.dtype));
            }
        }
        let _ = writeln!(out, "{}", line(program, op));
    }
    out
}

fn line(program: &Program, op: &Op) -> String {
    let outputs: Vec<String> = op.outputs.iter().map(|id| typed(program.tensor(*id))).collect();
    let inputs: Vec<String> = op.inputs.iter().map(|id| format!("%{}", program.tensor(*id).name)).collect();
    let package = if op.package == "qti.aisw" { String::new() } else { format!("{}::", op.package) };
    let mut line = format!("{} = {package}{}({})", outputs.join(", "), op.ty, inputs.join(", "));
    if !op.params.is_empty() {
        let params: Vec<String> = op.params.iter().map(param).collect();
        let _ = write!(line, " {{{}}}", params.join(", "));
    }
    line
}

fn param(param: &Param) -> String {
    match param {
        Param::Scalar(name, scalar) => match scalar {
            Scalar::Bool(value) => format!("{name}={value}"),
            Scalar::U32(value) => format!("{name}={value}"),
            Scalar::I32(value) => format!("{name}={value}"),
            Scalar::F32(value) => format!("{name}={value:?}"),
        },
        Param::Tensor { name, dtype, dims, data } => {
            let shape = if dims.len() > 1 { format!("{} ", shape(dims)) } else { String::new() };
            format!("{name}={shape}{}", elements(data, *dtype))
        }
    }
}

fn shape(dims: &[u32]) -> String {
    format!("[{}]", dims.iter().map(u32::to_string).collect::<Vec<_>>().join(","))
}

/// `%x: ufixed8[1,8] as (scale, offset)`.
fn typed(tensor: &Tensor) -> String {
    let mut text = format!("%{}: {}{}", tensor.name, tensor.dtype, shape(&tensor.dims));
    match &tensor.quant {
        Quant::None => {}
        Quant::PerTensor { scale, offset } => {
            let _ = write!(text, " as ({scale:?}, {offset})");
        }
        Quant::PerAxis { axis, scale_offsets } => {
            let _ = write!(text, " as (axis {axis}, {})", pairs(scale_offsets));
        }
        Quant::BitWidth { bits, scale, offset } => {
            let _ = write!(text, " as {bits} bits ({scale:?}, {offset})");
        }
        Quant::BitWidthPerAxis { bits, axis, scale_offsets } => {
            let _ = write!(text, " as {bits} bits (axis {axis}, {})", pairs(scale_offsets));
        }
        other => {
            let _ = write!(text, " as {other:?}");
        }
    }
    text
}

fn pairs(list: &[(f32, i32)]) -> String {
    let written: Vec<String> = list.iter().take(MOST).map(|(s, o)| format!("{s:?} {o}")).collect();
    let rest = if list.len() > MOST { ", ..." } else { "" };
    format!("[{}{rest}]", written.join(", "))
}

/// Elements as graphs have them: stored integers where they are quantized.
fn elements(data: &Data, dtype: DataType) -> String {
    let Some(dtype) = DType::from_name(dtype.storage().name()) else { return "...".to_owned() };
    match Elements::of(data, dtype, MOST) {
        Elements::Splat(one) if data.len() > dtype.size() => format!("{one} x {}", data.len() / dtype.size()),
        Elements::Splat(one) => one,
        Elements::List(items) => format!("[{}]", items.join(", ")),
        Elements::Random(_) | Elements::Elided => "...".to_owned(),
    }
}
