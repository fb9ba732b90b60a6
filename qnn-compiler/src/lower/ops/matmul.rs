//! Matrix products.

use qnn::DataType;
use qnn_types::Diagnostic;

use crate::graph::Node;
use crate::lower::blocks::apart::apart_from_convert;
use crate::lower::blocks::repeat;
use crate::lower::blocks::weight;
use crate::lower::engine::{Lower, Ops};
use crate::lower::fixed::FixedPoint;
use crate::program::{Quant, Role, TensorId};

/// The most axes of HTP's MatMul for every form: five work only where both operands have the same batch axes, and end the
/// process where these broadcast (QNN 2.51).
const RANK: usize = 4;

/// MatMul; attributes `transA` and `transB` say which operand has its two innermost axes swapped.
pub(crate) fn matmul(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let (a, b) = (ops.input(0)?, ops.input(1)?);
    let swapped = |name: &str| node.attrs.int_or(name, 0) != 0;
    let (ta, tb) = (swapped("transA"), swapped("transB"));
    // A bias: the fuse pass makes an Add of a constant vector one.
    let bias = node.input(2).map(|_| ops.finite_input(2)).transpose()?;
    let y = product(&mut ops, (a, ta), (b, tb), bias)?;
    ops.output(0, y)
}

/// FusedMatMul: `alpha` times the product; its attributes may swap axes and put the batch between rows and columns.
pub(crate) fn fused(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    if let Some(name) = ["transBatchA", "transBatchB"].into_iter().find(|n| node.attrs.int_or(n, 0) != 0) {
        return Err(ops.refuse(format!("attribute {name} is not supported")));
    }
    let (a, b) = (ops.input(0)?, ops.input(1)?);
    let swapped = |ops: &Ops<'_, '_, '_>, name: &str, x| {
        // A vector has nothing to swap.
        node.attrs.int_or(name, 0) != 0 && ops.shape(x).len() > 1
    };
    let (ta, tb) = (swapped(&ops, "transA", a), swapped(&ops, "transB", b));
    let y = product(&mut ops, (a, ta), (b, tb), None)?;
    let alpha = node.attrs.float_or("alpha", 1.0);
    let y = if alpha == 1.0 { y } else { ops.with("ElementWiseMultiply", y, alpha.into()) };
    ops.output(0, y)
}

/// The product of two operands, each with whether it is swapped, and a vector added to every row. The result may lack axes of size one.
fn product(
    ops: &mut Ops<'_, '_, '_>,
    (a, ta): (TensorId, bool),
    (b, tb): (TensorId, bool),
    bias: Option<TensorId>,
) -> Result<TensorId, Diagnostic> {
    let (left, right) = (ops.input_type(0)?.shape.clone(), ops.input_type(1)?.shape.clone());
    if left.is_empty() || right.is_empty() {
        return Err(ops.refuse("an operand is a single number; use a multiplication"));
    }
    let left = if left.len() == 1 { vec![1, left[0]] } else { left };
    let right = if right.len() == 1 { vec![right[0], 1] } else { right };
    let (batch_a, batch_b) = (&left[..left.len() - 2], &right[..right.len() - 2]);
    let batch = crate::lower::blocks::broadcast::shape(&[batch_a, batch_b]);
    let (mut a, mut b) = (a, b);
    let (view_a, view_b) = if left.len().max(right.len()) <= RANK {
        (left.clone(), right.clone())
    } else if batch_b.iter().all(|&d| d == 1) && !ta {
        // Rows of all batches are rows of one matrix.
        let rows: usize = left[..left.len() - 1].iter().product();
        (vec![rows, left[left.len() - 1]], right[right.len() - 2..].to_vec())
    } else {
        // One batch axis: operands that repeat are written out.
        let joined: usize = batch.iter().product();
        let whole = |matrix: &[usize]| [&batch[..], matrix].concat();
        let view = |matrix: &[usize]| [&[joined], matrix].concat();
        let (ma, mb) = (&left[left.len() - 2..], &right[right.len() - 2..]);
        if batch_a.iter().product::<usize>() != joined {
            a = repeat::to(ops, a, &left, &whole(ma))?;
        }
        if batch_b.iter().product::<usize>() != joined {
            b = repeat::to(ops, b, &right, &whole(mb))?;
        }
        (view(ma), view(mb))
    };
    a = ops.reshape(a, &view_a);
    b = ops.reshape(b, &view_b);
    let rows = view_a[view_a.len() - if ta { 1 } else { 2 }];
    let columns = view_b[view_b.len() - if tb { 2 } else { 1 }];
    let mut shape =
        crate::lower::blocks::broadcast::shape(&[&view_a[..view_a.len() - 2], &view_b[..view_b.len() - 2]]);
    if view_a.len().max(view_b.len()) == 2 {
        shape.clear();
    }
    shape.extend([rows, columns]);
    let computed = !matches!(ops.lower.get(b).role, Role::Static(_)) || !ops.lower.target.fp16;
    if computed && ops.dtype(b) == DataType::UFixed16 && bias.is_none() {
        return of_operands(ops, (a, ta), (b, tb), &shape);
    }
    let mut inputs: Vec<TensorId> = [a, b].into_iter().chain(bias).collect();
    if !ta && view_b.len() == 2 && is_uncentred(ops, b) {
        let inner = view_a[view_a.len() - 1];
        let rows = shape[..shape.len() - 1].iter().product();
        inputs[0] = ops.reshape(a, &[rows, inner]);
        inputs[1] = if tb { b } else { weight::turned(ops, b) };
        let y = fully_connected(ops, &inputs, &[rows, columns]);
        return Ok(ops.reshape(y, &shape));
    }
    Ok(write(ops, &inputs, [ta, tb], &shape))
}

