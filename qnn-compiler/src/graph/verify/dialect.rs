//! What a dialect has and has not.

use super::{Checker, Dialect};
use crate::graph::{DType, Layout, Node};
use crate::op::{Axes, Op};

/// Which operators a physical graph has no more, and what stands for them.
const REPLACED: &[(Op, Op)] =
    &[(Op::Flatten, Op::Reshape), (Op::Squeeze, Op::Reshape), (Op::Unsqueeze, Op::Reshape)];

pub(super) fn check(checker: &mut Checker<'_>) {
    let graph = checker.graph;
    for node in &graph.nodes {
        let what = match checker.dialect {
            Dialect::Model => (node.layout != Layout::Onnx)
                .then(|| "is channels-last; the model's order of axes is expected".to_owned()),
            Dialect::Physical | Dialect::Device => physical(checker, node),
        };
        if let Some(what) = what {
            checker.say(Some(node), None, what);
        }
    }
    if checker.dialect == Dialect::Device {
        dtypes(checker);
    }
}

/// What is wrong with a node of a physical graph.
fn physical(checker: &Checker<'_>, node: &Node) -> Option<String> {
    let axes = node.op.axes();
    if let Some((op, by)) = REPLACED.iter().find(|(op, _)| *op == node.op) {
        return Some(format!("is a {op}; {by} is expected in physical layout"));
    }
    let spatial = matches!(axes, Axes::Spatial(_));
    if spatial != (node.layout == Layout::ChannelsLast) {
        let (is, expected) =
            if spatial { ("is not", "spatial operators are") } else { ("is", "it is no spatial operator") };
        return Some(format!("{is} channels-last; {expected}"));
    }
    let rank = node.input(0).map_or(0, |id| checker.graph.shape(id).len());
    if spatial && rank == 3 {
        return Some("is spatial in one dimension; two are expected behind spatial-rank".to_owned());
    }
    let list = |name: &str, count: usize| match node.attrs.ints(name) {
        Some(list) if list.len() == count => None,
        Some(list) => Some(format!("attribute {name} has {} entries; {count} are expected", list.len())),
        None => Some(format!("attribute {name} is expected in physical layout")),
    };
    let most = |count: usize| {
        (node.inputs.len() > count)
            .then(|| format!("has {} inputs; {count} are expected in physical layout", node.inputs.len()))
    };
    match axes {
        Axes::Reduce => {
            most(1).or_else(|| node.attrs.ints("axes").is_none().then(|| list("axes", 0)).flatten())
        }
        Axes::Slice => {
            most(1).or_else(|| ["starts", "ends", "steps"].into_iter().find_map(|name| list(name, rank)))
        }
        Axes::Pad => most(2).or_else(|| list("pads", 2 * rank)),
        Axes::PerAxis => most(1).or_else(|| list("repeats", rank)),
        Axes::Expand | Axes::Reshape => most(1),
        Axes::InnermostAxis => {
            let axis = node.attrs.int_or("axis", -1);
            (axis != rank as i64 - 1)
                .then(|| format!("is along axis {axis} of {rank}; the innermost is expected"))
        }
        _ => None,
    }
}

/// HTP has no numbers of 64 bits.
fn dtypes(checker: &mut Checker<'_>) {
    let graph = checker.graph;
    for node in &graph.nodes {
        for &id in node.inputs.iter().chain(&node.outputs).flatten() {
            let dtype = graph.dtype(id);
            if matches!(dtype, DType::I64 | DType::U64 | DType::F64 | DType::Bf16) {
                checker.say(Some(node), Some(id), format!("is {dtype}, which HTP does not have"));
            }
        }
    }
}
