//! `TensorProto` to dtype, shape and data.

use bytes::Bytes;
use half::{bf16, f16};

use super::element;
use super::external::ExternalFiles;
use super::fault::Fault;
use super::proto::{EXTERNAL, SparseTensorProto, TensorProto};
use crate::graph::{DType, Data, TensorType};
use crate::infer::{dims, volume};

/// Type and data of a tensor. Raw and external data is not copied, save 4-bit elements, which are spread to one a byte.
///
/// # Errors
///
/// The reason, as the end of a sentence about the tensor.
pub(super) fn read(tensor: &TensorProto, files: &mut ExternalFiles) -> Result<(TensorType, Data), Fault> {
    let dtype = element::dtype(tensor.data_type.into())
        .map_err(|e| Fault::new(element::code(tensor.data_type), e))?;
    let ty = TensorType::new(dtype, shape(&tensor.dims)?);
    let count = volume(&ty.shape).map_err(|e| wrong(e.to_string()))?;
    let packed = matches!(dtype, DType::I4 | DType::U4);
    let length = if packed { count.div_ceil(2) } else { count * dtype.size() };
    let raw = if tensor.data_location == EXTERNAL {
        Some(files.data(tensor, length)?)
    } else {
        tensor.raw_data.clone().filter(|raw| !raw.is_empty() || length == 0)
    };
    let bytes = match raw {
        Some(raw) if raw.len() == length => raw,
        Some(raw) => {
            return Err(wrong(format!(
                "its shape {} takes {length} bytes, it has {}",
                dims(&ty.shape),
                raw.len()
            )));
        }
        None => typed(tensor, dtype, if packed { length } else { count }).map_err(|found| {
            wrong(format!("its shape {} takes {count} elements, it has {found}", dims(&ty.shape)))
        })?,
    };
    let bytes = match dtype {
        DType::U4 => nibbles(&bytes, count, |n| n),
        // The shifts carry the sign of four bits into eight.
        DType::I4 => nibbles(&bytes, count, |n| (((n << 4) as i8) >> 4) as u8),
        DType::Bool if bytes.iter().any(|b| *b > 1) => bytes.iter().map(|b| u8::from(*b != 0)).collect(),
        _ => bytes,
    };
    Ok((ty, Data::new(bytes)))
}

fn shape(dims: &[i64]) -> Result<Vec<usize>, Fault> {
    dims.iter()
        .map(|d| usize::try_from(*d).map_err(|_| wrong(format!("it has a dimension of {d}"))))
        .collect()
}

fn wrong(text: impl Into<String>) -> Fault {
    Fault::new("E0217", text)
}

/// Elements kept in a field of their own type, as little-endian bytes; the error is how many there are.
fn typed(tensor: &TensorProto, dtype: DType, count: usize) -> Result<Bytes, usize> {
    fn pack<T: Copy, const N: usize>(
        values: &[T],
        count: usize,
        bytes: impl Fn(T) -> [u8; N],
    ) -> Result<Bytes, usize> {
        if values.len() != count {
            return Err(values.len());
        }
        let mut out = Vec::with_capacity(count * N);
        values.iter().for_each(|v| out.extend_from_slice(&bytes(*v)));
        Ok(out.into())
    }
    let ints = &tensor.int32_data;
    match dtype {
        DType::F32 => pack(&tensor.float_data, count, f32::to_le_bytes),
        DType::F64 => pack(&tensor.double_data, count, f64::to_le_bytes),
        DType::I64 => pack(&tensor.int64_data, count, i64::to_le_bytes),
        DType::U64 => pack(&tensor.uint64_data, count, u64::to_le_bytes),
        DType::U32 => pack(&tensor.uint64_data, count, |v| (v as u32).to_le_bytes()),
        DType::I32 => pack(ints, count, i32::to_le_bytes),
        DType::I16 | DType::U16 => pack(ints, count, |v| (v as i16).to_le_bytes()),
        DType::F16 => pack(ints, count, |v| f16::from_bits(v as u16).to_le_bytes()),
        DType::Bf16 => pack(ints, count, |v| bf16::from_bits(v as u16).to_le_bytes()),
        DType::Bool => pack(ints, count, |v| [u8::from(v != 0)]),
        DType::I8 | DType::U8 | DType::I4 | DType::U4 => pack(ints, count, |v| [v as u8]),
    }
}

/// 4-bit elements, two a byte with the first in the low half, to one a byte.
fn nibbles(bytes: &[u8], count: usize, extend: impl Fn(u8) -> u8) -> Bytes {
    bytes.iter().flat_map(|b| [b & 15, b >> 4]).take(count).map(extend).collect()
}

/// The most elements of a sparse tensor that is made dense.
const MOST_DENSE: usize = 1 << 28;

/// The dense form of a sparse tensor.
pub(super) fn densify(
    sparse: &SparseTensorProto,
    files: &mut ExternalFiles,
) -> Result<(TensorType, Data), Fault> {
    let (Some(values), Some(indices)) = (&sparse.values, &sparse.indices) else {
        return Err(wrong("it has no values or no indices"));
    };
    let ((value_ty, values), (index_ty, indices)) = (read(values, files)?, read(indices, files)?);
    let ty = TensorType::new(value_ty.dtype, shape(&sparse.dims)?);
    let count = volume(&ty.shape).map_err(|e| wrong(e.to_string()))?;
    let size = ty.dtype.size();
    let indices = indices.to_i64(index_ty.dtype);
    let linear: Vec<i64> = match index_ty.shape[..] {
        [_] => indices,
        [_, rank] if rank == ty.shape.len() && rank > 0 => indices
            .chunks_exact(rank)
            .map(|at| {
                at.iter()
                    .zip(&ty.shape)
                    .fold(0i64, |n, (i, d)| n.saturating_mul(*d as i64).saturating_add(*i))
            })
            .collect(),
        _ => return Err(wrong(format!("it has indices of shape {}", dims(&index_ty.shape)))),
    };
    if linear.len() * size != values.len() {
        return Err(wrong(format!("it has {} values and {} indices", values.len() / size, linear.len())));
    }
    if count > MOST_DENSE {
        return Err(wrong(format!("its shape {} is too large", dims(&ty.shape))));
    }
    let mut dense = vec![0; count * size];
    for (i, value) in linear.into_iter().zip(values.bytes().chunks_exact(size)) {
        let at = usize::try_from(i)
            .ok()
            .filter(|i| *i < count)
            .ok_or_else(|| wrong(format!("it has the index {i}")))?
            * size;
        dense[at..at + size].copy_from_slice(value);
    }
    Ok((ty, Data::new(dense.into())))
}