/// The product of two operands of the same number of axes, the second one maybe of 16 bits and computed.
pub(in crate::lower) fn of_operands(
    ops: &mut Ops<'_, '_, '_>,
    (a, ta): (TensorId, bool),
    (b, tb): (TensorId, bool),
    shape: &[usize],
) -> Result<TensorId, Diagnostic> {
    if ops.dtype(b) != DataType::UFixed16 {
        return Ok(write(ops, &[a, b], [ta, tb], shape));
    }
    if ops.lower.target.arch < 73 {
        return Ok(by_parts(ops, (a, ta), (b, tb), shape));
    }
    let (b, tb) = signed(ops, b, tb)?;
    Ok(write(ops, &[a, b], [ta, tb], shape))
}

/// A product of 16 bits where HTP multiplies by 8 bits only (v68, v69): by what 8 bits around zero can say of the second operand, and
/// by what is left of it then. Their lowest integer is not used: HTP drops a bit where one is further than 127 from zero.
fn by_parts(
    ops: &mut Ops<'_, '_, '_>,
    (a, ta): (TensorId, bool),
    (b, tb): (TensorId, bool),
    shape: &[usize],
) -> TensorId {
    let (Quant::PerTensor { scale, offset }, Some(result)) =
        (ops.lower.get(b).quant.clone(), ops.lower.result)
    else {
        return write(ops, &[a, b], [ta, tb], shape);
    };
    let around = |dtype: DataType, most: f64| {
        let (steps, offset) = if dtype == DataType::UFixed8 { (127.0, -128) } else { (32767.0, -32768) };
        FixedPoint { dtype, scale: (most / steps) as f32, offset }
    };
    let furthest =
        |offset: i32, scale: f32| f64::from(offset.abs().max((65535 + offset).abs())) * f64::from(scale);
    let coarse = around(DataType::UFixed8, furthest(offset, scale));
    let upper = ops.in_form(b, coarse);
    let wide = ops.in_form(upper, coarse.with(DataType::UFixed16));
    // Half a step, and what rounding adds.
    let left = f64::from(coarse.scale) * 0.52;
    let extent = ops.shape(b);
    let rest = ops.step("ElementWiseSubtract", &[b, wide], DataType::UFixed16, &extent, |op| op);
    ops.lower.encode(rest, around(DataType::UFixed16, left).quant());
    let lower = ops.in_form(rest, around(DataType::UFixed8, left));
    let parts = [upper, lower].map(|part| {
        let product = write(ops, &[a, part], [ta, tb], shape);
        let most = furthest(result.offset, result.scale) * 1.02;
        ops.lower.encode(product, around(DataType::UFixed16, most).quant());
        product
    });
    ops.binary("ElementWiseAdd", parts[0], parts[1])
}

