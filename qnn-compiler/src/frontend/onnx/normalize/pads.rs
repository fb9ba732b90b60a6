//! Padding.

use super::table::{Draft, Row, Step, row};
use crate::graph::{Attr, Data, TensorType};
use crate::infer::{Answer, axis, invalid};

pub(super) const ROWS: &[Row] = &[row(
    "Pad",
    "pads and value (attributes before opset 11) as inputs, pads for every axis, no `axes` input, `mode` explicit; without \
     any padding the node vanishes",
    pad,
)];

fn pad(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    draft.ints_to_input("pads", 1);
    let ty = draft.site().ty(0)?.clone();
    if let Some(Attr::Float(value)) = draft.node.attrs.0.remove("value")
        && draft.node.input(2).is_none()
    {
        let scalar = TensorType::new(ty.dtype, []);
        draft.set_constant(2, "value", scalar, Data::from_floats(&[value.into()], ty.dtype));
    }
    let rank = ty.shape.len();
    let pads = draft.site().ints(1)?;
    let at = match draft.site().opt_ints(3)? {
        Some(list) => list.iter().map(|a| axis(*a, rank)).collect::<Answer<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * at.len() {
        return invalid(format!("{} pads for {} axes", pads.len(), at.len()));
    }
    let mut full = vec![0; 2 * rank];
    for (i, a) in at.iter().enumerate() {
        (full[*a], full[rank + a]) = (pads[i], pads[at.len() + i]);
    }
    if full.iter().all(|p| *p == 0) {
        return Ok(Step::alias(draft.site().id(0)?));
    }
    draft.set_ints(1, "pads", &full);
    draft.truncate(3);
    let mode = draft.node.attrs.str_or("mode", "constant").to_owned();
    draft.node.attrs.set("mode", Attr::Str(mode));
    Ok(Step::Keep)
}
