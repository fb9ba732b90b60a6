//! MatMulNBits: products with weights of a few bits in blocks that share a scale.

use super::super::table::{Draft, Row, Step};
use crate::graph::{Attr, DType, Data, TensorType, ValueId};
use crate::infer::{Answer, Reason, infer, invalid};

pub(super) const ROWS: &[Row] = &[Row {
    domain: "com.microsoft",
    op: "MatMulNBits",
    note: "Gemm with the weights as floats; 2, 4 and 8 bits, constant",
    rule: product,
}];

/// The `i`-th input as numbers; it has to be constant.
fn numbers(d: &Draft<'_, '_>, i: usize) -> Answer<Vec<f32>> {
    match d.builder.graph.const_f32(d.site().id(i)?) {
        Some(values) => Ok(values),
        None => Err(Reason::Unsupported(format!("input {i} is not constant"))),
    }
}

/// Entry `i` of a row of packed numbers, the low bits first.
fn unpack(row: &[u8], i: usize, bits: usize) -> u8 {
    let per_byte = 8 / bits;
    let mask = ((1u16 << bits) - 1) as u8;
    row.get(i / per_byte).map_or(0, |byte| (byte >> (bits * (i % per_byte))) & mask)
}

fn product(d: &mut Draft<'_, '_>) -> Answer<Step> {
    infer(&d.builder.graph, d.node, 1)?;
    let bits = d.site().count("bits", 4)?;
    let (depth, columns) = (d.site().count("K", 0)?, d.site().count("N", 0)?);
    let block = d.site().count("block_size", 0)?;
    if ![2, 4, 8].contains(&bits) || block == 0 || !(block * bits).is_multiple_of(8) {
        return Err(Reason::Unsupported(format!("{bits} bits in blocks of {block}")));
    }
    if d.node.input(4).is_some() {
        return Err(Reason::Unsupported("input 4 (groups in another order) is not supported".to_owned()));
    }
    let weights = weights(d, [depth, columns], block, bits)?;
    let x = d.site().id(0)?;
    let shape = d.dims(x);
    let rows = shape.iter().take(shape.len() - 1).product();
    let flat = d.reshape(x, &[rows, depth])?;
    let operands: Vec<ValueId> = [flat, weights].into_iter().chain(d.node.input(5)).collect();
    let y = d.op_with("Gemm", &operands, &[("transB", Attr::Int(1))])?;
    let mut wide = shape;
    if let Some(last) = wide.last_mut() {
        *last = columns;
    }
    Ok(Step::alias(d.reshape(y, &wide)?))
}

/// The weights as floats, (columns, depth).
fn weights(
    d: &mut Draft<'_, '_>,
    [depth, columns]: [usize; 2],
    block: usize,
    bits: usize,
) -> Answer<ValueId> {
    let blocks = depth.div_ceil(block);
    let packed = d.site().id(1)?;
    let Some(data) = d.builder.graph.value(packed).data.clone() else {
        return Err(Reason::Unsupported("the weights are not constant".to_owned()));
    };
    let row_bytes = blocks * block * bits / 8;
    let scales = numbers(d, 2)?;
    if data.len() != columns * row_bytes || scales.len() != columns * blocks {
        return invalid(format!(
            "{} bytes of weights and {} scales for {columns} columns",
            data.len(),
            scales.len()
        ));
    }
    let zeros: Vec<f32> = match d.node.input(3) {
        None => vec![f32::from(1u8 << (bits - 1)); columns * blocks],
        Some(id) if d.builder.graph.dtype(id).is_float() => numbers(d, 3)?,
        Some(id) => {
            let packed = d.builder.graph.value(id).data.clone();
            let bytes = (blocks * bits).div_ceil(8);
            match packed {
                Some(packed) if packed.len() == columns * bytes => packed
                    .bytes()
                    .chunks(bytes)
                    .flat_map(|row| (0..blocks).map(|b| f32::from(unpack(row, b, bits))))
                    .collect(),
                _ => return invalid("the zero points are not constant or do not fit the blocks"),
            }
        }
    };
    if zeros.len() != scales.len() {
        return invalid(format!("{} zero points for {} scales", zeros.len(), scales.len()));
    }
    let mut values = Vec::with_capacity(columns * depth);
    for (n, row) in data.bytes().chunks(row_bytes).enumerate() {
        for k in 0..depth {
            let at = n * blocks + k / block;
            values.push((f32::from(unpack(row, k, bits)) - zeros[at]) * scales[at]);
        }
    }
    let dtype = d.dtype(d.site().id(0)?);
    let data = match dtype {
        DType::F32 => Data::from_f32(&values),
        _ => Data::from_floats(&values.into_iter().map(f64::from).collect::<Vec<_>>(), dtype),
    };
    let name = format!("{}.weights", d.node.name);
    Ok(d.builder.constant(&name, TensorType::new(dtype, [columns, depth]), data))
}
