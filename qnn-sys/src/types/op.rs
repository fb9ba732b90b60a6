//! Ops and their parameters.

use std::ffi::c_char;
use std::ptr;

use super::{Scalar, Tensor};

c_enum! {
    /// `Qnn_ParamType_t`: which member of [`ParamValue`] counts.
    ParamType, "QNN_PARAMTYPE_" {
        SCALAR = 0,
        TENSOR = 1,
        UNDEFINED = 0xFFFF_FFFF,
    }
}

/// The value of a [`Param`], by [`ParamType`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union ParamValue {
    /// [`ParamType::SCALAR`]
    pub scalar: Scalar,
    /// [`ParamType::TENSOR`]: a static tensor already created in the graph.
    pub tensor: Tensor,
}

/// `Qnn_Param_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Param {
    /// Which member of `value` counts.
    pub param_type: ParamType,
    /// As in the op's definition.
    pub name: *const c_char,
    /// The value.
    pub value: ParamValue,
}

impl Param {
    /// A parameter with a single value.
    pub fn scalar(name: *const c_char, scalar: Scalar) -> Self {
        // The larger member first, so that the bytes after `scalar` are initialised.
        let mut value = ParamValue { tensor: Tensor::from_v2(Default::default()) };
        value.scalar = scalar;
        Self { param_type: ParamType::SCALAR, name, value }
    }

    /// A parameter that is a tensor.
    pub fn tensor(name: *const c_char, tensor: Tensor) -> Self {
        Self { param_type: ParamType::TENSOR, name, value: ParamValue { tensor } }
    }
}

/// `Qnn_OpConfigV1_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OpConfigV1 {
    /// Unique in its graph.
    pub name: *const c_char,
    /// Op package, `qti.aisw` for the vendor's own.
    pub package_name: *const c_char,
    /// Op type, for example `Conv2d`.
    pub type_name: *const c_char,
    /// Number of `params`.
    pub num_params: u32,
    /// Parameters.
    pub params: *mut Param,
    /// Number of `inputs`.
    pub num_inputs: u32,
    /// In the order of the op's definition.
    pub inputs: *mut Tensor,
    /// Number of `outputs`.
    pub num_outputs: u32,
    /// In the order of the op's definition.
    pub outputs: *mut Tensor,
}

impl Default for OpConfigV1 {
    fn default() -> Self {
        Self {
            name: ptr::null(),
            package_name: ptr::null(),
            type_name: ptr::null(),
            num_params: 0,
            params: ptr::null_mut(),
            num_inputs: 0,
            inputs: ptr::null_mut(),
            num_outputs: 0,
            outputs: ptr::null_mut(),
        }
    }
}

/// `Qnn_OpConfig_t`, passed by value to `backendValidateOpConfig` and `graphAddNode`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OpConfig {
    /// 1.
    pub version: u32,
    /// The only version there is.
    pub v1: OpConfigV1,
}

impl From<OpConfigV1> for OpConfig {
    fn from(v1: OpConfigV1) -> Self {
        Self { version: 1, v1 }
    }
}
