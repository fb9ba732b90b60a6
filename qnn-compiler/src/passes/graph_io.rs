//! Gives graph inputs the dtype, layout and range that the app asked for; the rest of the graph keeps the model's.

use std::collections::BTreeMap;

use qnn_types::Affine;
use qnn_types::{Diagnostic, InputSpec};

use crate::frontend::onnx::element::number;
use crate::graph::{Attr, Attrs, DType, Data, Graph, Node, TensorType, ValueId};
use crate::op::Op;
use crate::problem::{Problems, Result, problem};

/// dtypes that a graph input can have, whatever the model computes with.
const DTYPES: &[DType] = &[DType::F32, DType::F16, DType::U8, DType::I8, DType::U16, DType::I16, DType::I32];

/// Puts a Cast, a Transpose and a normalization behind each input that is to differ from the model's own.
///
/// # Errors
/// Unknown dtype or layout names, a layout for an input that has no channels and space, and numbers of a normalization that do
/// not fit the input.
pub(super) fn run(graph: &mut Graph, inputs: &BTreeMap<String, InputSpec>) -> Result<()> {
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
    /// What the model gets of the app's numbers, where that is not themselves.
    affine: Option<Affine>,
}

fn wanted(graph: &Graph, id: ValueId, spec: &InputSpec) -> std::result::Result<Wanted, Diagnostic> {
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
    let affine = spec.normalization().map(|normalization| {
        let dims: Vec<Option<u64>> = value.ty.shape.iter().map(|&dim| Some(dim as u64)).collect();
        normalization.of(name, value.ty.dtype.name(), &dims)
    });
    Ok(Wanted { dtype, back, affine: affine.transpose()? })
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
    let steps = wanted.affine.as_ref().map_or_else(Vec::new, |affine| arithmetic(affine, &ty.shape));
    let cast = wanted.dtype != ty.dtype;
    if !cast && wanted.back.is_none() && steps.is_empty() {
        return;
    }
    let outer = graph.add_value(name.clone(), TensorType::new(wanted.dtype, outer_shape.clone()));
    for input in &mut graph.inputs {
        if *input == id {
            *input = outer;
        }
    }
    graph.value_mut(id).name = format!("{name}.model");
    // In this order each node is made, and the last one makes the model's input.
    let mut left = usize::from(cast) + usize::from(wanted.back.is_some()) + steps.len();
    let mut from = outer;
    let mut push = |graph: &mut Graph, op: Op, shape: &[usize], attrs: Attrs, more: &[(&str, Vec<f64>)]| {
        left -= 1;
        let what = op.name().to_lowercase();
        let to = match left {
            0 => id,
            _ => graph.add_value(format!("{name}.{what}"), TensorType::new(ty.dtype, shape)),
        };
        let mut node = Node::added(op, &name, from, to, attrs);
        for (part, values) in more {
            let ty = TensorType::new(ty.dtype, constant_shape(op, values.len(), &wanted, shape.len()));
            let data = Data::from_floats(values, ty.dtype);
            node.inputs.push(Some(graph.add_constant(format!("{name}.{what}.{part}"), ty, data)));
        }
        front.push(node);
        from = to;
    };
    if cast {
        let mut attrs = Attrs::default();
        attrs.set("to", Attr::Int(number(ty.dtype).into()));
        push(graph, Op::Cast, &outer_shape, attrs, &[]);
    }
    if let Some(back) = &wanted.back {
        let mut attrs = Attrs::default();
        attrs.set("perm", Attr::Ints(back.iter().map(|&a| a as i64).collect()));
        push(graph, Op::Transpose, &ty.shape, attrs, &[]);
    }
    for Step { op, attrs, constants } in steps {
        push(graph, op, &ty.shape, attrs, &constants);
    }
}

/// A node that normalizes, with its constants by name.
struct Step {
    op: Op,
    attrs: Attrs,
    constants: Vec<(&'static str, Vec<f64>)>,
}

/// The nodes of a normalization: one BatchNormalization where the channels are where it wants them, which HTP computes in one op
/// and rounds once. Nothing of it goes into a convolution that follows: what the convolution pads with is zero after the
/// normalization, and weights times a small scale lose digits in fp16.
fn arithmetic(affine: &Affine, shape: &[usize]) -> Vec<Step> {
    let step = |op, constants| Step { op, attrs: Attrs::default(), constants };
    let (factors, shifts): (Vec<f64>, Vec<f64>) = affine.steps.iter().copied().unzip();
    let (scaled, shifted) = (factors.iter().any(|&f| f != 1.0), shifts.iter().any(|&s| s != 0.0));
    if scaled && shifted && affine.axis == 1 && (3..=5).contains(&shape.len()) {
        let channels = shape[1];
        let spread = |list: Vec<f64>| if list.len() == 1 { vec![list[0]; channels] } else { list };
        let mut attrs = Attrs::default();
        attrs.set("epsilon", Attr::Float(0.0));
        let constants = vec![
            ("scale", spread(factors)),
            ("bias", spread(shifts)),
            ("mean", vec![0.0; channels]),
            ("variance", vec![1.0; channels]),
        ];
        return vec![Step { op: Op::BatchNormalization, attrs, constants }];
    }
    let product = scaled.then(|| step(Op::Mul, vec![("factor", factors)]));
    let sum = shifted.then(|| step(Op::Add, vec![("shift", shifts)]));
    product.into_iter().chain(sum).collect()
}

/// Vectors for BatchNormalization, else a shape that broadcasts along the channels.
fn constant_shape(op: Op, count: usize, wanted: &Wanted, rank: usize) -> Vec<usize> {
    let axis = wanted.affine.as_ref().map_or(0, |affine| affine.axis);
    if op == Op::BatchNormalization || count == 1 {
        return vec![count];
    }
    let mut shape = vec![1; rank - axis];
    shape[0] = count;
    shape
}
