//! Quantization encodings: how stored integers stand for real numbers.
//!
//! An [`Encoding`] is what integers are stored ([`Storage`]: bits and sign) and which elements share a scale ([`Granularity`]: the
//! tensor, a slice of an axis, a block along an axis, or a block whose scale is a small integer times its channel's, as LPBQ has
//! it). There is no other way to one than its checked constructors, so what holds an encoding may rely on it: scales are finite and
//! not zero, lists have the lengths that belong together. Whether it [fits](Encoding::fits) a tensor is asked with the tensor's shape.
//!
//! There is one rule of rounding: [`Encoding::quantize`] divides, rounds halves to even, adds the zero point and saturates, as
//! ONNX's QuantizeLinear does; [`Encoding::dequantize`] is its other half.
//!
//! ```
//! use qnn_types::quant::{Encoding, Storage};
//!
//! let encoding = Encoding::new_per_tensor(Storage::U8, 0.5, 10)?;
//! assert_eq!(encoding.quantize(&[-9.0f32, 0.25, 0.75, 500.0], &[4])?, [0, 10, 12, 255]);
//! assert_eq!(encoding.dequantize(&[0, 10, 12], &[3])?, [-5.0, 0.0, 1.0]);
//! # Ok::<(), qnn_types::quant::Invalid>(())
//! ```

mod arithmetic;
mod decompressed;
mod described;
mod encoding;
mod granularity;
mod invalid;
mod order;
mod storage;
#[cfg(test)]
mod tests;

pub use arithmetic::Real;
pub use encoding::Encoding;
pub use granularity::{BlockExpansion, Granularity, PerAxis, PerBlock, PerTensor};
pub use invalid::Invalid;
pub use storage::Storage;
