//! Operators without a lowering, also of models that do not get as far as being lowered.

use std::collections::HashMap;

use qnn_platform::nearest::nearest;
use qnn_types::Diagnostic;

use crate::custom::OpPackages;
use crate::frontend::onnx::is_composed;
use crate::graph::{Graph, Node, params};
use crate::op::{Lowering, Op};
use crate::problem::{NodeName, Problems, node_problem, problem};

/// The problem of a node whose operator has no row in the table.
pub(in crate::lower) fn unsupported(name: NodeName<'_>, own: &OpPackages) -> Diagnostic {
    if is_of_a_processor(name) {
        return Diagnostic {
            node: Some(name.node.to_owned()),
            op: Some(name.op.to_owned()),
            help: Some(
                "compile the model as it was before ONNX Runtime optimized it, or save the optimized model with ORT_ENABLE_EXTENDED: \
                 ORT_ENABLE_ALL puts channels last for one kind of processor"
                    .to_owned(),
            ),
            ..problem("E0301", message(name))
        };
    }
    if !OTHERS.contains(&name.domain) {
        return not_declared(name, own);
    }
    Diagnostic {
        node: Some(name.node.to_owned()),
        op: Some(name.op.to_owned()),
        help: Some(
            "docs/SUPPORTED-OPS.md lists what is supported; export the model without this operator, or split it off"
                .to_owned(),
        ),
        ..problem("E0301", message(name))
    }
}

/// The problem of a QuantizeLinear or DequantizeLinear that became no encoding: what is in the way; `None` for other operators.
pub(in crate::lower) fn integers(graph: &Graph, node: &Node) -> Option<Diagnostic> {
    let quantize = node.op == Op::QuantizeLinear;
    if !node.op.is_standard() || !quantize && node.op != Op::DequantizeLinear {
        return None;
    }
    let stored = if quantize { node.output(0) } else { node.input(0) }?;
    let name = &graph.value(stored).name;
    if params::encoding_of(graph, node, stored).is_none() {
        let mut p = node_problem(
            "E0302",
            node,
            "its scale is computed, or is no positive number, or its integers are of a type that HTP has not",
        );
        p.help = Some(
            "export the model with constant scales above zero, and integers of 4, 8 or 16 bits".to_owned(),
        );
        return Some(p);
    }
    let touches = |other: &&Node| {
        let others = if quantize { &other.inputs } else { &other.outputs };
        others.contains(&Some(stored)) && ![Op::QuantizeLinear, Op::DequantizeLinear].contains(&other.op)
    };
    let between = graph.nodes.iter().find(touches);
    let what = match between {
        Some(other) => format!("{:?} ({}) computes with the integers {name:?}", other.name, other.op),
        None => format!("the integers {name:?} have different scales or zero points on their way"),
    };
    let mut p = node_problem("E0302", node, format!("{what}: on HTP they stand for real numbers"));
    p.help = Some(
        "put DequantizeLinear before the operators that compute, and QuantizeLinear behind them; operators that move or compare \
         integers of one scale may stay between"
            .to_owned(),
    );
    Some(p)
}

/// Whether ONNX Runtime's optimizer writes an operator for the layout that its kernels on one kind of processor take.
fn is_of_a_processor(NodeName { domain, op, .. }: NodeName<'_>) -> bool {
    const CHANNELS_LAST: &[&str] = &["NhwcConv", "NhwcFusedConv", "NhwcMaxPool", "QLinearConv"];
    domain.starts_with("com.microsoft.nchwc")
        || domain == "com.ms.internal.nhwc"
        || (domain == "com.microsoft" && CHANNELS_LAST.contains(&op))
}

/// Domains of operators that are not an app's own.
const OTHERS: &[&str] = &[
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.training",
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "com.microsoft",
];

/// An operator of another domain: an op of a package that is not declared, or that the package does not have.
fn not_declared(name: NodeName<'_>, own: &OpPackages) -> Diagnostic {
    let NodeName { node, domain, op } = name;
    let (message, help) = match own.ops_of(domain) {
        Some(ops) => {
            let near = nearest(op, ops.iter().copied(), 1).first().map(|near| format!("did you mean `{near}`?"));
            let all = format!("it has {}", ops.join(", "));
            (format!("the op package of domain {domain} has no op {op}"), near.unwrap_or(all))
        }
        None => (
            format!("operator {op} belongs to domain {domain}, and no op package of that domain is declared"),
            "declare the package with its kernel: [package.metadata.qnn.op-packages.NAME] path = \"…\", or --op-package FOLDER; \
             `cargo qnn op new` makes one"
                .to_owned(),
        ),
    };
    Diagnostic {
        node: Some(node.to_owned()),
        op: Some(op.to_owned()),
        help: Some(help),
        ..problem("E0912", message)
    }
}

/// Whether there is a lowering of the operator, or of those that it is written as.
fn is_supported(name: NodeName<'_>, own: &OpPackages) -> bool {
    own.find(name.domain, name.op).is_some()
        || matches!(Op::of(name.domain, name.op).lowering(), Lowering::By { .. })
        || is_composed(name.domain, name.op)
}

fn message(name: NodeName<'_>) -> String {
    let domain = if name.domain.is_empty() { "ai.onnx" } else { name.domain };
    format!("operator {} of domain {domain} has no lowering to HTP", name.op)
}

/// Adds every operator without a lowering to the problems of a model that was stopped before it was lowered, so that one
/// report names them all. A node that has a problem already keeps that one.
pub(crate) fn with_unsupported<'a>(
    mut problems: Problems,
    nodes: impl IntoIterator<Item = NodeName<'a>>,
    own: &OpPackages,
) -> Problems {
    let places: HashMap<String, usize> =
        problems.0.iter().enumerate().rev().filter_map(|(i, p)| Some((p.node.clone()?, i))).collect();
    for name in nodes.into_iter().filter(|name| !is_supported(*name, own)) {
        match places.get(name.node).and_then(|i| problems.0.get_mut(*i)) {
            Some(known) if known.code == "E0301" => *known = unsupported(name, own),
            Some(_) => {}
            None => problems.0.push(unsupported(name, own)),
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_node_stays_and_what_is_supported_is_not_named() {
        let named = |node, op| NodeName { node, domain: "", op };
        let of = |code, node: &str| Diagnostic { node: Some(node.to_owned()), ..problem(code, "said") };
        let found = Problems(vec![of("E0211", "a"), of("E0301", "b")]);
        let nodes = [named("a", "Fancy"), named("b", "Fancy"), named("c", "Relu"), named("d", "Fancy")];
        let all = with_unsupported(found, nodes, &OpPackages::default()).0;
        let said: Vec<_> =
            all.iter().map(|p| (&*p.code, p.node.as_deref().unwrap_or_default(), &*p.message)).collect();
        let text = "operator Fancy of domain ai.onnx has no lowering to HTP";
        assert_eq!(said, [("E0211", "a", "said"), ("E0301", "b", text), ("E0301", "d", text)]);
    }
}
