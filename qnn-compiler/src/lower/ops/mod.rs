//! Operators by family: one file a family, one function an operator.

pub(in crate::lower) mod activation;
pub(in crate::lower) mod arg;
pub(in crate::lower) mod conv;
pub(in crate::lower) mod convert;
pub(in crate::lower) mod einsum;
pub(in crate::lower) mod elementwise;
pub(in crate::lower) mod gather;
pub(in crate::lower) mod logic;
pub(in crate::lower) mod mask;
pub(in crate::lower) mod matmul;
pub(in crate::lower) mod norm;
pub(in crate::lower) mod pad;
pub(in crate::lower) mod pool;
pub(in crate::lower) mod reduce;
pub(in crate::lower) mod resize;
pub(in crate::lower) mod rotary;
pub(in crate::lower) mod scatter;
pub(in crate::lower) mod shape;
pub(in crate::lower) mod slice;
pub(in crate::lower) mod softmax;
pub(in crate::lower) mod spatial;
pub(in crate::lower) mod spread;
pub(in crate::lower) mod unary;