/// Whether the op for a second operand is FullyConnected: from 32 rows and 256 columns on, MatMul by a constant of 8 bits whose zero
/// is not in their middle gives results of 7 bits (measured on SM8650: the power of the error is 3.9 times that of rounding).
fn is_uncentred(ops: &Ops<'_, '_, '_>, b: TensorId) -> bool {
    let tensor = ops.lower.get(b);
    tensor.dtype == DataType::UFixed8
        && matches!(tensor.role, Role::Static(_))
        && matches!(tensor.quant, Quant::PerTensor { offset, .. } if offset != -128)
}

/// A second operand of 16 bits in the only form that HTP takes where it is computed: signed, and swapped.
fn signed(ops: &mut Ops<'_, '_, '_>, b: TensorId, swapped: bool) -> Result<(TensorId, bool), Diagnostic> {
    let mut shape = ops.shape(b);
    let dtype = ops.dtype(b);
    let Quant::PerTensor { scale, offset } = ops.lower.get(b).quant else { return Ok((b, swapped)) };
    let turned = if swapped {
        b
    } else {
        let rank = shape.len();
        let mut perm: Vec<u32> = (0..rank as u32).collect();
        perm.swap(rank - 2, rank - 1);
        shape.swap(rank - 2, rank - 1);
        ops.step("Transpose", &[b], dtype, &shape, |op| op.u32s("perm", &[rank as u32], &perm))
    };
    let steps = f64::from(offset.abs().max((65535 + offset).abs()));
    let quant = Quant::PerTensor { scale: (f64::from(scale) * steps / 32767.0) as f32, offset: 0 };
    Ok((ops.refit(turned, DataType::SFixed16, quant)?, true))
}

fn write(ops: &mut Ops<'_, '_, '_>, inputs: &[TensorId], swapped: [bool; 2], shape: &[usize]) -> TensorId {
    let dtype = ops.dtype(inputs[0]);
    ops.step("MatMul", inputs, dtype, shape, |op| {
        op.bool("transpose_in0", swapped[0]).bool("transpose_in1", swapped[1])
    })
}

/// The most numbers of a matrix that lowering makes.
const LARGEST_MATRIX: usize = 1 << 24;

impl Ops<'_, '_, '_> {
    /// Refuses a node that would need a matrix for [`Ops::along_axis`] beyond all reason.
    pub(in crate::lower) fn matrix_fits(&self, to: usize, from: usize) -> Result<(), Diagnostic> {
        match to.checked_mul(from).filter(|count| *count <= LARGEST_MATRIX) {
            Some(_) => Ok(()),
            None => Err(self.refuse(format!("would be a product with a matrix of {to} x {from} numbers"))),
        }
    }

    /// The product of a constant matrix (`to`, extent), row-major, with one axis of `x`.
    pub(in crate::lower) fn along_axis(
        &mut self,
        x: TensorId,
        axis: usize,
        to: usize,
        matrix: &[f64],
    ) -> Result<TensorId, Diagnostic> {
        let (dtype, mut shape) = (self.dtype(x), self.shape(x));
        let from = std::mem::replace(&mut shape[axis], to);
        let (outer, inner): (usize, usize) =
            (shape[..axis].iter().product(), shape[axis + 1..].iter().product());
        let matrix = self.constant(dtype, &[to, from], matrix);
        let y = if inner == 1 {
            let rows = self.reshape(x, &[outer, from]);
            of_operands(self, (rows, false), (matrix, true), &[outer, to])?
        } else {
            let planes = self.reshape(x, &[outer, from, inner]);
            of_operands(self, (matrix, false), (planes, false), &[outer, to, inner])?
        };
        Ok(self.reshape(y, &shape))
    }
}

