//! Elements in the widest type of their kind, in which arithmetic is exact for every narrower one.
//!
//! A sum, product, quotient or square root of two 32-bit floats computed in 64 bits and rounded once is the 32-bit result.

use crate::graph::{DType, Data};

/// Elements of a tensor.
#[derive(Clone, Debug)]
pub(super) enum Lane {
    Int(Vec<i64>),
    Float(Vec<f64>),
}

impl Lane {
    pub(super) fn read(data: &Data, dtype: DType) -> Self {
        if dtype.is_float() { Self::Float(data.to_f64(dtype)) } else { Self::Int(data.to_i64(dtype)) }
    }

    pub(super) fn write(&self, dtype: DType) -> Data {
        match self {
            Self::Int(v) => Data::from_ints(v, dtype),
            Self::Float(v) => Data::from_floats(v, dtype),
        }
    }
}
