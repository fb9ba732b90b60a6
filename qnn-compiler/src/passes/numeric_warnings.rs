//! What will be computed, and may be wrong: said in every compile, since nothing else shows it before the app runs.

use std::collections::{HashMap, HashSet};

use qnn_types::{Diagnostic, Target};

use crate::graph::{Attr, DType, Graph, Node, NodeId, ValueId};
use crate::op::Op;
use crate::problem::problem;

/// The warnings of a graph that was fused.
pub(super) fn find(graph: &Graph, target: &Target) -> Vec<Diagnostic> {
    let mut found = constants(graph, target);
    // What computes in float32, or on integers, has the digits.
    if target.fp16 && target.arch > 68 {
        found.extend(angles(graph));
    }
    found.extend(guards(graph));
    found
}

/// The largest number of fp16.
const LARGEST: f32 = 65504.0;

/// Numbers from here on are no numbers of a network but stand for infinity.
const INFINITE: f32 = 1.7e7;

/// Operators that choose or block by large numbers: these do what they are for as 65504.
const CHOOSING: &[Op] = &[
    Op::Add,
    Op::Clip,
    Op::Concat,
    Op::Equal,
    Op::Expand,
    Op::Gather,
    Op::Greater,
    Op::GreaterOrEqual,
    Op::Less,
    Op::LessOrEqual,
    Op::Max,
    Op::Min,
    Op::Pad,
    Op::ScatterElements,
    Op::ScatterND,
    Op::Slice,
    Op::Sub,
    Op::Where,
];

/// Constants that fp16 cannot hold.
fn constants(graph: &Graph, target: &Target) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let whole = target.arch <= 68;
    for node in graph.nodes.iter().filter(|node| node.op.is_standard()) {
        for &id in node.inputs.iter().flatten() {
            let value = graph.value(id);
            let Some(data) = value.data.as_ref().filter(|_| value.ty.dtype.is_float()) else { continue };
            if value.encoding.is_some() {
                continue;
            }
            let largest = match value.ty.dtype {
                DType::F32 => data.largest_f32(),
                other => data
                    .to_f32(other)
                    .iter()
                    .fold(0.0_f32, |m, v| if v.is_nan() { f32::NAN } else { m.max(v.abs()) }),
            };
            let choosing = CHOOSING.contains(&node.op);
            let single = value.ty.elements() == 1;
            let kind = if largest.is_nan() {
                "NaN"
            } else if largest <= LARGEST
                || (choosing && largest >= INFINITE)
                || (single && largest >= INFINITE)
            {
                continue;
            } else if largest.is_infinite() {
                "infinity"
            } else if whole || (choosing && blocks(&data.to_f32(value.ty.dtype))) {
                continue;
            } else {
                "numbers beyond 65504"
            };
            if seen.insert(id) {
                found.push(constant(node, &value.name, kind, largest));
            }
        }
        if let Some(Attr::Float(epsilon)) = node.attrs.get("epsilon")
            && !epsilon.is_finite()
        {
            let mut p = named("E0314", node, format!("epsilon of {:?} is {epsilon}", node.name));
            p.help = Some("export the model anew, or give the node a small number".to_owned());
            found.push(p);
        }
    }
    found
}

/// Whether the large numbers are negative and far from the others: scores that they are added to are blocked.
fn blocks(values: &[f32]) -> bool {
    values.iter().all(|v| *v <= LARGEST)
}

fn constant(node: &Node, value: &str, kind: &str, largest: f32) -> Diagnostic {
    let mut p = named("E0314", node, format!("constant {value:?} has {kind}, which fp16 cannot hold"));
    p.notes = vec![if largest.is_finite() {
        format!("its largest number is {largest:.4e}; HTP computes with 65504 instead")
    } else {
        "HTP computes with 65504 instead".to_owned()
    }];
    p.help = Some(
        "look for what went wrong where the weights came from; or divide them by a power of two, and multiply the result".to_owned(),
    );
    p
}

fn named(code: &str, node: &Node, message: String) -> Diagnostic {
    Diagnostic { node: Some(node.name.clone()), op: Some(node.op.label()), ..problem(code, message) }
}

