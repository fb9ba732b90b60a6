//! Operators by family: one file a family, one function an operator.

pub(crate) mod activation;
pub(crate) mod arg;
pub(crate) mod conv;
pub(crate) mod convert;
pub(crate) mod einsum;
pub(crate) mod elementwise;
pub(crate) mod expand;
pub(crate) mod gather;
pub(crate) mod logic;
pub(crate) mod mask;
pub(crate) mod matmul;
pub(crate) mod norm;
pub(crate) mod pad;
pub(crate) mod pool;
pub(crate) mod reduce;
pub(crate) mod resize;
pub(crate) mod rotary;
pub(crate) mod scatter;
pub(crate) mod shape;
pub(crate) mod slice;
pub(crate) mod softmax;
pub(crate) mod spatial;
pub(crate) mod unary;
