//! Weights of few bits in products with floats: HTP makes them fp16 where it needs them, and they stay small in the binary.

use std::borrow::Cow;

use qnn::DataType;

use super::table::{self, Role};
use crate::graph::{Data, Encoding, Granularity, Node, PerBlock, ValueId};
use crate::lower::engine::{Lower, Ops};
use crate::op::Op;
use crate::program::{Quant, TensorId, quant};

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
    // Expanded blocks are for integers: with floats they are a scale a row and integers of more bits.
    let (encoding, data) = match encoding.granularity() {
        Granularity::BlockExpansion(_) => {
            let (wide, integers) = encoding.decompressed(&data.to_i64(value.ty.dtype), &shape).ok()?;
            (Cow::Owned(wide), Data::new(integers.into_iter().map(|q| q as i8 as u8).collect()))
        }
        _ => (Cow::Borrowed(encoding), data.clone()),
    };
    let whole = match encoding.is_in_blocks() {
        false => whole_words(columns, encoding.bits()),
        true => columns,
    };
    if whole != columns && rows * columns < SMALL {
        return None;
    }
    let (stored, shift) = encoding.with_sign(true).ok()?;
    let quant = match stored.granularity() {
        Granularity::PerBlock(blocks) => by_block(&stored, blocks, columns, lower.target.arch)?,
        _ => by_row(&stored, rows)?,
    };
    let data = match shift {
        // One integer a byte already.
        0 if data.len() == rows * columns => data,
        _ => {
            let moved = data.to_i64(value.ty.dtype).into_iter().map(|q| (q + shift) as i8 as u8);
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

/// A scale for every row. HTP takes no zero points here, and no scale for the whole tensor.
fn by_row(stored: &Encoding, rows: usize) -> Option<Quant> {
    let scales = match stored.granularity() {
        Granularity::PerTensor(one) => vec![(one.scale(), 0); rows],
        Granularity::PerAxis(slices) if slices.axis() == 0 => {
            slices.scales().iter().map(|&scale| (scale, 0)).collect()
        }
        _ => return None,
    };
    match stored.bits() {
        _ if !stored.is_symmetric() => None,
        8 => Some(Quant::PerAxis { axis: 0, scale_offsets: scales }),
        4 => Some(Quant::BitWidthPerAxis { bits: 4, axis: 0, scale_offsets: scales }),
        _ => None,
    }
}

/// Blocks along rows, of 16, 32, 64 or 128 elements, each with a scale and an offset; not on v68 (measured with QNN 2.51).
fn by_block(stored: &Encoding, blocks: &PerBlock, columns: usize, arch: u32) -> Option<Quant> {
    let fits = blocks.axis() == 1
        && [16, 32, 64, 128].contains(&blocks.size())
        && columns.is_multiple_of(blocks.size())
        && [4, 8].contains(&stored.bits())
        && arch >= 69;
    if !fits {
        return None;
    }
    let rows = blocks.scales().len() / (columns / blocks.size());
    quant(stored, &[rows, columns], 0)
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