/// A factor of angles from which on too few digits of fp16 are left of the angle of a one: 37 dB.
const STEEP: f32 = 64.0;

/// Makers are looked through this deep.
const DEPTH: usize = 6;

/// Sines and cosines of angles that fp16 has few digits of.
fn angles(graph: &Graph) -> Vec<Diagnostic> {
    if !graph.nodes.iter().any(|node| matches!(node.op, Op::Sin | Op::Cos)) {
        return Vec::new();
    }
    let producers = graph.producers();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for node in graph.nodes.iter().filter(|n| matches!(n.op, Op::Sin | Op::Cos)) {
        let Some(x) = node.input(0).filter(|x| seen.insert(*x)) else { continue };
        let bounds = graph.bounds(&producers, x);
        if bounds.low >= -f64::from(STEEP) && bounds.high <= f64::from(STEEP) {
            continue;
        }
        let Some(why) = steep(graph, &producers, x, 1.0, DEPTH) else { continue };
        let mut p =
            named("E0315", node, format!("fp16 has too few digits for the angles of {:?}", node.name));
        p.notes = vec![why, "fp16 has eleven bits: an angle of 1000 is known to half a radian".to_owned()];
        p.help = Some(
            "compute the angles from integer positions or from an input and constant frequencies in one product, which is exact; or take \
             whole turns off in the model; or pass sines and cosines as inputs"
                .to_owned(),
        );
        found.push(p);
    }
    found
}

/// Ops that may stand between an angle and what makes it large.
const BETWEEN: &[Op] = &[
    Op::Add,
    Op::Concat,
    Op::Expand,
    Op::Gather,
    Op::Neg,
    Op::Reshape,
    Op::Slice,
    Op::Split,
    Op::Squeeze,
    Op::Sub,
    Op::Tile,
    Op::Transpose,
    Op::Unsqueeze,
];

/// Why an angle is large, where it is.
fn steep(
    graph: &Graph,
    producers: &HashMap<ValueId, NodeId>,
    value: ValueId,
    times: f32,
    depth: usize,
) -> Option<String> {
    let node = producers.get(&value).and_then(|at| graph.nodes.get(at.0)).filter(|n| n.op.is_standard())?;
    if depth == 0 {
        return None;
    }
    match node.op {
        Op::CumSum => Some(format!("they are running sums ({:?}), which grow with the length", node.name)),
        Op::Mul | Op::Div | Op::MatMul | Op::Gemm => {
            let (a, b) = (node.input(0)?, node.input(1)?);
            let (x, constant) = if graph.is_constant(b) { (a, b) } else { (b, a) };
            let values = graph.const_f32(constant)?;
            let each = |v: &f32| if node.op == Op::Div { 1.0 / v.abs() } else { v.abs() };
            let largest = values.iter().map(each).fold(0.0_f32, f32::max) * times;
            if largest.is_finite() && largest > STEEP {
                return Some(format!(
                    "they are a multiple of up to {largest:.4e} of what {:?} computes with",
                    node.name
                ));
            }
            (matches!(node.op, Op::Mul | Op::Div) && values.len() == 1)
                .then(|| steep(graph, producers, x, largest, depth - 1))
                .flatten()
        }
        op if BETWEEN.contains(&op) => {
            node.inputs.iter().flatten().find_map(|&x| steep(graph, producers, x, times, depth - 1))
        }
        _ => None,
    }
}

/// Questions for NaN and infinity, which HTP does not tell apart.
fn guards(graph: &Graph) -> Option<Diagnostic> {
    let asks = |n: &&Node| matches!(n.op, Op::IsNaN | Op::IsInf);
    let mut all = graph.nodes.iter().filter(asks);
    let first = all.next()?;
    let more = all.count();
    let mut p = named("E0316", first, format!("{} is right for finite inputs only", first.op));
    if more > 0 {
        p.notes.push(format!("{more} more such nodes are in the model"));
    }
    p.notes.push(
        "HTP has no infinity: it stops at the largest number, and reads NaN and infinity of a float32 input as one"
            .to_owned(),
    );
    p.help = Some("see to it in the app that inputs are finite".to_owned());
    Some(p)
}
