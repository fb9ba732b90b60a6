//! Gives graph inputs the dtype and layout that the app asked for; the rest of the graph keeps the model's.

use std::collections::BTreeMap;

use qnn_build::job::InputSpec;

use crate::graph::{Attr, Attrs, DType, Graph, Node, TensorType, ValueId};
use crate::problem::{Problems, Result, problem};

/// dtypes that an input can have at the border, whatever the model computes with.
const DTYPES: &[DType] = &[DType::F32, DType::F16, DType::U8, DType::I8, DType::U16, DType::I16, DType::I32];

/// Puts a Cast and a Transpose behind each input that is to differ from the model's own.
///
/// # Errors
/// Unknown dtype or layout names, and a layout for an input that has no channels and space.
pub fn run(graph: &mut Graph, inputs: &BTreeMap<String, InputSpec>) -> Result<()> {
    let mut problems = Vec::new();
    let mut front = Vec::new();
    for i in 0..graph.inputs.len() {
        let id = graph.inputs[i];
        let Some(spec) = inputs.get(&graph.value(id).name) else { continue };
        match wanted(graph, id, spec) {
            Ok(wanted) => adapt(graph, &mut front, id, wanted),
            Err(p) => problems.push(p),
        }
    }
    front.append(&mut graph.nodes);
    graph.nodes = front;
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

/// What an input shall be: its dtype, and the order of axes that leads back to the model's.
struct Wanted {
    dtype: DType,
    /// Axis of the app's tensor that is the model's axis `i`, where they differ.
    back: Option<Vec<usize>>,
}

fn wanted(
    graph: &Graph,
    id: ValueId,
    spec: &InputSpec,
) -> std::result::Result<Wanted, qnn_build::job::Diagnostic> {
    let value = graph.value(id);
    let name = &value.name;
    let dtype = match spec.dtype.as_deref() {
        None => value.ty.dtype,
        Some(text) => DTYPES.iter().copied().find(|d| d.name() == text).ok_or_else(|| {
            let mut p =
                problem("E0209", format!("input {name:?}: {text:?} is not a dtype that an input can have"));
            let known: Vec<&str> = DTYPES.iter().map(|d| d.name()).collect();
            p.help = Some(format!("use one of {}", known.join(", ")));
            p
        })?,
    };
    let rank = value.ty.shape.len();
    let back = match spec.layout.as_deref() {
        None | Some("nchw") => None,
        Some("nhwc") if rank >= 3 => Some(std::iter::once(0).chain([rank - 1]).chain(1..rank - 1).collect()),
        Some("nhwc") => {
            return Err(problem(
                "E0209",
                format!("input {name:?} has rank {rank}: a layout needs channels and space"),
            ));
        }
        Some(other) => {
            let mut p = problem("E0209", format!("input {name:?}: unknown layout {other:?}"));
            p.help = Some("use nchw or nhwc".to_owned());
            return Err(p);
        }
    };
    Ok(Wanted { dtype, back })
}

fn adapt(graph: &mut Graph, front: &mut Vec<Node>, id: ValueId, wanted: Wanted) {
    let ty = graph.value(id).ty.clone();
    let name = graph.value(id).name.clone();
    let mut outer_shape = ty.shape.clone();
    if let Some(back) = &wanted.back {
        for (model_axis, &app_axis) in back.iter().enumerate() {
            outer_shape[app_axis] = ty.shape[model_axis];
        }
    }
    if wanted.dtype == ty.dtype && wanted.back.is_none() {
        return;
    }
    let outer = graph.add_value(name.clone(), TensorType::new(wanted.dtype, outer_shape.clone()));
    for input in &mut graph.inputs {
        if *input == id {
            *input = outer;
        }
    }
    graph.value_mut(id).name = format!("{name}.model");
    let mut from = outer;
    if wanted.dtype != ty.dtype {
        let to = match &wanted.back {
            None => id,
            Some(_) => graph.add_value(format!("{name}.cast"), TensorType::new(ty.dtype, outer_shape)),
        };
        front.push(Node::added("Cast", &name, from, to, Attrs::default()));
        from = to;
    }
    if let Some(back) = wanted.back {
        let mut attrs = Attrs::default();
        attrs.set("perm", Attr::Ints(back.iter().map(|&a| a as i64).collect()));
        front.push(Node::added("Transpose", &name, from, id, attrs));
    }
}
