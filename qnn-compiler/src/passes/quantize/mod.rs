//! Quantization operators become encodings of values: what follows sees real numbers, and where they are rounded.
//!
//! A QuantizeLinear and the DequantizeLinear behind it vanish, and the float between them carries the encoding. Where that
//! float is needed unrounded too, or has another encoding already, an Identity stays between the two values: lowering
//! makes it the Quantize, Dequantize or Convert that it is. Weights stay the integers that the model has.

mod data_movement;
mod expansion;
mod fixed_ranges;
mod infer_encodings;
mod integer_regions;
mod linear;
mod mask_ranges;
mod propagate;
mod qdq;
mod refine_ranges;
mod weights;

pub(super) use data_movement::run as data_movement;
pub(super) use fixed_ranges::run as fixed_ranges;
pub(super) use infer_encodings::run as infer_encodings;
pub(super) use linear::run as linear;
pub(super) use mask_ranges::run as mask_ranges;
pub(super) use propagate::run as propagate;
pub(super) use qdq::run as qdq;
pub(super) use refine_ranges::run as refine_ranges;
