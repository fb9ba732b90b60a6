//! Axes: of attributes and inputs, negative and left out.

use super::table::{Draft, Row, Step, row};
use crate::graph::{Attr, DType, Data, TensorType};
use crate::infer::{Answer, Reason, axes, axis, permutation, slice_plan, split_sizes};
use crate::op::Op;

const AXIS: &str = "`axis` explicit and not negative";
const REDUCED: &str = "`axes` (an attribute before opset 18, of ReduceSum before 13) as a constant input, explicit, ascending, \
                       not negative; without axes to reduce the node vanishes; `keepdims` explicit";

pub(super) const ROWS: &[Row] = &[
    row("ArgMax", AXIS, |d| of_input(d, 0)),
    row("ArgMin", AXIS, |d| of_input(d, 0)),
    row("Compress", "`axis` not negative where it is given", optional_axis),
    row("CumProd", "the axis input not negative", axis_input),
    row("CumSum", "the axis input not negative", axis_input),
    row("DFT", "the axis (an attribute before opset 20) as an input, explicit and not negative", dft),
    row("Flatten", AXIS, flatten),
    row("Gather", "`axis` explicit and not negative; constant indices not negative", gather),
    row("GatherElements", AXIS, |d| of_input(d, 0)),
    row(
        "GroupNormalization",
        "scale and bias (one a group before opset 21) one a channel",
        super::rewrite::group_norm,
    ),
    row("Hardmax", "as Softmax", softmax),
    row("LayerNormalization", AXIS, |d| of_input(d, -1)),
    row("LogSoftmax", "as Softmax", softmax),
    row("LpNormalization", AXIS, |d| of_input(d, -1)),
    row("OneHot", AXIS, one_hot),
    row("RMSNormalization", AXIS, |d| of_input(d, -1)),
    row("ReduceL1", REDUCED, reduce),
    row("ReduceL2", REDUCED, reduce),
    row("ReduceLogSum", REDUCED, reduce),
    row("ReduceLogSumExp", REDUCED, reduce),
    row("ReduceMax", REDUCED, reduce),
    row("ReduceMean", REDUCED, reduce),
    row("ReduceMin", REDUCED, reduce),
    row("ReduceProd", REDUCED, reduce),
    row("ReduceSum", REDUCED, reduce),
    row("ReduceSumSquare", REDUCED, reduce),
    row("Scatter", "becomes ScatterElements", scatter),
    row("ScatterElements", AXIS, |d| of_input(d, 0)),
    row(
        "Slice",
        "starts, ends, axes, steps (attributes before opset 10) as constant inputs, one entry a sliced axis, starts and ends \
         inside the axis; with a negative step an end before the first element is -(extent + 1)",
        slice,
    ),
    row(
        "Softmax",
        "`axis` explicit and not negative; before opset 13, where all axes from `axis` on are one, a Reshape before and one \
         after unless a single axis says the same",
        softmax,
    ),
    row(
        "Split",
        "sizes (an attribute before opset 13) as a constant input; `axis` explicit and not negative",
        split,
    ),
    row(
        "Squeeze",
        "axes (an attribute before opset 13) as a constant input, explicit, ascending, not negative",
        squeeze,
    ),
    row("TopK", "k (an attribute before opset 10) as an input; `axis` explicit and not negative", top_k),
    row("Transpose", "`perm` explicit", transpose),
    row(
        "Unsqueeze",
        "axes (an attribute before opset 13) as a constant input, ascending, not negative",
        unsqueeze,
    ),
];

/// Makes the axis attribute an index below the rank.
fn set_axis(draft: &mut Draft<'_, '_>, default: i64, rank: usize) -> Answer<usize> {
    let at = axis(draft.node.attrs.int_or("axis", default), rank)?;
    draft.node.attrs.set("axis", Attr::Int(at as i64));
    Ok(at)
}

fn of_input(draft: &mut Draft<'_, '_>, default: i64) -> Answer<Step> {
    let rank = draft.site().rank(0)?;
    set_axis(draft, default, rank)?;
    Ok(Step::Keep)
}

