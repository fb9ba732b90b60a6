//! dtypes and shapes of results against what the inference table says.

use super::site::Site;
use super::{Checker, Dialect};
use crate::graph::{DType, TensorType};
use crate::infer::{Reason, dims, infer};

pub(super) fn check(checker: &mut Checker<'_>) {
    let graph = checker.graph;
    for node in &graph.nodes {
        let site = match checker.dialect {
            Dialect::Model => Site::model(graph, node),
            Dialect::Physical | Dialect::Device => Site::physical(graph, node),
        };
        let types = match infer(&site.graph, &site.node, node.outputs.len()) {
            Ok(types) => types,
            // What only the reference engine could type.
            Err(Reason::Unknown(_)) => continue,
            Err(why) => {
                checker.say(Some(node), None, format!("has operands that {} does not take: {why}", node.op));
                continue;
            }
        };
        let narrow = checker.dialect == Dialect::Device;
        for ((id, have), ty) in node.outputs.iter().zip(&site.results).zip(types) {
            let expected = if narrow { narrowed(ty) } else { ty };
            if let Some(have) = have.as_ref().filter(|have| **have != expected) {
                let what = format!("is {}; {} is expected of {}", text(have), text(&expected), node.op);
                checker.say(Some(node), *id, what);
            }
        }
    }
}

fn text(ty: &TensorType) -> String {
    format!("{} {}", ty.dtype, dims(&ty.shape))
}

/// What a type is behind `narrow`.
fn narrowed(ty: TensorType) -> TensorType {
    let dtype = match ty.dtype {
        DType::I64 => DType::I32,
        DType::U64 => DType::U32,
        DType::F64 | DType::Bf16 => DType::F32,
        other => other,
    };
    TensorType { dtype, ..ty }
}
