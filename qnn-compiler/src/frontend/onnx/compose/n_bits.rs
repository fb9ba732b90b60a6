//! MatMulNBits: products with weights of a few bits in blocks that share a scale.

use super::parts::Parts;
use super::table::{Row, Written};
use crate::graph::{Attr, DType, Data, Encoding, Storage, TensorType, ValueId};
use crate::infer::{Answer, Reason, invalid};
use crate::op::Op;

pub(super) const ROWS: &[Row] = &[Row {
    domain: "com.microsoft",
    op: "MatMulNBits",
    note: "Gemm with the weights in their blocks, of 2 bits as floats; constant",
    rule: product,
}];

/// The `i`-th input as numbers; it has to be constant.
fn numbers(p: &Parts<'_, '_>, i: usize) -> Answer<Vec<f32>> {
    match p.known_floats(p.site().id(i)?) {
        Some(values) => Ok(values.into_iter().map(|v| v as f32).collect()),
        None => Err(Reason::Unsupported(format!("input {i} is not constant"))),
    }
}

/// Entry `i` of a row of packed numbers, the low bits first.
fn unpack(row: &[u8], i: usize, bits: usize) -> u8 {
    let per_byte = 8 / bits;
    let mask = ((1u16 << bits) - 1) as u8;
    row.get(i / per_byte).map_or(0, |byte| (byte >> (bits * (i % per_byte))) & mask)
}

fn product(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let bits = p.site().count("bits", 4)?;
    let (depth, columns) = (p.site().count("K", 0)?, p.site().count("N", 0)?);
    let block = p.site().count("block_size", 0)?;
    if ![2, 4, 8].contains(&bits) || block == 0 || !(block * bits).is_multiple_of(8) {
        return Err(Reason::Unsupported(format!("{bits} bits in blocks of {block}")));
    }
    if p.node.input(4).is_some() {
        return Err(Reason::Unsupported("input 4 (groups in another order) is not supported".to_owned()));
    }
    let weights = weights(p, [depth, columns], block, bits)?;
    let x = p.site().id(0)?;
    let shape = p.shape(x);
    let rows = shape.iter().take(shape.len() - 1).product();
    let flat = p.reshape(x, &[rows, depth])?;
    let operands: Vec<ValueId> = [flat, weights].into_iter().chain(p.node.input(5)).collect();
    let y = p.with(Op::Gemm, &operands, [("transB", Attr::Int(1))])?;
    let mut wide = shape;
    if let Some(last) = wide.last_mut() {
        *last = columns;
    }
    Ok(Some(vec![p.reshape(y, &wide)?]))
}

/// The weights (columns, depth) as integers in blocks.
fn weights(
    p: &mut Parts<'_, '_>,
    [depth, columns]: [usize; 2],
    block: usize,
    bits: usize,
) -> Answer<ValueId> {
    let blocks = depth.div_ceil(block);
    let packed = p.site().id(1)?;
    let Some(data) = p.known(packed).cloned() else {
        return Err(Reason::Unsupported("the weights are not constant".to_owned()));
    };
    let row_bytes = blocks * block * bits / 8;
    let scales = numbers(p, 2)?;
    if data.len() != columns * row_bytes || scales.len() != columns * blocks {
        return invalid(format!(
            "{} bytes of weights and {} scales for {columns} columns",
            data.len(),
            scales.len()
        ));
    }
    let middle = 1u8 << (bits - 1);
    let zeros: Option<Vec<f32>> = match p.node.input(3) {
        None => None,
        Some(id) if p.dtype(id).is_float() => Some(numbers(p, 3)?),
        Some(id) => {
            let packed = p.known(id).cloned();
            let bytes = (blocks * bits).div_ceil(8);
            match packed {
                Some(packed) if packed.len() == columns * bytes => {
                    let row =
                        |row: &[u8]| (0..blocks).map(|b| f32::from(unpack(row, b, bits))).collect::<Vec<_>>();
                    Some(packed.bytes().chunks(bytes).flat_map(row).collect())
                }
                _ => return invalid("the zero points are not constant or do not fit the blocks"),
            }
        }
    };
    if let Some(zeros) = zeros.as_ref().filter(|zeros| zeros.len() != scales.len()) {
        return invalid(format!("{} zero points for {} scales", zeros.len(), scales.len()));
    }
    let rows = data.bytes().chunks(row_bytes);
    let mut stored: Vec<u8> =
        rows.flat_map(|row| (0..depth).map(|k| unpack(row, k, bits).wrapping_sub(middle))).collect();
    let minimum = |(zero, scale): (&f32, &f32)| (f32::from(middle) - zero) * scale;
    let minimums = zeros.map_or(Vec::new(), |zeros| zeros.iter().zip(&scales).map(minimum).collect());
    // A block of zeros may have a scale of zero: its integers are zero then, at any scale.
    let mut scales = scales;
    for (at, scale) in scales.iter_mut().enumerate().filter(|(_, scale)| **scale == 0.0) {
        *scale = 1.0;
        let (row, from) = (at / blocks * depth, at % blocks * block);
        stored[row + from..row + (from + block).min(depth)].fill(0);
    }
    let storage = Storage::new(bits as u8, true);
    let encoding = storage
        .and_then(|storage| Encoding::new_per_block(storage, (1, block), scales, Vec::new(), minimums));
    let encoding = match encoding {
        Ok(encoding) => encoding,
        Err(why) => return invalid(format!("the weights have {why}")),
    };
    let ty = TensorType::new(DType::I8, [columns, depth]);
    Ok(p.encoded_constant(ty, Data::new(stored.into()), encoding))
}
