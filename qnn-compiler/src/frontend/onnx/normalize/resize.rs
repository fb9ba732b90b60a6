//! Resampling.

use super::axes::unsupported;
use super::table::{Draft, Row, Step, row};
use crate::graph::{Attr, DType, Data, TensorType};
use crate::infer::{Answer, axis, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[
    row(
        "Resize",
        "inputs image, region (only for tf_crop_and_resize), then scales or sizes for every axis; `mode`, \
         `coordinate_transformation_mode` and `nearest_mode` explicit; opset 10's is asymmetric with floor",
        resize,
    ),
    row("Upsample", "becomes Resize: asymmetric, floor", upsample),
];

fn default_str(draft: &mut Draft<'_, '_>, name: &str, default: &str) {
    if draft.node.attrs.get(name).is_none() {
        draft.node.attrs.set(name, Attr::Str(default.to_owned()));
    }
}

fn upsample(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    draft.node.op = Op::Resize;
    let scales = match draft.node.attrs.0.remove("scales") {
        Some(Attr::Floats(scales)) => Some(scales),
        _ => None,
    };
    draft.node.inputs.insert(1.min(draft.node.inputs.len()), None);
    if let Some(scales) = scales {
        draft.set_constant(2, "scales", TensorType::new(DType::F32, [scales.len()]), Data::from_f32(&scales));
    }
    if draft.node.attrs.str_or("mode", "nearest") == "bilinear" {
        draft.node.attrs.set("mode", Attr::Str("linear".to_owned()));
    }
    asymmetric(draft)
}

/// What opset 10 and before meant.
fn asymmetric(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    draft.node.attrs.set("coordinate_transformation_mode", Attr::Str("asymmetric".to_owned()));
    draft.node.attrs.set("nearest_mode", Attr::Str("floor".to_owned()));
    finish(draft)
}

fn resize(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    if draft.node.opset < 11 {
        draft.node.inputs.insert(1.min(draft.node.inputs.len()), None);
        return asymmetric(draft);
    }
    default_str(draft, "coordinate_transformation_mode", "half_pixel");
    default_str(draft, "nearest_mode", "round_prefer_floor");
    finish(draft)
}

fn finish(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    default_str(draft, "mode", "nearest");
    let shape = draft.shape(0)?;
    let rank = shape.len();
    let crops = draft.node.attrs.str_or("coordinate_transformation_mode", "") == "tf_crop_and_resize";
    for i in 1..draft.node.inputs.len() {
        // An input without elements stands for one left out.
        let empty = draft.site().opt(i).is_some_and(|ty| ty.elements() == 0);
        if empty || (i == 1 && !crops) {
            draft.node.inputs[i] = None;
        }
    }
    let listed = match draft.node.attrs.0.remove("axes") {
        Some(Attr::Ints(list)) => Some(list.iter().map(|a| axis(*a, rank)).collect::<Answer<Vec<_>>>()?),
        _ => None,
    };
    let at = listed.clone().unwrap_or_else(|| (0..rank).collect());
    if listed.is_some() {
        full_region(draft, rank, &at)?;
    }
    if draft.node.input(3).is_some() {
        let sizes = draft.site().ints(3)?;
        if sizes.len() != at.len() {
            return invalid(format!("{} sizes for {} axes", sizes.len(), at.len()));
        }
        let mut full: Vec<i64> = shape.iter().map(|d| *d as i64).collect();
        at.iter().zip(&sizes).for_each(|(a, size)| full[*a] = *size);
        if !keep_ratio(draft, &shape, &at, &sizes)? {
            draft.node.inputs[2] = None;
            draft.set_ints(3, "sizes", &full);
        }
    } else if let (Some(_), Some(id)) = (listed, draft.node.input(2)) {
        let Some(scales) = draft.builder.graph.const_f32(id) else {
            return draft.site().ints(2).map(|_| Step::Keep);
        };
        if scales.len() != at.len() {
            return invalid(format!("{} scales for {} axes", scales.len(), at.len()));
        }
        let mut full = vec![1.0; rank];
        at.iter().zip(&scales).for_each(|(a, scale)| full[*a] = *scale);
        draft.set_constant(2, "scales", TensorType::new(DType::F32, [rank]), Data::from_f32(&full));
    }
    while draft.node.inputs.last() == Some(&None) {
        draft.node.inputs.pop();
    }
    Ok(Step::Keep)
}

/// With `keep_aspect_ratio_policy` the sizes are bounds, and the smallest or largest of their ratios scales all axes. Whether the
/// node has such a policy; it then has scales instead of sizes.
fn keep_ratio(draft: &mut Draft<'_, '_>, shape: &[usize], at: &[usize], sizes: &[i64]) -> Answer<bool> {
    let policy = match draft.node.attrs.0.remove("keep_aspect_ratio_policy") {
        Some(Attr::Str(policy)) => policy,
        _ => return Ok(false),
    };
    let ratios = at.iter().zip(sizes).map(|(a, size)| *size as f32 / shape[*a] as f32);
    let ratio = match &*policy {
        "not_larger" => ratios.fold(f32::INFINITY, f32::min),
        "not_smaller" => ratios.fold(f32::NEG_INFINITY, f32::max),
        "stretch" => return Ok(false),
        other => return invalid(format!("attribute keep_aspect_ratio_policy is '{other}'")),
    };
    if !ratio.is_finite() || ratio <= 0.0 {
        return invalid("sizes that scale by nothing or without bound");
    }
    // The policy rounds extents to the nearest, scales round them down.
    let extents = at.iter().map(|a| ratio * shape[*a] as f32);
    if extents.into_iter().any(|extent| extent.round() != extent.floor()) {
        return unsupported("with its keep_aspect_ratio_policy no scales give the extents that it asks for");
    }
    let mut full = vec![1.0; shape.len()];
    at.iter().for_each(|a| full[*a] = ratio);
    draft.node.inputs.truncate(2);
    draft.set_constant(2, "scales", TensorType::new(DType::F32, [full.len()]), Data::from_f32(&full));
    Ok(true)
}

/// The region of interest for every axis: starts, then ends, as shares of the extents.
fn full_region(draft: &mut Draft<'_, '_>, rank: usize, at: &[usize]) -> Answer<()> {
    let Some(id) = draft.node.input(1) else { return Ok(()) };
    let Some(region) = draft.builder.graph.const_f32(id) else {
        draft.node.attrs.set("region_axes", Attr::Ints(at.iter().map(|a| *a as i64).collect()));
        return Ok(());
    };
    if region.len() != 2 * at.len() {
        return invalid(format!("{} bounds of a region for {} axes", region.len(), at.len()));
    }
    let mut full = [vec![0.0; rank], vec![1.0; rank]].concat();
    for (i, a) in at.iter().enumerate() {
        (full[*a], full[rank + a]) = (region[i], region[at.len() + i]);
    }
    draft.set_constant(1, "region", TensorType::new(DType::F32, [2 * rank]), Data::from_f32(&full));
    Ok(())
}