fn optional_axis(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    if draft.node.attrs.int("axis").is_some() { of_input(draft, 0) } else { Ok(Step::Keep) }
}

fn axis_input(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let rank = draft.site().rank(0)?;
    let given = draft.site().int(1)?;
    let at = axis(given, rank)? as i64;
    if at != given {
        draft.set_constant(1, "axis", TensorType::new(DType::I64, []), Data::from_i64(&[at]));
    }
    Ok(Step::Keep)
}

fn dft(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let rank = draft.site().rank(0)?;
    let default = if draft.node.opset < 20 { 1 } else { -2 };
    let given = match (draft.node.input(2), draft.node.attrs.0.remove("axis")) {
        (Some(_), _) => draft.site().int(2)?,
        (None, Some(Attr::Int(at))) => at,
        (None, _) => default,
    };
    let at = axis(given, rank)? as i64;
    draft.set_constant(2, "axis", TensorType::new(DType::I64, []), Data::from_i64(&[at]));
    Ok(Step::Keep)
}

fn flatten(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let rank = draft.site().rank(0)?;
    // One past the last axis is allowed: everything is in front of it.
    if draft.node.attrs.int_or("axis", 1) != rank as i64 {
        set_axis(draft, 1, rank)?;
    } else {
        draft.node.attrs.set("axis", Attr::Int(rank as i64));
    }
    Ok(Step::Keep)
}

fn gather(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let shape = draft.shape(0)?;
    let at = set_axis(draft, 0, shape.len())?;
    let ty = draft.site().ty(1)?.clone();
    let id = draft.site().id(1)?;
    if let Some(indices) = draft.builder.graph.const_i64(id).filter(|v| v.iter().any(|i| *i < 0)) {
        let extent = shape[at] as i64;
        let wrapped: Vec<i64> =
            indices.into_iter().map(|i| if i < 0 { i.saturating_add(extent) } else { i }).collect();
        draft.set_constant(1, "indices", TensorType::new(DType::I64, ty.shape), Data::from_i64(&wrapped));
    }
    Ok(Step::Keep)
}

fn one_hot(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let rank = draft.site().rank(0)? + 1;
    set_axis(draft, -1, rank)?;
    Ok(Step::Keep)
}

fn reduce(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let rank = draft.site().rank(0)?;
    draft.ints_to_input("axes", 1);
    let list = draft.site().opt_ints(1)?.unwrap_or_default();
    let noop = matches!(draft.node.attrs.0.remove("noop_with_empty_axes"), Some(Attr::Int(v)) if v != 0);
    let gone = match (list.is_empty(), noop) {
        (true, true) => return Ok(Step::alias(draft.site().id(0)?)),
        (true, false) => (0..rank).collect(),
        (false, _) => axes(&list, rank)?,
    };
    draft.set_ints(1, "axes", &gone.into_iter().map(|a| a as i64).collect::<Vec<_>>());
    let keep = draft.node.attrs.int_or("keepdims", 1);
    draft.node.attrs.set("keepdims", Attr::Int(keep));
    Ok(Step::Keep)
}

fn scatter(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    draft.node.op = Op::ScatterElements;
    of_input(draft, 0)
}

fn slice(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    for (i, name) in ["starts", "ends", "axes"].into_iter().enumerate() {
        draft.ints_to_input(name, i + 1);
    }
    let shape = draft.shape(0)?;
    let plan = slice_plan(&draft.site())?;
    let mut lists: [Vec<i64>; 4] = Default::default();
    for (at, (start, step, count)) in plan.into_iter().enumerate() {
        let extent = shape[at] as i64;
        if (start, step, count) == (0, 1, shape[at]) {
            continue;
        }
        // Where at most one element is taken the step says nothing, and a huge one could not be multiplied.
        let step = if count > 1 { step } else { step.signum() };
        let end = start + step * count as i64;
        let entry = [start, if end < 0 { -(extent + 1) } else { end.min(extent) }, at as i64, step];
        lists.iter_mut().zip(entry).for_each(|(list, v)| list.push(v));
    }
    if lists[0].is_empty() {
        return Ok(Step::alias(draft.site().id(0)?));
    }
    for (i, (list, role)) in lists.iter().zip(["starts", "ends", "axes", "steps"]).enumerate() {
        draft.set_ints(i + 1, role, list);
    }
    Ok(Step::Keep)
}

