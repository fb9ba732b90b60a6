//! Nodes that do nothing when a model runs.

use super::table::{Draft, Row, Step, row};
use crate::frontend::onnx::element;
use crate::graph::{Attr, DType, Data, TensorType};
use crate::infer::Answer;
use crate::op::Op;

const SINGLE: &str = "with one operand the node vanishes";

pub(super) const ROWS: &[Row] = &[
    row("Cast", "to the type that the input has the node vanishes", cast),
    row("CastLike", "becomes Cast", cast_like),
    row("Concat", "`axis` explicit and not negative; of one part the node vanishes", concat),
    row("Dropout", "vanishes; a mask that is read is all true", dropout),
    row("Identity", "vanishes", |d| Ok(Step::alias(d.site().id(0)?))),
    row("Max", SINGLE, single),
    row("Mean", SINGLE, single),
    row("Min", SINGLE, single),
    row("Sum", SINGLE, single),
];

fn cast(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let same =
        draft.node.attrs.int("to").and_then(|to| element::dtype(to).ok()) == Some(draft.site().ty(0)?.dtype);
    if same { Ok(Step::alias(draft.site().id(0)?)) } else { Ok(Step::Keep) }
}

/// The second input gives its type and nothing else: without it a constant can be cast at import.
fn cast_like(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let to = draft.site().ty(1)?.dtype;
    draft.node.op = Op::Cast;
    draft.node.attrs.set("to", Attr::Int(i64::from(element::number(to))));
    draft.truncate(1);
    cast(draft)
}

fn single(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    match draft.node.inputs[..] {
        [Some(only)] => Ok(Step::alias(only)),
        _ => Ok(Step::Keep),
    }
}

fn concat(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    if let Some(at) = draft.node.attrs.int("axis") {
        let at = crate::infer::axis(at, draft.site().rank(0)?)?;
        draft.node.attrs.set("axis", Attr::Int(at as i64));
    }
    single(draft)
}

fn dropout(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let x = draft.site().id(0)?;
    // A ratio of nothing drops nothing.
    let ratio = draft.node.input(1).and_then(|id| draft.builder.graph.const_scalar(id));
    let training = draft.node.input(2).is_some() && draft.site().int(2)? != 0 && ratio != Some(0.0);
    if training {
        return super::axes::unsupported(
            "it is in training mode and drops elements at random: export the model for inference",
        );
    }
    let mut outputs = vec![Some(x)];
    if draft.outputs > 1 {
        let shape = draft.shape(0)?;
        let ty = TensorType::new(DType::Bool, shape);
        let data = Data::new(vec![1; ty.bytes()].into());
        outputs.push(Some(draft.builder.constant(&format!("{}.mask", draft.node.name), ty, data)));
    }
    Ok(Step::Replaced(outputs))
}
