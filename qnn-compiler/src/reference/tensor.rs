//! Tensors on their way to ONNX Runtime and back.

#![expect(unsafe_code, reason = "the element type of a tensor is known only at run time")]

use ort::memory::Allocator;
use ort::value::{DynTensor, DynTensorValueType, DynValue, TensorElementType, ValueType};

use crate::graph::{DType, Data, TensorType};

/// Elements with their type.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// dtype and shape.
    pub ty: TensorType,
    /// Exactly `ty.bytes()` bytes.
    pub data: Data,
}

/// dtypes that tensors can be passed in. 4-bit elements are packed differently on both sides.
const TYPES: [(DType, TensorElementType); 13] = [
    (DType::F32, TensorElementType::Float32),
    (DType::F16, TensorElementType::Float16),
    (DType::Bf16, TensorElementType::Bfloat16),
    (DType::F64, TensorElementType::Float64),
    (DType::I8, TensorElementType::Int8),
    (DType::I16, TensorElementType::Int16),
    (DType::I32, TensorElementType::Int32),
    (DType::I64, TensorElementType::Int64),
    (DType::U8, TensorElementType::Uint8),
    (DType::U16, TensorElementType::Uint16),
    (DType::U32, TensorElementType::Uint32),
    (DType::U64, TensorElementType::Uint64),
    (DType::Bool, TensorElementType::Bool),
];

/// A copy that ONNX Runtime owns.
pub(super) fn to_ort(tensor: &Tensor) -> Result<DynTensor, String> {
    let Some((_, element)) = TYPES.iter().find(|row| row.0 == tensor.ty.dtype) else {
        return Err(format!("tensors of {} cannot be passed", tensor.ty.dtype));
    };
    let shape: Vec<i64> = tensor.ty.shape.iter().map(|d| *d as i64).collect();
    let mut out =
        DynTensor::new(&Allocator::default(), *element, shape).map_err(|e| e.message().to_owned())?;
    let bytes = tensor.data.bytes();
    if bytes.len() != tensor.ty.bytes() || out.size() != Some(bytes.len()) {
        return Err(format!("it has {} bytes, its type takes {}", bytes.len(), tensor.ty.bytes()));
    }
    if !bytes.is_empty() {
        // SAFETY: the tensor was just made in host memory, with exactly as many bytes (checked), and nobody else has it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), out.data_ptr_mut().cast(), bytes.len()) };
    }
    Ok(out)
}

/// A copy of a tensor that ONNX Runtime owns.
pub(super) fn from_ort(value: &DynValue) -> Result<Tensor, String> {
    let ty = type_of(value.dtype())?.ok_or("its shape is not known")?;
    let view = value.view().downcast::<DynTensorValueType>().map_err(|e| e.message().to_owned())?;
    let length = ty.bytes();
    if view.size() != Some(length) {
        return Err(format!("it has {:?} bytes, its type takes {length}", view.size()));
    }
    let mut bytes = vec![0u8; length];
    if length > 0 {
        // SAFETY: outputs of the CPU provider are in host memory, have `length` bytes (checked), and live as long as `value`.
        unsafe { std::ptr::copy_nonoverlapping(view.data_ptr().cast(), bytes.as_mut_ptr(), length) };
    }
    Ok(Tensor { ty, data: Data::new(bytes.into()) })
}

/// The type of a value; `None` where a dimension is not known. The error says why it is no tensor of ours.
pub(super) fn type_of(ty: &ValueType) -> Result<Option<TensorType>, String> {
    let ValueType::Tensor { ty, shape, .. } = ty else { return Err("it is not a tensor".to_owned()) };
    let Some((dtype, _)) = TYPES.iter().find(|row| row.1 == *ty) else {
        return Err(format!("tensors of {ty} cannot be passed"));
    };
    let shape: Option<Vec<usize>> = shape.iter().map(|d| usize::try_from(*d).ok()).collect();
    Ok(shape.map(|shape| TensorType::new(*dtype, shape)))
}
