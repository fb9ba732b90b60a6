//! Quantization operators become encodings of values: what follows sees real numbers, and where they are rounded.
//!
//! A QuantizeLinear and the DequantizeLinear behind it vanish, and the float between them carries the encoding. Where that
//! float is needed unrounded too, or has another encoding already, an Identity stays between the two values: lowering
//! makes it the Quantize, Dequantize or Convert that it is. Weights stay the integers that the model has.

mod derive;
mod expansion;
mod groups;
mod known;
mod limit;
mod linear;
mod moves;
mod propagate;
mod qdq;
mod tighten;
mod weights;

pub(super) use derive::run as derive;
pub(super) use known::run as known;
pub(super) use limit::run as limit;
pub(super) use linear::run as linear;
pub(super) use moves::run as moves;
pub(super) use propagate::run as propagate;
pub(super) use qdq::run as qdq;
pub(super) use tighten::run as tighten;
