//! Operators without a lowering, also of models that do not get as far as being lowered.

use qnn_build::job::Diagnostic;

use super::table;
use crate::frontend::onnx::is_composed;
use crate::problem::{NodeName, Problems, problem};

/// The problem of a node whose operator has no row in the table.
pub(super) fn unsupported(name: NodeName<'_>) -> Diagnostic {
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

/// Whether there is a lowering of the operator, or of those that it is written as.
fn is_supported(name: NodeName<'_>) -> bool {
    table::find(name.domain, name.op).is_some() || is_composed(name.domain, name.op)
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
) -> Problems {
    for name in nodes.into_iter().filter(|name| !is_supported(*name)) {
        match problems.0.iter_mut().find(|p| p.node.as_deref() == Some(name.node)) {
            Some(known) if known.code == "E0301" => known.message = message(name),
            Some(_) => {}
            None => problems.0.push(unsupported(name)),
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
        let all = with_unsupported(found, nodes).0;
        let said: Vec<_> =
            all.iter().map(|p| (&*p.code, p.node.as_deref().unwrap_or_default(), &*p.message)).collect();
        let text = "operator Fancy of domain ai.onnx has no lowering to HTP";
        assert_eq!(said, [("E0211", "a", "said"), ("E0301", "b", text), ("E0301", "d", text)]);
    }
}
