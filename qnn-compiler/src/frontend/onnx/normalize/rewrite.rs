//! Attributes and inputs that changed their meaning or place.

use super::axes::unsupported;
use super::table::{Draft, Row, Step, row};
use crate::graph::{Attr, Data, TensorType};
use crate::infer::{Answer, axis, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row("BatchNormalization", "only over channels", batch_norm),
    row("Clip", "bounds (attributes before opset 11) as inputs", clip),
    row("DequantizeLinear", QUANT, quant),
    row("GridSample", "`mode` as opset 20 calls it: linear, nearest, cubic", grid_sample),
    row("MeanVarianceNormalization", "`axes` explicit", mvn),
    row("QuantizeLinear", QUANT, quant),
    row(
        "RoiAlign",
        "`coordinate_transformation_mode` explicit (before opset 16 it was output_half_pixel)",
        roi_align,
    ),
    Row { domain: "com.microsoft", op: "DequantizeLinear", note: MS_QUANT, rule: ms_quant },
    Row { domain: "com.microsoft", op: "QuantizeLinear", note: MS_QUANT, rule: ms_quant },
];

const QUANT: &str = "`axis` explicit and not negative where the scale has one axis, absent where it has none";
const MS_QUANT: &str = "becomes the standard's operator of that name";

fn batch_norm(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    if draft.node.opset < 9 && draft.node.attrs.int_or("spatial", 1) == 0 {
        return unsupported("it normalizes every element by itself (spatial = 0)");
    }
    draft.node.attrs.0.remove("spatial");
    Ok(Step::Keep)
}

fn clip(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let dtype = draft.site().ty(0)?.dtype;
    for (i, name) in [(1, "min"), (2, "max")] {
        if let Some(Attr::Float(bound)) = draft.node.attrs.0.remove(name)
            && draft.node.input(i).is_none()
        {
            let data = Data::from_floats(&[bound.into()], dtype);
            draft.set_constant(i, name, TensorType::new(dtype, []), data);
        }
    }
    Ok(Step::Keep)
}

fn quant(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let (rank, scale) = (draft.site().rank(0)?, draft.site().ty(1)?);
    if scale.shape.is_empty() || (scale.elements() == 1 && draft.node.attrs.int_or("block_size", 0) == 0) {
        draft.node.attrs.0.remove("axis");
    } else {
        let at = axis(draft.node.attrs.int_or("axis", 1), rank)?;
        draft.node.attrs.set("axis", Attr::Int(at as i64));
    }
    Ok(Step::Keep)
}

fn ms_quant(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    draft.node.op = Op::of("", draft.node.op.name());
    quant(draft)
}

fn grid_sample(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let mode = match draft.node.attrs.str_or("mode", "linear") {
        "bilinear" => "linear".to_owned(),
        "bicubic" => "cubic".to_owned(),
        other => other.to_owned(),
    };
    draft.node.attrs.set("mode", Attr::Str(mode));
    Ok(Step::Keep)
}

fn mvn(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let rank = draft.site().rank(0)?;
    let list = draft.node.attrs.ints("axes").unwrap_or(&[0, 2, 3]).to_vec();
    let at = crate::infer::axes(&list, rank)?;
    draft.node.attrs.set("axes", Attr::Ints(at.into_iter().map(|a| a as i64).collect()));
    Ok(Step::Keep)
}

fn roi_align(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let default = if draft.node.opset < 16 { "output_half_pixel" } else { "half_pixel" };
    let mode = draft.node.attrs.str_or("coordinate_transformation_mode", default).to_owned();
    draft.node.attrs.set("coordinate_transformation_mode", Attr::Str(mode));
    Ok(Step::Keep)
}

/// Before opset 21 scale and bias have one entry a group: each is repeated for the channels of its group.
pub(super) fn group_norm(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let shape = draft.shape(0)?;
    let groups = draft.site().count("num_groups", 0)?;
    let channels = shape.get(1).copied().unwrap_or(0);
    if groups == 0 || channels % groups != 0 {
        return invalid(format!("{channels} channels in {groups} groups"));
    }
    if draft.node.opset >= 21 || channels == groups {
        return Ok(Step::Keep);
    }
    for (i, role) in [(1, "scale"), (2, "bias")] {
        if draft.shape(i)? != [groups] {
            return invalid(format!("{role} has not one entry a group"));
        }
        let x = draft.site().id(i)?;
        let name = draft.node.name.clone();
        let per_group = draft.builder.ints(&format!("{name}.{role}.column"), &[groups as i64, 1]);
        let repeated =
            draft.builder.ints(&format!("{name}.{role}.repeats"), &[1, (channels / groups) as i64]);
        let flat = draft.builder.ints(&format!("{name}.{role}.channels"), &[channels as i64]);
        let node = draft.helper(&format!("{role}.groups"), Op::Reshape, &[x, per_group]);
        let column = draft.builder.emit_one(node)?;
        let node = draft.helper(&format!("{role}.repeat"), Op::Tile, &[column, repeated]);
        let wide = draft.builder.emit_one(node)?;
        let node = draft.helper(&format!("{role}.flat"), Op::Reshape, &[wide, flat]);
        draft.node.inputs[i] = Some(draft.builder.emit_one(node)?);
    }
    Ok(Step::Keep)
}