fn softmax(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let shape = draft.shape(0)?;
    let rank = shape.len();
    if draft.node.opset >= 13 || rank == 0 {
        if rank > 0 {
            set_axis(draft, -1, rank)?;
        }
        return Ok(Step::Keep);
    }
    let at = if draft.node.attrs.int_or("axis", 1) == rank as i64 { rank } else { set_axis(draft, 1, rank)? };
    let mut wide = (at..rank).filter(|a| shape[*a] != 1);
    match (wide.next(), wide.next()) {
        (first, None) => {
            let only = first.unwrap_or(rank - 1);
            draft.node.attrs.set("axis", Attr::Int(only as i64));
            Ok(Step::Keep)
        }
        _ => coerced(draft, &shape, at),
    }
}

/// The axes from `at` on are one axis while the operator runs.
fn coerced(draft: &mut Draft<'_, '_>, shape: &[usize], at: usize) -> Answer<Step> {
    let to_ints = |shape: &[usize]| shape.iter().map(|d| *d as i64).collect::<Vec<_>>();
    let flat = [shape[..at].to_vec(), vec![shape[at..].iter().product()]].concat();
    let flat_shape = draft.builder.ints(&format!("{}.flat", draft.node.name), &to_ints(&flat));
    let full_shape = draft.builder.ints(&format!("{}.shape", draft.node.name), &to_ints(shape));
    let x = draft.site().id(0)?;
    let before = draft.helper("before", Op::Reshape, &[x, flat_shape]);
    let flattened = draft.builder.emit_one(before)?;
    let mut inner = draft.helper("inner", draft.node.op, &[flattened]);
    inner.attrs.set("axis", Attr::Int(at as i64));
    let result = draft.builder.emit_one(inner)?;
    // The node itself becomes the Reshape back, so that its output keeps its name.
    draft.node.op = Op::Reshape;
    draft.node.inputs = vec![Some(result), Some(full_shape)];
    draft.node.attrs = crate::graph::Attrs::default();
    Ok(Step::Keep)
}

fn split(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    draft.ints_to_input("split", 1);
    let shape = draft.shape(0)?;
    let at = set_axis(draft, 0, shape.len())?;
    let sizes = split_sizes(&draft.site(), shape[at])?;
    draft.node.attrs.0.remove("num_outputs");
    draft.set_ints(1, "split", &sizes.iter().map(|s| *s as i64).collect::<Vec<_>>());
    if sizes.len() == 1 {
        return Ok(Step::alias(draft.site().id(0)?));
    }
    Ok(Step::Keep)
}

fn squeeze(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    draft.ints_to_input("axes", 1);
    let shape = draft.shape(0)?;
    let gone = match draft.site().opt_ints(1)? {
        Some(list) => axes(&list, shape.len())?,
        None => (0..shape.len()).filter(|i| shape[*i] == 1).collect(),
    };
    draft.set_ints(1, "axes", &gone.into_iter().map(|a| a as i64).collect::<Vec<_>>());
    Ok(Step::Keep)
}

fn unsqueeze(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    draft.ints_to_input("axes", 1);
    let list = draft.site().ints(1)?;
    let new = axes(&list, draft.site().rank(0)? + list.len())?;
    draft.set_ints(1, "axes", &new.into_iter().map(|a| a as i64).collect::<Vec<_>>());
    Ok(Step::Keep)
}

fn top_k(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    draft.ints_to_input("k", 1);
    of_input(draft, -1)
}

fn transpose(draft: &mut Draft<'_, '_>) -> Answer<Step> {
    let perm = permutation(&draft.site())?;
    draft.node.attrs.set("perm", Attr::Ints(perm.into_iter().map(|a| a as i64).collect()));
    Ok(Step::Keep)
}

/// Reports what cannot be said in a static graph.
pub(super) fn unsupported<T>(message: &str) -> Answer<T> {
    Err(Reason::Unsupported(message.to_owned()))
}
