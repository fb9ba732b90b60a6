//! Specs as the library's C structs, together with the memory that these point to.

use std::ffi::{CString, c_char};
use std::ptr;

use qnn_sys::types::{
    ClientBuffer, OpConfig, OpConfigV1, Param as RawParam, Scalar as RawScalar, Tensor, TensorType,
};

use super::{OpSpec, Param, Role, Scalar, TensorSpec};
use crate::encode::{EncodedTensor, c_string};
use crate::pinned::Pinned;
use crate::{Error, Quant, Result};

/// The layout of the library's tensor struct that graphs are built with. The binary stores it and depends on it.
const TENSOR_VERSION: u32 = 1;

/// Encodes a checked spec. Static data is not copied: it must outlive every use of the result.
pub(super) fn tensor(spec: &TensorSpec<'_>) -> Result<EncodedTensor> {
    let (tensor_type, data) = match spec.role {
        Role::Input => (TensorType::APP_WRITE, None),
        Role::Output => (TensorType::APP_READ, None),
        Role::Native => (TensorType::NATIVE, None),
        Role::Static(data) => (TensorType::STATIC, Some(data)),
    };
    let mut encoded =
        EncodedTensor::new(spec.name, tensor_type, spec.dtype, spec.dims, spec.quant, TENSOR_VERSION)?;
    if let (Some(data), Some(common)) = (data, encoded.raw.common_mut()) {
        let data_size = u32::try_from(data.len())
            .map_err(|_| Error::invalid(format!("tensor `{}`", spec.name), "it is larger than 4 GiB"))?;
        // The library only reads static data, although its struct has no const pointer for it.
        common.data.client_buffer = ClientBuffer { data: data.as_ptr().cast_mut().cast(), data_size };
    }
    Ok(encoded)
}

/// An op of the library and the memory it points to, except for tensor data, which is borrowed.
pub(super) struct EncodedOp {
    name: CString,
    package: CString,
    ty: CString,
    params: Vec<RawParam>,
    _param_names: Vec<Pinned<c_char>>,
    /// Tensor parameters with their place in `params` and their name.
    pub(super) param_tensors: Vec<(usize, String, EncodedTensor)>,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
}

impl EncodedOp {
    /// Encodes a checked spec; its tensor parameters are not created in the graph yet.
    pub(super) fn new(spec: &OpSpec<'_>, inputs: Vec<Tensor>, outputs: Vec<Tensor>) -> Result<EncodedOp> {
        let mut params = Vec::with_capacity(spec.params.len());
        let mut param_names = Vec::with_capacity(spec.params.len());
        let mut param_tensors = Vec::new();
        for (index, param) in spec.params.iter().enumerate() {
            let (Param::Scalar(name, _) | Param::Tensor { name, .. }) = param;
            let c_name = Pinned::string(c_string(name)?);
            params.push(match param {
                Param::Scalar(_, scalar) => RawParam::scalar(c_name.as_ptr(), encode_scalar(*scalar)),
                Param::Tensor { name, dtype, dims, data } => {
                    let tensor_name = format!("{}.{name}", spec.name);
                    let (role, quant) = (Role::Static(data), &Quant::None);
                    let encoded =
                        tensor(&TensorSpec { name: &tensor_name, role, dtype: *dtype, dims, quant })?;
                    let raw = RawParam::tensor(c_name.as_ptr(), encoded.raw);
                    param_tensors.push((index, tensor_name, encoded));
                    raw
                }
            });
            param_names.push(c_name);
        }
        Ok(EncodedOp {
            name: c_string(spec.name)?,
            package: c_string(spec.package)?,
            ty: c_string(spec.ty)?,
            params,
            _param_names: param_names,
            param_tensors,
            inputs,
            outputs,
        })
    }

    /// Puts the tensor parameters, as the library filled them in when it created them, into the parameter list.
    pub(super) fn refresh_params(&mut self) {
        for (index, _, tensor) in &self.param_tensors {
            if let Some(param) = self.params.get_mut(*index) {
                param.value.tensor = tensor.raw;
            }
        }
    }

    /// The struct to pass by value; it points into `self`.
    pub(super) fn config(&mut self) -> OpConfig {
        OpConfig::from(OpConfigV1 {
            name: self.name.as_ptr(),
            package_name: self.package.as_ptr(),
            type_name: self.ty.as_ptr(),
            num_params: self.params.len() as u32,
            params: list(&mut self.params),
            num_inputs: self.inputs.len() as u32,
            inputs: list(&mut self.inputs),
            num_outputs: self.outputs.len() as u32,
            outputs: list(&mut self.outputs),
        })
    }
}

fn list<T>(items: &mut [T]) -> *mut T {
    if items.is_empty() { ptr::null_mut() } else { items.as_mut_ptr() }
}

fn encode_scalar(scalar: Scalar) -> RawScalar {
    match scalar {
        Scalar::Bool(value) => RawScalar::bool8(value),
        Scalar::U32(value) => RawScalar::u32(value),
        Scalar::I32(value) => RawScalar::i32(value),
        Scalar::F32(value) => RawScalar::f32(value),
    }
}
