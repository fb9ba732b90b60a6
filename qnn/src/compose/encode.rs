//! Specs as the library's C structs, together with the memory that these point to.

use std::ffi::CString;
use std::ptr;

use qnn_sys::types::{
    AxisScaleOffset, BwAxisScaleOffset, ClientBuffer, DataType, OpConfig, OpConfigV1, Param as RawParam,
    QuantizeParams, Scalar as RawScalar, ScaleOffset, Tensor, TensorData, TensorType, TensorV1,
};

use super::{OpSpec, Param, Role, Scalar, TensorSpec};
use crate::{Error, Quant, Result};

/// A tensor of the library and the memory it points to, except for static data, which is borrowed.
pub(super) struct EncodedTensor {
    pub(super) raw: Tensor,
    name: CString,
    // `raw` points into these; they are never touched again.
    _dims: Box<[u32]>,
    _encoding: EncodingMemory,
}

enum EncodingMemory {
    None,
    ScaleOffsets(#[expect(dead_code, reason = "only kept alive")] Box<[ScaleOffset]>),
    Split(
        #[expect(dead_code, reason = "only kept alive")] Box<[f32]>,
        #[expect(dead_code, reason = "only kept alive")] Box<[i32]>,
    ),
}

impl EncodedTensor {
    /// Encodes a checked spec. Static data is not copied: it must outlive every use of `raw`.
    pub(super) fn new(spec: &TensorSpec<'_>) -> Result<EncodedTensor> {
        let name = c_string(spec.name)?;
        let mut dims: Box<[u32]> = spec.dims.into();
        let (quantize_params, encoding) = encode(spec.quant);
        let (tensor_type, client_buffer) = match spec.role {
            Role::Input => (TensorType::APP_WRITE, ClientBuffer::NULL),
            Role::Output => (TensorType::APP_READ, ClientBuffer::NULL),
            Role::Native => (TensorType::NATIVE, ClientBuffer::NULL),
            // The library only reads static data, although its struct has no const pointer for it.
            Role::Static(data) => {
                let data_size = u32::try_from(data.len()).map_err(|_| {
                    Error::invalid(format!("tensor `{}`", spec.name), "it is larger than 4 GiB")
                })?;
                (TensorType::STATIC, ClientBuffer { data: data.as_ptr().cast_mut().cast(), data_size })
            }
        };
        let raw = Tensor::from_v1(TensorV1 {
            name: name.as_ptr(),
            tensor_type,
            data_type: DataType(spec.dtype.code()),
            quantize_params,
            rank: dims.len() as u32,
            dimensions: dims.as_mut_ptr(),
            data: TensorData { client_buffer },
            ..TensorV1::default()
        });
        Ok(EncodedTensor { raw, name, _dims: dims, _encoding: encoding })
    }

    /// Name of the tensor.
    pub(super) fn name(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }
}

fn encode(quant: &Quant) -> (QuantizeParams, EncodingMemory) {
    match quant {
        Quant::PerTensor { scale, offset } => {
            (QuantizeParams::scale_offset(*scale, *offset), EncodingMemory::None)
        }
        Quant::PerAxis { axis, scale_offsets } => {
            let mut slices: Box<[ScaleOffset]> = scale_offsets
                .iter()
                .map(|(scale, offset)| ScaleOffset { scale: *scale, offset: *offset })
                .collect();
            let params = QuantizeParams::axis_scale_offset(AxisScaleOffset {
                axis: *axis as i32,
                num_scale_offsets: slices.len() as u32,
                scale_offset: slices.as_mut_ptr(),
            });
            (params, EncodingMemory::ScaleOffsets(slices))
        }
        Quant::BitWidth { bits, scale, offset } => {
            (QuantizeParams::bw_scale_offset(*bits, *scale, *offset), EncodingMemory::None)
        }
        Quant::BitWidthPerAxis { bits, axis, scale_offsets } => {
            let mut scales: Box<[f32]> = scale_offsets.iter().map(|(scale, _)| *scale).collect();
            let mut offsets: Box<[i32]> = scale_offsets.iter().map(|(_, offset)| *offset).collect();
            let params = QuantizeParams::bw_axis_scale_offset(BwAxisScaleOffset {
                bitwidth: *bits,
                axis: *axis as i32,
                num_elements: scales.len() as u32,
                scales: scales.as_mut_ptr(),
                offsets: offsets.as_mut_ptr(),
            });
            (params, EncodingMemory::Split(scales, offsets))
        }
        // A check before refuses encodings that cannot be written.
        Quant::None | Quant::Other(_) => (QuantizeParams::NONE, EncodingMemory::None),
    }
}

/// An op of the library and the memory it points to, except for tensor data, which is borrowed.
pub(super) struct EncodedOp {
    name: CString,
    package: CString,
    ty: CString,
    params: Vec<RawParam>,
    _param_names: Vec<CString>,
    /// Tensor parameters with their place in `params`.
    pub(super) param_tensors: Vec<(usize, EncodedTensor)>,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
}

impl EncodedOp {
    /// Encodes a checked spec; its tensor parameters are not created in the graph yet.
    pub(super) fn new(spec: &OpSpec<'_>, inputs: Vec<Tensor>, outputs: Vec<Tensor>) -> Result<EncodedOp> {
        let mut op = EncodedOp {
            name: c_string(spec.name)?,
            package: c_string(spec.package)?,
            ty: c_string(spec.ty)?,
            params: Vec::with_capacity(spec.params.len()),
            _param_names: Vec::with_capacity(spec.params.len()),
            param_tensors: Vec::new(),
            inputs,
            outputs,
        };
        for (index, param) in spec.params.iter().enumerate() {
            let (Param::Scalar(name, _) | Param::Tensor { name, .. }) = param;
            let param_name = c_string(name)?;
            op.params.push(match param {
                Param::Scalar(_, scalar) => RawParam::scalar(param_name.as_ptr(), encode_scalar(*scalar)),
                Param::Tensor { name, dtype, dims, data } => {
                    let tensor_name = format!("{}.{name}", spec.name);
                    let role = Role::Static(data);
                    let quant = &Quant::None;
                    let tensor = EncodedTensor::new(&TensorSpec {
                        name: &tensor_name,
                        role,
                        dtype: *dtype,
                        dims,
                        quant,
                    })?;
                    let raw = RawParam::tensor(param_name.as_ptr(), tensor.raw);
                    op.param_tensors.push((index, tensor));
                    raw
                }
            });
            op._param_names.push(param_name);
        }
        Ok(op)
    }

    /// Puts the tensor parameters, as the library filled them in when it created them, into the parameter list.
    pub(super) fn refresh_params(&mut self) {
        for (index, tensor) in &self.param_tensors {
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

pub(super) fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::invalid(format!("name {text:?}"), "it contains a NUL byte"))
}
