//! Ordering along an axis: ArgMax, ArgMin, TopK; and CumSum.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::slices;
use crate::lower::engine::{Lower, Ops, is_float};
use crate::op::Op;

/// The most axes that these ops take.
const RANK: usize = 4;

const SUB: &str = "ElementWiseSubtract";

/// ArgMax, ArgMin. With `select_last_index` the elements are read backwards.
pub(crate) fn extreme(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let shape = &ops.input_type(0)?.shape;
    let axis = slices::axis(node);
    let (dims, at) = slices::around(shape, axis, RANK);
    let mut x = ops.input(0)?;
    let mut ty = if node.op == Op::ArgMax { "Argmax" } else { "Argmin" };
    if !is_float(ops.dtype(x)) {
        x = ops.widened(x, &[DataType::Int32])?;
        // HTP has no smallest int32; of -1 - x, which cannot overflow, the largest is the same one.
        if ty == "Argmin" {
            let minus_one = ops.number(DataType::Int32, -1.0);
            x = ops.binary(SUB, minus_one, x);
            ty = "Argmax";
        }
    }
    x = ops.reshape(x, &dims);
    let last = node.attrs.int_or("select_last_index", 0) != 0;
    if last {
        x = slices::flipped(&mut ops, x, at);
    }
    let keep = node.attrs.int_or("keepdims", 1) != 0;
    let result: Vec<usize> = dims
        .iter()
        .enumerate()
        .filter(|&(a, _)| keep || a != at)
        .map(|(a, &d)| if a == at { 1 } else { d })
        .collect();
    let mut y =
        ops.step(ty, &[x], DataType::Int32, &result, |op| op.u32("axis", at as u32).bool("keep_dims", keep));
    if last {
        let end = ops.number(DataType::Int32, (dims[at] - 1) as f64);
        y = ops.binary(SUB, end, y);
    }
    ops.output(0, y)
}

/// TopK along the innermost axis. Among equal values HTP takes the highest index first, ONNX the lowest: it sees the
/// elements backwards.
pub(crate) fn top_k(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let k = ops.constant_ints(1, "the number of elements")?;
    let &[k] = &k[..] else { return Err(ops.refuse("one number of elements is needed")) };
    let shape = &ops.input_type(0)?.shape;
    let dims = crate::lower::blocks::broadcast::fold(shape, RANK);
    let x = ops.input(0)?;
    let x = if is_float(ops.dtype(x)) { x } else { ops.widened(x, &[DataType::Int32])? };
    let mut x = ops.reshape(x, &dims);
    let Some((&extent, outer)) = dims.split_last() else {
        return Err(ops.refuse("of a scalar has no HTP op"));
    };
    let inner = outer.len();
    let mut result = dims.clone();
    result[inner] = k.max(0) as usize;
    let indexed = node.output(1).is_some();
    if indexed {
        x = slices::flipped(&mut ops, x, inner);
    }
    let dtype = ops.dtype(x);
    let values = ops.temp_like(x, dtype, &result);
    let indices = ops.lower.temp(node, DataType::Int32, &result);
    ops.lower
        .op(node, "TopK")
        .inputs([x])
        .outputs([values, indices])
        .u32("k", k.max(0) as u32)
        .bool("largest", node.attrs.int_or("largest", 1) != 0)
        .emit();
    ops.output(0, values)?;
    if indexed {
        let end = ops.number(DataType::Int32, extent as f64 - 1.0);
        let counted = ops.binary(SUB, end, indices);
        ops.output(1, counted)?;
    }
    Ok(())
}

/// CumSum. HTP cannot make its own op of floats with `exclusive` or `reverse`: those are shifts and flips here.
pub(crate) fn cum_sum(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let axis = ops.constant_ints(1, "the axis")?;
    let shape = &ops.input_type(0)?.shape;
    let axis = match axis[..] {
        [axis] => {
            usize::try_from(if axis < 0 { axis + shape.len() as i64 } else { axis }).unwrap_or(usize::MAX)
        }
        _ => usize::MAX,
    };
    if axis >= shape.len() {
        return Err(ops.refuse("the axis is outside the tensor"));
    }
    let (dims, at) = slices::around(shape, axis, RANK);
    let exclusive = node.attrs.int_or("exclusive", 0) != 0;
    let reverse = node.attrs.int_or("reverse", 0) != 0;
    let x = ops.input(0)?;
    let float = is_float(ops.dtype(x));
    let x = if float { x } else { ops.widened(x, &[DataType::Int32])? };
    let mut x = ops.reshape(x, &dims);
    if float && reverse {
        x = slices::flipped(&mut ops, x, at);
    }
    if exclusive && dims[at] == 1 {
        // All zeros, made of the input: an input that no op reads is not an input of the finished graph.
        let y = ops.with("ElementWiseMultiply", x, 0.0);
        return ops.output(0, y);
    }
    if float && exclusive {
        let mut first = dims.clone();
        first[at] = 1;
        let zeros = ops.filled(ops.dtype(x), &first, 0.0);
        let rest = slices::part(&mut ops, x, at, 0, dims[at] - 1);
        x = slices::joined(&mut ops, &[zeros, rest], at);
    }
    let mut y = ops.unary_with("CumulativeSum", x, |op| {
        op.u32("axis", at as u32).bool("exclusive", !float && exclusive).bool("reverse", !float && reverse)
    });
    if float && reverse {
        y = slices::flipped(&mut ops, y, at);
    }
    ops.output(0, y)
}