/// Gemm: alpha · A · B + beta · C. FullyConnected where B is a constant of (out, in), as exporters write a linear layer;
/// else MatMul. A C of one number a column becomes the op's bias.
pub(crate) fn gemm(lower: &mut Lower<'_>, node: &Node) -> Result<(), Diagnostic> {
    let mut ops = Ops::new(lower, node);
    let ta = node.attrs.int_or("transA", 0) != 0;
    let tb = node.attrs.int_or("transB", 0) != 0;
    let (alpha, beta) = (node.attrs.float_or("alpha", 1.0), node.attrs.float_or("beta", 1.0));
    let shape = ops.output_type(0)?.shape.clone();
    let [_, columns] = shape[..] else { return Err(ops.refuse("the result is not a matrix")) };
    let a = ops.input(0)?;
    let (b, scaled) = factor(&mut ops, 1, alpha)?;
    let constant = matches!(ops.lower.get(b).role, Role::Static(_));
    let mut inputs = vec![a, b];
    let mut rest = None;
    if node.input(2).is_some() && beta != 0.0 {
        let (c, beta_done) = factor(&mut ops, 2, beta)?;
        let c = if beta_done { c } else { ops.with("ElementWiseMultiply", c, beta.into()) };
        // A bias inside the op is added before a factor that comes after it.
        if scaled && let Some(bias) = per_column(&mut ops, c, columns) {
            inputs.push(bias);
        } else {
            rest = Some(c);
        }
    }
    let mut y = if constant && tb && !ta {
        fully_connected(&mut ops, &inputs, &shape)
    } else {
        write(&mut ops, &inputs, [ta, tb], &shape)
    };
    if !scaled {
        y = ops.with("ElementWiseMultiply", y, alpha.into());
    }
    if let Some(c) = rest {
        y = ops.binary("ElementWiseAdd", y, c);
    }
    ops.output(0, y)
}

/// FullyConnected; by halves where there are 16 rows of 16 bits. With a scale a channel, and right after a Quantize of computed floats,
/// HTP gets all rows but the first wrong then, and with no other number of rows (measured on SM8650 and SM8850: -1 dB against 71).
fn fully_connected(ops: &mut Ops<'_, '_, '_>, inputs: &[TensorId], shape: &[usize]) -> TensorId {
    const ROWS: usize = 16;
    let mut inputs = inputs.to_vec();
    inputs[0] = apart_from_convert(ops, inputs[0], inputs[1], 0);
    let inputs = &inputs[..];
    let (dtype, from) = (ops.dtype(inputs[0]), ops.shape(inputs[0]));
    let (&[ROWS, inner], &[ROWS, columns], DataType::UFixed16) = (&from[..], shape, dtype) else {
        return ops.step("FullyConnected", inputs, dtype, shape, |op| op);
    };
    let half = ROWS / 2;
    let mut halves = [inputs[0]; 2];
    for (i, y) in halves.iter_mut().enumerate() {
        let (begin, end) = ((i * half) as i32, ((i + 1) * half) as i32);
        let ranges = [begin, end, 1, 0, inner as i32, 1];
        let rows = ops.step("StridedSlice", &inputs[..1], dtype, &[half, inner], |op| {
            op.i32s("ranges", &[2, 3], &ranges)
        });
        let operands: Vec<TensorId> = [rows].iter().chain(&inputs[1..]).copied().collect();
        *y = ops.step("FullyConnected", &operands, dtype, &[half, columns], |op| op);
    }
    ops.step("Concat", &halves, dtype, shape, |op| op.u32("axis", 0))
}

/// The `i`-th input times a factor where that costs nothing: it is a constant, or the factor is 1. Says whether it was.
fn factor(ops: &mut Ops<'_, '_, '_>, i: usize, factor: f32) -> Result<(TensorId, bool), Diagnostic> {
    let tensor = ops.input(i)?;
    if factor == 1.0 {
        return Ok((tensor, true));
    }
    let id = ops.value(i)?;
    let value = ops.lower.graph.value(id);
    let Some(data) = value.data.as_ref().filter(|_| value.ty.dtype.is_float() && value.encoding.is_none())
    else {
        return Ok((tensor, false));
    };
    let values: Vec<f64> = data.to_f64(value.ty.dtype).into_iter().map(|v| v * f64::from(factor)).collect();
    let (dtype, shape) = (ops.dtype(tensor), ops.shape(tensor));
    Ok((ops.constant(dtype, &shape, &values), true))
}

/// A bias of one axis: the tensor itself where it has one number a column, a constant of one number repeated.
fn per_column(ops: &mut Ops<'_, '_, '_>, c: TensorId, columns: usize) -> Option<TensorId> {
    let shape = ops.shape(c);
    let last = shape.last().copied().unwrap_or(1);
    let count: usize = shape.iter().product();
    if count == columns && last == columns {
        return Some(ops.reshape(c, &[columns]));
    }
    let tensor = ops.lower.get(c);
    match &tensor.role {
        Role::Static(data) if count == 1 => {
            let bytes = data.bytes().repeat(columns);
            let dtype = tensor.dtype;
            Some(ops.lower.constant(ops.node, dtype, &[columns], crate::graph::Data::new(bytes.into())))
        }
        _ => None,
    }
}
