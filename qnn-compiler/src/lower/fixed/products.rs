//! Weights of few bits in products with floats: HTP makes them fp16 where it needs them, and they stay small in the binary.

use qnn::DataType;

use super::table::{self, Role};
use crate::graph::{Data, Encoding, Node, ValueId};
use crate::lower::engine::{Lower, Ops};
use crate::op::Op;
use crate::program::{Quant, TensorId};

/// Of how many integers a weight may be small: those the library unpacks while it compiles, into floats that take no more room
/// than the padding would (measured on SM8650: 2 x 1.3 thousand integers in rows of 33 are right, 4 x 10⁵ garbage).
const SMALL: usize = 1 << 16;

/// The weight of a product with floats, as integers (out, in); `None` where the node or the SoC has no such product.
pub(super) fn weight(lower: &mut Lower<'_>, node: &Node, i: usize) -> Option<TensorId> {
    let linear = node.op == Op::Gemm
        && node.attrs.int_or("transB", 0) != 0
        && node.attrs.int_or("transA", 0) == 0
        && node.attrs.float_or("alpha", 1.0) == 1.0;
    let id = node.input(i)?;
    if !linear || !lower.target.fp16 || table::role(lower.graph, node, i) != Role::Weight(0) {
        return None;
    }
    let value = lower.graph.value(id);
    let (encoding, data, shape) = (value.encoding.as_ref()?, value.data.as_ref()?, value.ty.shape.clone());
    let [rows, columns] = shape[..] else { return None };
    let whole = match encoding.block {
        0 => whole_words(columns, encoding.bits),
        _ => columns,
    };
    if whole != columns && rows * columns < SMALL {
        return None;
    }
    let quant = match encoding.block {
        0 => by_row(encoding, rows)?,
        _ => by_block(encoding, columns, lower.target.arch)?,
    };
    let centre = centre(encoding);
    let data = match centre {
        // One integer a byte already.
        0 if data.len() == rows * columns => data.clone(),
        _ => {
            let moved = data.to_i64(value.ty.dtype).into_iter().map(|q| (q - i64::from(centre)) as i8 as u8);
            Data::new(moved.collect())
        }
    };
    let data = if whole == columns { data } else { lengthened(&data, columns, whole) };
    Some(lower.quantized_constant(node, DataType::SFixed8, quant, &[rows, whole], data))
}

/// How many columns rows of integers with a scale a row need: of rows that are not whole 32-bit words HTP makes garbage, and says
/// nothing (measured on SM8650: -2 dB).
fn whole_words(columns: usize, bits: u8) -> usize {
    columns.next_multiple_of(32 / usize::from(bits.clamp(1, 32)))
}

/// Rows of bytes with zeros behind.
fn lengthened(data: &Data, columns: usize, whole: usize) -> Data {
    let zeros = vec![0; whole - columns];
    let rows = data.bytes().chunks_exact(columns.max(1));
    Data::new(rows.flat_map(|row| row.iter().chain(&zeros).copied()).collect())
}

/// The floats that are multiplied with a weight, with zeros where its rows were lengthened.
pub(super) fn to_columns_of(
    lower: &mut Lower<'_>,
    node: &Node,
    floats: TensorId,
    weight: TensorId,
) -> TensorId {
    const CONSTANT: u32 = 0;
    let mut ops = Ops::new(lower, node);
    let (&[rows, own], &[_, columns]) = (&ops.shape(floats)[..], &ops.shape(weight)[..]) else {
        return floats;
    };
    if own >= columns {
        return floats;
    }
    let amounts = [0, 0, 0, (columns - own) as u32];
    let dtype = ops.dtype(floats);
    ops.step("Pad", &[floats], dtype, &[rows, columns], |op| {
        op.u32("scheme", CONSTANT).f32("pad_constant_value", 0.0).u32s("pad_amount", &[2, 2], &amounts)
    })
}

/// The stored integer in the middle, which becomes zero.
fn centre(encoding: &Encoding) -> i32 {
    if encoding.signed { 0 } else { 1 << (encoding.bits - 1) }
}

/// A scale for every row. HTP takes no zero points here, and no scale for the whole tensor.
fn by_row(encoding: &Encoding, rows: usize) -> Option<Quant> {
    let centred = encoding.zero_points.iter().all(|&z| z == centre(encoding));
    let scales = match (encoding.axis, &encoding.scales[..]) {
        (None, &[scale]) => vec![(scale, 0); rows],
        (Some(0), scales) => scales.iter().map(|&scale| (scale, 0)).collect(),
        _ => return None,
    };
    match encoding.bits {
        _ if !centred => None,
        8 => Some(Quant::PerAxis { axis: 0, scale_offsets: scales }),
        4 => Some(Quant::BitWidthPerAxis { bits: 4, axis: 0, scale_offsets: scales }),
        _ => None,
    }
}

/// Blocks along rows, of 16, 32, 64 or 128 elements, each with a scale and an offset; not on v68 (measured with QNN 2.51).
fn by_block(encoding: &Encoding, columns: usize, arch: u32) -> Option<Quant> {
    let fits = encoding.axis == Some(1)
        && [16, 32, 64, 128].contains(&encoding.block)
        && columns.is_multiple_of(encoding.block)
        && [4, 8].contains(&encoding.bits)
        && arch >= 69;
    if !fits {
        return None;
    }
    let centre = centre(encoding);
    let block = |(at, &scale): (usize, &f32)| {
        let zero = encoding.zero_points.get(at).map_or(0, |z| z - centre) as f32;
        let shift = encoding.shifts.get(at).copied().unwrap_or(0.0);
        (scale, shift / scale - zero)
    };
    Some(Quant::FloatBlocks {
        bits: u32::from(encoding.bits),
        block: vec![1, encoding.block as u32],
        scale_offsets: encoding.scales.iter().enumerate().map(block).collect(),
    })
}

/// Gives the node its other operands in fp16, the only floats that HTP has these products for.
pub(super) fn others(lower: &Lower<'_>, node: &Node, weight: usize) -> Vec<ValueId> {
    let graph = lower.graph;
    let float = |id: &ValueId| graph.dtype(*id).is_float() || graph.value(*id).encoding.is_some();
    (0..node.inputs.len()).filter(|&i| i != weight).filter_map(|i| node.input(i)).filter(float).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_integers_become_whole_words() {
        assert_eq!([1, 4, 1021].map(|columns| whole_words(columns, 8)), [4, 4, 1024]);
        assert_eq!([1, 8, 1020].map(|columns| whole_words(columns, 4)), [8, 8, 1024]);
        let data = Data::new(vec![1, 2, 3, 4, 5, 6].into());
        assert_eq!(lengthened(&data, 3, 4).bytes()[..], [1, 2, 3, 0, 4, 5, 6, 0]);
    }
}
